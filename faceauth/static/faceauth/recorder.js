import { drawOn, hasFrame, jpegOf } from "./pictures.js";

/** Large enough to measure how a head is turned, small enough to be sent eight times a second. */
const FORMAT = { longest: 640, quality: 0.8 };

/** Half of that, for slow lines: the newest small frame says more than a large one that is late. */
const SMALL = { longest: 480, quality: 0.7 };

// How long to wait for a frame that differs from the one before: a camera's noise makes all differ.
const PATIENCE_MS = 1000;

// The interval at which to look for new frames in browsers that do not report them.
const TIMER_MS = 100;

/** Takes the newest frame of a video, never the same one twice. */
export class Recorder {
  /** True to take smaller frames. */
  small = false;

  #video;
  #canvas = document.createElement("canvas");
  #controller = null;
  #shown = 0;
  #taken = 0;
  #last = null;
  #lastAt = 0;
  #waiting = [];

  /** @param {HTMLVideoElement} video */
  constructor(video) {
    this.#video = video;
    // So that browsers keep its pixels where they are encoded.
    this.#canvas.getContext("2d", { willReadFrequently: true });
  }

  /** Start watching for frames. */
  start() {
    this.stop();
    this.#controller = new AbortController();
    // What the video shows already is a frame to take.
    this.#shown = 1;
    this.#taken = 0;
    this.#watch(this.#controller.signal);
  }

  /** Stop, and answer everybody who waits for a frame with null. */
  stop() {
    this.#controller?.abort();
    this.#controller = this.#last = null;
    this.#wake();
  }

  /**
   * Take the newest frame; if it was taken before, wait for another.
   * @returns {Promise<Blob | null>} a JPEG; null if the recorder is stopped meanwhile
   */
  async next() {
    const signal = this.#controller?.signal;
    while (signal && !signal.aborted) {
      if (this.#shown === this.#taken) await new Promise((done) => this.#waiting.push(done));
      const picture = signal.aborted ? null : await this.#take();
      if (!signal.aborted && picture) return picture;
    }
    return null;
  }

  /** Return what the video shows now; null if there is nothing new. */
  async #take() {
    this.#taken = this.#shown;
    const video = this.#video;
    if (!hasFrame(video)) return null;
    const format = this.small ? SMALL : FORMAT;
    drawOn(this.#canvas, video, video.videoWidth, video.videoHeight, format);
    const picture = await jpegOf(this.#canvas, format);
    const patient = performance.now() - this.#lastAt < PATIENCE_MS;
    if (patient && (await sameBytes(picture, this.#last))) return null;
    this.#last = picture;
    this.#lastAt = performance.now();
    return picture;
  }

  #watch(signal) {
    if (signal.aborted) return;
    const video = this.#video;
    const next = () => {
      this.#shown += 1;
      this.#wake();
      this.#watch(signal);
    };
    if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(next);
    else setTimeout(next, TIMER_MS);
  }

  #wake() {
    for (const done of this.#waiting.splice(0)) done();
  }
}

async function sameBytes(one, other) {
  if (one.size !== other?.size) return false;
  const [ones, others] = await Promise.all([bytesOf(one), bytesOf(other)]);
  return ones.every((each, i) => each === others[i]);
}

async function bytesOf(blob) {
  return new Uint8Array(await blob.arrayBuffer());
}
