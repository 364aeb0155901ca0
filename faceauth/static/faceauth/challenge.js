import { ChallengeProgress } from "./challenge-progress.js";
import { deviceProof } from "./device-fields.js";
import { emit, partsOf } from "./dom.js";
import { FrameLoop } from "./frame-loop.js";
import { Recorder } from "./recorder.js";
import { Stability } from "./stability.js";
import { mark } from "./timings.js";

// From one request to the next: eight a second, and fewer while nobody is there.
const INTERVAL_MS = 125;
const IDLE_INTERVAL_MS = 500;
const IDLE_AFTER_MS = 5000;

// Nobody moves sooner after a step is shown, so there is nothing to see before.
const REACTION_MS = 250;

// An answer that takes longer makes the frames smaller.
const SLOW_MS = 500;

// How often another challenge is opened by itself after one that failed.
const MAX_RETRIES = 2;

// Time to read why another challenge begins.
const READING_MS = 1500;

// How long a visitor may make no progress before the page names another way.
const PATIENCE_MS = 20_000;

/**
 * A conversation with the site: it shows the site what the camera sees, and the visitor the step
 * that the site asks for next, until the site has seen enough.
 */
export class Challenge {
  #root;
  #messages;
  #say;
  #fields;
  #recorder;
  #progress;
  #loop;
  #end;
  #id = "";
  #number = 0;
  // The frames by the number of their request: the site may ask for some of them again.
  #sent = new Map();
  #again = [];
  #retries = 0;
  #step = null;
  #shownNow = false;
  #rest = null;
  #picture = null;
  #hint = "";
  #lost = false;
  #told = "";
  #stability = new Stability();
  #readUntil = 0;
  #seenAt = performance.now();
  #advancedAt = performance.now();
  #faceMarked = false;

