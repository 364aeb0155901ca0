"""Encryption at rest.

Encodings are transformed by a secret matrix, encrypted with AES-256-GCM and bound to their user.

The matrix is orthonormal and only this site has it. It is derived from another key than the
encryption: somebody who steals the data keys alone gets vectors that can be compared with each
other, but not with encodings made elsewhere. That is obfuscation, and no second encryption: about
80 templates that are known in both forms give the matrix away (``python -m benchmarks.recovery``),
and both keys together open everything.

A sealed blob consists of

- the version, one byte (3);
- the ids of the data key and of the matrix, 4 bytes each;
- the length of the encoder's name in one byte, and the name;
- how many numbers an encoding has, in two bytes, little-endian;
- the nonce, 12 bytes;
- the ciphertext with its tag.

A blob opens only for the user that it was made for: in another row it is unreadable. Nothing here
detects that an older blob of the same user was put back.
"""

from __future__ import annotations

import base64
import os
from dataclasses import dataclass
from functools import cache, lru_cache
from hashlib import sha256, shake_256

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.encoding import force_bytes
from numpy.typing import NDArray

from faceauth import conf

_VERSION = b"\x03"
_KEY_SIZE = 32
ID_SIZE = 4
_NONCE_SIZE = 12
_DIMENSION_SIZE = 2
HEADER_SIZE = len(_VERSION) + 2 * ID_SIZE


class DecryptionError(ValueError):
    """The blob can't be opened.

    Its format is unknown, its key is gone, it was made for another user, or it was changed.
    """


def seal(encodings: NDArray[np.float32], binding: bytes, encoder: str) -> bytes:
    """Return an encrypted blob of encodings.

    Args:
        encodings: Shape (n, d), float32.
        binding: Identifies the row; the blob opens only with the same binding.
        encoder: The name of the encoder that made the encodings.

    Raises:
        ImproperlyConfigured: A key in the settings is malformed.
    """
    ring, nonce, size = _keyring(), os.urandom(_NONCE_SIZE), encodings.shape[1]
    data_id, transform_id = ring.header[1 : 1 + ID_SIZE], ring.header[1 + ID_SIZE :]
    head = ring.header + encoder_tag(encoder) + size.to_bytes(_DIMENSION_SIZE, "little")
    transformed = encodings @ secret_matrix(ring.transform_keys[transform_id], size)
    data = transformed.astype("<f4").tobytes()
    return head + nonce + AESGCM(ring.data_keys[data_id]).encrypt(nonce, data, head + binding)


def unseal(blob: bytes, binding: bytes) -> tuple[str, NDArray[np.float32]]:
    """Return the encoder's name and the encodings of a blob.

    Returns:
        The name, and the encodings as float32 (n, d), which differ from what was sealed by 1e-6
        at most.

    Raises:
        DecryptionError: The blob was not sealed with this binding by a key of this site.
        ImproperlyConfigured: A key in the settings is malformed.
    """
    if not blob.startswith(_VERSION):
        raise DecryptionError("its format is unknown")
    ring = _keyring()
    data_key = ring.data_keys.get(blob[1 : 1 + ID_SIZE])
    transform_key = ring.transform_keys.get(blob[1 + ID_SIZE : HEADER_SIZE])
    if data_key is None or transform_key is None:
        raise DecryptionError("no key of this site has sealed it")
    try:
        encoder, size, end = _read_encoder(blob)
        nonce, data = blob[end:][:_NONCE_SIZE], blob[end + _NONCE_SIZE :]
        plain = AESGCM(data_key).decrypt(nonce, data, blob[:end] + binding)
        transformed = np.frombuffer(plain, "<f4").reshape(-1, size)
    except (InvalidTag, ValueError, IndexError) as error:
        raise DecryptionError("it was changed, or moved to another row") from error
    return encoder, (transformed @ secret_matrix(transform_key, size).T).astype(np.float32)


def encoder_tag(encoder: str) -> bytes:
    """Return the bytes that name the encoder in a blob, after the first `HEADER_SIZE` bytes."""
    name = encoder.encode()
    return bytes([len(name)]) + name


def current_header() -> bytes:
    """Return the first `HEADER_SIZE` bytes of every blob that is sealed now.

    A blob with another header was sealed by older keys.
    """
    return _keyring().header


