from __future__ import annotations

import base64

import numpy as np
import pytest
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.core.exceptions import ImproperlyConfigured

from faceauth import conf
from faceauth.encryption import crypto
from faceauth.recognition.matching import cohort

ROWS = np.random.default_rng(0).normal(0, 0.1, (5, 128)).astype(np.float32)
OLD, NEW, TRANSFORM = (Fernet.generate_key().decode() for _ in range(3))
DLIB = "dlib"
# The encoding cos(0..127) / 8, sealed with these keys for b"ada".
STORED_KEYS = (
    "ZGF0YSBrZXkgb2YgMzIgYnl0ZXMsIG9mIG9sZCEhISE=",
    "dHJhbnNmb3JtIGtleSBvZiAzMiBieXRlcywgb2xkISE=",
)
STORED = base64.b64decode(
    "A319J/pRVTz+BGRsaWKAACT8UbpGwNbG4Ivuj/2WUGPcMopTHfSQ6WRtKCJSJhc79Gr6wT+2b9bkLF3SoVAU1jxZ"
    "T7JZtNHnzong1OECUfhRYhiXaA17GV8exQxJqxXlYJWEIphxntdnbyf0cP2W5lLE2T6PQDwd9+VXK9gzuZIESSLz"
    "V6JlPw+GIdItuDseYZOFyLKcObwjG0UMz0ImiV/elFG96e0nkP1WSUBtok72IWON/PbgruE4dusiyZz8iPb3f0S4"
    "0SHHzf38QU9qGjvE4ctTjxbWCwcqijJbDZkFLfZt1LzPIPojvRb9/GNLqe7sfmFjvkkjCR48YAxnUcavQ7Abzez7"
    "NEDdDiCOohq85yki1X/sYXFGV9w2RHDubo3eOumdI/LQjTztc5pyei8VasuoXv2+eQMwB0FRB4elGcFvKe9r0+H4"
    "yripoLClvzFlINyLFYBewaEn6m7OzDQ86opYXgR3wNRQenU22NiejuA4jfO6NH0vaI8oYoIDMa7c/emMTAJYuvbm"
    "+0Wr8KWR0OcyTm0FfHRvDO+AKWfJTCDfdtloI4VyWVqZ9p4qAT45KIFRQnKyHzdUD2Xm0pD6bjW0T6nUN7lEQEXu"
    "xsOSL9mHh6mnoGJsk0iLaBZZHUGCL9x7qUTY5/A9PsKoCBSv/h0rOLKq0p/kwyh9ncHI8VKvH80IrO6JBsrv7bI2"
    "KSLBXpk2lt574Ao2pEhRkqpxxthZ13yI9ykyzg=="
)
# Version and ids; the length of the name, the name, and the size.
HEAD, NONCE = 9 + 5 + 2, 12


@pytest.fixture(autouse=True)
def use(settings):
    """Set the keys: `use(NEW, OLD, transform=TRANSFORM)`."""

    def keys(*data, transform=TRANSFORM):
        settings.FACEAUTH = {"ENCRYPTION_KEYS": [*data], "ENCRYPTION_TRANSFORM_KEY": transform}

    keys(OLD)
    return keys


def seal(rows, binding=b"ada", encoder=DLIB):
    return crypto.seal(rows, binding, encoder)


def unseal(blob, binding=b"ada"):
    encoder, rows = crypto.unseal(blob, binding)
    assert encoder == DLIB
    return rows


def decrypted(blob, key=OLD, binding=b"ada"):
    """Return what a thief gets with the data key, without the transform key."""
    data = AESGCM(crypto.decode_key(key)).decrypt(
        blob[HEAD:][:NONCE], blob[HEAD + NONCE :], blob[:HEAD] + binding
    )
    return np.frombuffer(data, "<f4").reshape(-1, 128)


def apart(rows):
    return np.linalg.norm(rows[:, None] - rows[None], axis=2)


def test_encodings_come_back_as_they_went():
    back = unseal(seal(ROWS))
    assert back.dtype == np.float32
    assert np.abs(back - ROWS).max() < 1e-6


def test_sealed_again_and_again_they_stay_what_they_are():
    rows = ROWS
    for _ in range(100):
        rows = unseal(seal(rows))
    assert np.abs(rows - ROWS).max() < 1e-5


@pytest.mark.parametrize("size", [2, 64, 128, 160, 512])
def test_encodings_of_any_size_come_back_with_their_encoders_name(size):
    rows = np.random.default_rng(0).normal(0, 0.1, (3, size)).astype(np.float32)
    blob = crypto.seal(rows, b"ada", "Fäcenet")
    encoder, back = crypto.unseal(blob, b"ada")
    assert encoder == "Fäcenet"
    assert back.shape == rows.shape
    assert np.abs(back - rows).max() < 1e-6
    assert blob.startswith(crypto.current_header())
    assert blob[crypto.HEADER_SIZE :].startswith(crypto.encoder_tag("Fäcenet"))


def test_format_stays_readable(use):
    key, transform = STORED_KEYS
    use(key, transform=transform)
    assert unseal(STORED) == pytest.approx(np.cos(np.arange(128))[None] / 8, abs=1e-6)
    assert STORED.startswith(crypto.current_header())


