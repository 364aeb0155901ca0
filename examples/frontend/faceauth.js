// The modules that the site's own pages use. If this page cannot reach its static files, copy them.
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
  return { snapshot: await dataUrl(await pictureOf(video, PICTURE)) };
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
        return { challenge: issued.challenge, snapshot: await Promise.all(pictures) };
      }
    }
  } finally {
    recorder.stop();
  }
  throw new Error("That took too long. Start again.");
}

login.addEventListener("submit", async (event) => {
  event.preventDefault();
  const username = login.elements.username.value;
  const challenged = "challenge" in main.dataset;
  try {
    const shown = await withCamera(challenged ? turnHead : look);
    say("One moment …");
    await ask("/face/login/", { username, ...shown });
    await begin();
  } catch (error) {
    say(error.message);
  }
});

logout.addEventListener("click", async () => {
  const headers = { "X-CSRFToken": token };
  // The site would redirect a browser to one of its own pages.
  const options = { method: "POST", headers, redirect: "manual", credentials: "include" };
  await fetch(`${site}/accounts/logout/`, options);
  await begin();
});

begin().catch((error) => say(error.message));
