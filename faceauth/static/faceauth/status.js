const PAUSE_MS = 1500;

/** The line under the picture: seen at once, read out only when it changes and not too often. */
export class Status {
  #seen;
  #heard;
  #timer = 0;
  #last = -Infinity;
  #coming = "";

  /**
   * @param {HTMLElement} seen
   * @param {HTMLElement} heard a live region
   */
  constructor(seen, heard) {
    this.#seen = seen;
    this.#heard = heard;
  }

  /**
   * @param {string} text
   * @param {string} read what to read out for it
   */
  say(text, read = text) {
    if (text !== this.#seen.textContent) this.#seen.textContent = text;
    if (read === this.#coming) return;
    this.#coming = read;
    clearTimeout(this.#timer);
    const wait = Math.max(0, this.#last + PAUSE_MS - performance.now());
    this.#timer = setTimeout(() => this.#read(read), wait);
  }

  #read(text) {
    if (text === this.#heard.textContent) return;
    this.#heard.textContent = text;
    this.#last = performance.now();
  }
}
