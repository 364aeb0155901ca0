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

let prepared = { nonce: undefined, proof: undefined };

/**
 * Return the fields that show the site that this browser has its device's key. Call it once before
 * they are needed: it takes some time.
 * @param {string | undefined} nonce what the site asks the browser to sign
 * @returns {Promise<Record<string, string>>} no fields without a nonce, or without a key
 */
export function deviceProof(nonce) {
  if (!prepared.proof || prepared.nonce !== nonce) prepared = { nonce, proof: prove(nonce) };
  return prepared.proof;
}

async function prove(nonce) {
  const signature = nonce && (await sign(`faceauth device ${nonce}`));
  return signature ? { device_nonce: nonce, device_signature: signature } : {};
}
