"""What else is done with faces: look-alikes, adaptation, keys, folders, retention, checks."""

from __future__ import annotations

import json
from datetime import timedelta

import numpy as np
import pytest
from cryptography.fernet import Fernet
from django.core import checks as system
from django.core.management import call_command
from django.db.models import F, Q
from django.utils import timezone

from faceauth import checks, enrolment, faces
from faceauth.bulk.reference_people import enrolled
from faceauth.encryption import crypto
from faceauth.enrolment import adaptation, lookalikes
from faceauth.errors import LookAlike
from faceauth.models import FaceEvent, FaceTemplateMixin
from tests.support.accounts import PASSWORD, account, address, face, templates, username, users
from tests.support.admin import made_up, member
from tests.support.people import encodings, picture

pytestmark = pytest.mark.postgres


def test_face_like_another_is_flagged_or_refused(ada, settings):
    enrolment.enrol(ada, made_up(1))
    eve = account("eve")
    settings.FACEAUTH = {**settings.FACEAUTH, "LOOK_ALIKES": "refuse"}
    with pytest.raises(LookAlike):
        enrolment.enrol(eve, made_up(2, like=made_up(1)))
    settings.FACEAUTH = {**settings.FACEAUTH, "LOOK_ALIKES": "flag"}
    enrolment.enrol(eve, made_up(2, like=made_up(1)))
    assert face(eve).face_flagged_at and not face(ada).face_flagged_at
    (pair,) = lookalikes.find(10).pairs
    assert {pair.one, pair.other} == {ada, eve}


def test_look_alikes_are_found_in_few_queries(db, django_assert_num_queries):
    for seed in range(10):
        member(f"user{seed}", seed)
    with django_assert_num_queries(2):
        assert lookalikes.find(10).compared == 10
    with django_assert_num_queries(1):
        assert len(enrolled().names) == 10


def test_face_is_adapted_and_taken_back(client, db, settings, send):
    settings.FACEAUTH = {**settings.FACEAUTH, "ADAPT": True}
    user = account("obama")
    enrolment.enrol(user, encodings("obama", "obama3", "obama up", "obama left"))
    before = face(user).face_encodings
    assert send("/face/login/", "obama2", username=username("obama"), password=PASSWORD)[0] == 200
    after = face(user)
    assert np.allclose(after.face_encodings[-1], encodings("obama2")[0], atol=1e-4)
    assert np.allclose(after.face_enrolled_encodings, before, atol=1e-5)
    assert adaptation.revert(user)
    assert np.allclose(faces.of(user).face_encodings, before, atol=1e-5)
    assert face(user).face_adapted_at is None
    client.logout()
    assert send("/face/login/", "obama2")[0] == 200


def test_keys_are_rotated(ada, settings, capsys):
    new, transform = (Fernet.generate_key().decode() for _ in range(2))
    enrolment.enrol(ada, made_up(1))
    keys = {"ENCRYPTION_KEYS": [new], "ENCRYPTION_TRANSFORM_KEY": transform}
    settings.FACEAUTH = {**settings.FACEAUTH, **keys}
    assert not templates().filter(face_encodings__begins_with=crypto.current_header()).exists()
    call_command("face_rotate_keys")
    assert "rotated: 1, already current: 0, unreadable: 0." in capsys.readouterr().out
    assert templates().filter(face_encodings__begins_with=crypto.current_header()).exists()
    assert np.allclose(face(ada).face_encodings, made_up(1), atol=1e-5)


def test_faces_from_a_folder_and_their_accounts(tmp_path, ada, send, capsys):
    photos = {"ada": ["obama", "obama3"], "joe": ["biden"]}
    for name, pictures in photos.items():
        folder = tmp_path / username(name)
        folder.mkdir()
        for photo in pictures:
            (folder / f"{photo}.jpg").write_bytes(picture(photo))

    def enrol(**options):
        options |= {"consent": "1", "create": True, "domain": "example.com"}
        call_command("face_enrol", tmp_path, processes=1, **options)
        return capsys.readouterr().out

    enrol(dry_run=True)
    assert not templates().exists()
    assert "Enrolled: 2, face replaced: 0, already enrolled: 0" in enrol()
    assert face(ada).face_shots == 2
    assert not users().get(email=address("joe")).has_usable_password()
    assert send("/face/login/", "biden", username=username("joe"))[0] == 200
    assert "Enrolled: 0, face replaced: 0, already enrolled: 2" in enrol()
    assert "Enrolled: 0, face replaced: 0, already enrolled: 2" in enrol(replace=True)


def test_face_that_is_not_used_is_purged(ada, capsys, django_assert_max_num_queries):
    enrolment.enrol(ada, made_up(1))
    templates().update(face_enrolled_at=timezone.now() - timedelta(days=800))
    eve = member("eve", 2)
    FaceEvent.objects.create(kind="refused", user=ada, distance=0.5)
    (warning,) = checks.check_purge(None, databases=["default"])
    assert "faces: 1" in warning.msg
    call_command("face_purge")
    assert "Faces not used for 730 days removed: 1." in capsys.readouterr().out
    assert not face(ada).has_face
    assert face(eve).has_face
    assert not FaceEvent.objects.filter(distance__isnull=False).exists()
    # What an attempt has left that was under way.
    FaceEvent.objects.create(kind="refused", user=ada, distance=0.5)
    call_command("face_purge")
    assert "scores of removed faces were erased: 1." in capsys.readouterr().out


def test_export_by_command(ada, capsys):
    call_command("face_export", username("ada"))
    assert json.loads(capsys.readouterr().out)["face"] is None
    enrolment.enrol(ada, made_up(1))
    call_command("face_export", username("ada"))
    assert len(json.loads(capsys.readouterr().out)["face"]["encodings"]) == 5


def test_users_are_selected_by_what_their_faces_have(ada):
    enrolment.enrol(member("eve"), made_up(1))
    has = Q(face_enrolled_at__isnull=False)
    conditions = {
        "eve": [has, ~Q(face_enrolled_at=None), has & Q(email__contains="@"), has | Q(pk__in=[])],
        "ada": [~has, Q(face_enrolled_at=None), Q(face_quality=None) & ~has],
    }
    for name, each in conditions.items():
        for which in each:
            assert [*users().filter(faces.user_condition(which))] == [
                users().get(email=address(name))
            ]
    ordered = users().order_by(F(faces.user_lookup("face_enrolled_at")).desc(nulls_last=True))
    assert [user.email for user in ordered] == [address("eve"), address("ada")]


def test_who_is_nobody_has_no_face(db, rf):
    for nobody in (None, object()):
        assert isinstance(faces.of(nobody), FaceTemplateMixin)
        assert not faces.of(nobody).has_face


def test_project_has_nothing_to_migrate_and_no_errors(db):
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
    found = system.run_checks(databases=["default"])
    assert not [each for each in found if each.level >= system.ERROR]
