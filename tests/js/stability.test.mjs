import assert from "node:assert/strict";
import { test } from "node:test";

import { Stability } from "../../faceauth/static/faceauth/stability.js";
import { fakeClock } from "./fakes.mjs";

const GOOD = { ok: true, code: "good", face: { box: [0.3, 0.7, 0.8, 0.3] } };
const TURNED = { ok: false, code: "turn_left", face: { box: [0.3, 0.7, 0.8, 0.3] } };

function moved(by) {
  return { ...GOOD, face: { box: GOOD.face.box.map((edge) => edge + by) } };
}

test("a face is steady once two good previews in a row show it in one place", () => {
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

test("a preview without a good face starts it again", () => {
  for (const bad of [{ ok: false, code: "no_face", face: null }, { ...GOOD, ok: false }]) {
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
