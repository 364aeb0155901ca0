// The most frames kept: at ten a second more than a challenge usually takes.
const MAX_FRAMES = 240;

// What is added to the cost of a flawed frame when one is chosen, in units of yaw.
const FLAW_COST = 0.1;

// The change between two frames that show the same, in levels.
const MIN_CHANGE = 0.05;

/**
 * The frames of a moving head, from which those to send are chosen. The server measures the yaw of
 * some frames; the yaw of those between is interpolated by how much the picture changes.
 */
export class FrameSelection {
  #frames = [];
  #turnEnds = [];
  #lost = false;

  /** How many frames are kept. */
  get length() {
    return this.#frames.length;
  }

  /**
   * Add the next frame.
   * @param {Blob} picture
   * @param {number} time in milliseconds
   * @param {number} change how much it differs from the frame before, in levels
   */
  add(picture, time, change) {
    this.#frames.push({ picture, time, change, flawed: false });
    if (this.#frames.length > MAX_FRAMES) this.#thin();
  }

  /**
   * Record what the server saw in a frame. The yaw of the frames between it and the one measured
   * before is then known as well; if either of the two shows no face, those frames are dropped.
   * @param {Blob} picture
   * @param {number | null} yaw null if no face is visible
   * @param {boolean} flawed true if another frame is to be preferred, should there be one
   */
  measure(picture, yaw, flawed = false) {
    const at = this.#frames.findIndex((each) => each.picture === picture);
    if (at < 0) return;
    const frame = Object.assign(this.#frames[at], { yaw, flawed, measured: true });
    const from = this.#frames.findLastIndex((each, i) => i < at && each.measured);
    if (yaw === null) this.#frames.splice(from + 1, at - from);
    else if (this.#lost || from < 0) this.#frames.splice(from + 1, at - from - 1);
    else interpolate(this.#frames.slice(from, at + 1));
    this.#lost = yaw === null;
  }

  /** Start with the last two frames that were measured, and forget those before. */
  begin() {
    const measured = this.#frames.filter((each) => each.measured);
    this.#frames.splice(0, this.#frames.indexOf(measured.at(-2) ?? measured.at(-1)));
    this.#turnEnds = [];
  }

  /** Record that a turn ends with the last frame that was measured. */
  endTurn() {
    this.#turnEnds.push(this.#frames.findLast((each) => each.measured).time);
  }

  /** Forget everything. */
  clear() {
    this.#frames = [];
    this.#turnEnds = [];
    this.#lost = false;
  }

  /**
   * Choose the frames that show the movement best: looking straight ahead before, between and after
   * the turns, turned furthest in each, and from one of these to the next in steps as equal as
   * possible.
   * @param {(yaw: number, turn: number) => number} offset how far a head with that yaw is turned
   *   towards the side of the turn with that index
   * @param {number} limit the most frames to choose
   * @returns {{picture: Blob, yaw: number}[]}
   */
  choose(offset, limit) {
    const frames = this.#frames.filter(({ yaw }) => yaw !== undefined);
    const ends = this.#turnEnds.map((time) => frames.findIndex((each) => each.time >= time));
    const best = (from, to, cost) =>
      cheapest(from, to, (i) => (frames[i].measured ? cost(frames[i]) : Infinity));
    const furthest = ends.map((end, turn) =>
      best(turn ? ends[turn - 1] : 0, end, ({ yaw }) => -offset(yaw, turn)),
    );
    const straight = [0, ...furthest].map((from, turn) =>
      best(from, furthest[turn] ?? frames.length - 1, (each) => {
        return Math.abs(offset(each.yaw, 0)) + flawCost(each);
      }),
    );
    const anchors = straight.flatMap((each, turn) => [each, furthest[turn] ?? each]);
    return spread(frames, anchors, limit).map((i) => frames[i]);
  }

  /** Drop the frame whose absence lengthens the steps between its neighbours least. */
  #thin() {
    const yaws = this.#frames.map(({ yaw }) => yaw ?? NaN);
    const step = (i) => Math.abs(yaws[i] - yaws[i - 1]) + Math.abs(yaws[i + 1] - yaws[i]);
    const cost = (i) => (Number.isNaN(step(i)) ? Infinity : step(i));
    const dropped = cheapest(1, yaws.length - 2, cost);
    const [{ change }] = this.#frames.splice(dropped, 1);
    this.#frames[dropped].change += change;
  }
}

/**
 * Choose frames between those that have to be there, in steps of yaw as equal as possible.
 * @param {{yaw: number, flawed: boolean}[]} frames
 * @param {number[]} anchors indices of the frames that have to be there, ascending
 * @param {number} limit the most frames to choose
 * @returns {number[]} indices, ascending
 */
export function spread(frames, anchors, limit) {
  const fixed = [...new Set(anchors)];
  const parts = fixed.slice(1).map((to, i) => ({ from: fixed[i], to, steps: 1 }));
  const distance = ({ from, to }) => frames[to].yaw - frames[from].yaw;
  const stepSize = (part) =>
    part.steps < part.to - part.from ? Math.abs(distance(part)) / part.steps : 0;
  for (let count = fixed.length; count < limit; count += 1) {
    const longest = parts.reduce((one, other) => (stepSize(other) > stepSize(one) ? other : one));
    if (stepSize(longest) > 0) longest.steps += 1;
  }
  const chosen = parts.flatMap((part) => {
    let last = part.from;
    return Array.from({ length: part.steps - 1 }, (_, i) => {
      const yaw = frames[part.from].yaw + (distance(part) * (i + 1)) / part.steps;
      // Enough frames have to be left for the steps still to come.
      const latest = part.to - part.steps + i + 1;
      const cost = (j) => Math.abs(frames[j].yaw - yaw) + flawCost(frames[j]);
      last = cheapest(last + 1, latest, cost);
      return last;
    });
  });
  return [...fixed, ...chosen].sort((one, other) => one - other);
}

/** Set the yaw of the frames between the first and the last in proportion to their change. */
function interpolate(frames) {
  const [first, last] = [frames[0], frames.at(-1)];
  const whole = totalChange(frames.slice(1));
  for (const [i, each] of frames.slice(1, -1).entries()) {
    const share = totalChange(frames.slice(1, i + 2)) / whole;
    each.yaw = first.yaw + (last.yaw - first.yaw) * share;
  }
}

/** Return the sum of the changes, and a little more for each frame, so that it is never 0. */
function totalChange(frames) {
  return frames.reduce((sum, { change }) => sum + change + MIN_CHANGE, 0);
}

function flawCost({ flawed }) {
  return flawed ? FLAW_COST : 0;
}

/** Return the index from `from` to `to` that costs least; of several the first. */
function cheapest(from, to, cost) {
  let best = from;
  for (let i = from + 1; i <= to; i += 1) if (cost(i) < cost(best)) best = i;
  return best;
}
