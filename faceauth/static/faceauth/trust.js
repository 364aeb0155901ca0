/**
 * Entry point: forms with the box "Trust this browser" send the browser's public key along, and are
 * sent once, however often the button is pressed. A form that another script sends is left to that
 * script.
 *
 * Not a module: those run only after the page was shown, and the button may be pressed before.
 */
(() => {
  // A page with two such forms has this script twice: one would stop what the other sends.
  const running = Symbol.for("faceauth/trust.js");
  if (document[running]) return;
  document[running] = true;

  // The visitor may stop an answer that does not come, and press the button again.
  const PATIENCE_MS = 5000;

  const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
  const fields = import("./device-fields.js");
  const filled = new WeakSet();
  let sending = null;

  /** Fill in the key, if its script and the browser's store answer. */
  async function fill(form) {
    const key = fields.then(({ fillDeviceKey }) => fillDeviceKey(form)).catch(() => {});
    await Promise.race([key, pause(PATIENCE_MS)]);
    // While the event is being dispatched, the form cannot be sent.
    await pause(0);
  }

  document.addEventListener("submit", async (event) => {
    const { target: form, submitter } = event;
    if (event.defaultPrevented || !form.elements.device_key || filled.has(form)) return;
    event.preventDefault();
    if (sending === form) return;
    sending = form;
    await fill(form);
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
})();
