/** The texts of a widget, from the template that the page carries for it. */
export class Messages {
  #template;

  /** @param {HTMLTemplateElement} template with a `data-word` on each element that holds a text */
  constructor(template) {
    this.#template = template;
  }

  /**
   * Return a text with its placeholders filled in.
   * @param {string} name
   * @param {Record<string, string | number>} values for the placeholders in {braces}
   * @returns {string} "" if the template has no such text
   */
  get(name, values = {}) {
    const found = this.#template.content.querySelector(`[data-word="${name}"]`);
    const text = found?.textContent.trim().replace(/\s+/g, " ") ?? "";
    return text.replace(/\{(\w+)\}/g, (braces, key) => values[key] ?? braces);
  }

  /**
   * The poses of an enrolment, in order: the server's name for each, its short label, and the
   * request to the visitor.
   * @returns {{name: string, label: string, text: string}[]}
   */
  get poses() {
    return [...this.#template.content.querySelectorAll("[data-pose]")].map((each) => ({
      name: each.dataset.pose,
      label: each.dataset.label,
      text: each.textContent.trim(),
    }));
  }

  /**
   * Return what to say about an error of `post`: the server's message, or the page's for its code.
   * @param {{code: string, message?: string}} error
   * @returns {string}
   */
  forError({ code, message }) {
    return message || this.get(`error-${code}`) || this.get("error-unknown");
  }
}
