// How long somebody may try a pose before they hear that they can do without it.
const PATIENCE_MS = 10_000;

const POSE_CODES = ["turned", "turned_too_far", "turn_left", "turn_right", "lift"];

/** Sees from the previews' advice when a pose is too much to ask for. */
export class Patience {
  #since = null;

  /**
   * @param {{code: string}} advice
   * @returns {boolean} true where the head is held differently still, and has been asked for long
   */
  feed({ code }) {
    if (!POSE_CODES.includes(code)) return false;
    this.#since ??= performance.now();
    return performance.now() - this.#since >= PATIENCE_MS;
  }

  /** Begin anew. */
  reset() {
    this.#since = null;
  }
}
