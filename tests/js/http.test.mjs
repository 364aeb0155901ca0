import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { post } from "../../faceauth/static/faceauth/http.js";

beforeEach(() => setOnline(true));

function setOnline(onLine) {
  Object.defineProperty(globalThis, "navigator", { value: { onLine }, configurable: true });
}

/** Post, and have this response come back. */
function answered(t, response, options = { timeout: 1000 }) {
  t.mock.method(globalThis, "fetch", async () => response);
  return post("/face/login/", new FormData(), options);
}

function json(answer, init) {
  return new Response(JSON.stringify(answer), init);
}

test("the site's answer is data", async (t) => {
  assert.deepEqual(await answered(t, json({ next: "/" })), { data: { next: "/" } });
});

test("a refusal carries the site's code and message, and when to try again", async (t) => {
  const error = { code: "too_many_attempts", message: "Wait.", fields: {} };
  const headers = { "Retry-After": "30" };
  const answer = await answered(t, json({ error }, { status: 429, headers }));
  assert.deepEqual(answer, { error: { ...error, status: 429, retryAfter: 30 } });
});

for (const [status, code] of [[413, "too_large"], [502, "busy"], [504, "busy"], [500, "unknown"]]) {
  test(`a proxy's page with status ${status} is the error ${code}`, async (t) => {
    const answer = await answered(t, new Response("<h1>nginx</h1>", { status }));
    assert.deepEqual(answer, { error: { code, status, retryAfter: 0 } });
  });
}

test("a success that is no JSON is an error", async (t) => {
  const { error } = await answered(t, new Response("<h1>Wi-Fi login</h1>"));
  assert.equal(error.code, "unknown");
});

test("a redirect and a request to confirm lead elsewhere", async (t) => {
  const redirected = json({});
  Object.defineProperty(redirected, "redirected", { value: true });
  Object.defineProperty(redirected, "url", { value: "https://site.test/face/login/" });
  assert.deepEqual(await answered(t, redirected), { elsewhere: "https://site.test/face/login/" });
  const confirm = json({ error: { code: "confirm", confirm: "/face/confirm/" } }, { status: 403 });
  assert.deepEqual(await answered(t, confirm), { elsewhere: "/face/confirm/" });
});

test("no answer is a timeout, a network error, or no connection at all", async (t) => {
  const fetch = t.mock.method(globalThis, "fetch", async (_url, { signal }) => {
    await new Promise((_, fail) => signal.addEventListener("abort", () => fail(signal.reason)));
  });
  const code = async () => (await post("/", new FormData(), { timeout: 10 })).error.code;
  assert.equal(await code(), "timeout");
  fetch.mock.mockImplementation(async () => {
    throw new TypeError("Failed to fetch");
  });
  assert.equal(await code(), "network");
  setOnline(false);
  assert.equal(await code(), "offline");
});
