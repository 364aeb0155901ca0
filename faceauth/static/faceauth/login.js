import { useInput } from "./file-input.js";
import { partsOf } from "./dom.js";
import { CaptureWidget } from "./capture-widget.js";
import { Submission } from "./submission.js";
import { Messages } from "./messages.js";

const PAUSE_MS = 2000;
const MOST_FAILURES = 3;
const HOPELESS = ["too_many_attempts", "challenge_abandoned"];

/**
 * Log in with one look, a few pictures that are sent as soon as they are taken, or with a photo.
 * Where the site asks for turns of the head, the pictures are of those, and no photo does.
 * @param {HTMLElement} root the widget
 */
export function startLogin(root) {
  const form = root.closest("form");
  const username = form.querySelector("[data-faceauth-username]");
  const stuck = form.querySelector("[data-faceauth-stuck]");
  const words = new Messages(partsOf(root).words);
  const submission = new Submission(root, words);
  const stage = new CaptureWidget(root, words, {
    onPictures: (pictures, automatic, challenge) =>
      send(pictures, { automatic, challenge, mirrored: true }),
    onError: (error, automatic) => {
      submission.refuse(error);
      fail(error, automatic);
    },
    token: () => submission.token,
    frames: Number(root.dataset.frames),
    turning: Boolean(root.dataset.challengeUrl),
    // Only the username can be missing, where the site does not do without.
    ready: (asked) => (asked ? form.reportValidity() : form.matches(":valid")),
  });
  let failures = 0;
  let refused = [];

  async function send(pictures, { automatic, challenge, mirrored }) {
    if (submission.busy) return;
    stage.freeze(pictures.at(-1), { mirrored });
    const error = await submission.send(pictures, { challenge });
    if (!error) return stage.finish();
    refused = pictures;
    fail(error, automatic);
  }

  function fail(error, automatic) {
    if (automatic) failures += 1;
    // Asked for in the message: shown, but the focus stays with whoever is typing a password.
    if (username && error.code === "not_recognised") username.open = true;
    // A server that has refused three times is not to be asked for ever.
    if (failures >= MOST_FAILURES || HOPELESS.includes(error.code)) stage.auto = false;
    if (stuck) stuck.hidden = stage.auto;
    stage.resume();
    if (!stage.live) return;
    if (error.code === "challenge_expired" && failures < MOST_FAILURES) stage.take(automatic);
    else stage.pause(PAUSE_MS, words.get(stage.auto ? "pause" : "stuck"));
  }

  // Somebody else, or compared with one face only: worth asking the server again.
  username?.addEventListener("change", () => {
    failures = 0;
    stage.auto = true;
    if (stuck) stuck.hidden = true;
  });
  // A face that is refused and then confirmed by the password is what a template can learn from.
  document.querySelector("[data-faceauth-confirms]")?.addEventListener("formdata", (event) => {
    for (const picture of refused.slice(0, 1)) {
      event.formData.append("snapshot", picture, "frame.jpg");
    }
  });
  form.querySelector("[type=submit]").hidden = true;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (stage.live) stage.take();
    else if (!submission.busy) stage.start();
  });
  useInput(root, words, ([photo]) => {
    if (form.reportValidity()) send([photo], { automatic: false, mirrored: false });
  });
  stage.startIfAllowed();
}
