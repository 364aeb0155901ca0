import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { HeadTurns } from "../../faceauth/static/faceauth/head-turns.js";

// As the site sends it: a head is turned from 0.25 on, and in the middle up to 0.1.
const TURNED = 0.25;
const MIDDLE = 0.1;

// Where this visitor's head points when they look straight ahead.
const STRAIGHT = 0.05;

function started(...turns) {
  return new HeadTurns({ turns, turned: TURNED, middle: MIDDLE }, STRAIGHT);
}

/** Show these yaws, from straight ahead, and return what came of each. */
function follow(turns, yaws) {
  const results = [];
  for (const yaw of yaws) if (turns.step) results.push(turns.feed(yaw + STRAIGHT));
  return results.join(" ");
}

describe("a turn counts once the head is back in the middle", () => {
  const cases = [
    // Seen twice in the middle, or on the way through it.
    [["left"], [0, 0.2, 0.26, 0.3, 0.05, 0], "on on done on on done"],
    [["right"], [0, -0.2, -0.26, 0.05, 0], "on on done on done"],
    [["left"], [0, -0.1, -0.2], "on on wrong"],
    [["left"], [0.26, 0, 0.2, 0, -0.12], "done on on on done"],
    [["left", "right"], [0.26, 0, -0.2, -0.3, 0, 0], "done on done done on done"],
    [["left"], [0.26, 0.15, -0.2], "done on wrong"],
    [["left", "left"], [0.26, 0, 0, 0.1, 0.26, 0, 0], "done on done on done on done"],
    [["left", "right"], [0.26, 0, 0, 0.1, 0.26], "done on done on wrong"],
  ];
  for (const [names, yaws, results] of cases) {
    test(`${names.join(", ")}: ${yaws.join(" ")}`, () => {
      const turns = started(...names);
      assert.equal(follow(turns, yaws), results);
      const done = results.split(" ").filter((each) => each === "done").length;
      assert.equal(turns.done, done);
      assert.equal(turns.step === undefined, done === 2 * names.length);
    });
  }
});

test("a still picture never advances, however long it is shown", () => {
  const turns = started("left", "right");
  assert.equal(follow(turns, Array(100).fill(0.1)), Array(100).fill("on").join(" "));
  assert.equal(turns.done, 0);
  assert.equal(turns.step.pose, "left");
});

test("a head that does not turn quite far enough is not done", () => {
  const turns = started("left");
  assert.equal(follow(turns, [0.1, 0.2, TURNED - 0.001]), "on on on");
  assert.equal(follow(turns, [TURNED + 0.001]), "done");
});

test("each turn is asked for with its way back, to the visitor's own side", () => {
  assert.deepEqual(started("right", "left").steps, [
    { pose: "right", turn: "right", back: false },
    { pose: "from-right", turn: "right", back: true },
    { pose: "left", turn: "left", back: false },
    { pose: "from-left", turn: "left", back: true },
  ]);
});

test("the arc fills with the turn and empties on the way back", () => {
  const turns = started("right");
  const share = (yaw) => Number(turns.share(yaw + STRAIGHT).toFixed(2));
  assert.equal(share(0), 0);
  assert.equal(share(-0.125), 0.5);
  assert.equal(share(-0.5), 1);
  // The other side fills nothing.
  assert.equal(share(0.2), 0);
  follow(turns, [-0.3]);
  assert.equal(share(-0.125), 0.5);
  follow(turns, [0, 0]);
  assert.equal(share(-0.3), 0);
});
