"""Encodings at rest: turned away from everybody else's, encrypted, and bound to their user.

What is encrypted, by AES-256-GCM, is the encodings turned by an orthonormal matrix that only this
site has. The matrix is made of another key than the encryption: whoever gets hold of the data keys
alone has vectors that can be compared with each other, but not with encodings made elsewhere. That
is a second lock and no more: some encodings known in both forms give the matrix away, and whoever
has both keys has everything.

A sealed blob is b"\\x03", the ids of data key and matrix of 4 bytes each, the name of the encoder
after its length in one byte, how many numbers an encoding has in two, lowest first, the nonce of 12
bytes, and the ciphertext with its tag. In one that begins with b"\\x02", from before there were
other encoders than dlib's, the nonce comes right after the ids. It opens for the user it was made
for: moved to another row, it is nothing. That an older blob of the same user is put back, it cannot
tell.
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
from faceauth.vision.encoding import DlibEncoder

_VERSION = b"\x03"
# What blobs begin with that do not say who made them.
DLIB_ONLY = b"\x02"
_KEY = 32
_ID = 4
_NONCE = 12
_SIZE = 2
HEADER_SIZE = len(_VERSION) + 2 * _ID


class DecryptionError(ValueError):
    """Sealed for another user or by a key that is gone, or tampered with."""


def seal(encodings: NDArray[np.float32], binding: bytes, encoder: str) -> bytes:
    """Encodings, float32 (n, d), and the name of what made them, as a blob that opens with the same
    `binding` only.

    Raises:
        ImproperlyConfigured: a key in the settings is malformed.
    """
    ring, nonce, size = _keyring(), os.urandom(_NONCE), encodings.shape[1]
    head = ring.head + encoder_tag(encoder) + size.to_bytes(_SIZE, "little")
    cipher = AESGCM(ring.data_keys[ring.head[1 : 1 + _ID]])
    turned = encodings @ secret_matrix(ring.transform_keys[ring.head[1 + _ID :]], size)
    data = turned.astype("<f4").tobytes()
    return head + nonce + cipher.encrypt(nonce, data, head + binding)


def unseal(blob: bytes, binding: bytes) -> tuple[str, NDArray[np.float32]]:
    """The encoder's name and the encodings, float32 (n, d), that were sealed, to 1e-6.

    Raises:
        DecryptionError: this is not what was sealed with that binding.
        ImproperlyConfigured: a key in the settings is malformed.
    """
    ring = _keyring()
    data_key = ring.data_keys.get(blob[1 : 1 + _ID])
    transform_key = ring.transform_keys.get(blob[1 + _ID : HEADER_SIZE])
    if blob[:1] not in (_VERSION, DLIB_ONLY) or data_key is None or transform_key is None:
        raise DecryptionError("no key of this site has sealed it")
    try:
        encoder, size, end = _maker(blob)
        nonce, data = blob[end:][:_NONCE], blob[end + _NONCE :]
        turned = np.frombuffer(AESGCM(data_key).decrypt(nonce, data, blob[:end] + binding), "<f4")
    except (InvalidTag, ValueError, IndexError) as error:
        raise DecryptionError("it was changed, or moved") from error
    return encoder, (turned.reshape(-1, size) @ secret_matrix(transform_key, size).T).astype(
        np.float32
    )


def encoder_tag(encoder: str) -> bytes:
    """What blobs of that encoder have after their first `HEAD` bytes, `DLIB_ONLY` ones excepted."""
    name = encoder.encode()
    return bytes([len(name)]) + name


def current_header() -> bytes:
    """The first `HEAD` bytes of every blob that is sealed now. One with others has older keys, or
    is from before there were other encoders than dlib's.
    """
    return _keyring().head


def search_key() -> bytes:
    """What the matrix is made of that turns vectors for a database that searches them: another one
    than before encryption, so that what is known of one tells nothing of the other.
    """
    return _keyring().search_key


@cache
def secret_matrix(key: bytes, size: int) -> NDArray[np.float64]:
    """The orthonormal matrix (size, size) that the key stands for, the same on every machine.

    Drawn evenly among all of them: the Q of a matrix of normal numbers.
    """
    # Not by numpy's generators, whose numbers may be others in another version.
    random = np.frombuffer(shake_256(key).digest(16 * size * size), "<u8").reshape(2, size, size)
    radius, angle = (random + 0.5) / 2**64
    normal = np.sqrt(-2 * np.log(radius)) * np.cos(2 * np.pi * angle)
    q, r = np.linalg.qr(normal)
    return q * np.sign(np.diag(r))


@dataclass(frozen=True)
class _Keyring:
    """Keys by their ids, the head of what is sealed with the first of each kind, and what vectors
    that are searched are turned by.
    """

    data_keys: dict[bytes, bytes]
    transform_keys: dict[bytes, bytes]
    head: bytes
    search_key: bytes


def _keyring() -> _Keyring:
    now = conf.get()
    secrets = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return _made_of(tuple(now.ENCRYPTION_KEYS), now.ENCRYPTION_TRANSFORM_KEY, secrets)


@lru_cache(maxsize=8)
def _made_of(
    keys: tuple[str, ...], transform_key: str | None, secrets: tuple[str | bytes, ...]
) -> _Keyring:
    # What SECRET_KEY sealed before there were keys of their own must be read to be sealed anew.
    data = [decode_key(key) for key in keys]
    data += [_derived(force_bytes(secret), b"faceauth data") for secret in secrets]
    masters = [decode_key(transform_key)] if transform_key else []
    masters += map(force_bytes, secrets)
    data_keys = {_id(key): key for key in data}
    transform_keys = {_id(key): key for key in (_derived(m, b"faceauth turning") for m in masters)}
    head = _VERSION + next(iter(data_keys)) + next(iter(transform_keys))
    return _Keyring(data_keys, transform_keys, head, _derived(masters[0], b"faceauth search"))


def decode_key(key: str) -> bytes:
    """A key of the settings: 32 bytes, written as URL-safe base64.

    Raises:
        ImproperlyConfigured: it is something else. The message does not repeat it.
    """
    try:
        data = base64.b64decode(key, altchars=b"-_", validate=True)
    except (TypeError, ValueError):
        data = b""
    if len(data) != _KEY:
        raise ImproperlyConfigured("FACEAUTH: a key is not URL-safe base64 of 32 bytes.")
    return data


def _maker(blob: bytes) -> tuple[str, int, int]:
    """The name of the encoder that made what is in a blob, how many numbers an encoding of it has,
    and where the nonce begins.
    """
    if blob.startswith(DLIB_ONLY):
        return DlibEncoder.name, DlibEncoder.size, HEADER_SIZE
    named = HEADER_SIZE + 1 + blob[HEADER_SIZE]
    end = named + _SIZE
    return blob[HEADER_SIZE + 1 : named].decode(), int.from_bytes(blob[named:end], "little"), end


def _derived(master: bytes, purpose: bytes) -> bytes:
    return HKDF(SHA256(), _KEY, salt=None, info=purpose).derive(master)


def _id(key: bytes) -> bytes:
    return sha256(b"faceauth id" + key).digest()[:_ID]
