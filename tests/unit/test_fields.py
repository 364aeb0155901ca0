from __future__ import annotations

import numpy as np
import pytest
from django.core import serializers
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import transaction
from django.test import override_settings

from accounts.models import User
from faceauth import enrolment
from faceauth.encryption import crypto
from faceauth.encryption.fields import Sealed, UnreadableEncodings
from tests.support.encoders import network

ROWS = np.random.default_rng(0).normal(0, 0.1, (3, 128)).astype(np.float32)
FIELD = User._meta.get_field("face_encodings")


def stored(user):
    return User.objects.values_list("face_encodings", flat=True).get(pk=user.pk)


def read(user):
    return User.objects.get(pk=user.pk).face_encodings


def same(one, other):
    return isinstance(one, np.ndarray) and np.allclose(one, other, atol=1e-6)


@pytest.fixture
def other(tmp_path):
    """Make the site use another encoder for a while: `with other(size=512):`."""

    def use(name="other", size=64):
        path = network(tmp_path / f"{size}.onnx", size=size)
        return override_settings(FACEAUTH={"ENCODER": {"path": path, "name": name}})

    return use


@pytest.fixture
def ada(db):
    user = User.objects.create_user("ada", "ada@example.com")
    user.face_encodings = ROWS
    user.save()
    return user


@pytest.fixture
def eve(db):
    return User.objects.create_user("eve", "eve@example.com")


@pytest.mark.parametrize("given", [ROWS, ROWS.astype(np.float64), ROWS.tolist()])
def test_encodings_as_face_recognition_gives_them_come_back_as_they_went(eve, given):
    eve.face_encodings = given
    eve.save()
    assert same(read(eve), ROWS)
    assert read(eve).dtype == np.float32


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
        FIELD.seal(1, value)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "its format is unknown"),
        (b"\x01" + ROWS.tobytes(), "its format is unknown"),
        (b"\x02" + ROWS.tobytes(), "its format is unknown"),
        (ROWS.tobytes(), "its format is unknown"),
        (b"\x03", "no key of this site has sealed it"),
        (b"\x03" + ROWS.tobytes(), "no key of this site has sealed it"),
    ],
)
def test_bytes_that_are_no_template_are_unreadable_and_kept(ada, data, reason, caplog):
    User.objects.update(face_encodings=Sealed(data))
    ada.refresh_from_db()
    assert isinstance(ada.face_encodings, UnreadableEncodings)
    assert not ada.has_face
    assert caplog.messages == [f"A stored face template is unreadable and was left out: {reason}."]
    ada.save()
    assert stored(ada) == data


@pytest.mark.parametrize(
    "rows", [np.full((1, 128), np.nan), np.zeros((2, 128)), np.zeros((0, 128))]
)
def test_encrypted_rows_that_are_no_encodings_are_unreadable(ada, rows, caplog):
    binding = f"accounts.user:face:{ada.pk}".encode()
    blob = crypto.seal(rows.astype(np.float32), binding, "dlib")
    User.objects.update(face_encodings=Sealed(blob))
    assert isinstance(read(ada), UnreadableEncodings)
    assert "it holds no valid encodings" in caplog.text


def test_face_of_another_encoder_is_kept_and_is_no_face(ada, other):
    assert ada.has_face
    assert not ada.face_is_outdated
    with other():
        user = User.objects.get()
        assert user.face_is_outdated
        assert not user.has_face
        assert user.face_shots == 0
        assert user.face_encodings.encoder == "dlib"
        assert same(user.face_encodings.values, ROWS)
        user.save()
    assert same(read(ada), ROWS)


def test_encoders_with_as_many_numbers_are_told_apart_by_their_names(ada, other):
    with other(size=128):
        assert User.objects.get().face_is_outdated
        User.objects.filter(pk=ada.pk).update(face_encodings=FIELD.seal(ada.pk, ROWS))
        assert same(read(ada), ROWS)
        with other("third", size=128):
            assert User.objects.get().face_encodings.encoder == "other"
    assert User.objects.get().face_encodings.encoder == "other"


def test_encoder_that_gives_another_number_of_numbers_is_another(eve, other):
    with other(size=64):
        eve.face_encodings = ROWS[:, :64]
        eve.save()
    with other(size=32):
        assert User.objects.get().face_is_outdated


@pytest.mark.parametrize("size", [2, 64, 512])
def test_each_encoder_has_its_number_of_numbers(eve, other, size):
    with other(size=size):
        eve.face_encodings = np.ones((2, size))
        eve.save()
        assert same(read(eve), np.ones((2, size)))
        with pytest.raises(ValidationError, match=f"rows of {size} numbers"):
            FIELD.seal(eve.pk, np.ones((2, size + 1)))


def test_faces_are_counted_by_encoder(ada, eve, other):
    with other():
        eve.face_encodings = ROWS[:, :64]
        eve.save()
    for encoder, users in (("dlib", [ada]), ("other", [eve]), ("othe", []), ("others", [])):
        assert [*User.objects.filter(face_encodings__made_by=encoder)] == users


def test_face_moved_to_another_row_is_nobodys(ada, eve, caplog):
    User.objects.filter(pk=eve.pk).update(face_encodings=stored(ada))
    assert isinstance(read(eve), UnreadableEncodings)
    assert "unreadable" in caplog.text
    assert same(read(ada), ROWS)


def test_columns_of_one_row_may_be_copied_by_the_database(ada):
    User.objects.update(face_enrolled_encodings=stored(ada))
    assert same(User.objects.get().face_enrolled_encodings, ROWS)


def test_row_is_opened_where_it_is_looked_at_and_once(ada, monkeypatch):
    opened = []
    monkeypatch.setattr(FIELD, "open", lambda *given: opened.append(given) or ROWS)
    user = User.objects.get()
    assert not opened
    assert user.has_face
    assert user.face_shots == 3
    assert len(opened) == 1
    assert User.objects.only("username").get().face_shots == 3


def test_without_its_row_it_is_neither_stored_nor_read(ada):
    with pytest.raises(TypeError, match="seal"), transaction.atomic():
        User.objects.update(face_encodings=ROWS)
    assert isinstance(stored(ada), Sealed)
    User.objects.update(face_encodings=FIELD.seal(str(ada.pk), ROWS[:1]))
    assert same(read(ada), ROWS[:1])
    assert same(FIELD.open(ada.pk, stored(ada)), ROWS[:1])


def test_user_who_is_not_saved_yet_is_saved_by_enrolment_only(db, settings):
    settings.FACEAUTH = {"LOOK_ALIKES": "allow"}
    new = {"username": "new", "email": "new@example.com"}
    with pytest.raises(ValueError, match="save the row first"), transaction.atomic():
        User.objects.create(**new, face_encodings=ROWS)
    with pytest.raises(ValueError, match="save the row first"), transaction.atomic():
        User.objects.bulk_create([User(**new, face_encodings=ROWS)])
    user = User(**new)
    enrolment.enrol(user, ROWS[:1])
    assert same(read(user), ROWS[:1])


def test_fixture_brings_faces_back_and_does_not_show_them(ada, eve, tmp_path):
    fixture = tmp_path / "people.json"
    call_command("dumpdata", "accounts.user", output=fixture, verbosity=0)
    User.objects.filter(pk=eve.pk).delete()
    User.objects.update(face_encodings=None)
    call_command("loaddata", fixture, verbosity=0)
    assert same(read(ada), ROWS)
    assert read(eve) is None
    (loaded,) = serializers.deserialize("json", serializers.serialize("json", [ada]))
    loaded.save()
    assert same(loaded.object.face_encodings, ROWS)
