import { Camera, hopeless, permission } from "./camera.js";
import { Challenge } from "./challenge.js";
import { partsOf, tell } from "./dom.js";
import { Patience } from "./patience.js";
import { FRAME, PICTURE, burstOf, pictureOf } from "./pictures.js";
import { Preview } from "./preview.js";
import { Status } from "./status.js";
import { Stability } from "./stability.js";

// How often the server sees a frame: often enough to help, or to follow a head.
const EVERY_MS = 280;
const EVERY_TURNING_MS = 125;

// Whoever is typing is not to be photographed.
const TYPED = "input:not([type=checkbox], [type=radio], [type=file]), textarea, select";

/**
 * The live view: camera, guidance and the moment of the picture.
 *
 * The root's `data-state` is off, starting, live, still, complete or problem, and its `data-tone`
 * idle, good, warn, bad or busy; its `data-pose` is the pose asked for.
 */
export class CaptureWidget {
  /** Whether pictures are taken by themselves. */
  auto = true;

  #root;
  #words;
  #parts;
  #frames;
  #ready;
  #onPictures;
  #onError;
  #token;
  #turning;
  #camera;
  #preview;
  #status;
  #steadiness = new Stability();
  #patience = new Patience();
  #asked;
  #pitch = null;
  #pausedUntil = 0;
  #taking = false;
  #challenge = null;
  #automatic = false;

