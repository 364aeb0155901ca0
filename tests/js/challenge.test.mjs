import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";

import { Challenge } from "../../faceauth/static/faceauth/challenge.js";
import { Messages } from "../../faceauth/static/faceauth/messages.js";
import {
  FakeElement,
  FakeVideo,
  fakeClock,
  fakeDocument,
  fakeTemplate,
  fakeWidget,
  settle,
} from "./fakes.mjs";

const ISSUED = {
  challenge: "id",
  turns: ["left", "right"],
  turned: 0.25,
  middle: 0.1,
  frames: 12,
  seconds: 20,
};
const TEXTS = {
  left: "Turn left.",
  right: "Turn right.",
  back: "Back to the middle.",
  turns: "Turn as asked.",
  prompt: "{number} of {total}: {pose}",
  again: "Once more.",
  "other-way": "Other way.",
  "too-quick": "Too quick.",
  expired: "Too long.",
  abandoned: "No turn seen.",
  cannot: "{advice} Or log in with your password.",
};
const BOX = [0.3, 0.7, 0.8, 0.3];
const NOBODY = { ok: false, code: "no_face", message: "No face.", faces: 0, face: null };

beforeEach(fakeDocument);

/** A challenge before a fake camera: `look(yaw)` is one frame that the server saw. */
class Scene {
  said = [];
  result = undefined;
  #level = 0;

  constructor(t, answers = [ISSUED]) {
    this.clock = fakeClock(t);
    this.video = new FakeVideo();
    this.steps = Object.assign(new FakeElement(), { dataset: { part: "steps" } });
    this.root = fakeWidget([this.video, this.steps]);
    this.root.dataset.challengeUrl = "/face/challenge/";
    t.mock.method(globalThis, "fetch", async () => new Response(JSON.stringify(answers[0])));
    const say = (text, tone, read = text) => this.said.push({ text, tone, read });
    const messages = new Messages(fakeTemplate(TEXTS));
    this.challenge = new Challenge(this.root, messages, { say, token: () => "token" });
  }

  async start() {
    this.challenge.run().then((result) => (this.result = result));
    await settle();
    return this;
  }

