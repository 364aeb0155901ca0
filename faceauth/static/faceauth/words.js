/** What a widget says, in the words of its template. */
export class Words {
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
    return this.all(name, values)[0] ?? "";
  }

  /** Every word of that name, in order. */
  all(name, values = {}) {
    const found = this.#template.content.querySelectorAll(`[data-word="${name}"]`);
    return [...found].map((each) =>
      each.textContent.trim().replace(/\{(\w+)\}/g, (braces, key) => values[key] ?? braces),
    );
  }

  /** What to say about an error of `post`: the server's message, or ours for its code. */
  forError({ code, message }) {
    return message || this.get(`error-${code}`) || this.get("error-unknown");
  }
}
