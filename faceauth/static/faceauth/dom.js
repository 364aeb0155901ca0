/**
 * Return the elements of a widget by their `data-part`.
 * @param {Element} root
 * @returns {Record<string, HTMLElement>}
 */
export function partsOf(root) {
  const found = root.querySelectorAll("[data-part]");
  return Object.fromEntries([...found].map((each) => [each.dataset.part, each]));
}

/**
 * Dispatch the event `faceauth:<name>`, which bubbles from the widget.
 * @param {Element} root
 * @param {string} name
 * @param {object} detail
 * @returns {boolean} false if a listener called preventDefault()
 */
export function emit(root, name, detail) {
  const options = { bubbles: true, cancelable: true, detail };
  return root.dispatchEvent(new CustomEvent(`faceauth:${name}`, options));
}
