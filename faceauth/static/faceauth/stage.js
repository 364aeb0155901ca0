import { lastingProblem } from "./camera.js";
import { partsOf } from "./dom.js";
import { Status } from "./status.js";

// The states in which the camera's picture, or a still, is shown instead of the cover.
const UNCOVERED = ["live", "still"];

/**
 * What a widget shows: the picture or a cover, the buttons, and the line under the picture.
 *
 * The root's `data-state` is off, starting, live, still, complete, refused or problem, and its
 * `data-tone` idle, good, warn, bad or busy.
 */
export class Stage {
  #root;
  #messages;
  #parts;
  #status;

  /**
   * @param {HTMLElement} root the widget
   * @param {import("./messages.js").Messages} messages
   */
  constructor(root, messages) {
    this.#root = root;
    this.#messages = messages;
    this.#parts = partsOf(root);
    const { stage, status, announcer, alert } = this.#parts;
    this.#status = new Status(status, announcer, alert);
    stage.hidden = false;
  }

  /** The state shown. */
  get state() {
    return this.#root.dataset.state;
  }

  /** @returns {boolean} true while the visitor has to wait */
  get held() {
    return this.#parts.start.disabled;
  }

  /**
   * Show a state.
   * @param {string} state
   * @param {string} tone
   * @param {string} text
   * @param {object} [options] those of `say`
   */
  show(state, tone, text, options) {
    const { cover, explanation, start, still, take, quit } = this.#parts;
    const focused = [start, take, quit].find((each) => each === document.activeElement);
    if (state !== "problem") delete this.#root.dataset.problem;
    this.#root.dataset.state = state;
    const uncovered = UNCOVERED.includes(state);
    cover.hidden = uncovered;
    explanation.textContent = uncovered ? "" : text;
    const startable = ["off", "problem", "refused"].includes(state) && !lastingProblem();
    start.hidden = !startable;
    start.disabled = false;
    start.textContent = this.#messages.get(state === "off" ? "start" : "retry");
    still.hidden = state !== "still" || !still.src;
    if (!uncovered) take.hidden = quit.hidden = true;
    this.say(text, tone, options);
    this.#keepFocus(focused);
  }

  /**
   * Offer a button under the picture.
   * @param {"take" | "quit" | null} name
   */
  offer(name) {
    const { take, quit } = this.#parts;
    const focused = [take, quit].find((each) => each === document.activeElement);
    take.hidden = name !== "take";
    quit.hidden = name !== "quit";
    this.#keepFocus(focused);
  }

  /**
   * Say something under the picture.
   * @param {string} text
   * @param {string} tone
   * @param {{read?: string, urgent?: boolean}} [options] what to read out instead, and if at once
   */
  say(text, tone, options) {
    this.#root.dataset.tone = tone;
    this.#status.say(text, options);
  }

  /**
   * Say on the cover what a visitor has to wait for, and disable the button meanwhile.
   * @param {string} text
   * @param {boolean} waiting
   */
  hold(text, waiting) {
    const { explanation, start, status } = this.#parts;
    explanation.textContent = status.textContent = text;
    // A disabled button loses the focus.
    if (waiting && document.activeElement === start) this.focus();
    start.disabled = waiting;
  }

  /** Put the focus on what the cover says. */
  focus() {
    this.#parts.explanation.focus();
  }

  /**
   * Show a picture instead of the camera, or keep showing what the camera shows now.
   * @param {Blob | null} picture
   * @param {boolean} mirrored
   */
  freeze(picture, mirrored) {
    const { still, video } = this.#parts;
    if (picture) {
      still.onload = still.onerror = () => URL.revokeObjectURL(still.src);
      still.src = URL.createObjectURL(picture);
    } else {
      still.removeAttribute("src");
      video.pause();
    }
    this.#root.dataset.still = mirrored ? "mirrored" : "plain";
    this.show("still", "busy", this.#messages.get("checking"));
  }

  /** Scroll to the picture and to the text around it: all of it, if there is room. */
  reveal() {
    for (const part of ["stage", "status", "video"]) {
      this.#parts[part].scrollIntoView({ block: "nearest" });
    }
  }

  /** A button that disappears must not lose the keyboard user's place in the page. */
  #keepFocus(focused) {
    const { start, take, quit } = this.#parts;
    if (focused && !focused.hidden) return;
    const lost = focused || document.activeElement === this.#root;
    if (!lost) return;
    const next = [start, take, quit].find((each) => !each.hidden && !each.disabled);
    (next ?? this.#root).focus({ preventScroll: true });
    if (focused === start) this.reveal();
  }
}
