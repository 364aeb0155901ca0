// How far an edge of the face's box may move between two frames, as a share of the frame, and the
// head may turn, in units of the distance between the eyes, for the face to count as held still.
const MAX_MOVE = 0.05;
const MAX_TURN = 0.07;

// How long a visitor may try a pose before the page offers to go on without it.
const POSE_PATIENCE_MS = 10_000;

// How long a hint, such as to take off sunglasses, keeps back the picture.
const HINT_PATIENCE_MS = 4000;

// How long nobody may be seen before the page says what may hide them.
const UNSEEN_PATIENCE_MS = 5000;

const POSE_CODES = ["turned", "turned_too_far", "turn_left", "turn_right", "lift"];

/** Watches the advice for successive frames: is the face still, and what goes on for too long? */
export class Stability {
  #before = null;
  #poseWrong = new Stopwatch();
  #hinted = new Stopwatch();
  #unseen = new Stopwatch();

  /**
   * Take the next frame's advice.
   * @param {{ok: boolean, code?: string, hint?: string | null, face: object | null}} advice
   * @returns {{steady: boolean, struggling: boolean, hinting: boolean, unseen: boolean}} `steady` if
   *   this frame and the one before are good and the head has hardly moved; `struggling` if the
   *   head is still not in the pose long after it was first asked for; `hinting` while a hint is
   *   new; `unseen` if there has been no face for long
   */
  feed({ ok, code, hint, face }) {
    const hinting = Boolean(hint) && !this.#hinted.passed(HINT_PATIENCE_MS);
    const wrong = POSE_CODES.includes(code) && this.#poseWrong.passed(POSE_PATIENCE_MS);
    if (code !== "no_face") this.#unseen.reset();
    const unseen = code === "no_face" && this.#unseen.passed(UNSEEN_PATIENCE_MS);
    return { steady: this.#isSteady(ok ? face : null), struggling: wrong, hinting, unseen };
  }

  /** Forget where the face was, but not how long the pose has been asked for. */
  interrupt() {
    this.#before = null;
    this.#unseen.reset();
  }

  /** Start again, for another pose. A hint was given once, and is not given again. */
  reset() {
    this.#before = null;
    this.#poseWrong.reset();
  }

  #isSteady(face) {
    const before = this.#before;
    this.#before = face;
    if (!before || !face) return false;
    const near = (name, limit) => !(Math.abs(face[name] - before[name]) > limit);
    return (
      face.box.every((edge, i) => Math.abs(edge - before.box[i]) <= MAX_MOVE) &&
      near("head_pose_yaw", MAX_TURN) &&
      near("head_pose_pitch", MAX_TURN)
    );
  }
}

/** Tells how long something has been so. */
class Stopwatch {
  #since = null;

  /**
   * Begin, unless it runs already, and return true if so much time has passed.
   * @param {number} milliseconds
   */
  passed(milliseconds) {
    this.#since ??= performance.now();
    return performance.now() - this.#since >= milliseconds;
  }

  reset() {
    this.#since = null;
  }
}
