import { deviceProof, fillDeviceKey } from "./device-fields.js";
import { emit } from "./dom.js";
import { clearFieldErrors, focusFirstError, showFieldErrors } from "./field-errors.js";
import { freshToken, post } from "./http.js";
import { mark, timings } from "./timings.js";
import { clearErrors, toast } from "./toasts.js";

const TIMEOUT_MS = 30_000;

// The error that the page handles itself, without a message: it opens another challenge.
const HANDLED = "challenge_expired";

/** Sends a widget's form with its pictures, one request at a time, and shows the result. */
export class Submission {
  #root;
  #form;
  #name;
  #messages;
  #tell;
  #keep;
  #unlock = null;

  /**
   * @param {HTMLElement} root the widget
   * @param {import("./messages.js").Messages} messages
   * @param {object} [options]
   * @param {(message: string, level: "success" | "error") => void} [options.tell] says something to
   *   the visitor; by default in a toast, if it is not said at a field
   * @param {boolean} [options.keep] true to stay on the page, with its pictures, when the visitor has
   *   to log in or to confirm first
   */
  constructor(root, messages, { tell, keep = false } = {}) {
    this.#root = root;
    this.#form = root.closest("form");
    this.#name = root.dataset.name;
    this.#messages = messages;
    this.#tell = tell;
    this.#keep = keep;
    // Back on a page that was left: its token, and perhaps its user, have changed since.
    addEventListener("pageshow", ({ persisted }) => persisted && this.busy && location.reload());
  }

  /** @returns {boolean} true while a request is on its way, and after one that succeeded */
  get busy() {
    return this.#unlock !== null;
  }

  /** The form's CSRF token. */
  get token() {
    return this.#form.elements.csrfmiddlewaretoken?.value ?? "";
  }

  /**
   * Send the form. On success the page is left, and the form stays locked until then.
   * @param {Blob[]} pictures
   * @param {object} [options]
   * @param {string} [options.challenge] the challenge that was passed
   * @param {boolean} [options.timed] true to send how long it took
   * @returns {Promise<object | undefined>} the error with its `message`, if there was one
   */
  async send(pictures, options = {}) {
    this.#clear();
    this.#unlock = lock(this.#form);
    await fillDeviceKey(this.#form);
    const answer = await this.#post(pictures, options);
    const last = this.#keep ? await this.#retry(answer, pictures, options) : answer;
    const { data, elsewhere, error } = last;
    mark("answer");
    if (data?.code_required) {
      location.assign(data.next);
    } else if (data && emit(this.#root, "success", data)) {
      (this.#tell ?? toast)(data.message, "success");
      location.assign(data.next);
    } else if (elsewhere && !error) {
      location.assign(elsewhere);
    } else {
      this.#unlock();
      this.#unlock = null;
      // Each nonce can be used once.
      if (error?.device_nonce) this.#root.dataset.deviceNonce = error.device_nonce;
      if (error) error.message = this.#messages.forError(error);
      if (error && error.code !== HANDLED) this.showError(error);
    }
    return error;
  }

  /**
   * Ask the site for another CSRF token for this page.
   * @returns {Promise<boolean>} false if the page is not open to the visitor any more
   */
  async renewToken() {
    const token = await freshToken(this.#form);
    if (token) this.#form.elements.csrfmiddlewaretoken.value = token;
    return Boolean(token);
  }

  /**
   * Say what went wrong once, at the fields that the error names if they are on the page, and
   * complete its `message`.
   * @param {{code: string, message?: string, fields?: Record<string, string[]>}} error
   */
  showError(error) {
    this.#clear();
    error.message = this.#messages.forError(error);
    const shown = showFieldErrors(this.#form, error.fields ?? {});
    if (this.#tell) this.#tell(error.message, "error");
    else if (!shown) toast(error.message, "error");
    focusFirstError(this.#form);
    emit(this.#root, "error", { ...error });
  }

  /**
   * Send the form again after a login in another tab: the page's token is too old then, but not its
   * pictures. Where the visitor has to go elsewhere first, that is an error.
   */
  async #retry(answer, pictures, options) {
    let { elsewhere } = answer;
    if (answer.error?.code === "csrf_failed") {
      const renewed = await this.renewToken();
      const again = renewed ? await this.#post(pictures, options) : { elsewhere: location.href };
      if (!again.elsewhere) return again;
      elsewhere = again.elsewhere;
    }
    if (!elsewhere) return answer;
    const message = this.#messages.forError({ code: "logged_out" });
    const fields = { [this.#name]: [message] };
    return { elsewhere, error: { code: "logged_out", message, fields, elsewhere } };
  }

  async #post(pictures, { challenge, timed = false }) {
    const body = new FormData(this.#form);
    body.delete(this.#name);
    for (const each of pictures) body.append(this.#name, each, each.name ?? "picture.jpg");
    if (challenge) body.append("challenge", challenge);
    if (timed) body.append("timings", JSON.stringify(timings()));
    const proof = await deviceProof(this.#root.dataset.deviceNonce);
    for (const [name, value] of Object.entries(proof)) body.append(name, value);
    const answer = await post(this.#form.action, body, { timeout: TIMEOUT_MS });
    // The page itself leads to the login, and back.
    return answer.error?.code === "login_required" ? { elsewhere: location.href } : answer;
  }

  #clear() {
    clearErrors();
    clearFieldErrors(this.#form);
  }
}

/**
 * Disable a form's buttons while a request is on its way.
 * @returns {() => void} a function that enables them again
 */
function lock(form) {
  const focused = document.activeElement;
  const buttons = [...form.querySelectorAll("button:enabled")];
  for (const each of buttons) each.disabled = true;
  form.setAttribute("aria-busy", "true");
  return () => {
    for (const each of buttons) each.disabled = false;
    form.removeAttribute("aria-busy");
    // A disabled button loses the focus; the visitor may have moved it elsewhere since.
    const lost = [focused, document.body].includes(document.activeElement);
    if (lost && buttons.includes(focused)) focused.focus();
  };
}
