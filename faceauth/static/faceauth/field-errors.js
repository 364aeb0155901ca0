const CONTROL = "input:not([type=hidden]), select, textarea";

/**
 * Show errors at the fields of a form, as Django renders them.
 * @param {HTMLFormElement} form with a `data-field` around each field
 * @param {Record<string, string[]>} fields
 */
export function markFields(form, fields) {
  for (const [name, messages] of Object.entries(fields)) {
    const field = form.querySelector(`[data-field="${CSS.escape(name)}"]`);
    const control = field?.querySelector(CONTROL);
    if (!control) continue;
    const list = document.createElement("ul");
    list.className = "errorlist";
    list.id = `${control.id}_error`;
    list.append(...messages.map(item));
    field.append(list);
    control.setAttribute("aria-invalid", "true");
    describe(control, (ids) => [...ids, list.id]);
    control.closest("details")?.setAttribute("open", "");
  }
}

/**
 * Remove all errors, those that came with the page as well.
 * @param {HTMLElement} form or a part of one
 */
export function clearFields(form) {
  const lists = [...form.querySelectorAll(".errorlist")];
  for (const control of form.querySelectorAll("[aria-invalid]")) {
    control.removeAttribute("aria-invalid");
    describe(control, (ids) => ids.filter((id) => !lists.some((list) => list.id === id)));
  }
  for (const list of lists) list.remove();
}

/** Focus the first field that has an error. */
export function focusFirst(form) {
  form.querySelector("[aria-invalid=true]")?.focus();
}

function item(message) {
  const element = document.createElement("li");
  element.textContent = message;
  return element;
}

function describe(control, change) {
  const ids = (control.getAttribute("aria-describedby") ?? "").split(" ").filter(Boolean);
  const changed = change(ids).join(" ");
  if (changed) control.setAttribute("aria-describedby", changed);
  else control.removeAttribute("aria-describedby");
}
