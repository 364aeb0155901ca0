import assert from "node:assert/strict";
import { test } from "node:test";

import { Messages } from "../../faceauth/static/faceauth/messages.js";
import { fakeTemplate } from "./fakes.mjs";

const POSES = [
  { name: "straight", label: "Straight", text: " Look straight into the camera " },
  { name: "left", label: "Left", text: "Turn your head a little to your left" },
];

function messages() {
  const texts = {
    live: "Look into the camera.",
    missing: "\n  {count} of {total} pictures taken.\n  Take the others.  ",
    "error-busy": "The site is busy.",
    "error-unknown": "Something went wrong.",
  };
  return new Messages(fakeTemplate(texts, POSES));
}

test("placeholders are filled in, and the template's line breaks are not shown", () => {
  const text = messages().get("missing", { count: 0, total: 5 });
  assert.equal(text, "0 of 5 pictures taken. Take the others.");
});

test("a placeholder without a value stays visible", () => {
  assert.match(messages().get("missing", { total: 5 }), /^\{count\} of 5/);
});

test("a text that a project left out of its template is empty, and breaks nothing", () => {
  assert.equal(messages().get("no-such-text"), "");
});

test("an error is shown in the server's words, else in the page's for its code", () => {
  const shown = (error) => messages().forError(error);
  assert.equal(shown({ code: "busy", message: "Come back at ten." }), "Come back at ten.");
  assert.equal(shown({ code: "busy" }), "The site is busy.");
  assert.equal(shown({ code: "never_heard_of" }), "Something went wrong.");
});

test("poses come in the order of the template", () => {
  assert.deepEqual(messages().poses, [
    { name: "straight", label: "Straight", text: "Look straight into the camera" },
    { name: "left", label: "Left", text: "Turn your head a little to your left" },
  ]);
});
