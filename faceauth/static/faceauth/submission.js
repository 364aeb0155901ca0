import { clearFields, focusFirst, markFields } from "./field-errors.js";
import { tell } from "./dom.js";
import { post } from "./http.js";
import { clearErrors, toast } from "./toasts.js";

const TIMEOUT_MS = 30_000;

// What the page mends by itself.
const UNSAID = "challenge_expired";

/** Sends a widget's form with its pictures, one request at a time, and shows what comes of it. */
export class Submission {
  #root;
  #form;
  #name;
  #words;
  #unlock = null;

  /**
   * @param {HTMLElement} root the widget
   * @param {import("./messages.js").Messages} words
   */
  constructor(root, words) {
    this.#root = root;
    this.#form = root.closest("form");
    this.#name = root.dataset.name;
    this.#words = words;
    // Back on a page that was left: its token, and perhaps the visitor, are others by now.
    addEventListener("pageshow", ({ persisted }) => persisted && this.busy && location.reload());
  }

  get busy() {
    return this.#unlock !== null;
  }

  /** The form's CSRF token. */
  get token() {
    return this.#form.elements.csrfmiddlewaretoken?.value ?? "";
  }

  /**
   * Send the form. Where that worked the page is left, and stays busy until then.
   * @param {Blob[]} pictures
   * @param {object} [met]
   * @param {string} [met.challenge] the challenge that was met
   * @param {Blob[]} [met.frames] what shows that it was, where the pictures do not
   * @returns {Promise<object | undefined>} the error, if there was one
   */
  async send(pictures, { challenge, frames = [] } = {}) {
    const body = new FormData(this.#form);
    body.delete(this.#name);
    for (const each of pictures) body.append(this.#name, each, each.name ?? "picture.jpg");
    if (challenge) body.append("challenge", challenge);
    for (const each of frames) body.append("frame", each, "frame.jpg");
    this.#clear();
    this.#unlock = lock(this.#form);
    const { data, elsewhere, error } = await post(this.#form.action, body, { timeout: TIMEOUT_MS });
    if (data && tell(this.#root, "success", data)) {
      toast(data.message, "success");
      location.assign(data.next);
    } else if (elsewhere) {
      location.assign(elsewhere);
    } else {
      this.#unlock();
      this.#unlock = null;
      if (error && error.code !== UNSAID) this.refuse(error);
    }
    return error;
  }

  /**
   * Show an error: in a toast, and at the fields that it names.
   * @param {{code: string, message?: string, fields?: Record<string, string[]>}} error
   */
  refuse(error) {
    this.#clear();
    const message = this.#words.forError(error);
    toast(message, "error");
    markFields(this.#form, error.fields ?? {});
    focusFirst(this.#form);
    tell(this.#root, "error", { ...error, message });
  }

  #clear() {
    clearErrors();
    clearFields(this.#form);
  }
}

/** @returns {() => void} what undoes it */
function lock(form) {
  const focused = document.activeElement;
  const buttons = [...form.querySelectorAll("button:enabled")];
  for (const each of buttons) each.disabled = true;
  form.setAttribute("aria-busy", "true");
  return () => {
    for (const each of buttons) each.disabled = false;
    form.removeAttribute("aria-busy");
    // A disabled button loses the focus; the visitor may have gone on to something else since.
    const lost = [focused, document.body].includes(document.activeElement);
    if (lost && buttons.includes(focused)) focused.focus();
  };
}
