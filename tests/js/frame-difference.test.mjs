import assert from "node:assert/strict";
import { test } from "node:test";

import {
  FrameDifference,
  meanDifference,
} from "../../faceauth/static/faceauth/frame-difference.js";
import { fakeDocument } from "./fakes.mjs";

test("the same picture does not differ", () => {
  assert.equal(meanDifference([10, 20, 30], [10, 20, 30]), 0);
});

test("a picture that is lighter as a whole does not differ", () => {
  assert.equal(meanDifference([10, 20, 30], [15, 25, 35]), 0);
});

test("a picture that changes in one place differs", () => {
  assert.equal(meanDifference([0, 0, 0, 0], [0, 0, 0, 40]), 15);
  // However it changes: what moves away from one place arrives at another.
  assert.equal(meanDifference([0, 40], [40, 0]), 40);
});

test("each frame is compared with the one before it", () => {
  fakeDocument();
  const difference = new FrameDifference();
  assert.equal(difference.next({ level: 100 }), 0);
  assert.equal(difference.next({ level: 100 }), 0);
  // Half of the picture is lighter by 20.
  assert.equal(difference.next({ level: 120 }), 10);
  assert.equal(difference.next({ level: 120 }), 0);
});
