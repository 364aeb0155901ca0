import { CaptureWidget } from "./capture-widget.js";
import { partsOf } from "./dom.js";
import { clearFieldErrors } from "./field-errors.js";
import { useFileInput } from "./file-input.js";
import { Messages } from "./messages.js";
import { Shots } from "./shots.js";
import { Submission } from "./submission.js";

// Nobody takes on the next pose sooner. After the first picture, a pose that only looks ahead needs
// more: the head is on its way back, and a smile cannot be told from none.
const REACTION_MS = 400;
const RETURN_MS = 900;

/**
 * Collect several pictures, each in its own pose, in one movement; then, if the site asks for one,
 * pass a challenge; and send both with the rest of the form.
 *
 * If the form asks for consent, the camera is off before it is given, and all pictures are dropped
 * when it is withdrawn.
 * @param {HTMLElement} root the widget
 */
export function startEnrolment(root) {
  const form = root.closest("form");
  const { consent } = form.elements;
  const { prompt, words } = partsOf(root);
  const challenged = "purpose" in root.dataset;
  const messages = new Messages(words);
  const submission = new Submission(root, messages, { keep: true });
  const widget = new CaptureWidget(root, messages, {
    onPictures: ([picture]) => add(picture, widget.pitch),
    onLive: () => {
      // Once everything is shown that there is to show.
      requestAnimationFrame(() => widget.reveal());
      if (shots.next >= 0) askForPose();
      else pass();
      return shots.next < 0;
    },
    token: () => submission.token,
  });
  const shots = new Shots(root, messages, () => {
    root.focus();
    askForPose();
    begin();
  });
  // The visitor's pitch when looking straight ahead, which a lifted chin is compared with.
  let level = null;
  // The challenge that was passed, and the one that is being passed.
  let passed = null;
  let passing = null;
  let sending = false;

  const agreed = () => consent?.checked ?? true;

  function begin() {
    if (widget.live) widget.resume();
    else widget.start();
  }

  function add(picture, pitch = null) {
    if (!shots.pose) return finish();
    clearFieldErrors(root);
    if (shots.pose.name === "straight") level = pitch ?? level;
    shots.add(picture);
    if (shots.next >= 0) askForPose();
    else finish();
  }

  /** All pictures are taken. */
  function finish() {
    prompt.hidden = true;
    if (!challenged || passed) complete();
    else if (widget.live) pass();
    else widget.complete();
  }

  function complete() {
    widget.complete(passed ? "done" : "complete");
    const submit = form.querySelector("[type=submit]");
    submit.scrollIntoView({ block: "nearest" });
    if (root.contains(document.activeElement)) submit.focus({ preventScroll: true });
  }

  function askForPose() {
    const { next, pose, total } = shots;
    prompt.hidden = !pose;
    if (!pose) return;
    const values = { number: next + 1, total, pose: pose.text };
    const read = messages.get("prompt", values);
    prompt.textContent = messages.get("progress", values);
    if (widget.live) widget.say(pose.text, "idle", { read, urgent: true });
    const returns = next > 0 && pose.name === "straight";
    widget.askFor(pose.name, {
      level: returns || pose.name === "up" ? level : null,
      prompt: read,
      wait: next > 0 ? (returns ? RETURN_MS : REACTION_MS) : 0,
    });
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
      level = passed = null;
      askForPose();
    }
  }

  async function send() {
    if (agreed() && shots.next >= 0) return showPictureError("missing");
    const needed = challenged && agreed();
    let error;
    do {
      if (needed && !passed) await pass();
      if (needed && !passed) return;
      error = await submission.send(shots.pictures, passed ? { challenge: passed } : {});
      if (!error) return widget.finish();
      if (error.code === "challenge_expired") passed = null;
      if (error.code === "logged_out") offer(error.elsewhere);
    } while (error.code === "challenge_expired");
  }

  /** Add a link that keeps this page, with its pictures, open. */
  function offer(url) {
    const link = document.createElement("a");
    link.href = url;
    link.target = "_blank";
    link.textContent = messages.get("elsewhere");
    root.querySelector(".errorlist li:last-child")?.append(" ", link);
  }

  /** Pass the challenge, if the camera can be turned on for it and the visitor does not give up. */
  function pass() {
    passing ??= runChallenge().finally(() => {
      passing = null;
    });
    return passing;
  }

  async function runChallenge() {
    if (!widget.live) await widget.start();
    if (!widget.live) return;
    prompt.textContent = messages.get("turns");
    prompt.hidden = false;
    const { challenge, error } = await widget.runChallenge();
    passed = challenge ?? passed;
    if (shots.next >= 0) return;
    prompt.hidden = true;
    if (passed) complete();
    else if (error) widget.refuse(messages.forError(error), { seconds: error.retryAfter });
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (submission.busy || sending) return;
    sending = true;
    await send();
    sending = false;
  });
  useFileInput(root, messages, (photos, unreadable) => {
    if (agreed() && shots.next < 0) return showPictureError("surplus");
    for (const each of photos) if (agreed() && shots.next >= 0) add(each);
    if (unreadable) showPictureError("unreadable");
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
