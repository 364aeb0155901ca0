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
from faceauth.encryption.fields import PLAIN, Sealed, UnreadableEncodings
from tests.support.encoders import network, sealed_before

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
    """Have the site use another encoder for a while: `with other(size=512):`."""

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
    "data",
    [
        b"",
        PLAIN,
        b"\x02",
        b"\x02" + ROWS.tobytes(),
        b"\x03" + ROWS.tobytes(),
        PLAIN + ROWS.tobytes()[:-1],
        PLAIN + np.full(128, np.nan, "<f4").tobytes(),
        PLAIN + bytes(512),
    ],
)
def test_what_is_no_encodings_is_left_out_at_read_and_kept(ada, data, caplog):
    User.objects.update(face_encodings=Sealed(data))
    ada.refresh_from_db()
    assert isinstance(ada.face_encodings, UnreadableEncodings)
    assert not ada.has_face
    assert caplog.messages == ["A stored face template is unreadable and was left out."]
    ada.save()
    assert stored(ada) == data


def test_what_was_stored_before_there_was_encryption_is_read_and_encrypted_when_saved(ada):
    User.objects.update(face_encodings=Sealed(PLAIN + ROWS.tobytes()))
    assert np.array_equal(read(ada), ROWS)
    User.objects.get().save()
    assert not stored(ada).startswith(PLAIN)
    assert same(read(ada), ROWS)


def test_what_was_stored_before_it_said_who_made_it_is_dlibs(ada, other):
    blob = sealed_before(ROWS, f"accounts.user:face:{ada.pk}".encode())
    User.objects.update(face_encodings=Sealed(blob))
    assert same(read(ada), ROWS)
    with other():
        assert User.objects.get().face_is_outdated
    User.objects.get().save()
    assert stored(ada).startswith(crypto.current_header())
    assert same(read(ada), ROWS)


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


@pytest.mark.parametrize("old", [PLAIN + ROWS.tobytes(), b"before", b"now"])
def test_faces_are_counted_by_encoder(ada, eve, other, old):
    if old == b"before":
        old = sealed_before(ROWS, f"accounts.user:face:{ada.pk}".encode())
    if old != b"now":
        User.objects.filter(pk=ada.pk).update(face_encodings=Sealed(old))
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
