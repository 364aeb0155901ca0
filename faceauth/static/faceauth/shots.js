import { partsOf } from "./dom.js";

/** The pictures taken so far: a slot for each, with its pose and a thumbnail, and replaceable. */
export class Shots {
  #slots;

  /**
   * @param {HTMLElement} root the widget
   * @param {import("./messages.js").Messages} words
   * @param {() => void} onOpened called when the visitor emptied a slot
   */
  constructor(root, words, onOpened) {
    const { shots, slot } = partsOf(root);
    const poses = words.poses;
    this.#slots = Array.from({ length: Number(root.dataset.shots) }, (_, i) => {
      const element = slot.content.firstElementChild.cloneNode(true);
      const pose = poses[i % poses.length];
      const values = { number: i + 1, pose: pose.label };
      const { image, replace, label } = partsOf(element);
      label.textContent = pose.label;
      image.alt = words.get("shot", values);
      replace.setAttribute("aria-label", words.get("replace", values));
      replace.addEventListener("click", () => {
        fill(this.#slots[i], null);
        this.#mark();
        onOpened();
      });
      return { element, image, replace, pose, picture: null };
    });
    shots.replaceChildren(...this.#slots.map(({ element }) => element));
    shots.hidden = false;
    this.#mark();
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

  /** The pose of the next picture; undefined where all are taken. */
  get pose() {
    return this.#slots[this.next]?.pose;
  }

  /** @param {Blob} picture for the next slot */
  add(picture) {
    fill(this.#slots[this.next], picture);
    this.#mark();
  }

  /** Drop all pictures. */
  clear() {
    for (const slot of this.#slots) fill(slot, null);
    this.#mark();
  }

  #mark() {
    const next = this.#slots[this.next];
    for (const slot of this.#slots) {
      if (slot === next) slot.element.setAttribute("aria-current", "step");
      else slot.element.removeAttribute("aria-current");
    }
  }
}

function fill(slot, picture) {
  const { image, replace } = slot;
  if (slot.picture) URL.revokeObjectURL(image.src);
  slot.picture = picture;
  image.hidden = replace.hidden = !picture;
  if (picture) image.src = URL.createObjectURL(picture);
  else image.removeAttribute("src");
}
