import assert from "node:assert/strict";
import { test } from "node:test";

import { Stability } from "../../faceauth/static/faceauth/stability.js";
import { fakeClock } from "./fakes.mjs";

const FACE = { box: [0.3, 0.7, 0.8, 0.3], head_pose_yaw: 0.1, head_pose_pitch: 0.7 };
const GOOD = { ok: true, code: "good", face: FACE };
const TURNED = { ok: false, code: "turn_left", face: FACE };
const NOBODY = { ok: false, code: "no_face", face: null };

function moved(by) {
  return { ...GOOD, face: { ...FACE, box: FACE.box.map((edge) => edge + by) } };
}

test("a face is steady once two good frames in a row show it in one place", () => {
  const stability = new Stability();
  assert.equal(stability.feed(GOOD).steady, false);
  assert.equal(stability.feed(moved(0.04)).steady, true);
});

test("a face that moves is not steady", () => {
  const stability = new Stability();
  stability.feed(GOOD);
  assert.equal(stability.feed(moved(0.06)).steady, false);
  assert.equal(stability.feed(moved(0.06)).steady, true);
});

test("a head that turns or nods is not steady, though its box hardly moves", () => {
  for (const name of ["head_pose_yaw", "head_pose_pitch"]) {
    const stability = new Stability();
    const turned = { ...GOOD, face: { ...FACE, [name]: FACE[name] + 0.1 } };
    stability.feed(GOOD);
    assert.equal(stability.feed(turned).steady, false);
    assert.equal(stability.feed(turned).steady, true);
  }
});

test("a frame without a good face starts it again", () => {
  for (const bad of [NOBODY, { ...GOOD, ok: false }]) {
    const stability = new Stability();
    stability.feed(GOOD);
    assert.equal(stability.feed(bad).steady, false);
    assert.equal(stability.feed(GOOD).steady, false);
    assert.equal(stability.feed(GOOD).steady, true);
  }
});

test("an interruption takes a picture no sooner than at the beginning", () => {
  const stability = new Stability();
  stability.feed(GOOD);
  stability.interrupt();
  assert.equal(stability.feed(GOOD).steady, false);
});

test("a visitor who cannot take the pose is offered a way on after ten seconds", (t) => {
  const clock = fakeClock(t);
  const stability = new Stability();
  assert.equal(stability.feed(TURNED).struggling, false);
  clock.pass(9_999);
  assert.equal(stability.feed(TURNED).struggling, false);
  clock.pass(1);
  assert.equal(stability.feed(TURNED).struggling, true);
  // Only while it is the pose that is wrong.
  assert.equal(stability.feed({ ok: false, code: "blurred", face: null }).struggling, false);
  // An interruption of the connection does not make the pose any easier.
  stability.interrupt();
  assert.equal(stability.feed(TURNED).struggling, true);
});

test("another pose gets its own ten seconds", (t) => {
  const clock = fakeClock(t);
  const stability = new Stability();
  stability.feed(TURNED);
  clock.pass(10_000);
  stability.reset();
  assert.equal(stability.feed(TURNED).struggling, false);
});

test("a hint keeps the picture back for four seconds, once", (t) => {
  const clock = fakeClock(t);
  const stability = new Stability();
  const hinted = { ...GOOD, hint: "dark_glasses" };
  assert.equal(stability.feed(GOOD).hinting, false);
  assert.equal(stability.feed(hinted).hinting, true);
  clock.pass(3_999);
  assert.equal(stability.feed(hinted).hinting, true);
  clock.pass(1);
  assert.equal(stability.feed(hinted).hinting, false);
  // Nor for the next picture.
  stability.reset();
  assert.equal(stability.feed(hinted).hinting, false);
});

test("after five seconds without a face the page says what may hide it", (t) => {
  const clock = fakeClock(t);
  const stability = new Stability();
  assert.equal(stability.feed(NOBODY).unseen, false);
  clock.pass(5_000);
  assert.equal(stability.feed(NOBODY).unseen, true);
  assert.equal(stability.feed(GOOD).unseen, false);
  assert.equal(stability.feed(NOBODY).unseen, false);
});
