"""The key of a trusted browser: ECDSA on P-256, made by the browser, which can't give it away.

The browser proves with it that the cookie was not copied from somewhere else. See
https://www.w3.org/TR/webcrypto-2/#ecdsa.
"""

from __future__ import annotations

import base64
import secrets
from datetime import timedelta

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
)
from django.core import signing

from faceauth.models import FaceDevice
from faceauth.single_use import mark_used, was_used

# How long a page can be open before its form is sent.
NONCE_AGE = timedelta(minutes=15)

# What the browser signs before the nonce, so that the signature can serve nothing else.
PREFIX = "faceauth device "

# The largest key and signature that are looked at, in characters of base64.
_MAX_LENGTH = 256

_SALT = "faceauth.devices.nonce"
_HALF = 32  # bytes of each of the two numbers in a signature


def new_nonce(device: FaceDevice) -> str:
    """Return a text for the device to sign. It can be used once, within `NONCE_AGE`."""
    return signing.dumps([device.pk, secrets.token_urlsafe(16)], salt=_SALT)


def parse(text: str) -> bytes | None:
    """Return a public key as DER, or None if the text is not the base64 of a key on P-256."""
    try:
        key = load_der_public_key(_decode(text))
    except (ValueError, UnsupportedAlgorithm):
        return None
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name != "secp256r1":
        return None
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def is_signed(device: FaceDevice, nonce: str, signature: str) -> bool:
    """Return True if the device's key has signed the nonce, now or at any time.

    Args:
        device: The device, which has a key.
        nonce: A text from `new_nonce`.
        signature: The base64 of the signature: r and s, 32 bytes each.
    """
    key = load_der_public_key(bytes(device.public_key or b""))
    assert isinstance(key, ec.EllipticCurvePublicKey)
    try:
        raw = _decode(signature)
    except ValueError:
        return False
    if len(raw) != 2 * _HALF:
        return False
    r, s = (int.from_bytes(half, "big") for half in (raw[:_HALF], raw[_HALF:]))
    message = (PREFIX + nonce).encode()
    try:
        key.verify(utils.encode_dss_signature(r, s), message, ec.ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


def spend(device: FaceDevice, nonce: str, opener: str = "") -> bool:
    """Use up a nonce. Return False if it is too old, was used before or is another device's.

    Args:
        device: The device.
        nonce: A text from `new_nonce`.
        opener: What only the browser sends that opens a challenge with it. It may do so again, as
            the answer may be lost; nobody may log in with it.
    """
    try:
        owner, _random = signing.loads(nonce, salt=_SALT, max_age=NONCE_AGE)
    except (signing.BadSignature, ValueError):
        return False
    if owner != device.pk:
        return False
    first = mark_used("device", [nonce.encode()], NONCE_AGE)
    if not opener:
        return first
    opening = f"{nonce} {opener}".encode()
    if first:
        return mark_used("device-opening", [opening], NONCE_AGE)
    return was_used("device-opening", opening)


def _decode(text: str) -> bytes:
    """Decode base64.

    Raises:
        ValueError: The text is too long, or not base64.
    """
    if len(text) > _MAX_LENGTH:
        raise ValueError("too long")
    return base64.b64decode(text, validate=True)
