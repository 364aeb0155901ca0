"""Records are encrypted, and open only where they belong."""

from __future__ import annotations

import pytest
from cryptography.fernet import Fernet

from faceauth.encryption import records
from faceauth.encryption.crypto import DecryptionError


def test_a_record_opens_for_its_row_alone():
    blob = records.seal(b"the path of a head", b"row 1")
    assert b"path" not in blob
    assert records.unseal(blob, b"row 1") == b"the path of a head"
    with pytest.raises(DecryptionError):
        records.unseal(blob, b"row 2")


@pytest.mark.parametrize("cut", [0, 3, 10, 20])
def test_a_damaged_record_does_not_open(cut: int):
    with pytest.raises(DecryptionError):
        records.unseal(records.seal(b"the path of a head", b"row 1")[:cut], b"row 1")


def test_a_record_of_a_key_that_is_gone_does_not_open(settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "ENCRYPTION_KEYS": [Fernet.generate_key().decode()]}
    blob = records.seal(b"the path of a head", b"row 1")
    assert records.unseal(blob, b"row 1")
    settings.FACEAUTH = {**settings.FACEAUTH, "ENCRYPTION_KEYS": []}
    with pytest.raises(DecryptionError):
        records.unseal(blob, b"row 1")
