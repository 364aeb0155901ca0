/**
 * The elements of a widget by their `data-part`, as properties of one object.
 * @param {Element} root
 * @returns {Record<string, HTMLElement>}
 */
export function partsOf(root) {
  const found = root.querySelectorAll("[data-part]");
  return Object.fromEntries([...found].map((each) => [each.dataset.part, each]));
}

/**
 * Tell the page, in an event that bubbles from the widget.
 * @returns {boolean} false where a listener called preventDefault()
 */
export function tell(root, name, detail) {
  const options = { bubbles: true, cancelable: true, detail };
  return root.dispatchEvent(new CustomEvent(`faceauth:${name}`, options));
}
