/**
 * Entry point: forms with the box "Trust this browser" send the browser's public key along, and are
 * sent once, however often the button is pressed. What another script does when such a form is sent
 * is left to it.
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
  const fields = import("./device-fields.js").catch(() => {});
  const filled = new WeakSet();
  let sending = null;
  let timer;

  /** Fill in the key, if its script and the browser's store answer. */
  async function fill(form) {
    const key = fields.then((module) => module?.fillDeviceKey(form));
    await Promise.race([key, pause(PATIENCE_MS)]);
    // While the event is being dispatched, the form cannot be sent.
    await pause(0);
  }

  async function onSubmit(event) {
    const { target: form, submitter } = event;
    if (!form.elements.device_key || filled.has(form)) return;
    event.preventDefault();
    // Other scripts hear of the form once, when it is complete: some let none be sent twice.
    event.stopImmediatePropagation();
    if (sending === form) return;
    sending = form;
    clearTimeout(timer);
    await fill(form);
    filled.add(form);
    form.requestSubmit(submitter);
    filled.delete(form);
    // A field is missing: the browser says so and stays here.
    if (!submitter?.formNoValidate && !form.checkValidity()) sending = null;
    timer = setTimeout(() => (sending = null), PATIENCE_MS);
  }

  window.addEventListener("submit", onSubmit, { capture: true });

  // Another script sends the form, or refuses to.
  window.addEventListener("submit", ({ target, defaultPrevented }) => {
    if (defaultPrevented && sending === target) sending = null;
  });

  // The page comes back from the browser's history.
  window.addEventListener("pageshow", ({ persisted }) => {
    if (persisted) sending = null;
  });
})();
