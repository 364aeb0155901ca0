import { CaptureWidget } from "./capture-widget.js";
import { partsOf } from "./dom.js";
import { useFileInput } from "./file-input.js";
import { Messages } from "./messages.js";
import { Shots } from "./shots.js";
import { Submission } from "./submission.js";

// Time to take on the next pose before its picture.
const PAUSE_MS = 2500;

/**
 * Collect several pictures, each in its own pose, and send them with the rest of the form; if the
 * site asks for a challenge, that is passed before.
 *
 * If the form asks for consent, the camera is off before it is given, and all pictures are dropped
 * when it is withdrawn.
 * @param {HTMLElement} root the widget
 */
export function startEnrolment(root) {
  const form = root.closest("form");
  const { consent } = form.elements;
  const { prompt, words } = partsOf(root);
  const messages = new Messages(words);
  const submission = new Submission(root, messages);
  const widget = new CaptureWidget(root, messages, {
    onPictures: ([picture]) => add(picture, widget.pitch),
    token: () => submission.token,
  });
  const shots = new Shots(root, messages, () => {
    root.focus();
    askForPose();
    begin();
  });
  // The visitor's pitch when looking straight ahead, which a lifted chin is compared with.
  let level = null;
  let sending = false;

  const agreed = () => consent?.checked ?? true;

  async function begin() {
    if (!widget.live) await widget.start();
    if (widget.live) widget.pause(PAUSE_MS, messages.get("live"), prompt.textContent);
  }

  function add(picture, pitch = null) {
    if (!shots.pose) return widget.complete();
    if (shots.pose.name === "straight") level = pitch ?? level;
    shots.add(picture);
    askForPose();
    if (shots.next < 0) return widget.complete();
    const next = messages.get("next");
    widget.pause(PAUSE_MS, next, `${next} ${prompt.textContent}`);
  }

  function askForPose() {
    const { next, pose, total } = shots;
    prompt.hidden = !pose;
    if (!pose) return;
    prompt.textContent = messages.get("prompt", { number: next + 1, total, pose: pose.text });
    widget.askFor(pose.name, pose.name === "up" ? level : null);
  }

  function showPictureError(name) {
    const message = messages.get(name, { count: shots.pictures.length, total: shots.total });
    const fields = { [root.dataset.name]: [message] };
    submission.showError({ code: "missing_snapshot", message, fields });
  }

  function onConsent() {
    root.hidden = !agreed();
    if (agreed()) {
      root.scrollIntoView({ block: "nearest" });
      begin();
    } else {
      widget.stop();
      shots.clear();
      level = null;
      askForPose();
    }
  }

  async function send() {
    if (agreed() && shots.next >= 0) return showPictureError("missing");
    let error;
    do {
      const passed = await passChallenge();
      if (!passed) return;
      error = await submission.send(shots.pictures, passed);
      if (!error) return widget.finish();
      if (passed.challenge) widget.complete();
    } while (error.code === "challenge_expired");
  }

  /** Return the challenge passed, {} if none is needed, undefined if it failed. */
  async function passChallenge() {
    if (!("purpose" in root.dataset) || !agreed()) return {};
    if (!widget.live) await widget.start();
    if (!widget.live) return;
    prompt.textContent = messages.get("turns");
    prompt.hidden = false;
    const { challenge, error } = await widget.runChallenge();
    askForPose();
    if (error) {
      submission.showError(error);
      widget.complete();
    }
    if (!challenge) return;
    widget.freeze(null);
    return { challenge };
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (submission.busy || sending) return;
    sending = true;
    await send();
    sending = false;
  });
  useFileInput(root, messages, (photos) => {
    if (agreed() && shots.next < 0) return showPictureError("surplus");
    for (const each of photos) if (agreed() && shots.next >= 0) add(each);
  });
  askForPose();
  consent?.addEventListener("change", onConsent);
  root.hidden = !agreed();
  // After going back to a page, browsers tick the box again only once scripts have run.
  addEventListener("pageshow", ({ persisted }) => {
    if (persisted) return;
    root.hidden = !agreed();
    if (agreed()) widget.startIfAllowed();
  });
}
