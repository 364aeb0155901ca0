// The picture of a person turns the other way round: the visitor's left is the picture's right.
const SIGNS = { left: 1, right: -1 };

// The share of a turn beyond which the head has clearly turned the wrong way.
const WRONG_WAY = 0.7;

/** Follows a head through the turns that the site asks for, each with a way back to the middle. */
export class HeadTurns {
  #turned;
  #middle;
  #straight;
  #wasInMiddle = false;

  /**
   * The movements to make: `pose` is left, right, from-left or from-right (the visitor's own),
   * `turn` the turn that the movement belongs to, `back` true for the way back from that turn.
   * @type {{pose: string, turn: string, back: boolean}[]}
   */
  steps;

  /** How many of the steps are done. */
  done = 0;

  /**
   * @param {{turns: string[], turned: number, middle: number}} challenge from the site: the turns,
   *   left or right; the yaw from which a head counts as turned; the yaw up to which it counts as
   *   in the middle
   * @param {number} straight the yaw of the visitor's head when looking straight ahead
   */
  constructor({ turns, turned, middle }, straight) {
    this.#turned = turned;
    this.#middle = middle;
    this.#straight = straight;
    this.steps = turns.flatMap((turn) => [
      { pose: turn, turn, back: false },
      { pose: `from-${turn}`, turn, back: true },
    ]);
  }

  /** The step to make now; undefined once all are done. */
  get step() {
    return this.steps[this.done];
  }

  /**
   * Return how far a head is turned to a side, in units of yaw; negative if to the other side.
   * @param {number} yaw
   * @param {string} turn the side, left or right
   * @returns {number}
   */
  offset(yaw, turn) {
    return (yaw - this.#straight) * SIGNS[turn];
  }

  /**
   * Return how much of the current turn the head has made, from 0 to 1.
   * @param {number} yaw
   * @returns {number}
   */
  share(yaw) {
    if (!this.step) return 0;
    return Math.min(1, Math.max(0, this.offset(yaw, this.step.turn) / this.#turned));
  }

  /**
   * Take the head's next yaw, and advance if the step is done.
   * @param {number} yaw
   * @returns {"on" | "done" | "wrong"} the step goes on, is done, or went the wrong way
   */
  feed(yaw) {
    const { turn, back } = this.step;
    const offset = this.offset(yaw, turn);
    const wasInMiddle = this.#wasInMiddle;
    this.#wasInMiddle = back && Math.abs(offset) <= this.#middle;
    // A head on its way to the other side need not stop in the middle.
    const done = back ? wasInMiddle && offset <= this.#middle : offset >= this.#turned;
    if (!done) return offset <= -WRONG_WAY * this.#turned ? "wrong" : "on";
    this.#wasInMiddle = false;
    this.done += 1;
    return "done";
  }
}
