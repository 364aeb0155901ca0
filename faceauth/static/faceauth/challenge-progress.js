import { partsOf } from "./dom.js";

/** Shows how far a visitor has come: a mark for each step, an arrow, and how much of it is done. */
export class ChallengeProgress {
  #root;
  #steps;

  /** @param {HTMLElement} root the widget */
  constructor(root) {
    this.#root = root;
    this.#steps = partsOf(root).steps;
  }

  /** Nothing is done, and nothing to do but to look straight ahead. */
  reset() {
    this.#root.dataset.pose = "straight";
    this.#steps.replaceChildren();
    this.#steps.hidden = true;
    this.fill(0);
  }

  /** @param {import("./head-turns.js").HeadTurns} turns */
  show(turns) {
    const { steps, done } = turns;
    if (this.#steps.children.length !== steps.length) {
      this.#steps.replaceChildren(...steps.map(() => document.createElement("li")));
    }
    for (const [i, each] of [...this.#steps.children].entries()) {
      each.dataset.step = steps[i].pose;
      mark(each, done - i);
    }
    this.#steps.hidden = false;
    this.#root.dataset.pose = steps[done]?.pose ?? "straight";
  }

  /** @param {number} share how much of a turn is taken, 0 to 1 */
  fill(share) {
    this.#root.style.setProperty("--faceauth-share", share.toFixed(2));
  }
}

/** Mark a step as done, as the next one, or as one that is still to come. */
function mark(element, past) {
  element.toggleAttribute("data-done", past > 0);
  element.toggleAttribute("data-next", past === 0);
}
