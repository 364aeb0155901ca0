const PAUSE_MS = 1500;

/** The line under the picture: seen at once, read out only when it changes and not too often. */
export class Status {
  #seen;
  #heard;
  #timer = 0;
  #last = -Infinity;

  /**
   * @param {HTMLElement} seen
   * @param {HTMLElement} heard a live region
   */
  constructor(seen, heard) {
    this.#seen = seen;
    this.#heard = heard;
  }

  /** @param {string} text */
  say(text) {
    if (text === this.#seen.textContent) return;
    this.#seen.textContent = text;
    clearTimeout(this.#timer);
    const wait = Math.max(0, this.#last + PAUSE_MS - performance.now());
    this.#timer = setTimeout(() => this.#read(text), wait);
  }

  #read(text) {
    if (text === this.#heard.textContent) return;
    this.#heard.textContent = text;
    this.#last = performance.now();
  }
}
