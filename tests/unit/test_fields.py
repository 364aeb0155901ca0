from __future__ import annotations

import numpy as np
import pytest
from django.core.exceptions import ValidationError

from faceauth.fields import EncodingsField, UnreadableEncodings, pack, unpack

ROWS = np.random.default_rng(0).normal(size=(3, 128)).astype(np.float32)


def test_encodings_come_back_as_they_went():
    back = unpack(pack(ROWS))
    assert isinstance(back, np.ndarray)
    assert back.dtype == np.float32
    assert np.array_equal(back, ROWS)


def test_lists_and_doubles_as_face_recognition_gives_them_are_taken():
    assert np.array_equal(unpack(pack([list(map(float, row)) for row in ROWS])), ROWS)
    assert np.array_equal(unpack(pack(ROWS.astype(np.float64))), ROWS)


@pytest.mark.parametrize(
    "value",
    [
        np.zeros((0, 128)),
        np.zeros((2, 128)),
        np.ones((2, 127)),
        np.ones(128),
        np.full((1, 128), np.nan),
        np.full((1, 128), np.inf),
        "not numbers",
        [["a"] * 128],
        object(),
    ],
)
def test_what_is_no_encodings_is_refused_at_write(value):
    with pytest.raises(ValidationError):
        pack(value)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x01",
        b"\x02" + ROWS.tobytes(),
        b"\x01" + ROWS.tobytes()[:-1],
        b"\x01" + np.full(128, np.nan, "<f4").tobytes(),
        b"\x01" + bytes(512),
    ],
)
def test_what_is_no_encodings_is_left_out_at_read_and_kept(data, caplog):
    back = unpack(data)
    assert isinstance(back, UnreadableEncodings)
    assert back == data
    assert "unreadable" in caplog.text
    assert EncodingsField().get_prep_value(back) == data
