import { post } from "./http.js";

const TIMEOUT_MS = 10_000;
const MAX_WAIT_MS = 8000;

/** Shows the server a small frame a few times a second, one at a time, and passes on its advice. */
export class Preview {
  #options;
  #controller = null;

  /**
   * @param {object} options
   * @param {string} options.url
   * @param {() => Promise<Blob | null>} options.frame
   * @param {() => Record<string, string | number>} options.fields what to send with the frame
   * @param {() => number} options.interval milliseconds from one frame to the next
   * @param {() => string} options.token the CSRF token
   * @param {(advice: object, frame: Blob) => void} options.onAdvice
   * @param {(error: object, retrying: boolean) => void} options.onError
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
      const answer = frame && (await this.#show(frame, signal));
      if (signal.aborted) return;
      let wait = this.#options.interval() - (performance.now() - began);
      if (answer?.data) {
        failures = 0;
        this.#options.onAdvice(answer.data, frame);
      } else if (answer) {
        failures += 1;
        const error = answer.error ?? { code: "unknown", status: 0, retryAfter: 0 };
        const retrying = isTemporary(error);
        this.#options.onError(error, retrying);
        if (!retrying) return;
        wait = Math.min(MAX_WAIT_MS, Math.max(error.retryAfter * 1000, 500 * 2 ** failures));
      }
      await delay(wait, signal);
    }
  }

  async #show(frame, signal) {
    if (signal.aborted) return null;
    const { url, fields, token } = this.#options;
    const body = new FormData();
    body.append("csrfmiddlewaretoken", token());
    for (const [name, value] of Object.entries(fields())) body.append(name, value);
    body.append("snapshot", frame, "frame.jpg");
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

function delay(milliseconds, signal) {
  return new Promise((done) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      done();
    };
    const timer = setTimeout(end, Math.max(0, milliseconds));
    signal.addEventListener("abort", end);
  });
}
