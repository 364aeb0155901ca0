// A picture turns the other way round than the person in it: to their left is towards its right.
const SIGNS = { left: 1, right: -1 };

// The share of a turn that is clearly one the other way.
const WRONG = 0.7;

/** Follows a head through the turns that are asked for, each with its way back to the middle. */
export class HeadTurns {
  #turned;
  #middle;
  #own;
  #inMiddle = false;

  /**
   * What there is to do: `pose` is left, right, from-left or from-right (the visitor's own), `turn`
   * the turn that it belongs to, `back` whether it is the way back from that.
   * @type {{pose: string, turn: string, back: boolean}[]}
   */
  steps;

  /** How many of the steps are done. */
  done = 0;

  /**
   * @param {{turns: string[], turned: number, middle: number}} asked what the site asks for: left
   *   or right, how far a head is turned, and how little where it is in the middle
   * @param {number} own the yaw of the visitor's head when looking straight ahead
   */
  constructor({ turns, turned, middle }, own) {
    this.#turned = turned;
    this.#middle = middle;
    this.#own = own;
    this.steps = turns.flatMap((turn) => [
      { pose: turn, turn, back: false },
      { pose: `from-${turn}`, turn, back: true },
    ]);
  }

  /** What is to be done now; undefined where everything is done. */
  get step() {
    return this.steps[this.done];
  }

  /**
   * How far a head is turned, in units of yaw.
   * @param {number} yaw
   * @param {string} turn to which side
   */
  aside(yaw, turn) {
    return (yaw - this.#own) * SIGNS[turn];
  }

  /**
   * How much of the turn is taken, from 0 to 1.
   * @param {number} yaw
   */
  share(yaw) {
    return this.step ? Math.min(1, Math.max(0, this.aside(yaw, this.step.turn) / this.#turned)) : 0;
  }

  /**
   * @param {number} yaw the head's next
   * @returns {"on" | "done" | "wrong"} whether the step goes on, is done, or went the wrong way
   */
  feed(yaw) {
    const { turn, back } = this.step;
    const aside = this.aside(yaw, turn);
    const wasInMiddle = this.#inMiddle;
    this.#inMiddle = back && Math.abs(aside) <= this.#middle;
    // Who is on the way to the other side need not stop in the middle.
    const done = back ? wasInMiddle && aside <= this.#middle : aside >= this.#turned;
    if (!done) return aside <= -WRONG * this.#turned ? "wrong" : "on";
    this.#inMiddle = false;
    this.done += 1;
    return "done";
  }
}
