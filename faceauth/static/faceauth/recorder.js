import { FrameDifference } from "./frame-difference.js";
import { drawOn, hasFrame, jpegOf } from "./pictures.js";

/** Large enough to measure how a head is turned, small enough for a dozen to be sent at once. */
const FORMAT = { longest: 640, quality: 0.85 };

// Takes every third of a camera's usual 30 frames a second, and every one of ten a second.
const FRAME_INTERVAL_MS = 80;

// The interval at which to look for new frames in browsers that do not report them.
const TIMER_MS = 100;

/** Takes frames from a video, about ten a second, while it is on. */
export class Recorder {
  #video;
  #onFrame;
  #controller = null;
  #newest = null;
  #returned = null;
  #waiting = [];

  /**
   * @param {HTMLVideoElement} video
   * @param {(picture: Blob, time: number, change: number) => void} onFrame called with each frame,
   *   never twice in a row with the same picture, and how much it differs from the one before
   */
  constructor(video, onFrame) {
    this.#video = video;
    this.#onFrame = onFrame;
  }

  /** Start taking frames. */
  start() {
    this.stop();
    this.#controller = new AbortController();
    this.#run(this.#controller.signal);
  }

  /** Stop, and answer everybody who waits for a frame with null. */
  stop() {
    this.#controller?.abort();
    this.#controller = null;
    this.#newest = this.#returned = null;
    this.#wake();
  }

  /**
   * Return the newest frame; if it was returned before, wait for another.
   * @returns {Promise<Blob | null>} null if the recorder is stopped meanwhile
   */
  async next() {
    if (this.#newest === this.#returned) await new Promise((done) => this.#waiting.push(done));
    this.#returned = this.#newest;
    return this.#returned;
  }

  async #run(signal) {
    const video = this.#video;
    const difference = new FrameDifference();
    const canvas = document.createElement("canvas");
    // So that browsers keep its pixels where they are read.
    canvas.getContext("2d", { willReadFrequently: true });
    let last = -Infinity;
    while (!signal.aborted) {
      const time = await newFrame(video);
      if (signal.aborted || time - last < FRAME_INTERVAL_MS || !hasFrame(video)) continue;
      last = time;
      const drawn = drawOn(canvas, video, video.videoWidth, video.videoHeight, FORMAT);
      const change = difference.next(drawn);
      const picture = await jpegOf(canvas, FORMAT);
      if (signal.aborted) return;
      if (!(await sameBytes(picture, this.#newest))) this.#onFrame(picture, time, change);
      this.#newest = picture;
      this.#wake();
    }
  }

  #wake() {
    for (const done of this.#waiting.splice(0)) done();
  }
}

/** @returns {Promise<number>} the time, once the video shows another frame */
function newFrame(video) {
  return new Promise((done) => {
    const now = () => done(performance.now());
    if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(now);
    else setTimeout(now, TIMER_MS);
  });
}

async function sameBytes(one, other) {
  if (one.size !== other?.size) return false;
  const [ones, others] = await Promise.all([bytesOf(one), bytesOf(other)]);
  return ones.every((each, i) => each === others[i]);
}

async function bytesOf(blob) {
  return new Uint8Array(await blob.arrayBuffer());
}
