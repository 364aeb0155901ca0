import { FrameSelection } from "./frame-selection.js";
import { partsOf, tell } from "./dom.js";
import { post } from "./http.js";
import { ChallengeProgress } from "./challenge-progress.js";
import { Recorder } from "./recorder.js";
import { Stability } from "./stability.js";
import { HeadTurns } from "./head-turns.js";

const TIMEOUT_MS = 10_000;

// The share of its time after which a challenge is over here: the rest is for sending it.
const USABLE = 0.9;
const MOST_RENEWALS = 2;

// How long somebody may get no further before they hear of another way.
const PATIENCE_MS = 20_000;

// Time to read why everything begins again.
const READ_MS = 1500;

// How long there may be nobody or somebody else to be seen.
const LOST_MS = 1200;

// How far a head may turn and still be held still, and for how long it has to be: one that comes
// back from a side goes slowly at first and at its end.
const STILL = 0.05;
const HELD_MS = 400;

// How far it may turn from one frame to the next: no server believes that a head jumps.
const LONGEST_STEP = 0.35;

/**
 * Leads a visitor through the turns of the head that the site asks for, and keeps the frames that
 * show them. It begins when the head is held straight and still, and so it does again when
 * something went wrong.
 */
export class Challenge {
  #root;
  #words;
  #say;
  #token;
  #recorder;
  #progress;
  #movement = new FrameSelection();
  #steadiness = new Stability();
  #controller = new AbortController();
  #end;
  #given = null;
  #turns = null;
  #held = [];
  #renewals = 0;
  #expiry = 0;
  #advancedAt = performance.now();
  #waitUntil = 0;
  #lostSince = null;

  /**
   * @param {HTMLElement} root the widget
   * @param {import("./messages.js").Messages} words
   * @param {object} options
   * @param {(text: string, tone: string, read?: string) => void} options.say
   * @param {() => string} options.token the CSRF token
   */
  constructor(root, words, { say, token }) {
    this.#root = root;
    this.#words = words;
    this.#say = say;
    this.#token = token;
    this.#progress = new ChallengeProgress(root);
    this.#recorder = new Recorder(partsOf(root).video, (...frame) =>
      this.#movement.add(...frame),
    );
  }

  /** What a preview is to be asked with. */
  get fields() {
    return { pose: this.#turns ? "any" : "straight" };
  }

  /**
   * A frame to show the server in the next preview.
   * @returns {Promise<Blob | null>}
   */
  frame() {
    return this.#recorder.next();
  }

  /**
   * Lead the visitor through it.
   * @returns {Promise<{challenge: string, pictures: Blob[]} | {error: object} | null>} null where it
   *   was cancelled
   */
  async run() {
    const end = new Promise((done) => {
      this.#end = done;
    });
    const hide = () => document.hidden && this.again();
    document.addEventListener("visibilitychange", hide);
    this.#recorder.start();
    this.#begin();
    this.#renew();
    try {
      return await end;
    } finally {
      document.removeEventListener("visibilitychange", hide);
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

  /** Begin again, with the same turns. */
  again() {
    this.#begin("again");
  }

  /**
   * Hear what the server saw.
   * @param {object} advice
   * @param {Blob} picture the frame that it was shown
   */
  feed(advice, picture) {
    const yaw = advice.faces === 1 ? advice.face.head_pose_yaw : null;
    this.#movement.measure(picture, yaw, advice.code === "blurred");
    if (!this.#turns) this.#prepare(advice, yaw);
    else if (yaw === null) this.#miss(advice);
    else this.#follow(yaw);
  }

  async #renew() {
    this.#given = null;
    const body = new FormData();
    body.append("csrfmiddlewaretoken", this.#token());
    const { signal } = this.#controller;
    const url = this.#root.dataset.challengeUrl;
    const { data, error } = await post(url, body, { timeout: TIMEOUT_MS, signal });
    if (signal.aborted) return;
    if (!data) return this.#end({ error: error ?? { code: "unknown" } });
    this.#given = data;
    this.#expiry = setTimeout(() => this.#expire(), data.seconds * 1000 * USABLE);
  }

  #expire() {
    this.#renewals += 1;
    if (this.#renewals > MOST_RENEWALS) {
      const message = this.#words.get("abandoned");
      return this.#end({ error: { code: "challenge_abandoned", message } });
    }
    this.#begin("expired");
    this.#renew();
  }

  /** Go back to the beginning, and say why. */
  #begin(why) {
    this.#turns = this.#lostSince = null;
    this.#held = [];
    this.#movement.clear();
    this.#steadiness.reset();
    this.#progress.reset();
    this.#waitUntil = why ? performance.now() + READ_MS : 0;
    if (why) this.#say(this.#words.get(why), "warn");
    this.#tell("straight");
  }

  /** Wait until the head is held straight and still. */
  #prepare(advice, yaw) {
    if (performance.now() < this.#waitUntil) return;
    const straight = this.#hold(this.#steadiness.feed(advice), yaw);
    if (!advice.ok) return this.#advise(advice.message, "warn");
    if (straight === null || !this.#given) return this.#advise(advice.message, "good");
    this.#turns = new HeadTurns(this.#given, straight);
    this.#movement.begin();
    this.#instruct();
  }

  /** The yaw at which the head has been held still for long enough, else null. */
  #hold(steady, yaw) {
    const time = performance.now();
    if (!steady || this.#held.some((each) => Math.abs(each.yaw - yaw) > STILL)) this.#held = [];
    this.#held.push({ yaw, time });
    if (time - this.#held[0].time < HELD_MS) return null;
    return this.#held.reduce((sum, each) => sum + each.yaw, 0) / this.#held.length;
  }

  #follow(yaw) {
    this.#lostSince = null;
    const { back } = this.#turns.step;
    const went = this.#turns.feed(yaw);
    this.#progress.fill(this.#turns.share(yaw));
    if (went === "wrong") return this.#begin("other-way");
    if (went === "done") {
      this.#advancedAt = performance.now();
      if (back) this.#movement.mark();
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
      this.#tell(step.back ? "back" : "turn");
    }
    const text = this.#words.get(step.back ? "back" : step.turn);
    const values = { number: done + 1, total: steps.length, pose: text };
    const read = this.#words.get("prompt", values);
    this.#advise(text, "idle", done ? read : `${this.#words.get("turns")} ${read}`);
  }

  /** Say what to do; to whom that seems too much, also how to do without. */
  #advise(text, tone, read = text) {
    const tooMuch = performance.now() - this.#advancedAt >= PATIENCE_MS;
    const or = (advice) => this.#words.get("cannot", { advice });
    if (tooMuch) this.#say(or(text), tone, or(read));
    else this.#say(text, tone, read);
  }

  #finish() {
    const { challenge, turns, frames } = this.#given;
    const aside = (yaw, turn) => this.#turns.aside(yaw, turns[turn]);
    const chosen = this.#movement.choose(aside, frames);
    if (longestStep(chosen) > LONGEST_STEP) return this.#begin("too-quick");
    this.#progress.show(this.#turns);
    this.#tell("done");
    this.#end({ challenge, pictures: chosen.map(({ picture }) => picture) });
  }

  #tell(step) {
    const turns = this.#turns;
    const total = 2 * (this.#given?.turns.length ?? 0);
    const turn = turns?.step?.turn ?? null;
    tell(this.#root, "challenge", { step, turn, done: turns?.done ?? 0, total });
  }
}

/** How far the head turns from one frame to the next, at most. */
function longestStep(frames) {
  return Math.max(...frames.slice(1).map(({ yaw }, i) => Math.abs(yaw - frames[i].yaw)));
}
