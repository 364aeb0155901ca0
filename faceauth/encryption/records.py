"""Encryption of what is kept besides templates, such as the state of a challenge.

A record opens only for the row that it was made for. Records live for a short time, so they are
not encrypted again when keys change: those of a key that is gone are unreadable, and ignored.
"""

from __future__ import annotations

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from . import crypto
from .crypto import DecryptionError

_NONCE_SIZE = 12


def seal(data: bytes, binding: bytes) -> bytes:
    """Encrypt a record with AES-256-GCM.

    Args:
        data: The record.
        binding: Identifies the row; the record opens only with the same binding.

    Raises:
        ImproperlyConfigured: A key in the settings is malformed.
    """
    key_id, key = crypto.record_key()
    nonce = os.urandom(_NONCE_SIZE)
    return key_id + nonce + AESGCM(key).encrypt(nonce, data, key_id + binding)


def unseal(blob: bytes, binding: bytes) -> bytes:
    """Decrypt a record.

    Raises:
        DecryptionError: It was not sealed with this binding by a key of this site.
        ImproperlyConfigured: A key in the settings is malformed.
    """
    blob = bytes(blob)
    size = crypto.ID_SIZE
    key_id, nonce, data = blob[:size], blob[size:][:_NONCE_SIZE], blob[size + _NONCE_SIZE :]
    key = crypto.record_key_of(key_id)
    if key is None:
        raise DecryptionError("no key of this site has sealed it")
    try:
        return AESGCM(key).decrypt(nonce, data, key_id + binding)
    except (InvalidTag, ValueError) as error:
        raise DecryptionError("it was changed, or moved to another row") from error
