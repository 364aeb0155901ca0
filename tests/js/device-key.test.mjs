import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { FakeDatabase } from "./fakes.mjs";

const CURVE = { name: "ECDSA", namedCurve: "P-256" };
const ALGORITHM = { name: "ECDSA", hash: "SHA-256" };

let database;
let page = 0;
let publicKey;
let sign;

beforeEach(async () => {
  database = new FakeDatabase();
  globalThis.indexedDB = database;
  await reload();
});

/** Load the module anew, as another page does. */
async function reload() {
  const url = `../../faceauth/static/faceauth/device-key.js?page=${(page += 1)}`;
  ({ publicKey, sign } = await import(url));
}

function bytes(base64) {
  return Uint8Array.from(atob(base64), (each) => each.charCodeAt(0));
}

async function verifies(key, signature, text) {
  const imported = await crypto.subtle.importKey("spki", bytes(key), CURVE, false, ["verify"]);
  const data = new TextEncoder().encode(text);
  return crypto.subtle.verify(ALGORITHM, imported, bytes(signature), data);
}

test("the key is created once, and what it signs can be verified", async () => {
  const key = await publicKey();
  assert.equal(await publicKey(), key);
  const signature = await sign("faceauth device ñ");
  assert.equal(bytes(signature).length, 64);
  assert.ok(await verifies(key, signature, "faceauth device ñ"));
  assert.ok(!(await verifies(key, signature, "faceauth device n")));
});

test("no script can read the private key", async () => {
  await publicKey();
  const { privateKey } = database.stores.keys.get("device");
  assert.equal(privateKey.extractable, false);
  await assert.rejects(crypto.subtle.exportKey("pkcs8", privateKey));
});

test("tabs that ask at the same time get the same key", async () => {
  const [one, other] = await Promise.all([publicKey(), publicKey()]);
  assert.equal(one, other);
  assert.ok(await verifies(one, await sign("text"), "text"));
});

test("the next page finds the key, and reads it once", async () => {
  const key = await publicKey();
  await reload();
  assert.ok(await verifies(key, await sign("text"), "text"));
  database.failing = true;
  assert.ok(await verifies(key, await sign("other text"), "other text"));
});

test("nothing is signed, and no key created, before one is asked for", async () => {
  assert.equal(await sign("text"), null);
  assert.equal(database.stores.keys.size, 0);
});

test("a key that could not be saved is not told", async () => {
  database.full = true;
  assert.equal(await publicKey(), null);
});

test("without a database there is no key", async () => {
  database.failing = true;
  assert.deepEqual([await publicKey(), await sign("text")], [null, null]);
  delete globalThis.indexedDB;
  assert.deepEqual([await publicKey(), await sign("text")], [null, null]);
});

test("without a secure context there is no key", async (t) => {
  t.mock.getter(crypto, "subtle", () => undefined);
  assert.deepEqual([await publicKey(), await sign("text")], [null, null]);
});

test("a database that never answers is waited for one second", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  database.blocked = true;
  const asked = Promise.all([publicKey(), sign("text")]);
  t.mock.timers.tick(1000);
  assert.deepEqual(await asked, [null, null]);
});
