import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { FrameSelection, spread } from "../../faceauth/static/faceauth/frame-selection.js";

const TURNED = 0.25;
const MIDDLE = 0.1;

// Frames are numbers here: their pictures do not matter.
function choose(frames, turns, limit) {
  const selection = new FrameSelection();
  for (const [picture, { yaw, change, end, flawed }] of frames.entries()) {
    selection.add(picture, 100 * picture, change);
    if (yaw !== undefined) selection.measure(picture, yaw, flawed);
    if (end) selection.endTurn();
  }
  const offset = (yaw, turn) => (turns[turn] === "left" ? yaw : -yaw);
  const chosen = selection.choose(offset, limit).map(({ picture }) => picture);
  return { chosen, kept: selection.length };
}

/** Return numbers of a normal distribution, the same ones each time. */
function noise(deviation) {
  let seed = 1;
  const uniform = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
  const normal = () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
  return () => deviation * normal();
}

/** Return the yaw of each frame of these turns, and what the page knows of every so many frames. */
function filmed(turns, { straight, measured }) {
  const jitter = noise(0.008);
  const away = Array.from({ length: 8 }, (_, i) => 0.35 * (1 - Math.cos((Math.PI * i) / 7)) * 0.5);
  const yaws = Array(straight).fill(0);
  const ends = [];
  for (const turn of turns) {
    const side = turn === "left" ? 1 : -1;
    yaws.push(...[...away, ...away.toReversed()].map((each) => side * each));
    yaws.push(...Array(straight).fill(0));
    // On to the next frame that is measured.
    ends.push(Math.ceil((yaws.length - Math.floor(straight / 2)) / measured) * measured);
  }
  const frames = yaws.map((yaw, i) => {
    const change = 10 * Math.abs(yaw - (yaws[i - 1] ?? 0)) + 0.02;
    return i % measured ? { change } : { change, yaw: yaw + jitter(), end: ends.includes(i) };
  });
  return { yaws, frames };
}

function placeOf(yaw) {
  if (Math.abs(yaw) < MIDDLE / 2) return "middle";
  if (Math.abs(yaw) < TURNED) return "between";
  return yaw > 0 ? "left" : "right";
}

describe("the frames to send span the movement in even steps", () => {
  for (const turns of [["left", "right"], ["right", "right"]]) {
    for (const measured of [1, 3, 5]) {
      for (const straight of [10, 400]) {
        test(`${turns.join(", ")}, every ${measured} measured, ${straight} straight`, () => {
          const { yaws, frames } = filmed(turns, { straight, measured });
          const { chosen, kept } = choose(frames, turns, 12);
          assert.deepEqual(
            chosen,
            [...new Set(chosen)].sort((one, other) => one - other),
          );
          assert.equal(chosen.length, 12);
          assert.ok(kept <= 240);

          const shown = chosen.map((i) => yaws[i]);
          assert.ok(Math.abs(shown[0]) < 0.05);
          assert.ok(Math.abs(shown.at(-1)) < 0.05);
          const places = shown.map(placeOf).filter((each) => each !== "between");
          assert.deepEqual(
            places.filter((each, i) => each !== places[i - 1]),
            ["middle", turns[0], "middle", turns[1], "middle"],
          );
          const steps = shown.slice(1).map((yaw, i) => Math.abs(yaw - shown[i]));
          assert.ok(Math.max(...steps) < 0.25);
        });
      }
    }
  }
});

test("the yaw between two measured frames follows the change of the picture", () => {
  const [still, moving] = [{ change: 0 }, { change: 5 }];
  const frames = [{ ...still, yaw: 0 }, still, still, still, moving, { ...moving, yaw: 0.3 }];
  frames.push({ ...moving, yaw: 0, end: true });
  // The head was held still at first: the middle of the turn is where the picture changes.
  assert.deepEqual(choose(frames, ["left"], 4).chosen, [0, 4, 5, 6]);
});

test("frames next to one without a face are not sent", () => {
  const unknown = undefined;
  const yaws = [0, unknown, 0.2, 0.3, unknown, null, unknown, 0.3, 0.1, 0];
  const frames = yaws.map((yaw) => ({ change: 1, yaw }));
  frames.at(-1).end = true;
  assert.deepEqual(choose(frames, ["left"], 12).chosen, [0, 1, 2, 3, 7, 8, 9]);
});

test("a sharp frame is sent rather than a blurred one beside it", () => {
  // The blurred one has just the yaw that is wanted, halfway to the side.
  const yaws = [0, 0.15, 0.18, 0.3, 0.1, 0];
  const frames = yaws.map((yaw, i) => ({ change: 1, yaw, flawed: i === 1 }));
  frames.at(-1).end = true;
  const { chosen } = choose(frames, ["left"], 5);
  assert.ok(chosen.includes(2));
  assert.ok(!chosen.includes(1));
});

test("a challenge that starts again sends nothing from before", () => {
  const selection = new FrameSelection();
  for (const picture of [0, 1, 2, 3]) {
    selection.add(picture, 100 * picture, 1);
    selection.measure(picture, 0);
  }
  selection.begin();
  assert.equal(selection.length, 2);
  selection.clear();
  assert.equal(selection.length, 0);
});

test("no more frames are chosen than there are", () => {
  const frames = [0, 0.2, 0.4].map((yaw) => ({ yaw, flawed: false }));
  assert.deepEqual(spread(frames, [0, 2], 12), [0, 1, 2]);
});
