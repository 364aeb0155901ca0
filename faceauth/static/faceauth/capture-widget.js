import { CameraChooser } from "./camera-chooser.js";
import { Camera, lastingProblem, permissionState, watchPermission } from "./camera.js";
import { Challenge } from "./challenge.js";
import { emit, partsOf } from "./dom.js";
import { FRAME, PICTURE, burstOf, pictureOf } from "./pictures.js";
import { Preview } from "./preview.js";
import { Stability } from "./stability.js";
import { Status } from "./status.js";

// How often the server sees a frame: often enough to help, or to follow a head that turns.
const PREVIEW_INTERVAL_MS = 280;
const CHALLENGE_INTERVAL_MS = 125;

// No picture is taken while the visitor is typing in one of these.
const TYPED = "input:not([type=checkbox], [type=radio], [type=file]), textarea, select:not([data-part])";

/**
 * The live view: the camera, the guidance, and the moment at which a picture is taken.
 *
 * The root's `data-state` is off, starting, live, still, complete or problem, and its `data-tone`
 * idle, good, warn, bad or busy; its `data-pose` is the pose asked for.
 */
export class CaptureWidget {
  /** True to take pictures without a press on the button. */
  auto = true;

  #root;
  #messages;
  #parts;
  #frames;
  #ready;
  #onPictures;
  #onError;
  #token;
  #challenged;
  #camera;
  #chooser;
  #preview;
  #status;
  #stability = new Stability();
  #poseFields;
  #pitch = null;
  #pausedUntil = 0;
  #taking = false;
  #challenge = null;
  #automatic = false;