  /** Show advice about the next frame, 125 ms later. */
  async see(advice) {
    this.clock.pass(125);
    // No two frames of a camera are the same.
    this.video.show((this.#level += 1));
    await settle();
    this.challenge.feed(advice, await this.challenge.frame());
    await settle();
  }

  /** Have the head turned that far, from frame to frame. */
  async look(...yaws) {
    for (const yaw of yaws) {
      if (this.result !== undefined) return;
      const face = { box: BOX, head_pose_yaw: yaw, head_pose_pitch: 0 };
      await this.see({ ok: true, code: "good", message: "Good.", faces: 1, face });
    }
  }

  /** Hold the head straight and still until the first turn is asked for. */
  async holdStill() {
    await this.look(0, 0, 0, 0, 0, 0);
  }

  get last() {
    return this.said.at(-1);
  }

  /** The steps that the page's scripts were told of. */
  get events() {
    return this.root.events.map(({ step, turn, done }) => [step, turn, done].join(" "));
  }
}

const LEFT = [0.1, 0.2, 0.3, 0.2, 0.1, 0, 0];
const RIGHT = LEFT.map((yaw) => -yaw);

test("a head that turns as asked passes, and its frames are handed over", async (t) => {
  const scene = await new Scene(t).start();
  await scene.holdStill();
  assert.equal(scene.last.text, "Turn left.");
  assert.equal(scene.last.read, "Turn as asked. 1 of 4: Turn left.");
  await scene.look(...LEFT);
  assert.equal(scene.last.read, "3 of 4: Turn right.");
  await scene.look(...RIGHT);

  assert.equal(scene.result.challenge, "id");
  assert.equal(scene.result.pictures.length, 12);
  assert.equal(new Set(scene.result.pictures).size, 12);
  assert.deepEqual(scene.events, [
    "straight  0",
    "turn left 0",
    "back left 1",
    "turn right 2",
    "back right 3",
    "done  4",
  ]);
});

test("what the device's key signs is replaced with each challenge", async (t) => {
  const scene = new Scene(t, [{ ...ISSUED, device_nonce: "new" }]);
  scene.root.dataset.deviceNonce = "old";
  await scene.start();
  assert.equal(scene.root.dataset.deviceNonce, "new");
});

test("a step is marked as done only once the head has turned far enough", async (t) => {
  const scene = await new Scene(t).start();
  await scene.holdStill();
  const done = () => scene.steps.children.filter(({ attributes }) => attributes.has("data-done"));
  await scene.look(0.1, 0.2, 0.24);
  assert.equal(done().length, 0);
  assert.equal(scene.root.dataset.pose, "left");
  await scene.look(0.26);
  assert.equal(done().length, 1);
  assert.equal(scene.root.dataset.pose, "from-left");
});

test("a still picture gets no further, and hears of another way after 20 seconds", async (t) => {
  const scene = await new Scene(t, [{ ...ISSUED, seconds: 60 }]).start();
  await scene.holdStill();
  await scene.look(...Array(100).fill(0));
  assert.equal(scene.last.text, "Turn left.");
  await scene.look(...Array(70).fill(0));
  assert.equal(scene.last.text, "Turn left. Or log in with your password.");
  assert.equal(scene.events.at(-1), "turn left 0");
  assert.equal(scene.result, undefined);
});

describe("it starts again", () => {
  test("after a turn the other way, and says so for long enough to read it", async (t) => {
    const scene = await new Scene(t).start();
    await scene.holdStill();
    await scene.look(-0.1, -0.2);
    assert.equal(scene.last.text, "Other way.");
    assert.equal(scene.events.at(-1), "straight  0");
    await scene.look(...Array(11).fill(0));
    assert.equal(scene.last.text, "Other way.");
    await scene.holdStill();
    assert.equal(scene.last.text, "Turn left.");
  });

  test("if the head jumps, which the server would refuse", async (t) => {
    const scene = await new Scene(t).start();
    await scene.holdStill();
    await scene.look(0.5, 0, 0, -0.5, 0, 0);
    assert.equal(scene.last.text, "Too quick.");
    assert.equal(scene.result, undefined);
  });

  test("if nobody is visible for a while, but not for a moment", async (t) => {
    const scene = await new Scene(t).start();
    await scene.holdStill();
    await scene.look(0.1, 0.2, 0.3);
    await scene.see(NOBODY);
    await scene.look(0.3);
    assert.equal(scene.last.text, "Back to the middle.");
    for (let i = 0; i < 12; i += 1) await scene.see(NOBODY);
    assert.equal(scene.last.text, "No face.");
    assert.equal(scene.events.at(-1), "straight  0");
  });

  test("if the visitor asks for it", async (t) => {
    const scene = await new Scene(t).start();
    await scene.holdStill();
    await scene.look(0.1, 0.2, 0.3);
    scene.challenge.restart();
    assert.equal(scene.last.text, "Once more.");
    assert.equal(scene.challenge.fields.pose, "straight");
  });
});

test("a head that is not held still is not asked to turn", async (t) => {
  const scene = await new Scene(t).start();
  for (let i = 0; i < 20; i += 1) await scene.look(i % 2 ? 0.06 : -0.06);
  assert.equal(scene.last.text, "Good.");
  assert.deepEqual(scene.events, ["straight  0"]);
});

test("a challenge is replaced when its time is nearly over, twice, then given up", async (t) => {
  const scene = await new Scene(t).start();
  for (const renewals of [1, 2]) {
    await scene.holdStill();
    scene.clock.pass(18_000);
    await settle();
    assert.equal(scene.last.text, "Too long.");
    assert.equal(fetch.mock.callCount(), 1 + renewals);
    scene.clock.pass(1500);
  }
  scene.clock.pass(18_000);
  await settle();
  assert.deepEqual(scene.result.error, { code: "challenge_abandoned", message: "No turn seen." });
});

test("a site that issues no challenge ends it with the site's error", async (t) => {
  const scene = new Scene(t);
  const error = { code: "too_many_attempts", message: "Wait a while." };
  const refusal = new Response(JSON.stringify({ error }), { status: 429 });
  fetch.mock.mockImplementation(async () => refusal);
  await scene.start();
  assert.equal(scene.result.error.code, "too_many_attempts");
  assert.equal(scene.result.error.message, "Wait a while.");
});

test("a challenge that is given up leaves nothing on the page and asks for no frame", async (t) => {
  const scene = await new Scene(t).start();
  await scene.holdStill();
  await scene.look(0.1, 0.2);
  const waiting = scene.challenge.frame();
  scene.challenge.cancel();
  await settle();
  assert.equal(scene.result, null);
  assert.equal(await waiting, null);
  assert.equal(scene.steps.hidden, true);
  assert.equal(scene.root.dataset.pose, "straight");
  assert.equal(scene.root.properties["--faceauth-share"], "0.00");
});
