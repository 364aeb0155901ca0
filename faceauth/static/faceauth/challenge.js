import { ChallengeProgress } from "./challenge-progress.js";
import { emit, partsOf } from "./dom.js";
import { FrameSelection } from "./frame-selection.js";
import { HeadTurns } from "./head-turns.js";
import { post } from "./http.js";
import { Recorder } from "./recorder.js";
import { Stability } from "./stability.js";

const TIMEOUT_MS = 10_000;

// The share of a challenge's lifetime after which the page gives it up: the rest is for sending it.
const USABLE = 0.9;
const MAX_RENEWALS = 2;

// How long a visitor may make no progress before the page names another way.
const PATIENCE_MS = 20_000;

// Time to read why the challenge starts again.
const READING_MS = 1500;

// How long no face, or several, may be visible before the challenge starts again.
const LOST_MS = 1200;

// How far a head may turn and still be held still, in units of yaw, and for how long it has to be:
// a head that comes back from a side moves slowly at first and at its end.
const STILL = 0.05;
const STILL_MS = 400;

// How far the head may turn from one frame to the next: the server refuses a head that jumps.
const MAX_STEP = 0.35;

/**
 * Leads a visitor through the turns of the head that the site asks for, and keeps the frames that
 * show them. It starts once the head is held straight and still, and starts again when something
 * goes wrong.
 */
export class Challenge {
  #root;
  #messages;
  #say;
  #token;
  #recorder;
  #progress;
  #selection = new FrameSelection();
  #stability = new Stability();
  #controller = new AbortController();
  #end;
  #issued = null;
  #turns = null;
  #held = [];
  #renewals = 0;
  #expiry = 0;
  #advancedAt = performance.now();
  #waitUntil = 0;
  #lostSince = null;

