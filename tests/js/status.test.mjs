import assert from "node:assert/strict";
import { test } from "node:test";

import { Status } from "../../faceauth/static/faceauth/status.js";
import { fakeClock } from "./fakes.mjs";

/** A live region: it keeps what a screen reader reads out. */
class Announcer {
  heard = [];
  #text = "";

  get textContent() {
    return this.#text;
  }

  set textContent(text) {
    this.#text = text;
    this.heard.push(text);
  }
}

function started(t) {
  const clock = fakeClock(t);
  const [shown, announcer, alert] = [{ textContent: "" }, new Announcer(), new Announcer()];
  return { clock, shown, announcer, alert, status: new Status(shown, announcer, alert) };
}

test("a text is shown at once, and read out", (t) => {
  const { clock, shown, announcer, status } = started(t);
  status.say("Hold still.");
  assert.equal(shown.textContent, "Hold still.");
  clock.pass(0);
  assert.deepEqual(announcer.heard, ["Hold still."]);
});

test("a text is not read out twice", (t) => {
  const { clock, announcer, status } = started(t);
  for (let i = 0; i < 20; i += 1) {
    status.say("Come closer.");
    clock.pass(300);
  }
  assert.deepEqual(announcer.heard, ["Come closer."]);
});

test("texts that change quickly are read out at most every 1.5 seconds, the newest last", (t) => {
  const { clock, shown, announcer, status } = started(t);
  for (const text of ["Come closer.", "Hold still.", "Find more light.", "Good."]) {
    status.say(text);
    assert.equal(shown.textContent, text);
    clock.pass(200);
  }
  assert.deepEqual(announcer.heard, ["Come closer."]);
  clock.pass(1500);
  assert.deepEqual(announcer.heard, ["Come closer.", "Good."]);
});

test("something else can be read out than is shown", (t) => {
  const { clock, shown, announcer, status } = started(t);
  status.say("Turn left.", { read: "1 of 4: Turn left." });
  clock.pass(0);
  assert.equal(shown.textContent, "Turn left.");
  assert.deepEqual(announcer.heard, ["1 of 4: Turn left."]);
});

test("a text that comes back is not read out again if nothing was in between", (t) => {
  const { clock, announcer, status } = started(t);
  status.say("Look into the camera.");
  clock.pass(0);
  status.say("Hold still.");
  status.say("Look into the camera.");
  clock.pass(5000);
  assert.deepEqual(announcer.heard, ["Look into the camera."]);
});

test("an urgent text is read out at once, by the region that interrupts", (t) => {
  const { clock, announcer, alert, status } = started(t);
  status.say("Hold still.");
  clock.pass(0);
  status.say("Turn left.", { urgent: true });
  assert.deepEqual(alert.heard.filter(Boolean), ["Turn left."]);
  // The same step again, after something else, is read out again.
  status.say("Move into the oval.");
  clock.pass(1500);
  status.say("Turn left.", { urgent: true });
  assert.deepEqual(alert.heard.filter(Boolean), ["Turn left.", "Turn left."]);
  assert.deepEqual(announcer.heard.filter(Boolean), ["Hold still.", "Move into the oval."]);
});
