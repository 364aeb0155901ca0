import { FrameDifference } from "./frame-difference.js";
import { drawn, hasFrame, jpegOf } from "./pictures.js";

/** Large enough to measure how a head is turned, small enough for a dozen to be sent at once. */
const FORMAT = { longest: 640, quality: 0.85 };

// Of a camera's usual 30 frames a second every third, and every one of ten.
const BETWEEN_MS = 80;

// How long browsers that do not tell of new frames are waited for.
const TIMER_MS = 100;

/** Takes frames from a video, about ten a second, while it is on. */
export class Recorder {
  #video;
  #onFrame;
  #on = null;
  #newest = null;
  #given = null;
  #waiting = [];

  /**
   * @param {HTMLVideoElement} video
   * @param {(picture: Blob, time: number, change: number) => void} onFrame told each one, no two
   *   the same, and how much it differs from the one before
   */
  constructor(video, onFrame) {
    this.#video = video;
    this.#onFrame = onFrame;
  }

  start() {
    this.stop();
    this.#on = new AbortController();
    this.#run(this.#on.signal);
  }

  stop() {
    this.#on?.abort();
    this.#on = null;
    this.#newest = this.#given = null;
    this.#hand();
  }

  /**
   * The newest frame, each only once: else the next one.
   * @returns {Promise<Blob | null>} null where it is stopped meanwhile
   */
  async next() {
    if (this.#newest === this.#given) await new Promise((done) => this.#waiting.push(done));
    this.#given = this.#newest;
    return this.#given;
  }

  async #run(signal) {
    const video = this.#video;
    const change = new FrameDifference();
    const canvas = document.createElement("canvas");
    // So that browsers keep it where it is read.
    canvas.getContext("2d", { willReadFrequently: true });
    let last = -Infinity;
    while (!signal.aborted) {
      const time = await newFrame(video);
      if (signal.aborted || time - last < BETWEEN_MS || !hasFrame(video)) continue;
      last = time;
      const changed = change.to(drawn(canvas, video, video.videoWidth, video.videoHeight, FORMAT));
      const picture = await jpegOf(canvas, FORMAT);
      if (signal.aborted) return;
      if (!(await same(picture, this.#newest))) this.#onFrame(picture, time, changed);
      this.#newest = picture;
      this.#hand();
    }
  }

  #hand() {
    for (const done of this.#waiting.splice(0)) done();
  }
}

/** @returns {Promise<number>} when the video shows another frame */
function newFrame(video) {
  return new Promise((done) => {
    const now = () => done(performance.now());
    if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(now);
    else setTimeout(now, TIMER_MS);
  });
}

async function same(one, other) {
  if (one.size !== other?.size) return false;
  const [ones, others] = await Promise.all([bytes(one), bytes(other)]);
  return ones.every((each, i) => each === others[i]);
}

async function bytes(blob) {
  return new Uint8Array(await blob.arrayBuffer());
}
