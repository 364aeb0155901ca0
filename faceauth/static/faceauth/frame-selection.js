// How many frames are kept: at ten a second more than a challenge usually takes.
const MOST_KEPT = 240;

// How much further off a flawed frame is than it seems, when one is chosen.
const FLAW = 0.1;

// What a frame changes by that shows the same, in levels.
const LEAST_CHANGE = 0.05;

/**
 * A movement of the head, frame by frame, with its yaw as far as that is known: some frames are
 * shown to the server, and between those it changes as the picture does.
 */
export class FrameSelection {
  #frames = [];
  #marks = [];
  #lost = false;

  /** How many frames are kept. */
  get length() {
    return this.#frames.length;
  }

  /**
   * @param {Blob} picture
   * @param {number} time in milliseconds
   * @param {number} change how much it differs from the one before
   */
  add(picture, time, change) {
    this.#frames.push({ picture, time, change, flawed: false });
    if (this.#frames.length > MOST_KEPT) this.#thin();
  }

  /**
   * Note what a frame shows. Those between it and the frame measured before it are known as well,
   * or dropped where one of the two shows no face.
   * @param {Blob} picture
   * @param {number | null} yaw null where there is no face to be seen
   * @param {boolean} flawed whether another picture is better, if there is one
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

  /** Begin with the last two frames that were measured, and forget what was before. */
  begin() {
    const measured = this.#frames.filter((each) => each.measured);
    this.#frames.splice(0, this.#frames.indexOf(measured.at(-2) ?? measured.at(-1)));
    this.#marks = [];
  }

  /** Note that a turn ends with the last frame that was measured. */
  mark() {
    this.#marks.push(this.#frames.findLast((each) => each.measured).time);
  }

  /** Forget everything. */
  clear() {
    this.#frames = [];
    this.#marks = [];
    this.#lost = false;
  }

  /**
   * The frames that show the movement best: looking straight ahead before, between and after the
   * turns, turned furthest in each, and from one of these to the next in steps as equal as can be.
   * @param {(yaw: number, turn: number) => number} aside how far a head with that yaw is turned in
   *   the direction of which turn
   * @param {number} most how many frames
   * @returns {{picture: Blob, yaw: number}[]}
   */
  choose(aside, most) {
    const frames = this.#frames.filter(({ yaw }) => yaw !== undefined);
    const ends = this.#marks.map((time) => frames.findIndex((each) => each.time >= time));
    const best = (from, to, cost) =>
      least(from, to, (i) => (frames[i].measured ? cost(frames[i]) : Infinity));
    const furthest = ends.map((end, turn) =>
      best(turn ? ends[turn - 1] : 0, end, ({ yaw }) => -aside(yaw, turn)),
    );
    const straight = [0, ...furthest].map((from, turn) =>
      best(from, furthest[turn] ?? frames.length - 1, (each) => {
        return Math.abs(aside(each.yaw, 0)) + flaw(each);
      }),
    );
    const anchors = straight.flatMap((each, turn) => [each, furthest[turn] ?? each]);
    return spread(frames, anchors, most).map((i) => frames[i]);
  }

  /** Drop the frame without which the steps from one to the next grow least. */
  #thin() {
    const way = this.#frames.map(({ yaw }) => yaw ?? NaN);
    const step = (i) => Math.abs(way[i] - way[i - 1]) + Math.abs(way[i + 1] - way[i]);
    const cost = (i) => (Number.isNaN(step(i)) ? Infinity : step(i));
    const dropped = least(1, way.length - 2, cost);
    const [{ change }] = this.#frames.splice(dropped, 1);
    this.#frames[dropped].change += change;
  }
}

/**
 * Choose frames between those that have to be there, in steps of yaw as equal as can be.
 * @param {{yaw: number, flawed: boolean}[]} frames
 * @param {number[]} anchors indices of the frames that have to be there, ascending
 * @param {number} most how many frames
 * @returns {number[]} their indices, ascending
 */
export function spread(frames, anchors, most) {
  const fixed = [...new Set(anchors)];
  const parts = fixed.slice(1).map((to, i) => ({ from: fixed[i], to, steps: 1 }));
  const way = ({ from, to }) => frames[to].yaw - frames[from].yaw;
  const step = (part) => (part.steps < part.to - part.from ? Math.abs(way(part)) / part.steps : 0);
  for (let count = fixed.length; count < most; count += 1) {
    const longest = parts.reduce((one, other) => (step(other) > step(one) ? other : one));
    if (step(longest) > 0) longest.steps += 1;
  }
  const chosen = parts.flatMap((part) => {
    let last = part.from;
    return Array.from({ length: part.steps - 1 }, (_, i) => {
      const yaw = frames[part.from].yaw + (way(part) * (i + 1)) / part.steps;
      // As many have to be left as are still to come.
      const latest = part.to - part.steps + i + 1;
      last = least(last + 1, latest, (j) => Math.abs(frames[j].yaw - yaw) + flaw(frames[j]));
      return last;
    });
  });
  return [...fixed, ...chosen].sort((one, other) => one - other);
}

/** Have the yaw change from the first frame to the last as much as the picture does. */
function interpolate(frames) {
  const [first, last] = [frames[0], frames.at(-1)];
  const whole = sum(frames.slice(1));
  for (const [i, each] of frames.slice(1, -1).entries()) {
    each.yaw = first.yaw + (last.yaw - first.yaw) * (sum(frames.slice(1, i + 2)) / whole);
  }
}

/** All change, and a little more for each frame, so that there is some. */
function sum(frames) {
  return frames.reduce((all, { change }) => all + change + LEAST_CHANGE, 0);
}

function flaw({ flawed }) {
  return flawed ? FLAW : 0;
}

/** The index from `from` to `to` that costs least; the first of several. */
function least(from, to, cost) {
  let best = from;
  for (let i = from + 1; i <= to; i += 1) if (cost(i) < cost(best)) best = i;
  return best;
}
