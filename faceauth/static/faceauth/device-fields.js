import { publicKey, sign } from "./device-key.js";

/**
 * Put this browser's public key into a form that asks for it, unless its box "Trust this browser"
 * is not ticked.
 * @param {HTMLFormElement} form
 */
export async function fillDeviceKey(form) {
  const { device_key: key, trust } = form.elements;
  if (!key || key.value || trust?.checked === false) return;
  key.value = (await publicKey()) ?? "";
}

/**
 * Return the fields that show the site that this browser has its device's key.
 * @param {string | undefined} nonce what the site asks the browser to sign
 * @returns {Promise<Record<string, string>>} no fields without a nonce, or without a key
 */
export async function deviceProof(nonce) {
  const signature = nonce && (await sign(`faceauth device ${nonce}`));
  return signature ? { device_nonce: nonce, device_signature: signature } : {};
}
