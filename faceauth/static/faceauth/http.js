const CODES = { 413: "too_large", 429: "too_many_attempts", 502: "busy", 503: "busy", 504: "busy" };

/**
 * Post a form and read the answer, which may come from the site, from a proxy before it, or not at
 * all.
 *
 * @param {string} url
 * @param {FormData} body
 * @param {{timeout: number, signal?: AbortSignal}} options
 * @returns {Promise<{data: object} | {elsewhere: string} | {error: object}>} `elsewhere` is the
 *   address to go to: where a redirect led (the login page, for one), or where to confirm first;
 *   `error` has `code`, `status` (0 without an answer), `retryAfter` in seconds, and from the site
 *   `message` and perhaps `fields`
 */
export async function post(url, body, { timeout, signal }) {
  const controller = new AbortController();
  const abort = () => controller.abort();
  const timer = setTimeout(abort, timeout);
  signal?.addEventListener("abort", abort);
  try {
    const headers = { Accept: "application/json" };
    const response = await fetch(url, { method: "POST", body, headers, signal: controller.signal });
    const answer = await response.json().catch((error) => {
      if (error.name === "AbortError") throw error;
      return null;
    });
    if (response.redirected) return { elsewhere: response.url };
    if (answer?.error?.confirm) return { elsewhere: answer.error.confirm };
    if (response.ok && answer) return { data: answer };
    return { error: errorOf(response, answer) };
  } catch (error) {
    const unanswered = error.name === "AbortError" ? "timeout" : "network";
    return { error: { code: navigator.onLine ? unanswered : "offline", status: 0, retryAfter: 0 } };
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  }
}

/**
 * Load this page again, unseen, and return the CSRF token of its form.
 * @param {HTMLFormElement} form
 * @returns {Promise<string | null>} null if the site leads elsewhere or does not answer
 */
export async function freshToken(form) {
  try {
    const response = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (response.redirected || !response.ok) return null;
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const forms = [...page.querySelectorAll("form")];
    const same = forms.find((each) => each.getAttribute("action") === form.getAttribute("action"));
    return same?.querySelector("[name=csrfmiddlewaretoken]")?.value ?? null;
  } catch {
    return null;
  }
}

function errorOf(response, answer) {
  const { status } = response;
  const retryAfter = Number(response.headers.get("Retry-After")) || 0;
  return { code: CODES[status] ?? "unknown", ...answer?.error, status, retryAfter };
}
