import { FrameLoop } from "./frame-loop.js";
import { FRAME, Snapper } from "./pictures.js";
import { Stability } from "./stability.js";

// From one request to the next: often enough to take a picture of a head in motion at the right
// moment, and less often while nobody is there.
const INTERVAL_MS = 125;
const IDLE_INTERVAL_MS = 500;
const IDLE_AFTER_MS = 5000;

/** Shows the server what the camera sees, and passes on what it advises for a good picture. */
export class Guidance {
  #loop;
  #snapper;
  #stability = new Stability();
  #pose = {};
  #near = {};
  #seenAt = performance.now();

  /**
   * @param {object} options
   * @param {HTMLVideoElement} options.video
   * @param {object} options.format of the whole picture, one of those in `pictures.js`
   * @param {string} options.url
   * @param {() => string} options.token the CSRF token
   * @param {(advice: object, verdict: object) => void} options.onAdvice called with the server's
   *   answer to each frame, and the verdict of `Stability.feed`
   * @param {(error: object, temporary: boolean) => boolean | undefined} options.onError as that of
   *   `FrameLoop`
   */
  constructor({ video, format, url, token, onAdvice, onError }) {
    this.#snapper = new Snapper(video, format);
    this.#loop = new FrameLoop({
      url,
      name: "frame",
      frame: () => this.#snapper.frame(FRAME),
      fields: () => ({ ...this.#pose, ...this.#near }),
      interval: () => this.#interval(),
      token,
      onAnswer: (advice) => {
        const { face } = advice;
        this.#near = face ? { near: face.box.join() } : {};
        if (face) this.#seenAt = performance.now();
        onAdvice(advice, this.#stability.feed(advice));
      },
      onError: (error, temporary) => {
        this.#stability.interrupt();
        return onError(error, temporary);
      },
    });
  }

  /**
   * Ask for a pose from now on.
   * @param {{pose: string, level?: number}} pose
   */
  askFor(pose) {
    this.#pose = pose;
    this.#stability.reset();
  }

  /** Begin, or begin again. */
  start() {
    this.#stability.interrupt();
    this.#near = {};
    this.#seenAt = performance.now();
    this.#loop.start();
  }

  /** Stop, and drop the answer to a frame that is on its way. */
  stop() {
    this.#loop.stop();
  }

  /**
   * Return the whole picture of which the server saw the last frame. Call it from `onAdvice`: then
   * it is the one that the advice is about.
   * @returns {Promise<Blob>}
   */
  picture() {
    return this.#snapper.picture();
  }

  #interval() {
    const idle = performance.now() - this.#seenAt > IDLE_AFTER_MS;
    return idle ? IDLE_INTERVAL_MS : INTERVAL_MS;
  }
}
