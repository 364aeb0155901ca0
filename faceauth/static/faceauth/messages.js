/** What a widget says, in the words of its template. */
export class Messages {
  #template;

  /** @param {HTMLTemplateElement} template with elements that have a `data-word` */
  constructor(template) {
    this.#template = template;
  }

  /**
   * @param {string} name
   * @param {Record<string, string | number>} values for what stands in {braces}
   * @returns {string} "" where the template has no such word
   */
  get(name, values = {}) {
    const found = this.#template.content.querySelector(`[data-word="${name}"]`);
    const text = found?.textContent.trim().replace(/\s+/g, " ") ?? "";
    return text.replace(/\{(\w+)\}/g, (braces, key) => values[key] ?? braces);
  }

  /** The poses to ask for, in order: how the server calls each, its short label, and the request. */
  get poses() {
    return [...this.#template.content.querySelectorAll("[data-pose]")].map((each) => ({
      name: each.dataset.pose,
      label: each.dataset.label,
      text: each.textContent.trim(),
    }));
  }

  /** What to say about an error of `post`: the server's message, or ours for its code. */
  forError({ code, message }) {
    return message || this.get(`error-${code}`) || this.get("error-unknown");
  }
}
