// Shares of the frame by which a box may move between two previews and still be held still.
const MOST_MOVED = 0.05;

/** Sees from the previews' advice when a face is good and is held still. */
export class Stability {
  #box = null;

  /**
   * @param {{ok: boolean, face: {box: number[]} | null}} advice
   * @returns {boolean} true where this preview and the one before are good, and show much the same
   */
  feed({ ok, face }) {
    const before = this.#box;
    this.#box = ok && face ? face.box : null;
    return Boolean(
      before && this.#box?.every((edge, i) => Math.abs(edge - before[i]) <= MOST_MOVED),
    );
  }

  /** Begin anew. */
  reset() {
    this.#box = null;
  }
}