def search_key() -> bytes:
    """Return the key of the matrix that transforms vectors for a database that searches them.

    It is not the matrix of the encrypted templates, so knowledge of one reveals nothing about the
    other.
    """
    return _keyring().search_key


def record_key() -> tuple[bytes, bytes]:
    """Return the id and the key that encrypt a record now: see `records`."""
    key_id = current_header()[1 : 1 + ID_SIZE]
    return key_id, _record_keys(_keyring().data_keys[key_id])


def record_key_of(key_id: bytes) -> bytes | None:
    """Return the key of records with this id, or None if this site does not have it."""
    key = _keyring().data_keys.get(key_id)
    return _record_keys(key) if key is not None else None


@lru_cache(maxsize=8)
def _record_keys(data_key: bytes) -> bytes:
    # Not the key of the templates: no record can be taken for one.
    return _derive(data_key, b"faceauth records")


@cache
def secret_matrix(key: bytes, size: int) -> NDArray[np.float64]:
    """Return the orthonormal matrix (size, size) of a key, the same on every machine.

    It is drawn uniformly from all such matrices: the Q of a matrix of normally distributed numbers.
    """
    # Not numpy's generators: another version of numpy may give other numbers.
    random = np.frombuffer(shake_256(key).digest(16 * size * size), "<u8").reshape(2, size, size)
    radius, angle = (random + 0.5) / 2**64
    normal = np.sqrt(-2 * np.log(radius)) * np.cos(2 * np.pi * angle)
    q, r = np.linalg.qr(normal)
    return q * np.sign(np.diag(r))


@dataclass(frozen=True)
class _Keyring:
    """All keys by their ids, the header of new blobs, and the key of searched vectors."""

    data_keys: dict[bytes, bytes]
    transform_keys: dict[bytes, bytes]
    header: bytes
    search_key: bytes


def _keyring() -> _Keyring:
    config = conf.get()
    secrets = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return _make_keyring(tuple(config.ENCRYPTION_KEYS), config.ENCRYPTION_TRANSFORM_KEY, secrets)


@lru_cache(maxsize=8)
def _make_keyring(
    keys: tuple[str, ...], transform_key: str | None, secrets: tuple[str | bytes, ...]
) -> _Keyring:
    # Templates that SECRET_KEY encrypted, before the site had keys for them, must stay readable
    # until they are encrypted with the new keys.
    data = [decode_key(key) for key in keys]
    data += [_derive(force_bytes(secret), b"faceauth data") for secret in secrets]
    masters = [decode_key(transform_key)] if transform_key else []
    masters += map(force_bytes, secrets)
    data_keys = {_key_id(key): key for key in data}
    transforms = [_derive(master, b"faceauth turning") for master in masters]
    transform_keys = {_key_id(key): key for key in transforms}
    header = _VERSION + next(iter(data_keys)) + next(iter(transform_keys))
    return _Keyring(data_keys, transform_keys, header, _derive(masters[0], b"faceauth search"))


def decode_key(key: str) -> bytes:
    """Return the 32 bytes of a key in the settings, which is written as URL-safe base64.

    Raises:
        ImproperlyConfigured: The key is something else. The message does not repeat it.
    """
    try:
        data = base64.b64decode(key, altchars=b"-_", validate=True)
    except (TypeError, ValueError):
        data = b""
    if len(data) != _KEY_SIZE:
        raise ImproperlyConfigured("FACEAUTH: a key is not URL-safe base64 of 32 bytes.")
    return data


def _read_encoder(blob: bytes) -> tuple[str, int, int]:
    """Return the encoder's name, the size of its encodings, and where the nonce begins."""
    name_end = HEADER_SIZE + 1 + blob[HEADER_SIZE]
    end = name_end + _DIMENSION_SIZE
    name = blob[HEADER_SIZE + 1 : name_end].decode()
    return name, int.from_bytes(blob[name_end:end], "little"), end


def _derive(master: bytes, purpose: bytes) -> bytes:
    return HKDF(SHA256(), _KEY_SIZE, salt=None, info=purpose).derive(master)


def _key_id(key: bytes) -> bytes:
    return sha256(b"faceauth id" + key).digest()[:ID_SIZE]
