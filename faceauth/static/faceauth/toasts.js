/** Short messages at the edge of the page: the server's, and those that scripts show. */

// How long a message stays that reports no error.
const LIFETIME_MS = 7000;

/**
 * Show a message. A message that reports an error stays until it is dismissed.
 * @param {string} message
 * @param {"success" | "error"} level
 */
export function toast(message, level) {
  const region = document.querySelector("[data-faceauth-toasts]");
  if (!region) return;
  const template = region.querySelector("template");
  const element = template.content.firstElementChild.cloneNode(true);
  element.dataset.level = level;
  element.setAttribute("role", level === "error" ? "alert" : "status");
  region.append(element);
  // Set the text once the live region is in the page: only then is it read out.
  element.querySelector("p").textContent = message;
  prepare(element);
}

/** Remove the errors that are shown. */
export function clearErrors() {
  for (const each of document.querySelectorAll('[data-faceauth-toast][data-level="error"]')) {
    each.remove();
  }
}

function prepare(element) {
  const dismiss = element.querySelector("[data-faceauth-dismiss]");
  dismiss.hidden = false;
  dismiss.addEventListener("click", () => element.remove());
  if (element.dataset.level !== "error") setTimeout(() => expire(element), LIFETIME_MS);
}

function expire(element) {
  // Not while the visitor reads the message or is about to use its button.
  if (element.matches(":hover, :focus-within")) setTimeout(() => expire(element), LIFETIME_MS);
  else element.remove();
}

for (const each of document.querySelectorAll("[data-faceauth-toast]")) prepare(each);
