/**
 * The key of this browser, with which it shows that the cookie of a trusted device was not copied:
 * an ECDSA P-256 pair whose private key no script can read. Nothing here throws or waits for long.
 * Without WebCrypto, IndexedDB or HTTPS there is no key, and the cookie alone counts.
 */
const DATABASE = "faceauth";
const STORE = "keys";
const NAME = "device";

const CURVE = { name: "ECDSA", namedCurve: "P-256" };
const ALGORITHM = { name: "ECDSA", hash: "SHA-256" };

// A database that is blocked or broken may never answer.
const PATIENCE_MS = 1000;

// The pair, once it was read: a login must not depend on a database that is slow just then.
let kept;

/**
 * Return this browser's public key, and create the pair if there is none yet.
 * @returns {Promise<string | null>} the base64 of its SPKI, or null if there can be no key
 */
export function publicKey() {
  return orNull(async () => {
    const { publicKey: key } = (await saved()) ?? (await created());
    return base64(await crypto.subtle.exportKey("spki", key));
  });
}

/**
 * Sign a text with this browser's key.
 * @param {string} text
 * @returns {Promise<string | null>} the base64 of the signature's 64 bytes, r and s; null if there
 *   is no key
 */
export function sign(text) {
  return orNull(async () => {
    const pair = kept ?? (await saved());
    if (!pair) return null;
    const bytes = new TextEncoder().encode(text);
    return base64(await crypto.subtle.sign(ALGORITHM, pair.privateKey, bytes));
  });
}

/** Return what the function resolves to, or null if it fails or takes too long. */
async function orNull(act) {
  let timer;
  const timeout = new Promise((done) => {
    timer = setTimeout(() => done(null), PATIENCE_MS);
  });
  try {
    return await Promise.race([act(), timeout]);
  } catch {
    return null;
  } finally {
    clearTimeout(timer);
  }
}

async function saved() {
  kept = await withStore("readonly", (store) => store.get(NAME));
  return kept;
}

async function created() {
  const pair = await crypto.subtle.generateKey(CURVE, false, ["sign", "verify"]);
  // Another tab may have been quicker: then its key counts.
  await withStore("readwrite", (store) => {
    const found = store.get(NAME);
    found.onsuccess = () => found.result ?? store.put(pair, NAME);
    return found;
  });
  return saved();
}

/** Return the result of a request to the store, once its transaction is complete. */
async function withStore(mode, ask) {
  const database = await open();
  try {
    return await new Promise((done, fail) => {
      const transaction = database.transaction(STORE, mode);
      const request = ask(transaction.objectStore(STORE));
      transaction.oncomplete = () => done(request.result);
      transaction.onabort = transaction.onerror = () => fail(transaction.error);
    });
  } finally {
    database.close();
  }
}

function open() {
  return new Promise((done, fail) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => done(request.result);
    request.onerror = () => fail(request.error);
  });
}

function base64(buffer) {
  return btoa(String.fromCharCode(...new Uint8Array(buffer)));
}
