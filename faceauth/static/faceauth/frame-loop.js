import { post } from "./http.js";

const TIMEOUT_MS = 8000;
const MAX_WAIT_MS = 4000;

/** Shows the server one frame after another, one request at a time, and passes on its answers. */
export class FrameLoop {
  #options;
  #controller = null;

  /**
   * @param {object} options
   * @param {string} options.url
   * @param {string} options.name of the field that holds the frame
   * @param {() => Promise<Blob | Blob[] | null>} options.frame returns the frame to send next, or
   *   several
   * @param {(frame: Blob | Blob[]) => Record<string, string | number> |
   *   Promise<Record<string, string | number>>} options.fields what to send with the frame
   * @param {() => number} options.interval milliseconds from one request to the next, at least
   * @param {() => string} options.token the CSRF token
   * @param {(answer: object, frame: Blob, milliseconds: number) => void} options.onAnswer called
   *   with the answer to a frame, and how long it took
   * @param {(error: object, temporary: boolean) => boolean | undefined} options.onError returns
   *   true to go on and false to stop; by default the loop goes on after temporary errors
   */
  constructor(options) {
    this.#options = options;
  }

  /** Start showing frames. */
  start() {
    this.stop();
    this.#controller = new AbortController();
    this.#run(this.#controller.signal);
  }

  /** Stop, and drop the answer to a frame that is on its way. */
  stop() {
    this.#controller?.abort();
    this.#controller = null;
  }

  async #run(signal) {
    let failures = 0;
    while (!signal.aborted) {
      await visible(signal);
      const began = performance.now();
      const frame = await this.#options.frame();
      const sent = performance.now();
      const answer = frame && (await this.#show(frame, signal));
      if (signal.aborted) return;
      let pause = 0;
      if (answer?.data) {
        failures = 0;
        this.#options.onAnswer(answer.data, frame, performance.now() - sent);
      } else if (answer) {
        const error = answer.error ?? { code: "unknown", status: 0, retryAfter: 0 };
        const temporary = isTemporary(error);
        if (!(this.#options.onError(error, temporary) ?? temporary)) return;
        failures = temporary ? failures + 1 : 0;
        const longer = Math.max(error.retryAfter * 1000, 250 * 2 ** failures);
        if (temporary) pause = Math.min(MAX_WAIT_MS, longer);
      }
      // What was answered decides when the next frame is due.
      await delay(pause || began + this.#options.interval() - performance.now(), signal);
    }
  }

  async #show(frame, signal) {
    if (signal.aborted) return null;
    const { url, name, fields, token } = this.#options;
    const body = new FormData();
    body.append("csrfmiddlewaretoken", token());
    for (const [key, value] of Object.entries(await fields(frame))) body.append(key, value);
    for (const each of [frame].flat()) body.append(name, each, "frame.jpg");
    return post(url, body, { timeout: TIMEOUT_MS, signal });
  }
}

/** Return true if trying again may help: not if the server refuses the request as such. */
function isTemporary({ status }) {
  return status === 0 || status === 429 || status >= 500;
}

/** Wait until the page is visible. */
function visible(signal) {
  return new Promise((done) => {
    const check = () => {
      if (document.hidden && !signal.aborted) return;
      document.removeEventListener("visibilitychange", check);
      signal.removeEventListener("abort", check);
      done();
    };
    document.addEventListener("visibilitychange", check);
    signal.addEventListener("abort", check);
    check();
  });
}

/** Wait, but no longer than until the browser is online again. */
function delay(milliseconds, signal) {
  if (milliseconds <= 0) return undefined;
  return new Promise((done) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      removeEventListener("online", end);
      done();
    };
    const timer = setTimeout(end, milliseconds);
    signal.addEventListener("abort", end);
    addEventListener("online", end);
  });
}
