// How far an edge of the face's box may move between two previews, as a share of the frame, for the
// face to count as held still.
const MAX_MOVE = 0.05;

// How long a visitor may try a pose before the page offers to go on without it.
const POSE_PATIENCE_MS = 10_000;

const POSE_CODES = ["turned", "turned_too_far", "turn_left", "turn_right", "lift"];

/** Watches the advice of successive previews: is the face still, and is the pose too difficult? */
export class Stability {
  #box = null;
  #poseWrongSince = null;

  /**
   * Take the next preview's advice.
   * @param {{ok: boolean, code?: string, face: {box: number[]} | null}} advice
   * @returns {{steady: boolean, struggling: boolean}} `steady` if this preview and the one before
   *   are good and the face has hardly moved; `struggling` if the head is still not in the pose
   *   long after it was first asked for
   */
  feed({ ok, code, face }) {
    const steady = this.#isSteady(ok && face ? face.box : null);
    return { steady, struggling: this.#isStruggling(code) };
  }

  /** Forget where the face was, but not how long the pose has been asked for. */
  interrupt() {
    this.#box = null;
  }

  /** Start again, for another pose. */
  reset() {
    this.#box = this.#poseWrongSince = null;
  }

  #isSteady(box) {
    const before = this.#box;
    this.#box = box;
    return Boolean(before && box?.every((edge, i) => Math.abs(edge - before[i]) <= MAX_MOVE));
  }

  #isStruggling(code) {
    if (!POSE_CODES.includes(code)) return false;
    this.#poseWrongSince ??= performance.now();
    return performance.now() - this.#poseWrongSince >= POSE_PATIENCE_MS;
  }
}
