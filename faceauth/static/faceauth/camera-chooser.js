import { chooseCamera, chosenCamera } from "./camera.js";
import { partsOf } from "./dom.js";

/** The list of cameras, for visitors who have several. */
export class CameraChooser {
  #parts;
  #messages;
  #camera;

  /**
   * @param {HTMLElement} root the widget
   * @param {import("./messages.js").Messages} messages
   * @param {import("./camera.js").Camera} camera
   * @param {() => void} onChoice called when the visitor chooses another camera
   */
  constructor(root, messages, camera, onChoice) {
    this.#parts = partsOf(root);
    this.#messages = messages;
    this.#camera = camera;
    const { camera: select } = this.#parts;
    if (!select) return;
    select.addEventListener("change", () => {
      chooseCamera(select.value);
      onChoice();
    });
    navigator.mediaDevices?.addEventListener?.("devicechange", () => this.update());
  }

  /** List the cameras that there are now. Browsers name them only once the page may use one. */
  async update() {
    const { cameras, camera: select } = this.#parts;
    if (!select) return;
    const found = await listed();
    cameras.hidden = found.length < 2;
    const current = this.#camera.id || chosenCamera();
    const options = found.map(({ deviceId, label }, i) => {
      const name = label || this.#messages.get("camera", { number: i + 1 });
      return new Option(name, deviceId, false, deviceId === current);
    });
    // A list that is open closes when its options change.
    if (isSame(options, [...select.options])) select.value = current;
    else select.replaceChildren(...options);
  }
}

async function listed() {
  try {
    const devices = await navigator.mediaDevices.enumerateDevices();
    return devices.filter(({ kind, deviceId }) => kind === "videoinput" && deviceId);
  } catch {
    return [];
  }
}

function isSame(ones, others) {
  const same = ({ value, text }, other) => value === other.value && text === other.text;
  return ones.length === others.length && ones.every((each, i) => same(each, others[i]));
}
