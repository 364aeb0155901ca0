import { partsOf } from "./dom.js";

/** The shots of an enrolment: a slot for each, with pose, thumbnail and a “Replace” button. */
export class Shots {
  #slots;

  /**
   * @param {HTMLElement} root the widget
   * @param {import("./messages.js").Messages} messages
   * @param {() => void} onEmptied called when the visitor empties a slot
   */
  constructor(root, messages, onEmptied) {
    const { shots, slot } = partsOf(root);
    const poses = messages.poses;
    this.#slots = Array.from({ length: Number(root.dataset.shots) }, (_, i) => {
      const element = slot.content.firstElementChild.cloneNode(true);
      const pose = poses[i % poses.length];
      const values = { number: i + 1, pose: pose.label };
      const { image, replace, label } = partsOf(element);
      label.textContent = pose.label;
      image.alt = messages.get("shot", values);
      replace.setAttribute("aria-label", messages.get("replace", values));
      replace.addEventListener("click", () => {
        fill(this.#slots[i], null);
        this.#markNext();
        onEmptied();
      });
      return { element, image, replace, pose, picture: null };
    });
    shots.replaceChildren(...this.#slots.map(({ element }) => element));
    shots.hidden = false;
    this.#markNext();
  }

  /** How many shots the enrolment takes. */
  get total() {
    return this.#slots.length;
  }

  /** @returns {Blob[]} the pictures taken so far */
  get pictures() {
    return this.#slots.map(({ picture }) => picture).filter(Boolean);
  }

  /** The index of the slot for the next picture; -1 once all are taken. */
  get next() {
    return this.#slots.findIndex(({ picture }) => !picture);
  }

  /** The pose of the next picture; undefined once all are taken. */
  get pose() {
    return this.#slots[this.next]?.pose;
  }

  /**
   * Put a picture into the next slot.
   * @param {Blob} picture
   */
  add(picture) {
    fill(this.#slots[this.next], picture);
    this.#markNext();
  }

  /** Drop all pictures. */
  clear() {
    for (const slot of this.#slots) fill(slot, null);
    this.#markNext();
  }

  #markNext() {
    const next = this.#slots[this.next];
    for (const slot of this.#slots) {
      if (slot === next) slot.element.setAttribute("aria-current", "step");
      else slot.element.removeAttribute("aria-current");
    }
  }
}

/** Put a picture into a slot, or empty it with null. */
function fill(slot, picture) {
  const { image, replace } = slot;
  if (slot.picture) URL.revokeObjectURL(image.src);
  slot.picture = picture;
  image.hidden = replace.hidden = !picture;
  if (picture) image.src = URL.createObjectURL(picture);
  else image.removeAttribute("src");
}
