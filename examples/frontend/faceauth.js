// The modules that the site's own pages use. If this page cannot reach its static files, copy them.
import { deviceProof } from "/static/faceauth/device-fields.js";
import { publicKey } from "/static/faceauth/device-key.js";
import { FrameSelection } from "/static/faceauth/frame-selection.js";
import { PICTURE, pictureOf } from "/static/faceauth/pictures.js";
import { Recorder } from "/static/faceauth/recorder.js";
import { HeadTurns } from "/static/faceauth/head-turns.js";

const STILL = 0.05;
const MESSAGES = {
  left: "Turn your head slowly to your left.",
  right: "Turn your head slowly to your right.",
  back: "Good. Now slowly back to the middle.",
};

const main = document.querySelector("main");
const video = document.querySelector("video");
const login = document.querySelector("#login");
const code = document.querySelector("#code");
const logout = document.querySelector("#logout");
const site = main.dataset.site;
let token = "";

function say(text) {
  document.querySelector("#status").textContent = text;
}

/** Send a request to the site. Return its answer, or throw an error with its message. */
async function ask(path, fields) {
  const headers = { "Content-Type": "application/json", "X-CSRFToken": token };
  const options = fields ? { method: "POST", headers, body: JSON.stringify(fields) } : {};
  const response = await fetch(site + path, { ...options, credentials: "include" });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error.message);
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

/** Return one picture from the camera. */
async function look() {
  // In a browser that the user trusts, the answer has a text for its key to sign.
  const { device_nonce } = await ask("/face/challenge/", {});
  return { snapshot: await dataUrl(await pictureOf(video, PICTURE)), device_nonce };
}

/** Guide the user through the turns of a challenge, and return the frames that show them. */
async function turnHead() {
  const issued = await ask("/face/challenge/", {});
  // Leave a tenth of the time for sending the frames.
  const deadline = performance.now() + issued.seconds * 900;
  const selection = new FrameSelection();
  // Only some of the frames are sent to the site for a preview; the selection uses all of them.
  const recorder = new Recorder(video, (...frame) => selection.add(...frame));
  recorder.start();
  let turns = null;
  let before = null;
  try {
    while (performance.now() < deadline) {
      const frame = await recorder.next();
      const pose = turns ? "any" : "straight";
      const advice = await ask("/face/preview/", { snapshot: await dataUrl(frame), pose });
      const yaw = advice.faces === 1 ? advice.face.head_pose_yaw : null;
      selection.measure(frame, yaw, advice.code === "blurred");
      if (!turns) {
        // The turns start once the head is held straight and still.
        say(advice.message);
        const still = advice.ok && before !== null && Math.abs(yaw - before) <= STILL;
        before = advice.ok ? yaw : null;
        if (!still) continue;
        turns = new HeadTurns(issued, yaw);
        selection.begin();
      } else if (yaw !== null) {
        const { back } = turns.step;
        const result = turns.feed(yaw);
        if (result === "done" && back) selection.endTurn();
        if (result === "wrong") turns = before = null;
      }
      if (!turns) continue;
      if (turns.step) say(turns.step.back ? MESSAGES.back : MESSAGES[turns.step.turn]);
      else {
        const offset = (each, turn) => turns.offset(each, issued.turns[turn]);
        const chosen = selection.choose(offset, issued.frames);
        const pictures = chosen.map(({ picture }) => dataUrl(picture));
        const { challenge, device_nonce } = issued;
        return { challenge, snapshot: await Promise.all(pictures), device_nonce };
      }
    }
  } finally {
    recorder.stop();
  }
  throw new Error("That took too long. Start again.");
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
  const { device_nonce, ...shown } = await withCamera(challenged ? turnHead : look);
  await logIn({ username, ...shown, ...(await deviceProof(device_nonce)) });
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
