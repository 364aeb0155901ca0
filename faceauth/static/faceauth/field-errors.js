const CONTROL = "input:not([type=hidden]), select, textarea";

/**
 * Show errors at the fields of a form, as Django renders them.
 * @param {HTMLFormElement} form with a `data-field` around each field
 * @param {Record<string, string[]>} errors messages by the name of the field
 * @returns {boolean} true if all of them are shown
 */
export function showFieldErrors(form, errors) {
  let shown = Object.keys(errors).length > 0;
  for (const [name, messages] of Object.entries(errors)) {
    const field = form.querySelector(`[data-field="${CSS.escape(name)}"]`);
    const control = field?.querySelector(CONTROL);
    if (!control) {
      shown = false;
      continue;
    }
    const list = document.createElement("ul");
    list.className = "errorlist";
    list.id = `${control.id}_error`;
    list.append(...messages.map(listItem));
    field.append(list);
    control.setAttribute("aria-invalid", "true");
    changeDescription(control, (ids) => [...ids, list.id]);
    control.closest("details")?.setAttribute("open", "");
  }
  return shown;
}

/**
 * Remove all errors, including those that came with the page.
 * @param {HTMLElement} form or a part of one
 */
export function clearFieldErrors(form) {
  const lists = [...form.querySelectorAll(".errorlist")];
  for (const control of form.querySelectorAll("[aria-invalid]")) {
    control.removeAttribute("aria-invalid");
    changeDescription(control, (ids) => ids.filter((id) => !lists.some((list) => list.id === id)));
  }
  for (const list of lists) list.remove();
}

/**
 * Focus the first field that has an error.
 * @param {HTMLFormElement} form
 */
export function focusFirstError(form) {
  form.querySelector("[aria-invalid=true]")?.focus();
}

function listItem(message) {
  const element = document.createElement("li");
  element.textContent = message;
  return element;
}

/** Change the ids in a control's `aria-describedby`, and drop the attribute if none is left. */
function changeDescription(control, change) {
  const ids = (control.getAttribute("aria-describedby") ?? "").split(" ").filter(Boolean);
  const changed = change(ids).join(" ");
  if (changed) control.setAttribute("aria-describedby", changed);
  else control.removeAttribute("aria-describedby");
}
