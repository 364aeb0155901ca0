import { hopeless } from "./camera.js";
import { partsOf, tell } from "./dom.js";
import { pictureFrom } from "./pictures.js";

/**
 * Have the widget's file input, where it has one, hand over photos as soon as they are chosen.
 * @param {HTMLElement} root the widget
 * @param {import("./messages.js").Messages} words
 * @param {(photos: Blob[]) => void} onPhotos
 */
export function useInput(root, words, onPhotos) {
  const { choice, choose } = partsOf(root);
  if (!choice) return;
  const input = choice.querySelector("[type=file]");
  choice.hidden = false;
  choice.dataset.compact = "";
  choose.textContent = words.get("choose");
  // With a live camera on the page, the input is for photos that exist already.
  if (!hopeless()) input.removeAttribute("capture");
  input.addEventListener("change", async () => {
    const files = [...input.files];
    // So that choosing the same file again is a change again.
    input.value = "";
    if (!files.length) return;
    const photos = await Promise.all(files.map(pictureFrom));
    tell(root, "capture", { pictures: photos, automatic: false });
    onPhotos(photos);
  });
}
