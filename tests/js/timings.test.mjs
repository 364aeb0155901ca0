import assert from "node:assert/strict";
import { test } from "node:test";

import { mark, timings } from "../../faceauth/static/faceauth/timings.js";

test("steps are done with the pictures where no challenge was passed", () => {
  mark("camera");
  const before = performance.now();
  const { camera, steps, ...others } = timings();
  assert.deepEqual(others, {});
  assert.ok(0 < camera && camera <= steps);
  assert.ok(Math.abs(steps - before / 1000) < 0.5);
});

test("the last challenge counts", async () => {
  for (const stage of ["face", "passed", "face"]) mark(stage);
  await new Promise((done) => setTimeout(done, 20));
  const before = performance.now() / 1000;
  mark("passed");
  mark("answer");
  const { steps, ...others } = timings();
  assert.deepEqual(Object.keys(others).sort(), ["camera", "face"]);
  assert.ok(before - 0.002 <= steps && others.face < steps);
});
