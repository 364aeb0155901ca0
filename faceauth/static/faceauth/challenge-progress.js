import { partsOf } from "./dom.js";

/** Shows how far a visitor is in a challenge: a mark for each step, an arrow, and a filling arc. */
export class ChallengeProgress {
  #root;
  #marks;

  /** @param {HTMLElement} root the widget */
  constructor(root) {
    this.#root = root;
    this.#marks = partsOf(root).steps;
  }

  /** Show nothing: no step is done, and the visitor has only to look straight ahead. */
  reset() {
    this.#root.dataset.pose = "straight";
    this.#marks.replaceChildren();
    this.#marks.hidden = true;
    this.fill(0);
  }

  /**
   * Show which steps are done and which one is next.
   * @param {import("./head-turns.js").HeadTurns} turns
   */
  show({ steps, done }) {
    if (this.#marks.children.length !== steps.length) {
      this.#marks.replaceChildren(...steps.map(() => document.createElement("li")));
    }
    for (const [i, each] of [...this.#marks.children].entries()) {
      each.dataset.step = steps[i].pose;
      each.toggleAttribute("data-done", i < done);
      each.toggleAttribute("data-next", i === done);
    }
    this.#marks.hidden = false;
    this.#root.dataset.pose = steps[done]?.pose ?? "straight";
  }

  /**
   * Fill the arc.
   * @param {number} share how much of the turn is made, from 0 to 1
   */
  fill(share) {
    this.#root.style.setProperty("--faceauth-share", share.toFixed(2));
  }
}
