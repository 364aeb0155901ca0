import { Camera, hopeless, permission } from "./camera.js";
import { partsOf, tell } from "./parts.js";
import { Patience } from "./patience.js";
import { FRAME, PICTURE, burstOf, pictureOf } from "./pictures.js";
import { Preview } from "./preview.js";
import { Status } from "./status.js";
import { Steadiness } from "./steadiness.js";

// Whoever is typing is not to be photographed.
const TYPED = "input:not([type=checkbox], [type=radio], [type=file]), textarea, select";

/**
 * The live view: camera, guidance and the moment of the picture.
 *
 * The root's `data-state` is off, starting, live, still, complete or problem, and its `data-tone`
 * idle, good, warn, bad or busy; its `data-pose` is the pose asked for.
 */
export class Stage {
  /** Whether pictures are taken by themselves. */
  auto = true;

  #root;
  #words;
  #parts;
  #frames;
  #ready;
  #onPictures;
  #camera;
  #preview;
  #status;
  #steadiness = new Steadiness();
  #patience = new Patience();
  #asked;
  #pitch = null;
  #pausedUntil = 0;
  #taking = false;

  /**
   * @param {HTMLElement} root the widget
   * @param {import("./words.js").Words} words
   * @param {object} options
   * @param {(pictures: Blob[], automatic: boolean) => void} options.onPictures
   * @param {() => string} options.token the CSRF token
   * @param {number} [options.frames] how many pictures are taken in one look
   * @param {(asked: boolean) => boolean} [options.ready] whether there is all that a picture needs;
   *   where it was `asked` for, the visitor may be told what is not
   */
  constructor(root, words, { onPictures, token, frames = 1, ready = () => true }) {
    this.#root = root;
    this.#words = words;
    this.#parts = partsOf(root);
    this.#onPictures = onPictures;
    this.#frames = frames;
    this.#ready = ready;
    const { video, status, announcer, stage, start, take } = this.#parts;
    this.#camera = new Camera(video, () => this.#fail("gone"));
    this.#status = new Status(status, announcer);
    this.#preview = new Preview({
      url: root.dataset.previewUrl,
      frame: () => pictureOf(video, FRAME),
      fields: () => this.#asked,
      token,
      onAdvice: (advice) => this.#advise(advice),
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

  /** Take a picture now, or as many as belong to one look. */
  async take(automatic = false) {
    if (!this.live || this.#taking || !this.#ready(!automatic)) return;
    this.#taking = true;
    if (this.#frames > 1) this.say(this.#words.get("hold"), "good");
    try {
      const pictures = await burstOf(this.#parts.video, PICTURE, this.#frames);
      if (!pictures.length || !this.live) return;
      tell(this.#root, "capture", { pictures, automatic });
      this.#onPictures(pictures, automatic);
    } finally {
      this.#taking = false;
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

  #advise(advice) {
    tell(this.#root, "preview", advice);
    if (this.#taking) return;
    if (performance.now() < this.#pausedUntil) return this.#steadiness.reset();
    this.#pitch = advice.ok ? advice.face.head_pose_pitch : null;
    const steady = this.#steadiness.feed(advice);
    const tooMuch = this.#patience.feed(advice);
    const ready = this.#ready(false);
    const alone = ready && this.auto && !document.activeElement?.matches(TYPED);
    let text = advice.message;
    if (tooMuch) text = this.#words.get("anyway", { advice: text });
    if (advice.ok && !alone) text = this.#words.get(ready ? "ready" : "unready");
    this.say(text, advice.ok && ready ? "good" : "warn");
    if (steady && alone) this.take(true);
  }

  #worry(error, again) {
    this.#steadiness.reset();
    const unreachable = error.status === 0 && error.code !== "timeout";
    const trouble = this.#words.get(unreachable ? "lost" : "slow");
    this.say(again ? trouble : this.#words.forError(error), "bad");
  }

  #fail(problem) {
    this.#release();
    this.#root.dataset.problem = problem;
    this.#show("problem", "bad", this.#words.get(`problem-${problem}`));
  }

  #release() {
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
    if (startHadFocus) this.#root.focus();
    if (document.activeElement === this.#root) [start, take].find((each) => !each.hidden)?.focus();
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
