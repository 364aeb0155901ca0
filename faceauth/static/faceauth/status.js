// The shortest time between two texts that are read out, unless the second is urgent.
const READ_INTERVAL_MS = 1500;

/**
 * The line under the picture: shown at once, and read out when it changes. Urgent texts are read out
 * at once as well, and others not too often.
 */
export class Status {
  #shown;
  #announcer;
  #alert;
  #timer = 0;
  #lastRead = -Infinity;
  #next = "";

  /**
   * @param {HTMLElement} shown the visible line
   * @param {HTMLElement} announcer a polite live region
   * @param {HTMLElement} alert an assertive one
   */
  constructor(shown, announcer, alert) {
    this.#shown = shown;
    this.#announcer = announcer;
    this.#alert = alert;
  }

  /**
   * Show a text and read it out.
   * @param {string} text
   * @param {object} [options]
   * @param {string} [options.read] what to read out instead
   * @param {boolean} [options.urgent] true to read it out at once
   */
  say(text, { read = text, urgent = false } = {}) {
    if (text !== this.#shown.textContent) this.#shown.textContent = text;
    if (read === this.#next) return;
    this.#next = read;
    clearTimeout(this.#timer);
    const wait = Math.max(0, this.#lastRead + READ_INTERVAL_MS - performance.now());
    if (urgent) this.#read(read, this.#alert, this.#announcer);
    else this.#timer = setTimeout(() => this.#read(read, this.#announcer, this.#alert), wait);
  }

  #read(text, region, other) {
    other.textContent = "";
    if (text === region.textContent) return;
    region.textContent = text;
    this.#lastRead = performance.now();
  }
}
