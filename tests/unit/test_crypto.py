from __future__ import annotations

import base64

import numpy as np
import pytest
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.core.exceptions import ImproperlyConfigured

from faceauth import conf
from faceauth.encryption import crypto

ROWS = np.random.default_rng(0).normal(0, 0.1, (5, 128)).astype(np.float32)
OLD, NEW, TRANSFORM = (Fernet.generate_key().decode() for _ in range(3))
DLIB = "dlib"
# Of the encoding cos(0..127) / 8, sealed for b"ada" before blobs said which encoder made them.
OLD_KEYS = (
    "ZGF0YSBrZXkgb2YgMzIgYnl0ZXMsIG9mIG9sZCEhISE=",
    "dHJhbnNmb3JtIGtleSBvZiAzMiBieXRlcywgb2xkISE=",
)
OLD_BLOB = base64.b64decode(
    "An19J/pRVTz+cW67kZ0NOib0I5dq56rJqgUIosND/3HJzqq53Ce8N1dxKSNjYjZw16jlX75/jCUipIxg+UToVa9w"
    "nIPJ4w66/f3YpmAFjchLbzTH3vxy74I9L2Bx0qxszNXM/DLnUBuDBvQE1HNj1//MSdWaWbRdoBtYtvhlQpquf+7E"
    "7gHnXOvzDdcwZwmNNa3I88nwlFsZcDS0s22iqFddQ7v+ehIZWLb0PrCuLXeDQL7MapK5Wy4S+H+Cgb4zJvlQaGnk"
    "mGKqTEEQCzOwA+t2Z0y01Xcme7pfIxIZ85vYBc3XdMZZvw1FFi8Kfh5Imn7hnjgJY7lNw48Bz775dXwNkQFKlog0"
    "Yq7ceEaif8YCiH6iv+eidOBclXF0JB94LuS1riGAtSCdT2NP4qNTCVTYrhMb6D/sl5TBnyISMy3ngNhFzfidHP/N"
    "hVru1Nx0h9HawobeKvo7UHyJjPrH6qpMPyaWP6U1yJlElJZbqGjrspwNO1zjD2Fg4JW/kDF/Sz9eyryzwPNV79Hu"
    "Ki4q2FbAwifSiWBMHEc/IZo5PElmTzhFIyZnzwuV7W558lTHQAIMFJHhsPTkXgd1oHYdMj56rd8QHxA12BVdV50P"
    "Ml4Etm0gVUt/DNMlz9lQf350DO7L3dvancqDJAuh9tU898fqCQnd1XAw7yQLWrlwQKnK+mtrRelYFvCjyb/DVFrr"
    "98edXFUI+2Z48NreYnTLEdy14Ovg"
)
# Version and ids; the name after its length, and the size.
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
    """What a thief who has a data key, and no transform, makes of it."""
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


def test_blob_from_before_there_were_other_encoders_is_dlibs(use):
    key, transform = OLD_KEYS
    use(key, transform=transform)
    assert unseal(OLD_BLOB) == pytest.approx(np.cos(np.arange(128))[None] / 8, abs=1e-6)
    assert not OLD_BLOB.startswith(crypto.current_header())


def test_no_byte_of_it_can_be_changed(use):
    key, transform = OLD_KEYS
    use(key, transform=transform)
    for place in range(len(OLD_BLOB)):
        changed = bytearray(OLD_BLOB)
        changed[place] ^= 1
        with pytest.raises(crypto.DecryptionError):
            unseal(bytes(changed))


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
