import { post } from "./http.js";

const TIMEOUT_MS = 10_000;
const LONGEST_WAIT_MS = 8000;

/** Shows the server a small frame a few times a second, one at a time, and hears what to do. */
export class Preview {
  #options;
  #controller = null;

  /**
   * @param {object} options
   * @param {string} options.url
   * @param {() => Promise<Blob | null>} options.frame
   * @param {() => Record<string, string | number>} options.fields what to send with it
   * @param {() => number} options.every milliseconds from one frame to the next
   * @param {() => string} options.token the CSRF token
   * @param {(advice: object, frame: Blob) => void} options.onAdvice
   * @param {(error: object, again: boolean) => void} options.onTrouble
   */
  constructor(options) {
    this.#options = options;
  }

  start() {
    this.stop();
    this.#controller = new AbortController();
    this.#run(this.#controller.signal);
  }

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
      const answer = frame && (await this.#ask(frame, signal));
      if (signal.aborted) return;
      let wait = this.#options.every() - (performance.now() - began);
      if (answer?.data) {
        failures = 0;
        this.#options.onAdvice(answer.data, frame);
      } else if (answer) {
        failures += 1;
        const error = answer.error ?? { code: "unknown", status: 0, retryAfter: 0 };
        const again = mayPass(error);
        this.#options.onTrouble(error, again);
        if (!again) return;
        wait = Math.min(LONGEST_WAIT_MS, Math.max(error.retryAfter * 1000, 500 * 2 ** failures));
      }
      await delay(wait, signal);
    }
  }

  async #ask(frame, signal) {
    if (signal.aborted) return null;
    const { url, fields, token } = this.#options;
    const body = new FormData();
    body.append("csrfmiddlewaretoken", token());
    for (const [name, value] of Object.entries(fields())) body.append(name, value);
    body.append("snapshot", frame, "frame.jpg");
    return post(url, body, { timeout: TIMEOUT_MS, signal });
  }
}

/** Whether it makes sense to go on asking: not where the server refuses the request as such. */
function mayPass({ status }) {
  return status === 0 || status === 429 || status >= 500;
}

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
