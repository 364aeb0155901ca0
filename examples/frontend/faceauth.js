// The modules that the site's own pages use. If this page cannot reach its static files, copy them.
import { deviceProof } from "/static/faceauth/device-fields.js";
import { publicKey } from "/static/faceauth/device-key.js";
import { SMALL, pictureOf } from "/static/faceauth/pictures.js";
import { Recorder } from "/static/faceauth/recorder.js";

// From one frame to the next.
const PAUSE_MS = 100;

const main = document.querySelector("main");
const video = document.querySelector("video");
const login = document.querySelector("#login");
const code = document.querySelector("#code");
const logout = document.querySelector("#logout");
const site = main.dataset.site;
let token = "";

function say(text) {
  const status = document.querySelector("#status");
  // Screen readers read each change.
  if (status.textContent !== text) status.textContent = text;
}

/** Send a request to the site. Return its answer, or throw an error with its message and code. */
async function ask(path, fields) {
  const headers = { "Content-Type": "application/json", "X-CSRFToken": token };
  const options = fields ? { method: "POST", headers, body: JSON.stringify(fields) } : {};
  const response = await fetch(site + path, { ...options, credentials: "include" });
  const answer = await response.json();
  if (!response.ok) throw Object.assign(new Error(answer.error.message), answer.error);
  return answer;
}

async function begin() {
  const { user, csrf_token } = await ask("/face/whoami/");
  token = csrf_token;
  login.hidden = Boolean(user);
  code.hidden = true;
  logout.hidden = !user;
  say(user ? user.greeting : "Nobody is logged in.");
}

/** Run something while the camera is on. */
async function withCamera(run) {
  const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "user" } });
  try {
    video.srcObject = stream;
    video.hidden = false;
    await video.play();
    return await run();
  } finally {
    for (const track of stream.getTracks()) track.stop();
    video.hidden = true;
  }
}

/** Return a picture as a string for JSON. */
function dataUrl(blob) {
  return new Promise((done) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => done(reader.result));
    reader.readAsDataURL(blob);
  });
}

/** Return the fields that prove that this is a trusted browser, if it is one. */
async function proofOf(nonce) {
  return deviceProof(nonce ?? (await ask("/face/whoami/")).device_nonce);
}

/** Return the fields of a login on a site without a challenge: one picture. */
async function look() {
  const snapshot = await dataUrl(await pictureOf(video, SMALL));
  return { snapshot, ...(await proofOf()) };
}

/**
 * Show the site what the camera sees, and the user what the site asks for, until it has seen
 * enough. Return the fields of the login.
 */
async function converse(username) {
  const recorder = new Recorder(video);
  recorder.start();
  try {
    let last = { number: 0 };
    const opening = { purpose: "login", username, ...(await proofOf()) };
    let nonce;
    // The site may ask for some of the frames again.
    const sent = {};
    while (last.state !== "passed") {
      const named = last.challenge ? { challenge: last.challenge } : opening;
      const again = last.again?.map(([number]) => sent[number]);
      const frame = again ?? (await dataUrl(await recorder.next()));
      sent[last.number + 1] = frame;
      try {
        last = await ask("/face/frames/", { ...named, number: last.number + 1, frame });
      } catch (error) {
        // An answer was lost, or another tab was quicker.
        if (error.code !== "frames_out_of_order") throw error;
        last = { ...last, number: error.number };
        continue;
      }
      sent[last.number] = frame;
      nonce ??= last.device_nonce;
      say(last.message);
      await new Promise((done) => setTimeout(done, PAUSE_MS));
    }
    return { challenge: last.challenge, ...(await proofOf(nonce)) };
  } finally {
    recorder.stop();
  }
}

/** Send a login, and show what comes next: the user, or the form for the code. */
async function logIn(fields) {
  say("One moment …");
  const answer = await ask("/face/login/", fields);
  if (!answer.code_required) return begin();
  login.hidden = true;
  code.hidden = false;
  code.reset();
  code.elements.code.focus();
  say("If we know this face, we have emailed you a code. Enter it here.");
}

/** Return the fields that trust this browser, if the form's box is ticked. */
async function trust({ elements }) {
  if (!elements.trust.checked) return {};
  const key = await publicKey();
  return { trust: true, ...(key ? { device_key: key } : {}) };
}

/** Run what a button or form does, and show its error. */
function on(element, event, act) {
  element.addEventListener(event, async (happened) => {
    happened.preventDefault();
    try {
      await act();
    } catch (error) {
      say(error.message);
    }
  });
}

on(login, "submit", async () => {
  const username = login.elements.username.value;
  const challenged = "challenge" in main.dataset;
  const shown = await withCamera(() => (challenged ? converse(username) : look()));
  await logIn({ username, ...shown });
});

on(document.querySelector("#by-password"), "click", async () => {
  const { username, password } = login.elements;
  const fields = { username: username.value, password: password.value };
  await logIn({ ...fields, ...(await trust(login)) });
  password.value = "";
});

on(code, "submit", async () => {
  await logIn({ code: code.elements.code.value, ...(await trust(code)) });
});

logout.addEventListener("click", async () => {
  const headers = { "X-CSRFToken": token };
  // The site would redirect a browser to one of its own pages.
  const options = { method: "POST", headers, redirect: "manual", credentials: "include" };
  await fetch(`${site}/accounts/logout/`, options);
  await begin();
});

begin().catch((error) => say(error.message));
