import { CaptureWidget } from "./capture-widget.js";
import { deviceProof } from "./device-fields.js";
import { partsOf } from "./dom.js";
import { useFileInput } from "./file-input.js";
import { Messages } from "./messages.js";
import { Submission } from "./submission.js";

// Time to read why a picture was refused before the next one is taken.
const PAUSE_MS = 2000;
const MAX_FAILURES = 3;
const FINAL_ERRORS = ["too_many_attempts", "challenge_abandoned"];

/**
 * Log in with a burst that is sent as soon as it is taken, or with a photo. If the site asks for a
 * challenge, its frames are sent, and no photo is accepted instead.
 * @param {HTMLElement} root the widget
 */
export function startLogin(root) {
  const form = root.closest("form");
  const username = form.querySelector("[data-faceauth-username]");
  const stuck = form.querySelector("[data-faceauth-stuck]");
  const messages = new Messages(partsOf(root).words);
  const submission = new Submission(root, messages);
  const widget = new CaptureWidget(root, messages, {
    onPictures: (pictures, automatic, challenge) =>
      send(pictures, { automatic, challenge, mirrored: true }),
    onError: (error, automatic) => {
      submission.showError(error);
      handleFailure(error, automatic);
    },
    token: () => submission.token,
    frames: Number(root.dataset.frames),
    challenged: Boolean(root.dataset.challengeUrl),
    // Only the username can be missing, on sites that need one.
    ready: (asked) => (asked ? form.reportValidity() : form.matches(":valid")),
  });
  let failures = 0;
  let refused = [];

  async function send(pictures, { automatic, challenge, mirrored }) {
    if (submission.busy) return;
    widget.freeze(pictures.at(-1), { mirrored });
    const error = await submission.send(pictures, { challenge });
    if (!error) return widget.finish();
    refused = pictures;
    handleFailure(error, automatic);
  }

  function handleFailure(error, automatic) {
    if (automatic) failures += 1;
    // The message asks for it: open the field, but leave the focus with a password being typed.
    if (username && error.code === "not_recognised") username.open = true;
    // After three refusals the page stops asking the server by itself.
    if (failures >= MAX_FAILURES || FINAL_ERRORS.includes(error.code)) widget.auto = false;
    if (stuck) stuck.hidden = widget.auto;
    widget.resume();
    if (!widget.live) return;
    if (error.code === "challenge_expired" && failures < MAX_FAILURES) widget.take(automatic);
    else widget.pause(PAUSE_MS, messages.get(widget.auto ? "pause" : "stuck"));
  }

  // Another user, or a comparison with one face only: worth asking the server again.
  username?.addEventListener("change", () => {
    failures = 0;
    widget.auto = true;
    if (stuck) stuck.hidden = true;
  });
  // A face that is refused and then confirmed by the password is what a template can adapt to.
  document.querySelector("[data-faceauth-confirms]")?.addEventListener("formdata", (event) => {
    for (const picture of refused.slice(0, 1)) {
      event.formData.append("snapshot", picture, "frame.jpg");
    }
  });
  form.querySelector("[type=submit]").hidden = true;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (widget.live) widget.take();
    else if (!submission.busy) widget.start();
  });
  useFileInput(root, messages, ([photo]) => {
    if (form.reportValidity()) send([photo], { automatic: false, mirrored: false });
  });
  // Reads the key of a trusted device while there is time.
  deviceProof(root.dataset.deviceNonce);
  widget.startIfAllowed();
}
