import { lastingProblem } from "./camera.js";
import { emit, partsOf } from "./dom.js";
import { pictureFrom } from "./pictures.js";

/**
 * Hand over photos as soon as they are chosen in the widget's file input, if it has one.
 * @param {HTMLElement} root the widget
 * @param {import("./messages.js").Messages} messages
 * @param {(photos: Blob[], unreadable: boolean) => void} onPhotos called with the photos that can be
 *   read, and true if others can't
 * @param {object} [format] how large the photos may be, by default as for an enrolment
 */
export function useFileInput(root, messages, onPhotos, format) {
  const { choice, choose } = partsOf(root);
  if (!choice) return;
  const input = choice.querySelector("[type=file]");
  choice.hidden = false;
  choice.dataset.compact = "";
  choose.textContent = messages.get("choose");
  // With a live camera on the page, the input is for photos that exist already.
  if (!lastingProblem()) input.removeAttribute("capture");
  input.addEventListener("change", async () => {
    const files = [...input.files];
    // Emptied, so that choosing the same file again is a change again.
    input.value = "";
    if (!files.length) return;
    const read = await Promise.all(files.map((file) => pictureFrom(file, format)));
    const photos = read.filter(Boolean);
    if (photos.length) emit(root, "capture", { pictures: photos, automatic: false });
    onPhotos(photos, photos.length < files.length);
  });
}
