// The shortest time between two texts that are read out.
const READ_INTERVAL_MS = 1500;

/** The line under the picture: shown at once, read out only when it changes and not too often. */
export class Status {
  #shown;
  #announcer;
  #timer = 0;
  #lastRead = -Infinity;
  #next = "";

  /**
   * @param {HTMLElement} shown the visible line
   * @param {HTMLElement} announcer a live region
   */
  constructor(shown, announcer) {
    this.#shown = shown;
    this.#announcer = announcer;
  }

  /**
   * Show a text and read it out.
   * @param {string} text
   * @param {string} [read] what to read out instead
   */
  say(text, read = text) {
    if (text !== this.#shown.textContent) this.#shown.textContent = text;
    if (read === this.#next) return;
    this.#next = read;
    clearTimeout(this.#timer);
    const wait = Math.max(0, this.#lastRead + READ_INTERVAL_MS - performance.now());
    this.#timer = setTimeout(() => this.#read(read), wait);
  }

  #read(text) {
    if (text === this.#announcer.textContent) return;
    this.#announcer.textContent = text;
    this.#lastRead = performance.now();
  }
}
