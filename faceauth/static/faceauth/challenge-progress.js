import { partsOf } from "./dom.js";

// How far the dot moves, in degrees of the head from the middle to the oval's edge.
const EDGE = 14;

/**
 * Shows the step of a challenge: an arrow in its direction, an arc that fills, a dot that moves with
 * the head, and a mark for each step.
 */
export class ChallengeProgress {
  #root;
  #marks;

  /** @param {HTMLElement} root the widget */
  constructor(root) {
    this.#root = root;
    this.#marks = partsOf(root).steps;
  }

  /** Show no step: the visitor has only to look ahead. */
  reset() {
    delete this.#root.dataset.step;
    this.#root.dataset.pose = "straight";
    this.#marks.replaceChildren();
    this.#marks.hidden = true;
    this.#set("share", 0);
    this.#set("x", 0);
    this.#set("y", 0);
  }

  /**
   * Show a step, and how far it is made.
   * @param {{name: string, done: number, total: number, share: number}} step
   * @param {{yaw: number, pitch: number}} turn of the head since the challenge began, in degrees,
   *   to the visitor's left and up
   */
  show({ name, done, total, share }, { yaw, pitch }) {
    this.#root.dataset.step = this.#root.dataset.pose = name;
    this.#mark(done, total);
    this.#set("share", share);
    // The picture is a mirror: the visitor's left is the page's left.
    const length = Math.max(EDGE, Math.hypot(yaw, pitch));
    this.#set("x", -yaw / length);
    this.#set("y", -pitch / length);
  }

  /** Show all steps as done. */
  complete() {
    this.#mark(this.#marks.children.length, this.#marks.children.length);
    this.#root.dataset.step = "passed";
    this.#root.dataset.pose = "straight";
    this.#set("share", 1);
  }

  #mark(done, total) {
    if (this.#marks.children.length !== total) {
      const marks = Array.from({ length: total }, () => document.createElement("li"));
      this.#marks.replaceChildren(...marks);
    }
    for (const [i, each] of [...this.#marks.children].entries()) {
      each.toggleAttribute("data-done", i < done);
      each.toggleAttribute("data-next", i === done);
    }
    this.#marks.hidden = total === 0;
  }

  #set(name, value) {
    this.#root.style.setProperty(`--faceauth-${name}`, value.toFixed(2));
  }
}
