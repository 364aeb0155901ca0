import { partsOf } from "./parts.js";

/** The pictures taken so far, each in its slot with a thumbnail, and each replaceable. */
export class Shots {
  #slots;

  /**
   * @param {HTMLElement} root the widget
   * @param {import("./words.js").Words} words
   * @param {() => void} onOpened called when the visitor emptied a slot
   */
  constructor(root, words, onOpened) {
    const { shots, slot } = partsOf(root);
    this.#slots = Array.from({ length: Number(root.dataset.shots) }, (_, i) => {
      const element = slot.content.firstElementChild.cloneNode(true);
      const button = element.querySelector("button");
      button.setAttribute("aria-label", words.get("replace", { number: i + 1 }));
      button.addEventListener("click", () => {
        fill(this.#slots[i], null);
        onOpened();
      });
      element.querySelector("img").alt = words.get("shot", { number: i + 1 });
      return { element, picture: null };
    });
    shots.replaceChildren(...this.#slots.map(({ element }) => element));
    shots.hidden = false;
  }

  get total() {
    return this.#slots.length;
  }

  /** @returns {Blob[]} */
  get pictures() {
    return this.#slots.map(({ picture }) => picture).filter(Boolean);
  }

  /** The index of the slot that the next picture goes to; -1 where all are taken. */
  get next() {
    return this.#slots.findIndex(({ picture }) => !picture);
  }

  /** @param {Blob} picture for the next slot */
  add(picture) {
    fill(this.#slots[this.next], picture);
  }

  /** Drop all pictures. */
  clear() {
    for (const slot of this.#slots) fill(slot, null);
  }
}

function fill(slot, picture) {
  const image = slot.element.querySelector("img");
  if (slot.picture) URL.revokeObjectURL(image.src);
  slot.picture = picture;
  image.hidden = slot.element.querySelector("button").hidden = !picture;
  if (picture) image.src = URL.createObjectURL(picture);
  else image.removeAttribute("src");
}
