/**
 * Entry point: forms with the box "Trust this browser" send the browser's public key along. A form
 * that another script sends is left to that script.
 */
import { fillDeviceKey } from "./device-fields.js";

const filled = new WeakSet();

document.addEventListener("submit", async (event) => {
  const { target: form, submitter } = event;
  if (event.defaultPrevented || !form.elements.device_key || filled.has(form)) return;
  event.preventDefault();
  await fillDeviceKey(form);
  // While the event is being dispatched, the form cannot be sent.
  await new Promise((done) => setTimeout(done));
  filled.add(form);
  form.requestSubmit(submitter);
  // The page may come back, from an error of the network or the browser's history.
  filled.delete(form);
});
