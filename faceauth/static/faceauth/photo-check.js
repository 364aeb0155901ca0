/**
 * Entry point: check each photo as soon as it is chosen, and say what is wrong with it. The form
 * can be sent either way.
 */
import { partsOf } from "./dom.js";
import { clearFieldErrors } from "./field-errors.js";
import { post } from "./http.js";
import { SMALL, pictureFrom } from "./pictures.js";

const TIMEOUT_MS = 20_000;

/** @param {HTMLElement} root around the file input */
function start(root) {
  const input = root.querySelector("[type=file]");
  const { photos, photo: template } = partsOf(root);
  let controller = new AbortController();

  input.addEventListener("change", async () => {
    controller.abort();
    controller = new AbortController();
    const { signal } = controller;
    const rows = [...input.files].map((file) => ({ file, ...row(template, file, root.dataset) }));
    // The errors were about other photos.
    clearFieldErrors(root);
    photos.replaceChildren(...rows.map(({ element }) => element));
    // One after another: the server has other visitors to serve as well.
    for (const { file, verdict, element } of rows) {
      const body = new FormData();
      body.append("csrfmiddlewaretoken", input.form.elements.csrfmiddlewaretoken.value);
      body.append("pose", "photo");
      // A small copy is enough to judge it by; the form sends the photo itself.
      body.append("frame", (await pictureFrom(file, SMALL)) ?? file);
      const { data, error } = await post(root.dataset.framesUrl, body, {
        timeout: TIMEOUT_MS,
        signal,
      });
      if (signal.aborted) return;
      element.dataset.tone = data?.ok ? "good" : "bad";
      const { good, lost } = root.dataset;
      verdict.textContent = data ? (data.ok ? good : data.message) : (error?.message ?? lost);
    }
  });
}

function row(template, file, { looking }) {
  const element = template.content.firstElementChild.cloneNode(true);
  const { image, verdict } = partsOf(element);
  image.onload = image.onerror = () => URL.revokeObjectURL(image.src);
  image.src = URL.createObjectURL(file);
  image.alt = file.name;
  verdict.textContent = looking;
  return { element, verdict };
}

for (const root of document.querySelectorAll("[data-faceauth-photos]")) start(root);
