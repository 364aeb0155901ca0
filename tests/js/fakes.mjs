/** Stand-ins for the parts of a browser that the modules under test touch. */
/** An element that keeps what is set on it. */
export class FakeElement {
  dataset = {};
  children = [];
  hidden = false;
  textContent = "";
  attributes = new Set();
  properties = {};
  style = { setProperty: (name, value) => (this.properties[name] = value) };

  replaceChildren(...children) {
    this.children = children;
  }

  toggleAttribute(name, on) {
    if (on) this.attributes.add(name);
    else this.attributes.delete(name);
  }
}

/** A camera's video: `show` gives it the next frame. */
export class FakeVideo extends FakeElement {
  dataset = { part: "video" };
  readyState = 2;
  videoWidth = 640;
  videoHeight = 480;
  level = 0;
  #callback = () => {};

  requestVideoFrameCallback(callback) {
    this.#callback = callback;
  }

  /** @param {number} level how light the frame is, on its left half only */
  show(level) {
    this.level = level;
    this.#callback();
  }
}

/** A canvas, whose JPEGs differ whenever what is drawn on it does. */
class FakeCanvas extends FakeElement {
  #level = 0;

  getContext() {
    return {
      drawImage: (source) => (this.#level = source.level),
      getImageData: (_x, _y, width, height) => ({
        data: Uint8ClampedArray.from({ length: 4 * width * height }, (_, i) =>
          i / 4 < (width * height) / 2 ? this.#level : 0,
        ),
      }),
    };
  }

  /** What was drawn on it: it can be drawn in turn. */
  get level() {
    return this.#level;
  }

  toBlob(done) {
    done(new Blob([`JPEG of ${this.#level}`]));
  }
}

/** Let modules find a document, in which nothing is hidden. */
export function fakeDocument() {
  globalThis.HTMLMediaElement = { HAVE_CURRENT_DATA: 2 };
  globalThis.addEventListener = globalThis.removeEventListener = () => {};
  globalThis.document = {
    hidden: false,
    addEventListener() {},
    removeEventListener() {},
    createElement: (name) => (name === "canvas" ? new FakeCanvas() : new FakeElement()),
  };
}

/**
 * Return a widget's root with these parts, which records the events that it dispatches.
 * @param {FakeElement[]} parts each with a `data-part`
 */
export function fakeWidget(parts) {
  const root = new FakeElement();
  root.events = [];
  root.querySelectorAll = () => parts;
  root.dispatchEvent = ({ type, detail }) => root.events.push({ type, ...detail });
  return root;
}

/**
 * Return a template as Messages reads it.
 * @param {Record<string, string>} texts by name
 * @param {{name: string, label: string, text: string}[]} poses
 */
export function fakeTemplate(texts, poses = []) {
  const found = (name) => Object.keys(texts).find((each) => name === `[data-word="${each}"]`);
  return {
    content: {
      querySelector: (selector) =>
        found(selector) === undefined ? null : { textContent: texts[found(selector)] },
      querySelectorAll: () =>
        poses.map(({ name: pose, label, text }) => ({
          dataset: { pose, label },
          textContent: text,
        })),
    },
  };
}

/**
 * Return a clock that the test moves: `clock.pass(ms)`. It sets performance.now, and runs timers.
 * @param {import("node:test").TestContext} t
 */
export function fakeClock(t) {
  let now = 0;
  t.mock.method(performance, "now", () => now);
  t.mock.timers.enable({ apis: ["setTimeout"] });
  return {
    pass(milliseconds) {
      now += milliseconds;
      t.mock.timers.tick(milliseconds);
    },
  };
}

/** As much of IndexedDB as one store of values needs. It can be made to fail in several ways. */
export class FakeDatabase {
  stores = {};
  /** Opening fails; opening is never answered; nothing more can be saved. */
  failing = false;
  blocked = false;
  full = false;

  open() {
    const request = {};
    if (this.blocked) return request;
    setImmediate(() => {
      request.error = new Error("no database");
      if (this.failing) return request.onerror();
      request.result = this;
      if (!Object.keys(this.stores).length) request.onupgradeneeded();
      request.onsuccess();
    });
    return request;
  }

  createObjectStore(name) {
    this.stores[name] = new Map();
  }

  transaction(name) {
    const waiting = [];
    const transaction = {};
    const values = this.stores[name];
    const ask = (answer) => {
      const request = {};
      waiting.push(() => {
        request.result = answer();
        request.onsuccess?.();
      });
      return request;
    };
    const put = (value, key) => {
      if (this.full) throw new Error("quota exceeded");
      values.set(key, value);
      return key;
    };
    transaction.objectStore = () => ({
      get: (key) => ask(() => values.get(key)),
      put: (value, key) => ask(() => put(value, key)),
    });
    setImmediate(() => {
      try {
        while (waiting.length) waiting.shift()();
        transaction.oncomplete();
      } catch (error) {
        transaction.error = error;
        transaction.onabort();
      }
    });
    return transaction;
  }

  close() {}
}

/** Let promises that are settled run on. */
export async function settle() {
  for (let i = 0; i < 50; i += 1) await new Promise((done) => setImmediate(done));
}
