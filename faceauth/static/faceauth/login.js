import { CaptureWidget } from "./capture-widget.js";
import { deviceProof } from "./device-fields.js";
import { partsOf } from "./dom.js";
import { useFileInput } from "./file-input.js";
import { Messages } from "./messages.js";
import { SMALL } from "./pictures.js";
import { Submission } from "./submission.js";

// Time to read why a picture was refused before the next one is taken.
const PAUSE_MS = 2000;

// How often the page tries again by itself after it was refused for what can be done better at once.
const MAX_RETRIES = 2;

// Refusals of a challenge, after which another one is opened.
const NOT_LIVE = ["challenge_failed", "challenge_expired"];

// Refusals of a picture, after which another one is taken.
const NOT_USABLE = [
  "no_face",
  "several_faces",
  "too_small",
  "too_dark",
  "too_bright",
  "blurred",
  "busy",
];

/**
 * Log in: pass the challenge and send its id, or, on sites without one, send a burst as soon as it
 * is taken, or a photo.
 * @param {HTMLElement} root the widget
 */
export function startLogin(root) {
  const form = root.closest("form");
  const details = form.querySelector("[data-faceauth-username]");
  const stuck = form.querySelector("[data-faceauth-stuck]");
  const { explanation, words } = partsOf(root);
  const messages = new Messages(words);
  const challenged = "purpose" in root.dataset;
  // The line under the picture and its cover say everything: a toast would lie over the way out.
  const submission = new Submission(root, messages, {
    tell: (message, level) => level === "success" && widget.say(message, "good"),
  });
  const widget = new CaptureWidget(root, messages, {
    onPictures: (pictures, automatic) => send(pictures, { automatic }),
    onPassed: (passed, automatic) => send([], { automatic, ...passed }),
    onError: (error, automatic) => {
      submission.showError(error);
      refuse(error, automatic);
    },
    token: () => submission.token,
    fields: () => ({ username: form.elements.username?.value ?? "" }),
    frames: Number(root.dataset.frames),
    format: SMALL,
    challenged,
    // Only the username can be missing, on sites that need one.
    ready: (asked) => (asked ? form.reportValidity() : form.matches(":valid")),
  });
  let retries = 0;
  let refused = null;

  async function send(pictures, options) {
    const { automatic, challenge, picture = pictures[0], hint = "", photo = false } = options;
    if (submission.busy) return;
    widget.freeze(challenge ? null : pictures.at(-1), { mirrored: !photo });
    const error = await submission.send(pictures, { challenge, timed: !photo });
    if (!error) return submission.busy ? widget.finish() : widget.stop();
    refused = picture;
    // A face that is not recognised may be hidden.
    if (error.code === "not_recognised") error.message = `${error.message} ${hint}`.trim();
    retry(error, automatic) || refuse(error, automatic);
  }

  /** Try again, if that may help; return true if so. */
  function retry({ code, message }, automatic) {
    if (!widget.on || retries >= MAX_RETRIES) return false;
    if (!(challenged ? NOT_LIVE : NOT_USABLE).includes(code)) return false;
    retries += 1;
    widget.resume({ asked: !automatic, reason: message });
    if (!challenged) widget.pause(PAUSE_MS, message);
    return true;
  }

  /** Stop, and say what to do. */
  function refuse({ code, message, retryAfter }, automatic) {
    retries = 0;
    if (stuck) stuck.hidden = false;
    const asks = details && ["not_recognised", "username_needed"].includes(code);
    if (asks) details.open = true;
    // Who came to an open page and moved nothing yet keeps the focus.
    const focus = !asks && !(automatic && code === "too_many_attempts");
    widget.refuse(message, {
      focus: focus && !isElsewhere(),
      seconds: retryAfter,
      reload: code === "csrf_failed",
    });
    if (asks && !isElsewhere()) form.elements.username.focus();
  }

  /** Return true if the visitor is busy with something else than this form. */
  function isElsewhere() {
    const { activeElement } = document;
    return activeElement !== document.body && !form.contains(activeElement);
  }

  /** Leave whoever logs in with a password in peace. */
  function giveWay() {
    if (!asksForPassword(document.activeElement) || submission.busy) return;
    widget.auto = false;
    if (widget.on || root.dataset.state === "starting") widget.stop();
  }

  const field = form.elements.username;
  const described = field?.getAttribute("aria-describedby") ?? "";
  field?.setAttribute("aria-describedby", `${explanation.id} ${described}`.trim());
  field?.addEventListener("focus", () => widget.interrupt());
  // Another user, or a comparison with one face only: worth asking the server again.
  field?.addEventListener("change", () => {
    retries = 0;
    if (stuck) stuck.hidden = true;
    if (widget.refused) widget.start(true);
    else if (challenged) widget.take(true);
  });
  document.addEventListener("focusin", giveWay);
  // A face that is refused and then confirmed by the password is what a template can adapt to.
  document.querySelector("[data-faceauth-confirms]")?.addEventListener("formdata", (event) => {
    if (refused) event.formData.append("snapshot", refused, "frame.jpg");
  });
  form.querySelector("[type=submit]").hidden = true;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (widget.live) widget.take();
    else if (!submission.busy) widget.start(true);
  });
  const onPhoto = ([photo]) => {
    if (!photo) return refuse({ code: "unsupported_type", message: messages.get("unreadable") });
    if (form.reportValidity()) send([photo], { automatic: false, photo: true });
  };
  useFileInput(root, messages, onPhoto, SMALL);
  // Reads the key of a trusted device while there is time.
  deviceProof(root.dataset.deviceNonce);
  giveWay();
  if (!("onRequest" in root.dataset)) widget.startIfAllowed();
}

/** Return true if an element is in a form that asks for a password. */
function asksForPassword(element) {
  return Boolean(element?.form?.querySelector("[type=password]"));
}