@pytest.mark.parametrize("version", [0, 1, 2, 4, 255])
def test_blob_of_an_unknown_format_is_unreadable(version):
    blob = bytes([version]) + seal(ROWS)[1:]
    with pytest.raises(crypto.DecryptionError, match="its format is unknown"):
        unseal(blob)


def test_blob_opens_for_the_user_that_it_was_made_for():
    with pytest.raises(crypto.DecryptionError):
        unseal(seal(ROWS), b"eve")


def test_key_that_is_gone_leaves_it_closed(use):
    blob = seal(ROWS)
    use(NEW)
    with pytest.raises(crypto.DecryptionError):
        unseal(blob)


def test_older_keys_open_and_the_first_seals(use):
    old = seal(ROWS)
    use(NEW, OLD)
    new = seal(ROWS)
    assert not old.startswith(crypto.current_header())
    assert new.startswith(crypto.current_header())
    assert np.allclose(unseal(old), unseal(new), atol=1e-6)
    use(NEW)
    assert np.allclose(unseal(new), ROWS, atol=1e-6)


def test_another_transform_is_noticed(use):
    blob = seal(ROWS)
    use(OLD, transform=NEW)
    with pytest.raises(crypto.DecryptionError):
        unseal(blob)


def test_secret_key_stands_in_for_keys_and_still_opens_when_there_are_some(use, settings):
    use(transform=None)
    blob = seal(ROWS)
    use(NEW)
    assert np.allclose(unseal(blob), ROWS, atol=1e-6)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another"
    assert np.allclose(unseal(blob), ROWS, atol=1e-6)
    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(crypto.DecryptionError):
        unseal(blob)


def test_no_byte_can_be_changed():
    blob = seal(ROWS[:1])
    for place in range(len(blob)):
        changed = bytearray(blob)
        changed[place] ^= 1
        with pytest.raises(crypto.DecryptionError):
            unseal(bytes(changed))


def test_no_byte_can_be_left_out():
    blob = seal(ROWS[:1])
    for length in range(len(blob)):
        with pytest.raises(crypto.DecryptionError):
            unseal(blob[:length])


def test_no_nonce_is_used_twice():
    blobs = [seal(ROWS[:1]) for _ in range(1000)]
    assert len({blob[HEAD:][:NONCE] for blob in blobs}) == len(blobs)


def test_nothing_shows_through():
    blob = seal(ROWS)
    assert len(blob) == HEAD + NONCE + ROWS.nbytes + 16
    for secret in (ROWS, decrypted(blob)):
        assert not any(secret[0, place].tobytes() in blob for place in range(128))
    ones = np.frombuffer(blob[HEAD:], np.uint8)
    assert abs(np.unpackbits(ones).mean() - 0.5) < 0.05


def test_data_key_alone_tells_nothing_of_encodings_from_elsewhere():
    turned = decrypted(seal(ROWS))
    strangers = np.random.default_rng(1).normal(0, 0.1, ROWS.shape)
    near = np.linalg.norm(turned - ROWS, axis=1)
    assert near.min() > 0.7 * np.linalg.norm(strangers - ROWS, axis=1).mean()
    assert np.allclose(apart(turned), apart(ROWS), atol=1e-5)


def test_new_data_key_leaves_the_transform_alone(use):
    before = decrypted(seal(ROWS))
    use(NEW, OLD)
    after = decrypted(seal(ROWS), NEW)
    assert np.array_equal(before, after)
    use(OLD, transform=NEW)
    assert not np.allclose(before, decrypted(seal(ROWS)), atol=0.01)


def test_transform_turns_and_keeps_lengths():
    matrix = crypto.secret_matrix(b"k" * 32, 128)
    assert np.allclose(matrix @ matrix.T, np.eye(128), atol=1e-12)
    assert not np.allclose(matrix, crypto.secret_matrix(b"l" * 32, 128), atol=0.01)


def test_transform_is_the_same_for_ever():
    first = crypto.secret_matrix(b"k" * 32, 128)[0, :3]
    assert first == pytest.approx([-0.014011849144, 0.068037904199, -0.063686907987], abs=1e-9)


@pytest.mark.parametrize(
    "key",
    ["", "short", OLD[:-4], OLD + "AAAA", "ä" * 44, OLD.replace(OLD[5], "!")],
    ids=["empty", "short", "cut", "long", "umlauts", "punctuation"],
)
def test_malformed_key_is_said_and_not_repeated(use, key):
    for keys in ([key], [OLD, key]):
        use(*keys)
        with pytest.raises(ImproperlyConfigured) as caught:
            seal(ROWS)
        assert not key or key not in str(caught.value)


def test_settings_do_not_show_keys():
    assert OLD not in repr(conf.get())
    assert TRANSFORM not in repr(conf.get())


@pytest.mark.parametrize(("known", "within"), [(16, 0.5), (80, 0.02)])
def test_matrix_is_obfuscation(known, within):
    """So many known templates give the vectors of everybody: docs/scaling.md says how many."""
    people = cohort()
    matrix = crypto.secret_matrix(crypto.search_key(), people.shape[1])
    stored = (people @ matrix).astype(np.float32)
    u, _, v = np.linalg.svd(people[:known].T @ stored[:known])
    distances = np.linalg.norm(stored[known:] @ (u @ v).T - people[known:], axis=1)
    assert distances.max() < within
