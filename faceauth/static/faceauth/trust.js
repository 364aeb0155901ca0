/**
 * Entry point: forms with the box "Trust this browser" send the browser's public key along, and are
 * sent once, however often the button is pressed. A form that another script sends is left to that
 * script.
 */
import { fillDeviceKey } from "./device-fields.js";

// The visitor may stop an answer that does not come, and press the button again.
const PATIENCE_MS = 5000;

const filled = new WeakSet();
let sending = null;

document.addEventListener("submit", async (event) => {
  const { target: form, submitter } = event;
  if (event.defaultPrevented || !form.elements.device_key || filled.has(form)) return;
  event.preventDefault();
  if (sending === form) return;
  sending = form;
  await fillDeviceKey(form);
  // While the event is being dispatched, the form cannot be sent.
  await new Promise((done) => setTimeout(done));
  filled.add(form);
  form.requestSubmit(submitter);
  filled.delete(form);
  // A field is missing: the browser says so and stays here.
  if (!submitter?.formNoValidate && !form.checkValidity()) sending = null;
  setTimeout(() => (sending = null), PATIENCE_MS);
});

// The page comes back from the browser's history.
window.addEventListener("pageshow", () => {
  sending = null;
});