  /**
   * @param {HTMLElement} root the widget
   * @param {import("./messages.js").Messages} messages
   * @param {object} options
   * @param {(text: string, tone: string, options?: object) => void} options.say
   * @param {() => string} options.token the CSRF token
   * @param {() => Record<string, string>} [options.fields] what else a challenge is opened with
   */
  constructor(root, messages, { say, token, fields = () => ({}) }) {
    this.#root = root;
    this.#messages = messages;
    this.#say = say;
    this.#fields = fields;
    this.#progress = new ChallengeProgress(root);
    this.#recorder = new Recorder(partsOf(root).video);
    this.#loop = new FrameLoop({
      url: root.dataset.framesUrl,
      name: "frame",
      frame: () => this.#frame(),
      fields: (frame) => this.#request(frame),
      interval: () => this.#interval(),
      token,
      onAnswer: (answer, frame, milliseconds) => {
        this.#recorder.small = milliseconds > SLOW_MS;
        this.#take(answer, frame);
      },
      onError: (error, temporary) => this.#fail(error, temporary),
    });
  }

  /**
   * Lead the visitor through the challenge.
   * @param {string} [reason] why it begins again, which the visitor has time to read
   * @returns {Promise<{challenge: string, picture: Blob, hint: string} | {error: object} | null>}
   *   `picture` shows the visitor looking ahead; `hint` says what may hide the face; null if it was
   *   cancelled
   */
  async run(reason) {
    const end = new Promise((done) => {
      this.#end = done;
    });
    this.#begin(reason);
    this.#recorder.start();
    this.#loop.start();
    try {
      return await end;
    } finally {
      this.#loop.stop();
      this.#recorder.stop();
    }
  }

  /** Give it up. */
  cancel() {
    this.#progress.reset();
    this.#end?.(null);
  }

  /** Return the frames that the site asks for again; or wait for whoever reads, and take one. */
  async #frame() {
    if (this.#again.length) {
      const frames = this.#again.map(([number]) => this.#sent.get(number));
      if (frames.every(Boolean)) return frames;
      // Another tab has sent them.
      this.#begin();
    }
    const wait = this.#readUntil - performance.now();
    if (wait > 0) await new Promise((done) => setTimeout(done, wait));
    return this.#recorder.next();
  }

  async #request(frame) {
    const named = { challenge: this.#id, number: this.#number + 1 };
    this.#sent.set(named.number, frame);
    if (this.#id) return named;
    const { purpose, deviceNonce } = this.#root.dataset;
    return { ...named, purpose, ...this.#fields(), ...(await deviceProof(deviceNonce)) };
  }

  #interval() {
    if (this.#again.length) return 0;
    if (this.#shownNow) return REACTION_MS;
    const idle = !this.#step && performance.now() - this.#seenAt > IDLE_AFTER_MS;
    return idle ? IDLE_INTERVAL_MS : INTERVAL_MS;
  }

  /** Begin with a new challenge. */
  #begin(reason) {
    this.#id = "";
    this.#number = 0;
    this.#sent.clear();
    this.#again = [];
    this.#step = this.#rest = null;
    this.#shownNow = false;
    this.#progress.reset();
    if (!reason) return;
    this.#tell({ step: "look", done: 0, total: 0, share: 0 });
    this.#readUntil = performance.now() + READING_MS;
    this.#say([reason, this.#hint].filter(Boolean).join(" "), "warn", { urgent: true });
  }

  /** Take the site's answer to a frame. */
  #take(answer, frame) {
    this.#id = answer.challenge;
    this.#number = answer.number;
    this.#sent.set(answer.number, frame);
    this.#lost = this.#shownNow = false;
    this.#again = answer.again ?? [];
    if (answer.device_nonce) {
      this.#root.dataset.deviceNonce = answer.device_nonce;
      // Signed while there is time.
      deviceProof(answer.device_nonce);
    }
    if (answer.faces) this.#seenAt = performance.now();
    if (answer.ok && !this.#faceMarked) {
      this.#faceMarked = true;
      mark("face");
    }
    if (answer.state === "passed") this.#pass(frame);
    else if (answer.state === "again") this.#wait(answer);
    else if (answer.state === "step") this.#follow(answer);
    else this.#look(answer, frame);
  }

  #look(answer, frame) {
    const { ok, message, face, hint } = answer;
    const { unseen } = this.#stability.feed(answer);
    if (hint) this.#hint = message;
    if (this.#step) this.#progress.reset();
    this.#step = null;
    if (face) [this.#rest, this.#picture] = [face, frame];
    this.#tell({ step: "look", done: 0, total: 0, share: 0 });
    const text = unseen ? this.#messages.get("unseen", { advice: message }) : message;
    this.#advise(text, ok && !hint ? "good" : "warn");
  }

  #follow({ step, ok, message, face }) {
    const before = this.#step;
    if (step.name !== before?.name || step.done !== before.done) {
      this.#advancedAt = performance.now();
      this.#shownNow = true;
      if (before) mark("step");
    }
    this.#step = step;
    this.#progress.show(step, this.#turnOf(face));
    this.#tell({ step: step.name, ...step });
    if (!ok) this.#advise(message, "warn");
    else this.#advise(message, "idle", { urgent: true });
  }

  /** Return how far the head is turned from where it was before the first step. */
  #turnOf(face) {
    if (!face) return { yaw: 0, pitch: 0 };
    const rest = (this.#rest ??= face);
    return { yaw: face.yaw - rest.yaw, pitch: face.pitch - rest.pitch };
  }

  /** Say that the steps are done, while the site looks at some frames again. */
  #wait({ message }) {
    mark("step");
    this.#progress.complete();
    this.#advise(message, "good");
  }

  #pass(frame) {
    mark("passed");
    const total = this.#step?.total ?? 0;
    this.#progress.complete();
    this.#tell({ step: "passed", done: total, total, share: 1 });
    this.#end({ challenge: this.#id, picture: this.#picture ?? frame, hint: this.#hint });
  }

  /** Return true to go on with the next frame, false to stop. */
  #fail(error, temporary) {
    const unseen = !this.#step;
    // The one that opened the challenge is spent.
    if (error.device_nonce) this.#root.dataset.deviceNonce = error.device_nonce;
    if (error.code === "frames_out_of_order") {
      this.#number = error.number ?? this.#number;
      return true;
    }
    // While nobody was there, nobody need know.
    if (error.code === "challenge_expired" && unseen) {
      this.#begin();
      return true;
    }
    // The answer that was lost may have been the last one.
    if (error.code === "challenge_expired" && this.#lost) {
      this.#pass(null);
      return false;
    }
    if (["challenge_failed", "challenge_expired"].includes(error.code)) {
      this.#retries += 1;
      if (this.#retries <= MAX_RETRIES) {
        // Whoever moved in time is not to blame.
        this.#begin(this.#lost ? this.#messages.get("interrupted") : this.#messages.forError(error));
        return true;
      }
    } else if (temporary && error.status !== 429) {
      this.#lost = true;
      this.#say(this.#connectionMessage(error), "bad");
      return true;
    }
    this.#progress.reset();
    this.#end({ error });
    return false;
  }

  #connectionMessage(error) {
    if (error.status) return this.#messages.forError(error);
    return this.#messages.get(error.code === "timeout" ? "slow" : "lost");
  }

  /** Say what to do, and how to do without it if the visitor has made no progress for long. */
  #advise(text, tone, options) {
    const stuck = performance.now() - this.#advancedAt >= PATIENCE_MS;
    this.#say(stuck ? this.#messages.get("cannot", { advice: text }) : text, tone, options);
  }

  /** Dispatch the event for a site's own scripts, if anything has changed. */
  #tell({ step, done, total, share }) {
    const detail = { step, done, total, share };
    const told = JSON.stringify(detail);
    if (told !== this.#told) emit(this.#root, "challenge", detail);
    this.#told = told;
  }
}
