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

const TEXTS = {
  cannot: "{advice} Or log in with your password.",
  lost: "Connection lost.",
  interrupted: "We start again.",
  slow: "Connection slow.",
  unseen: "{advice} Or take off the mask.",
  "error-unknown": "Something went wrong.",
};
const FACE = { box: [0.3, 0.2, 0.7, 0.8], yaw: 0, pitch: 0 };

beforeEach(() => {
  fakeDocument();
  globalThis.navigator ??= { onLine: true };
});

/** The site's answer to a frame. */
function saw(state, { ok = true, message = "Hold still.", step = null, ...more } = {}) {
  return { state, ok, message, step, faces: 1, face: FACE, ...more };
}

function asked(name, { done = 0, total = 1, share = 0, ...more } = {}) {
  const step = { name, done, total, share };
  return saw("step", { message: `Move ${name}.`, step, ...more });
}

function refused(code, status = 400, more = {}) {
  const retry = status === 429 ? { "Retry-After": "30" } : {};
  const error = { code, message: `${code}.`, ...more };
  return new Response(JSON.stringify({ error }), { status, headers: retry });
}

/** A challenge before a fake camera, and a site that gives prepared answers. */
class Scene {
  said = [];
  sent = [];
  result = undefined;
  pace = null; // milliseconds from one frame to the next; by default, as many as are waited
  #answers = [];
  #number = 0;
  #level = 0;