  /**
   * @param {HTMLElement} root the widget
   * @param {import("./messages.js").Messages} words
   * @param {object} options
   * @param {(pictures: Blob[], automatic: boolean, challenge?: string) => void} options.onPictures
   *   `challenge` is the one that they show to be met
   * @param {(error: object, automatic: boolean) => void} [options.onError] there were none
   * @param {() => string} options.token the CSRF token
   * @param {number} [options.frames] how many pictures are taken in one look
   * @param {boolean} [options.turning] whether the head has to be turned in each look
   * @param {(asked: boolean) => boolean} [options.ready] whether there is all that a picture needs;
   *   where it was `asked` for, the visitor may be told what is not
   */
  constructor(root, words, options) {
    const { onPictures, onError, token, frames = 1, turning = false, ready = () => true } = options;
    this.#root = root;
    this.#words = words;
    this.#parts = partsOf(root);
    this.#onPictures = onPictures;
    this.#onError = onError;
    this.#token = token;
    this.#frames = frames;
    this.#turning = turning;
    this.#ready = ready;
    const { video, status, announcer, stage, start, take } = this.#parts;
    this.#camera = new Camera(video, () => this.#fail("gone"));
    this.#status = new Status(status, announcer);
    this.#preview = new Preview({
      url: root.dataset.previewUrl,
      frame: () => this.#challenge?.frame() ?? pictureOf(video, FRAME),
      fields: () => this.#challenge?.fields ?? this.#asked,
      every: () => (this.#challenge ? EVERY_TURNING_MS : EVERY_MS),
      token,
      onAdvice: (advice, frame) => this.#advise(advice, frame),
      onTrouble: (error, again) => this.#worry(error, again),
    });
    start.addEventListener("click", () => this.start());
    take.addEventListener("click", () => this.take());
    this.#sleepWithPage();
    this.ask("straight");
    stage.hidden = false;
    this.stop();
  }

  /** Whether the camera is on and shown. */
  get live() {
    return this.#root.dataset.state === "live";
  }

  /** The pitch of the face as it was seen last; null where it was not held as asked for. */
  get pitch() {
    return this.#pitch;
  }

  /**
   * Ask for a pose from now on.
   * @param {string} pose straight, left, right (the visitor's own), up or any
   * @param {number | null} level the visitor's pitch when looking straight ahead, where it is known
   */
  ask(pose, level = null) {
    this.#asked = level === null ? { pose } : { pose, level };
    this.#root.dataset.pose = pose;
    this.#pitch = null;
    this.#patience.reset();
    this.#challenge?.cancel();
  }

  /** Turn the camera on; the browser may ask the visitor. */
  async start() {
    this.#show("starting", "idle", this.#words.get("starting"));
    try {
      const started = await this.#camera.start();
      // Not where a chosen photo is shown by now.
      if (started && this.#root.dataset.state === "starting") this.resume();
    } catch (error) {
      this.#fail(error.problem);
    }
  }

  /** Turn it on where the browser need not ask, else leave that to the button. */
  async startIfAllowed() {
    const state = await permission();
    if (this.#root.dataset.state !== "off") return;
    if (state === "granted") await this.start();
    if (state === "denied") this.#fail("refused");
  }

  /** Turn it off. */
  stop() {
    const problem = hopeless();
    if (problem) return this.#fail(problem);
    this.#release();
    this.#show("off", "idle", this.#words.get("off"));
  }

  /** Turn it off: all pictures are taken. */
  complete() {
    this.#release();
    this.#show("complete", "good", this.#words.get("complete"));
  }

  /** Turn it off and go on showing what is shown. */
  finish() {
    this.#release();
    this.#root.dataset.tone = "good";
  }

  /** Take a picture now, or as many as belong to one look; while the head is turned, begin again. */
  async take(automatic = false) {
    if (this.#challenge) return this.#challenge.again();
    if (!this.live || this.#taking || !this.#ready(!automatic)) return;
    this.#taking = true;
    try {
      const { pictures, challenge, error } = await this.#look(automatic);
      if (error) return this.#onError(error, automatic);
      if (!pictures?.length || !this.live) return;
      tell(this.#root, "capture", { pictures, automatic });
      this.#onPictures(pictures, automatic, challenge);
    } finally {
      this.#taking = false;
    }
  }

  /**
   * Lead the visitor through the turns of the head that the site asks for.
   * @param {boolean} automatic whether nobody asked for it: then it ends where somebody types
   * @returns {Promise<{challenge: string, pictures: Blob[]} | {error: object} | {}>} nothing where
   *   it was given up
   */
  async turn(automatic = false) {
    const { take } = this.#parts;
    const label = take.textContent;
    if (!automatic) this.#reveal();
    this.#automatic = automatic;
    this.#challenge = new Challenge(this.#root, this.#words, {
      say: (...all) => this.say(...all),
      token: this.#token,
    });
    take.textContent = this.#words.get("begin-again");
    try {
      return (await this.#challenge.run()) ?? {};
    } finally {
      this.#challenge = null;
      take.textContent = label;
      this.#root.dataset.pose = this.#asked.pose;
      this.#steadiness.reset();
    }
  }

  /** Show a picture in place of the camera, which stays on. */
  freeze(picture, { mirrored }) {
    this.#preview.stop();
    const { still } = this.#parts;
    still.onload = still.onerror = () => URL.revokeObjectURL(still.src);
    still.src = URL.createObjectURL(picture);
    this.#root.dataset.still = mirrored ? "mirrored" : "plain";
    this.#show("still", "busy", this.#words.get("checking"));
  }

  /** Back from a picture to the camera, or to the button where that is off. */
  resume() {
    if (!this.#camera.on) return this.stop();
    this.#steadiness.reset();
    this.#patience.reset();
    this.#show("live", "idle", this.#words.get("live"));
    this.#preview.start();
  }

  /** Take no picture and give no advice for a while; say this instead, and read out that. */
  pause(milliseconds, text, read = text) {
    this.#pausedUntil = performance.now() + milliseconds;
    this.say(text, "idle", read);
  }

  /** Say something under the picture. */
  say(text, tone, read = text) {
    this.#root.dataset.tone = tone;
    this.#status.say(text, read);
  }

  async #look(automatic) {
    if (this.#turning) return this.turn(automatic);
    if (this.#frames > 1) this.say(this.#words.get("hold"), "good");
    return { pictures: await burstOf(this.#parts.video, PICTURE, this.#frames) };
  }

  #advise(advice, frame) {
    tell(this.#root, "preview", advice);
    if (this.#challenge) return this.#follow(advice, frame);
    if (this.#taking) return;
    if (performance.now() < this.#pausedUntil) return this.#steadiness.reset();
    this.#pitch = advice.ok ? advice.face.head_pose_pitch : null;
    const steady = this.#steadiness.feed(advice);
    const tooMuch = this.#patience.feed(advice);
    const ready = this.#ready(false);
    const alone = ready && this.auto && !typing();
    let text = advice.message;
    if (tooMuch) text = this.#words.get("anyway", { advice: text });
    if (advice.ok && !alone) text = this.#words.get(ready ? "ready" : "unready");
    this.say(text, advice.ok && ready ? "good" : "warn");
    if (steady && alone) this.take(true);
  }

  #follow(advice, frame) {
    if (this.#automatic && typing()) this.#challenge.cancel();
    else this.#challenge.feed(advice, frame);
  }

  #worry(error, again) {
    this.#steadiness.reset();
    const unreachable = error.status === 0 && error.code !== "timeout";
    const trouble = this.#words.get(unreachable ? "lost" : "slow");
    this.say(again ? trouble : this.#words.forError(error), "bad");
    if (!again) this.#challenge?.cancel();
  }

  #fail(problem) {
    this.#release();
    this.#root.dataset.problem = problem;
    this.#show("problem", "bad", this.#words.get(`problem-${problem}`));
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
    cover.hidden = uncovered;
    explanation.textContent = uncovered ? "" : text;
    start.hidden = uncovered || state === "starting" || state === "complete" || Boolean(hopeless());
    start.textContent = this.#words.get(state === "problem" ? "retry" : "start");
    still.hidden = state !== "still";
    take.hidden = !uncovered || !this.#camera.on;
    this.say(text, tone);
    // A button that goes away must not take the keyboard's place in the page with it.
    if (startHadFocus) this.#root.focus({ preventScroll: true });
    if (document.activeElement !== this.#root) return;
    [start, take].find((each) => !each.hidden)?.focus({ preventScroll: true });
    if (startHadFocus) this.#reveal();
  }

  /** Scroll to the picture and what is said under it. */
  #reveal() {
    for (const part of ["status", "video"]) this.#parts[part].scrollIntoView({ block: "nearest" });
  }

  #sleepWithPage() {
    let wasOn = false;
    addEventListener("pagehide", () => {
      wasOn = this.#camera.on;
      this.#release();
    });
    addEventListener("pageshow", ({ persisted }) => persisted && wasOn && this.start());
  }
}

function typing() {
  return Boolean(document.activeElement?.matches(TYPED));
}
