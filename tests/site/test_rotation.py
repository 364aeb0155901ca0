"""`manage.py face_rotate_keys`."""

from __future__ import annotations

import numpy as np
import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command

from accounts.models import User
from faceauth import db, enrolment
from faceauth.encryption import crypto
from faceauth.encryption.fields import EncodingsField, Sealed
from faceauth.enrolment import adaptation
from faceauth.management.commands.face_rotate_keys import UNREADABLE
from tests.site.conftest import username_of
from tests.support.people import encodings

pytestmark = pytest.mark.postgres

OLD, NEW, TRANSFORM = (Fernet.generate_key().decode() for _ in range(3))


@pytest.fixture(autouse=True)
def use(settings):
    """Set the keys: `use(NEW, OLD)`."""

    def keys(*data, **others):
        given = {"ENCRYPTION_KEYS": [*data], "ENCRYPTION_TRANSFORM_KEY": TRANSFORM}
        settings.FACEAUTH = {**settings.FACEAUTH, **given, "ADAPT": True, **others}

    keys(OLD)
    return keys


@pytest.fixture
def people(db):
    return [make(number) for number in range(5)]


def make(number):
    user = User.objects.create_user(f"user{number}", f"{number}@example.com")
    enrolment.enrol(user, shots(number))
    return user


def shots(seed):
    random = np.random.default_rng(seed)
    return (random.normal(0, 0.1, 128) + random.normal(0, 0.01, (3, 128))).astype(np.float32)


def rotate(capsys):
    call_command("face_rotate_keys")
    return capsys.readouterr().out


def current():
    return User.objects.filter(face_encodings__begins_with=crypto.current_header()).count()


def readable():
    return [
        user.has_face and np.allclose(user.face_encodings, shots(number), atol=1e-5)
        for number, user in enumerate(User.objects.order_by("pk"))
    ]


def test_all_faces_are_readable_without_the_old_key(people, use, capsys):
    changed = [*User.objects.order_by("pk").values_list("face_changed_at", flat=True)]
    use(NEW, OLD)
    assert "rotated: 5, already current: 0, unreadable: 0" in rotate(capsys)
    assert "rotated: 0, already current: 5, unreadable: 0" in rotate(capsys)
    use(NEW)
    assert all(readable())
    assert [*User.objects.order_by("pk").values_list("face_changed_at", flat=True)] == changed


def test_login_by_face_works_before_and_after(client, ask, enrolled, upload, use, capsys):
    enrolled("obama", "obama", "obama3")
    for keys in ((NEW, OLD), (NEW,)):
        use(*keys)
        assert ask("/face/login/", snapshot=upload("obama2"))[0] == 200
        assert username_of(client) == "obama"
        client.logout()
        if OLD in keys:
            rotate(capsys)


def test_what_was_enrolled_before_adaptation_is_rotated_too(enrolled, use, capsys):
    user = enrolled("obama", "obama", "obama3", "obama up", "obama left")
    before = user.face_encodings
    first, second = encodings("obama", "obama3")
    assert adaptation.adapt(user, (0.6 * first + 0.4 * second).astype(np.float32))
    use(NEW, OLD)
    rotate(capsys)
    use(NEW)
    assert adaptation.revert(user)
    assert np.allclose(User.objects.get().face_encodings, before, atol=1e-5)


def test_keys_of_their_own_take_over_from_the_secret_key(use, settings, capsys, db):
    use(ENCRYPTION_TRANSFORM_KEY=None)
    for number in range(3):
        make(number)
    use(NEW)
    assert "rotated: 3" in rotate(capsys)
    settings.SECRET_KEY = "another"
    assert all(readable())


def test_interrupted_run_is_taken_up_by_the_next(people, use, capsys, monkeypatch):
    monkeypatch.setattr(db, "BATCH", 2)
    use(NEW, OLD)
    seal, sealed = EncodingsField.seal, []

    def killed(*arguments):
        if len(sealed) == 3:
            raise KeyboardInterrupt
        sealed.append(arguments)
        return seal(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(EncodingsField, "seal", killed)
        with pytest.raises(KeyboardInterrupt):
            rotate(capsys)
    assert current() == 2
    assert all(readable())
    assert "rotated: 3, already current: 2" in rotate(capsys)
    use(NEW)
    assert all(readable())


def test_unreadable_faces_are_counted_and_kept(people, use, capsys):
    lost = people[2]
    User.objects.filter(pk=lost.pk).update(face_encodings=Sealed(b"\x03lost"))
    use(NEW, OLD)
    with pytest.raises(SystemExit) as caught:
        call_command("face_rotate_keys")
    assert caught.value.code == UNREADABLE
    assert "rotated: 4, already current: 0, unreadable: 1" in capsys.readouterr().out
    held = User.objects.values_list("face_encodings", flat=True).get(pk=lost.pk)
    assert held == b"\x03lost"


@pytest.mark.parametrize(
    "change",
    [lambda user: enrolment.enrol(user, shots(9)), enrolment.revoke, User.delete],
    ids=["enrolled again", "removed", "deleted"],
)
def test_face_that_changes_meanwhile_stays_as_it_became(people, use, capsys, monkeypatch, change):
    use(NEW, OLD)
    open_, seen = EncodingsField.open, []

    def changed_after(field, key, blob):
        encodings = open_(field, key, blob)
        if key == people[2].pk and not seen:
            seen.append(key)
            change(User.objects.get(pk=key))
        return encodings

    with monkeypatch.context() as patch:
        patch.setattr(EncodingsField, "open", changed_after)
        rotate(capsys)
    assert seen
    use(NEW)
    user = User.objects.filter(pk=people[2].pk).first()
    if user and user.has_face:
        assert np.allclose(user.face_encodings, shots(9), atol=1e-5)
    else:
        assert change != User.delete or user is None


def test_empty_site_has_nothing_to_do(db, capsys):
    assert "rotated: 0, already current: 0, unreadable: 0" in rotate(capsys)