  constructor(t) {
    this.clock = fakeClock(t);
    // A camera that has shown nothing yet.
    this.video = Object.assign(new FakeVideo(), { readyState: 0 });
    this.steps = Object.assign(new FakeElement(), { dataset: { part: "steps" } });
    this.root = fakeWidget([this.video, this.steps]);
    Object.assign(this.root.dataset, { framesUrl: "/face/frames/", purpose: "login" });
    t.mock.method(globalThis, "fetch", (_url, { body }) => this.#answer(body));
    const say = (text, tone, options = {}) => this.said.push({ text, tone, ...options });
    const fields = () => ({ username: "ada" });
    const messages = new Messages(fakeTemplate(TEXTS));
    this.challenge = new Challenge(this.root, messages, { say, token: () => "token", fields });
  }

  async start() {
    this.challenge.run().then((result) => (this.result = result));
    await settle();
    return this;
  }

  /** Let the camera show one frame after another, and the site answer each. */
  async see(...answers) {
    for (const each of answers) {
      this.#answers.push(each);
      await this.#pass(this.pace ?? (each.state === "step" ? 260 : 130));
    }
  }

  /** Answer requests for so many milliseconds, without a new answer being prepared. */
  async wait(milliseconds) {
    for (let passed = 0; passed < milliseconds; passed += 100) await this.#pass(100);
  }

  async #pass(milliseconds) {
    this.video.readyState = 2;
    // No two frames of a camera are the same.
    this.video.show((this.#level += 1));
    await settle();
    this.clock.pass(milliseconds);
    await settle();
  }

  get last() {
    return this.said.at(-1);
  }

  /** The steps that the page's scripts were told of. */
  get events() {
    return this.root.events.map(({ step, done, share }) => [step, done, share].join(" "));
  }

  async #answer(body) {
    const { frame, ...fields } = Object.fromEntries(body);
    this.sent.push({ ...fields, picture: await frame.text() });
    const answer = this.#answers.shift() ?? saw("look");
    if (answer instanceof Error) throw answer;
    if (answer instanceof Response) return answer;
    if (!fields.challenge) this.#number = 0;
    const data = { challenge: "id", number: (this.#number += 1), ...answer };
    this.#number = data.number;
    return new Response(JSON.stringify(data));
  }
}

test("after a step is shown, no frame is sent before somebody can have reacted", async (t) => {
  const scene = await new Scene(t).start();
  scene.pace = 130;
  await scene.see(saw("look"), saw("look"), asked("left"));
  assert.equal(scene.sent.length, 3);
  await scene.wait(100);
  assert.equal(scene.sent.length, 3);
  await scene.see(asked("left", { share: 0.2 }), asked("left", { share: 0.5 }));
  assert.equal(scene.sent.length, 5);
});

test("frames that the site asks for again are sent at once", async (t) => {
  const scene = await new Scene(t).start();
  await scene.see(saw("look"), asked("left"));
  scene.pace = 0;
  await scene.see(saw("again", { again: [[1, 0]] }));
  assert.equal(scene.sent.length, 4);
});

test("each frame goes to the site once, and the challenge that is passed is handed over", async (t) => {
  const scene = await new Scene(t).start();
  await scene.see(saw("look"), asked("left"), asked("left", { share: 0.5 }), saw("passed"));

  assert.equal(scene.result.challenge, "id");
  assert.equal(await scene.result.picture.text(), scene.sent[0].picture);
  assert.equal(new Set(scene.sent.map(({ picture }) => picture)).size, scene.sent.length);
  assert.deepEqual(
    scene.sent.map(({ challenge, number }) => [challenge, number]),
    [
      ["", "1"],
      ["id", "2"],
      ["id", "3"],
      ["id", "4"],
    ],
  );
  assert.equal(scene.sent[0].purpose, "login");
  assert.equal(scene.sent[0].username, "ada");
  assert.equal(scene.sent[1].username, undefined);
  assert.deepEqual(scene.events, ["look 0 0", "left 0 0", "left 0 0.5", "passed 1 1"]);
});

test("a step is shown and read out at once, guidance is not urgent", async (t) => {
  const scene = await new Scene(t).start();
  await scene.see(saw("look", { ok: false, message: "Move into the oval." }));
  assert.deepEqual(scene.last, { text: "Move into the oval.", tone: "warn" });
  await scene.see(asked("left_up", { total: 3 }));
  assert.deepEqual(scene.last, { text: "Move left_up.", tone: "idle", urgent: true });
  assert.equal(scene.root.dataset.pose, "left_up");
  assert.equal(scene.steps.children.length, 3);
});

test("the arc fills as the site says, and the dot goes where the head does", async (t) => {
  const scene = await new Scene(t).start();
  const turned = { ...FACE, yaw: 9, pitch: 3 };
  await scene.see(saw("look", { face: { ...FACE, yaw: 2, pitch: 3 } }));
  await scene.see(asked("left", { share: 0.5, face: turned }));
  assert.equal(scene.root.properties["--faceauth-share"], "0.50");
  // To the visitor's left is to the left of the mirrored picture.
  assert.equal(scene.root.properties["--faceauth-x"], "-0.50");
  assert.equal(scene.root.properties["--faceauth-y"], "0.00");
});

test("steps that are done are marked", async (t) => {
  const scene = await new Scene(t).start();
  await scene.see(asked("left", { total: 2 }), asked("closer", { done: 1, total: 2 }));
  const marks = scene.steps.children.map(({ attributes }) => [...attributes].join());
  assert.deepEqual(marks, ["data-done", "data-next"]);
});

test("what the device's key signs is replaced with each challenge", async (t) => {
  const scene = new Scene(t);
  scene.root.dataset.deviceNonce = "old";
  await scene.start();
  await scene.see(saw("look", { device_nonce: "new" }));
  assert.equal(scene.root.dataset.deviceNonce, "new");
});

test("somebody who makes no progress for 20 seconds hears of another way", async (t) => {
  const scene = await new Scene(t).start();
  await scene.wait(19_000);
  assert.equal(scene.last.text, "Hold still.");
  await scene.wait(2_000);
  assert.equal(scene.last.text, "Hold still. Or log in with your password.");
});

test("somebody who is not seen for long hears of masks", async (t) => {
  const scene = await new Scene(t).start();
  const nobody = saw("look", { ok: false, code: "no_face", faces: 0, face: null, message: "None." });
  await scene.see(nobody);
  assert.equal(scene.last.text, "None.");
  await scene.see(...Array(100).fill(nobody));
  assert.equal(scene.last.text, "None. Or take off the mask.");
});

test("what may hide the face is said again with each failure, and handed over", async (t) => {
  const scene = await new Scene(t).start();
  await scene.see(saw("look", { hint: "dark_glasses", message: "No sunglasses." }));
  assert.equal(scene.last.tone, "warn");
  await scene.see(refused("challenge_failed"));
  assert.equal(scene.last.text, "challenge_failed. No sunglasses.");
  await scene.wait(1800);
  await scene.see(saw("passed"));
  assert.equal(scene.result.hint, "No sunglasses.");
});

test("frames are rarer while nobody is there", async (t) => {
  const scene = await new Scene(t).start();
  const nobody = saw("look", { ok: false, faces: 0, face: null, message: "No face." });
  await scene.see(...Array(45).fill(nobody));
  const before = scene.sent.length;
  for (let i = 0; i < 20; i += 1) await scene.see(nobody);
  assert.ok(scene.sent.length - before <= 6);
});

describe("when the connection is bad", () => {
  test("it goes on with the same challenge, and says so meanwhile", async (t) => {
    const scene = await new Scene(t).start();
    await scene.see(asked("left"), new TypeError("network"));
    assert.deepEqual(scene.last, { text: "Connection lost.", tone: "bad" });
    await scene.wait(1000);
    assert.deepEqual([scene.sent.at(-1).challenge, scene.sent.at(-1).number > 2], ["id", true]);
  });

  test("the answer that was lost may have been the last one", async (t) => {
    const scene = await new Scene(t).start();
    await scene.see(asked("left"), new TypeError("network"));
    await scene.see(...Array(6).fill(refused("challenge_expired")));
    assert.equal(scene.result.challenge, "id");
  });

  test("whoever was cut off is not told to be quicker", async (t) => {
    const scene = await new Scene(t).start();
    await scene.see(asked("left"), new TypeError("network"));
    await scene.see(...Array(6).fill(refused("challenge_failed")));
    assert.equal(scene.last.text, "We start again.");
  });

  test("frames that came already are not sent again", async (t) => {
    const scene = await new Scene(t).start();
    const late = refused("frames_out_of_order", 409, { number: 7 });
    await scene.see(asked("left"), late, asked("left", { number: 8 }));
    assert.deepEqual(
      scene.sent.map(({ number }) => number),
      ["1", "2", "8"],
    );
  });
});

describe("after a challenge that failed", () => {
  test("it says why, leaves time to read it, and opens another one, twice", async (t) => {
    const scene = await new Scene(t).start();
    for (const _ of [1, 2]) {
      await scene.see(asked("left"), asked("left"), refused("challenge_failed"));
      assert.deepEqual(scene.last, { text: "challenge_failed.", tone: "warn", urgent: true });
      assert.equal(scene.root.dataset.pose, "straight");
      const count = scene.sent.length;
      await scene.wait(1000);
      assert.equal(scene.sent.length, count);
      await scene.wait(800);
      assert.equal(scene.sent[count].challenge, "");
      assert.equal(scene.sent[count].number, "1");
    }
    await scene.see(refused("challenge_failed"));
    assert.equal(scene.result.error.code, "challenge_failed");
  });

  test("nobody is told of one that expired while nobody was there", async (t) => {
    const scene = await new Scene(t).start();
    await scene.see(saw("look"), refused("challenge_expired"), saw("look"));
    assert.equal(scene.sent[2].challenge, "");
    assert.ok(scene.said.every(({ text }) => text === "Hold still."));
  });
});

test("a refusal ends it at once", async (t) => {
  const scene = await new Scene(t).start();
  await scene.see(refused("too_many_attempts", 429));
  assert.equal(scene.result.error.code, "too_many_attempts");
  assert.equal(scene.result.error.retryAfter, 30);
  await scene.wait(5000);
  assert.equal(scene.sent.length, 1);
});

test("a challenge that is given up leaves nothing on the page and sends no frame", async (t) => {
  const scene = await new Scene(t).start();
  await scene.see(asked("left", { share: 0.5 }));
  scene.challenge.cancel();
  await scene.wait(1000);
  assert.equal(scene.result, null);
  assert.equal(scene.sent.length, 1);
  assert.equal(scene.steps.hidden, true);
  assert.equal(scene.root.dataset.step, undefined);
  assert.equal(scene.root.properties["--faceauth-share"], "0.00");
});