  /**
   * @param {HTMLElement} root the widget
   * @param {import("./messages.js").Messages} messages
   * @param {object} options
   * @param {(pictures: Blob[], automatic: boolean, challenge?: string) => void} options.onPictures
   *   called with the pictures taken, and the id of the challenge that they pass
   * @param {(error: object, automatic: boolean) => void} [options.onError] called if a challenge
   *   ended without pictures
   * @param {() => string} options.token the CSRF token
   * @param {number} [options.frames] how many pictures are taken at once
   * @param {boolean} [options.challenged] true if each look has to pass a challenge
   * @param {(asked: boolean) => boolean} [options.ready] returns true if everything is there that a
   *   picture needs; if the visitor `asked` for the picture, it may say what is missing
   */
  constructor(root, messages, options) {
    const { frames = 1, challenged = false, ready = () => true } = options;
    this.#root = root;
    this.#messages = messages;
    this.#parts = partsOf(root);
    this.#onPictures = options.onPictures;
    this.#onError = options.onError;
    this.#token = options.token;
    this.#frames = frames;
    this.#challenged = challenged;
    this.#ready = ready;
    const { video, status, announcer, stage, start, take } = this.#parts;
    this.#camera = new Camera(video, (problem) => this.#fail(problem));
    this.#chooser = new CameraChooser(root, messages, this.#camera, () => this.#restart());
    this.#status = new Status(status, announcer);
    this.#preview = new Preview({
      url: root.dataset.previewUrl,
      frame: () => this.#challenge?.frame() ?? pictureOf(video, FRAME),
      fields: () => this.#challenge?.fields ?? this.#poseFields,
      interval: () => (this.#challenge ? CHALLENGE_INTERVAL_MS : PREVIEW_INTERVAL_MS),
      token: options.token,
      onAdvice: (advice, frame) => this.#takeAdvice(advice, frame),
      onError: (error, retrying) => this.#showConnectionError(error, retrying),
    });
    start.addEventListener("click", () => this.start());
    take.addEventListener("click", () => this.take());
    this.#releaseWithPage();
    watchPermission(() => root.dataset.problem === "refused" && this.start());
    this.askFor("straight");
    stage.hidden = false;
    this.stop();
  }

  /** @returns {boolean} true if the camera is on and shown */
  get live() {
    return this.#root.dataset.state === "live";
  }

  /** The pitch of the face as it was last seen; null if the head was not held as asked for. */
  get pitch() {
    return this.#pitch;
  }

  /**
   * Ask for a pose from now on.
   * @param {string} pose straight, left, right (the visitor's own), up or any
   * @param {number | null} level the visitor's pitch when looking straight ahead, if known
   */
  askFor(pose, level = null) {
    this.#poseFields = level === null ? { pose } : { pose, level };
    this.#root.dataset.pose = pose;
    this.#pitch = null;
    this.#stability.reset();
    this.#challenge?.cancel();
  }

  /** Turn the camera on; the browser may ask the visitor. */
  async start() {
    this.#show("starting", "idle", this.#messages.get("starting"));
    try {
      const started = await this.#camera.start();
      // Not if a chosen photo is shown by now.
      if (started && this.#root.dataset.state === "starting") this.resume();
    } catch (error) {
      this.#fail(error.problem);
    }
    this.#chooser.update();
  }

  /** Turn the camera on if the browser need not ask; otherwise leave that to the button. */
  async startIfAllowed() {
    const state = await permissionState();
    if (this.#root.dataset.state !== "off") return;
    if (state === "granted") await this.start();
    if (state === "denied") this.#fail("refused");
  }

  /** Turn the camera off. */
  stop() {
    const problem = lastingProblem();
    if (problem) return this.#fail(problem);
    this.#release();
    this.#show("off", "idle", this.#messages.get("off"));
  }

  /** Turn the camera off: all pictures are taken. */
  complete() {
    this.#release();
    this.#show("complete", "good", this.#messages.get("complete"));
  }

  /** Turn the camera off and keep showing the last picture. */
  finish() {
    this.#release();
    this.#root.dataset.tone = "good";
  }

  /**
   * Take a picture now, or a burst; during a challenge, start it again.
   * @param {boolean} automatic false if the visitor asked for it
   */
  async take(automatic = false) {
    if (this.#challenge) return this.#challenge.restart();
    if (!this.live || this.#taking || !this.#ready(!automatic)) return;
    this.#taking = true;
    try {
      const { pictures, challenge, error } = await this.#capture(automatic);
      if (error) return this.#onError(error, automatic);
      if (!pictures?.length || !this.live) return;
      emit(this.#root, "capture", { pictures, automatic });
      this.#onPictures(pictures, automatic, challenge);
    } finally {
      this.#taking = false;
    }
  }

  /**
   * Lead the visitor through a challenge.
   * @param {boolean} automatic false if the visitor asked for it; if true, it ends as soon as they
   *   type
   * @returns {Promise<{challenge: string, pictures: Blob[]} | {error: object} | {}>} {} if it was
   *   given up
   */
  async runChallenge(automatic = false) {
    const { take } = this.#parts;
    const label = take.textContent;
    if (!automatic) this.#reveal();
    this.#automatic = automatic;
    this.#challenge = new Challenge(this.#root, this.#messages, {
      say: (...all) => this.say(...all),
      token: this.#token,
    });
    take.textContent = this.#messages.get("begin-again");
    try {
      return (await this.#challenge.run()) ?? {};
    } finally {
      this.#challenge = null;
      take.textContent = label;
      this.#root.dataset.pose = this.#poseFields.pose;
      this.#stability.interrupt();
    }
  }

  /**
   * Show a picture instead of the camera, which stays on.
   * @param {Blob} picture
   * @param {{mirrored: boolean}} options
   */
  freeze(picture, { mirrored }) {
    this.#preview.stop();
    const { still } = this.#parts;
    still.onload = still.onerror = () => URL.revokeObjectURL(still.src);
    still.src = URL.createObjectURL(picture);
    this.#root.dataset.still = mirrored ? "mirrored" : "plain";
    this.#show("still", "busy", this.#messages.get("checking"));
  }

  /** Go back from a picture to the camera, or to the button if the camera is off. */
  resume() {
    if (!this.#camera.on) return this.stop();
    this.#stability.reset();
    this.#show("live", "idle", this.#messages.get("live"));
    this.#preview.start();
  }

  /**
   * Take no picture and give no advice for a while; say something instead.
   * @param {number} milliseconds
   * @param {string} text
   * @param {string} [read] what to read out instead of the text
   */
  pause(milliseconds, text, read = text) {
    this.#pausedUntil = performance.now() + milliseconds;
    this.say(text, "idle", read);
  }

  /**
   * Say something under the picture.
   * @param {string} text
   * @param {string} tone
   * @param {string} [read] what to read out instead of the text
   */
  say(text, tone, read = text) {
    this.#root.dataset.tone = tone;
    this.#status.say(text, read);
  }

  async #capture(automatic) {
    if (this.#challenged) return this.runChallenge(automatic);
    if (this.#frames > 1) this.say(this.#messages.get("hold"), "good");
    return { pictures: await burstOf(this.#parts.video, PICTURE, this.#frames) };
  }

  #takeAdvice(advice, frame) {
    emit(this.#root, "preview", advice);
    if (this.#challenge) return this.#feedChallenge(advice, frame);
    if (this.#taking) return;
    if (performance.now() < this.#pausedUntil) return this.#stability.interrupt();
    this.#pitch = advice.ok ? advice.face.head_pose_pitch : null;
    const { steady, struggling } = this.#stability.feed(advice);
    const ready = this.#ready(false);
    const automatic = ready && this.auto && !isTyping();
    let text = advice.message;
    if (struggling) text = this.#messages.get("anyway", { advice: text });
    if (advice.ok && !automatic) text = this.#messages.get(ready ? "ready" : "unready");
    this.say(text, advice.ok && ready ? "good" : "warn");
    if (steady && automatic) this.take(true);
  }

  #feedChallenge(advice, frame) {
    if (this.#automatic && isTyping()) this.#challenge.cancel();
    else this.#challenge.feed(advice, frame);
  }

  #showConnectionError(error, retrying) {
    this.#stability.interrupt();
    const unreachable = error.status === 0 && error.code !== "timeout";
    const text = this.#messages.get(unreachable ? "lost" : "slow");
    this.say(retrying ? text : this.#messages.forError(error), "bad");
    if (!retrying) this.#challenge?.cancel();
  }

  /** Go on with the camera that the visitor chose, if one is wanted. */
  #restart() {
    this.#challenge?.restart();
    if (["live", "problem"].includes(this.#root.dataset.state)) this.start();
  }

  #fail(problem) {
    this.#release();
    this.#root.dataset.problem = problem;
    this.#show("problem", "bad", this.#messages.get(`problem-${problem}`));
  }

  #release() {
    this.#challenge?.cancel();
    this.#preview.stop();
    this.#camera.stop();
  }

  #show(state, tone, text) {
    const { cover, explanation, start, still, take } = this.#parts;
    const startHadFocus = document.activeElement === start;
    if (state !== "problem") delete this.#root.dataset.problem;
    this.#root.dataset.state = state;
    const uncovered = state === "live" || state === "still";
    const startable = ["off", "problem"].includes(state) && !lastingProblem();
    cover.hidden = uncovered;
    explanation.textContent = uncovered ? "" : text;
    start.hidden = !startable;
    start.textContent = this.#messages.get(state === "problem" ? "retry" : "start");
    still.hidden = state !== "still";
    take.hidden = !uncovered || !this.#camera.on;
    this.say(text, tone);
    // A button that disappears must not lose the keyboard user's place in the page.
    if (startHadFocus) this.#root.focus({ preventScroll: true });
    if (document.activeElement !== this.#root) return;
    [start, take].find((each) => !each.hidden)?.focus({ preventScroll: true });
    if (startHadFocus) this.#reveal();
  }

  /** Scroll to the picture and to the line under it. */
  #reveal() {
    for (const part of ["status", "video"]) this.#parts[part].scrollIntoView({ block: "nearest" });
  }

  /** Turn the camera off when the page is left, and on again if the browser brings it back. */
  #releaseWithPage() {
    let wasOn = false;
    addEventListener("pagehide", () => {
      wasOn = this.#camera.on;
      this.#release();
    });
    addEventListener("pageshow", ({ persisted }) => persisted && wasOn && this.start());
  }
}

function isTyping() {
  return Boolean(document.activeElement?.matches(TYPED));
}
