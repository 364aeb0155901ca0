import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { deviceProof, fillDeviceKey } from "../../faceauth/static/faceauth/device-fields.js";
import { publicKey } from "../../faceauth/static/faceauth/device-key.js";
import { FakeDatabase } from "./fakes.mjs";

let database;

beforeEach(() => {
  database = new FakeDatabase();
  globalThis.indexedDB = database;
});

test("a browser that has no key yet proves nothing", async () => {
  assert.deepEqual(await deviceProof("nonce"), {});
});

test("a form whose box is ticked, or that has none, gets the key", async () => {
  for (const trust of [{ checked: true }, undefined]) {
    const form = { elements: { trust, device_key: { value: "" } } };
    await fillDeviceKey(form);
    assert.equal(form.elements.device_key.value, await publicKey());
  }
});

test("no key is created for a box that is not ticked, or a form without the field", async () => {
  const key = { value: "" };
  await fillDeviceKey({ elements: { trust: { checked: false }, device_key: key } });
  await fillDeviceKey({ elements: {} });
  assert.equal(key.value, "");
  assert.equal(database.stores.keys, undefined);
});

test("a browser that can have no key sends none", async () => {
  database.failing = true;
  const key = { value: "" };
  await fillDeviceKey({ elements: { device_key: key } });
  assert.equal(key.value, "");
});

test("a nonce is signed by a browser that has a key", async () => {
  await publicKey();
  const proof = await deviceProof("another");
  assert.equal(proof.device_nonce, "another");
  assert.equal(atob(proof.device_signature).length, 64);
  assert.deepEqual(await deviceProof(undefined), {});
});