  /**
   * @param {HTMLElement} root the widget
   * @param {import("./messages.js").Messages} messages
   * @param {object} options
   * @param {(text: string, tone: string, read?: string) => void} options.say
   * @param {() => string} options.token the CSRF token
   */
  constructor(root, messages, { say, token }) {
    this.#root = root;
    this.#messages = messages;
    this.#say = say;
    this.#token = token;
    this.#progress = new ChallengeProgress(root);
    this.#recorder = new Recorder(partsOf(root).video, (...frame) =>
      this.#selection.add(...frame),
    );
  }

  /** The fields to send with a preview. */
  get fields() {
    return { pose: this.#turns ? "any" : "straight" };
  }

  /**
   * Return a frame to show the server in the next preview.
   * @returns {Promise<Blob | null>}
   */
  frame() {
    return this.#recorder.next();
  }

  /**
   * Lead the visitor through the challenge.
   * @returns {Promise<{challenge: string, pictures: Blob[]} | {error: object} | null>} null if it
   *   was cancelled
   */
  async run() {
    const end = new Promise((done) => {
      this.#end = done;
    });
    const onVisibility = () => document.hidden && this.restart();
    document.addEventListener("visibilitychange", onVisibility);
    this.#recorder.start();
    this.#begin();
    this.#renew();
    try {
      return await end;
    } finally {
      document.removeEventListener("visibilitychange", onVisibility);
      clearTimeout(this.#expiry);
      this.#controller.abort();
      this.#recorder.stop();
      this.#progress.reset();
    }
  }

  /** Give it up. */
  cancel() {
    this.#end(null);
  }

  /** Start again, with the same turns. */
  restart() {
    this.#begin("again");
  }

  /**
   * Take what the server saw in a frame.
   * @param {object} advice
   * @param {Blob} picture the frame
   */
  feed(advice, picture) {
    const yaw = advice.faces === 1 ? advice.face.head_pose_yaw : null;
    this.#selection.measure(picture, yaw, advice.code === "blurred");
    if (!this.#turns) this.#prepare(advice, yaw);
    else if (yaw === null) this.#miss(advice);
    else this.#follow(yaw);
  }

  /** Ask the site for a challenge. */
  async #renew() {
    this.#issued = null;
    const body = new FormData();
    body.append("csrfmiddlewaretoken", this.#token());
    const { signal } = this.#controller;
    const url = this.#root.dataset.challengeUrl;
    const { data, error } = await post(url, body, { timeout: TIMEOUT_MS, signal });
    if (signal.aborted) return;
    if (!data) return this.#end({ error: error ?? { code: "unknown" } });
    this.#issued = data;
    if (data.device_nonce) this.#root.dataset.deviceNonce = data.device_nonce;
    this.#expiry = setTimeout(() => this.#expire(), data.seconds * 1000 * USABLE);
  }

  #expire() {
    this.#renewals += 1;
    if (this.#renewals > MAX_RENEWALS) {
      const message = this.#messages.get("abandoned");
      return this.#end({ error: { code: "challenge_abandoned", message } });
    }
    this.#begin("expired");
    this.#renew();
  }

  /**
   * Go back to the beginning.
   * @param {string} [reason] the name of the message that says why
   */
  #begin(reason) {
    this.#turns = this.#lostSince = null;
    this.#held = [];
    this.#selection.clear();
    this.#stability.reset();
    this.#progress.reset();
    this.#waitUntil = reason ? performance.now() + READING_MS : 0;
    if (reason) this.#say(this.#messages.get(reason), "warn");
    this.#emit("straight");
  }

  /** Wait until the head is held straight and still, then ask for the first turn. */
  #prepare(advice, yaw) {
    if (performance.now() < this.#waitUntil) return;
    const straight = this.#straightYaw(this.#stability.feed(advice).steady, yaw);
    if (!advice.ok) return this.#advise(advice.message, "warn");
    if (straight === null || !this.#issued) return this.#advise(advice.message, "good");
    this.#turns = new HeadTurns(this.#issued, straight);
    this.#selection.begin();
    this.#instruct();
  }

  /** Return the yaw at which the head has been held still for long enough, else null. */
  #straightYaw(steady, yaw) {
    const time = performance.now();
    if (!steady || this.#held.some((each) => Math.abs(each.yaw - yaw) > STILL)) this.#held = [];
    this.#held.push({ yaw, time });
    if (time - this.#held[0].time < STILL_MS) return null;
    return this.#held.reduce((sum, each) => sum + each.yaw, 0) / this.#held.length;
  }

  #follow(yaw) {
    this.#lostSince = null;
    const { back } = this.#turns.step;
    const result = this.#turns.feed(yaw);
    this.#progress.fill(this.#turns.share(yaw));
    if (result === "wrong") return this.#begin("other-way");
    if (result === "done") {
      this.#advancedAt = performance.now();
      if (back) this.#selection.endTurn();
    }
    if (this.#turns.step) this.#instruct();
    else this.#finish();
  }

  #miss(advice) {
    this.#lostSince ??= performance.now();
    if (performance.now() - this.#lostSince < LOST_MS) return;
    this.#begin();
    this.#advise(advice.message, "warn");
  }

  #instruct() {
    const { steps, step, done } = this.#turns;
    if (this.#root.dataset.pose !== step.pose) {
      this.#progress.show(this.#turns);
      this.#emit(step.back ? "back" : "turn");
    }
    const text = this.#messages.get(step.back ? "back" : step.turn);
    const values = { number: done + 1, total: steps.length, pose: text };
    const read = this.#messages.get("prompt", values);
    this.#advise(text, "idle", done ? read : `${this.#messages.get("turns")} ${read}`);
  }

  /** Say what to do, and how to do without it if the visitor has made no progress for long. */
  #advise(text, tone, read = text) {
    const stuck = performance.now() - this.#advancedAt >= PATIENCE_MS;
    const withWayOut = (advice) => this.#messages.get("cannot", { advice });
    if (stuck) this.#say(withWayOut(text), tone, withWayOut(read));
    else this.#say(text, tone, read);
  }

  #finish() {
    const { challenge, turns, frames } = this.#issued;
    const offset = (yaw, turn) => this.#turns.offset(yaw, turns[turn]);
    const chosen = this.#selection.choose(offset, frames);
    if (longestStep(chosen) > MAX_STEP) return this.#begin("too-quick");
    this.#progress.show(this.#turns);
    this.#emit("done");
    this.#end({ challenge, pictures: chosen.map(({ picture }) => picture) });
  }

  #emit(step) {
    const turns = this.#turns;
    const total = 2 * (this.#issued?.turns.length ?? 0);
    const turn = turns?.step?.turn ?? null;
    emit(this.#root, "challenge", { step, turn, done: turns?.done ?? 0, total });
  }
}

/** Return the largest turn of the head from one frame to the next. */
function longestStep(frames) {
  return Math.max(...frames.slice(1).map(({ yaw }, i) => Math.abs(yaw - frames[i].yaw)));
}
