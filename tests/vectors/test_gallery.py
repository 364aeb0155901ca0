"""PostgreSQL finds the same faces as the search in memory."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
import time_machine
from cryptography.fernet import Fernet
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import User
from faceauth import enrolment
from faceauth.encryption import crypto
from faceauth.gallery import gallery
from faceauth.gallery.memory import OVERLAP, Gallery
from faceauth.pgvector import index
from faceauth.pgvector.gallery import VectorGallery, space, stale_rows
from faceauth.pgvector.models import FaceVector
from faceauth.recognition.matching import cohort
from tests.support.encoders import calibration, network
from tests.support.people import encodings, enrol_silently

NEW_KEY = Fernet.generate_key().decode()


def shots(face: Any, count: int = 3, apart: float = 0.02) -> Any:
    """Return encodings of a person who looks about like this one."""
    random = np.random.default_rng(round(1e6 * abs(float(face[0]))))
    return (face + random.normal(0, apart, (count, len(face)))).astype(np.float32)


@pytest.fixture
def people(db):
    """Return vectors that lie as close together as faces, closer than random numbers."""
    users = [User(username=f"user{row}", email=f"user{row}@example.com") for row in range(120)]
    for user, face in zip(users, cohort(), strict=False):
        user.save()
        enrol_silently(user, shots(face))
    return users


@pytest.fixture
def probes():
    """Return probes of enrolled people, of strangers, and of photographs."""
    members = [shots(face, 1, 0.03) for face in cohort()[:60]]
    strangers = [shots(face, 2, 0.03) for face in cohort()[400:440]]
    return [*members, *strangers, encodings("obama"), encodings("biden")]


def test_finds_whom_the_search_in_memory_finds(people, probes):
    assert isinstance(gallery(), VectorGallery)
    for probe in probes:
        ours, theirs = gallery().nearest(probe, 5), Gallery().nearest(probe, 5)
        assert [match.key for match in ours] == [match.key for match in theirs]
        assert [match.shots for match in ours] == [match.shots for match in theirs]
        distances = [match.distance for match in theirs]
        assert [match.distance for match in ours] == pytest.approx(distances, abs=1e-5)
    assert len(gallery()) == len(people)


def test_empty_gallery(db):
    assert gallery().nearest(encodings("obama")) == []
    assert len(gallery()) == 0


def test_face_goes_from_the_search_as_it_goes(obama):
    probe = encodings("obama2")
    assert gallery().nearest(probe)[0].key == obama.pk
    assert FaceVector.objects.count() == 1
    enrolment.remove(obama)
    assert FaceVector.objects.count() == 0
    assert gallery().nearest(probe) == []


def test_face_that_is_replaced_goes_from_the_search_at_once(obama):
    before = FaceVector.objects.get().vector
    enrolment.enrol(obama, encodings("biden"))
    assert np.linalg.norm(np.subtract(FaceVector.objects.get().vector, before)) > 0.3
    (match,) = gallery().nearest(encodings("biden"))
    assert (match.key, match.distance < 0.1) == (obama.pk, True)


def test_user_who_is_deleted_is_searched_no_more(obama):
    gallery().nearest(encodings("obama2"))
    obama.delete()
    assert FaceVector.objects.count() == 0
    assert gallery().nearest(encodings("obama2")) == []


def test_removal_that_is_taken_back_changes_nothing(obama):
    before = gallery().nearest(encodings("obama2"))
    with transaction.atomic():
        enrolment.remove(obama)
        transaction.set_rollback(True)
    assert gallery().nearest(encodings("obama2")) == before


def test_change_that_came_another_way_is_seen(enrolled, obama):
    gallery().nearest(encodings("obama2"))
    joe = enrolled("joe", "biden")
    gallery().nearest(encodings("obama2"))
    # Without the signal, as a fixture or SQL would do it.
    now = timezone.now() - OVERLAP / 2
    User.objects.filter(pk=joe.pk).update(face_encodings=None, face_changed_at=now)
    assert [match.key for match in gallery().nearest(encodings("biden"))] == [obama.pk]
    assert FaceVector.objects.get().pk == obama.pk


def test_search_that_knows_all_reads_no_templates(people, monkeypatch, django_assert_num_queries):
    User.objects.update(face_changed_at=timezone.now() - 10 * OVERLAP)
    gallery().nearest(shots(cohort()[0]))
    monkeypatch.setattr("faceauth.encryption.fields.EncodingsField.open", pytest.fail)
    # The changes, a savepoint and its end, the effort of the search, the nearest.
    with django_assert_num_queries(5):
        assert gallery().nearest(shots(cohort()[1]))[0].key == people[1].pk


def test_forgotten_people_are_not_found(people):
    with time_machine.travel(timezone.now() + 2 * OVERLAP):
        assert gallery().nearest(shots(cohort()[2]))[0].key == people[2].pk
        gallery().forget([people[2].pk])
        assert gallery().nearest(shots(cohort()[2]))[0].key != people[2].pk


def test_vectors_are_comparable_with_nothing_from_elsewhere(obama):
    gallery().nearest(encodings("obama2"))
    vector = np.array(FaceVector.objects.get().vector)
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)
    template = np.asarray(User.objects.get().face_encodings).mean(axis=0)
    template /= np.linalg.norm(template)
    assert np.linalg.norm(vector - template) > 1
    # Nor with the matrix of the encrypted templates.
    turning_key = next(iter(crypto._keyring().transform_keys.values()))
    assert np.linalg.norm(vector - template @ crypto.secret_matrix(turning_key, 128)) > 1


def test_another_transform_key_makes_all_vectors_anew(people, settings):
    probe = shots(cohort()[3])
    before, old = gallery().nearest(probe), space()
    vectors = dict(FaceVector.objects.values_list("pk", "vector"))
    settings.FACEAUTH = {**settings.FACEAUTH, "ENCRYPTION_TRANSFORM_KEY": NEW_KEY}
    assert space() != old
    gallery.cache_clear()  # another process
    after = gallery().nearest(probe)
    assert [match.key for match in after] == [match.key for match in before]
    assert after[0].distance == pytest.approx(before[0].distance, abs=1e-5)
    assert all(
        np.linalg.norm(np.subtract(vectors[pk], vector)) > 0.5
        for pk, vector in FaceVector.objects.values_list("pk", "vector")
    )


def test_faces_of_another_encoder_are_found_no_more(enrolled, settings, tmp_path):
    ada = enrolled("ada", "obama")
    gallery().nearest(encodings("obama2"))
    ours = {"path": str(network(tmp_path / "squares.onnx")), "name": "squares"}
    folder = calibration(tmp_path / "calibration", "squares", size=64, limit=0.5)
    settings.FACEAUTH = {**settings.FACEAUTH, "ENCODER": ours, "CALIBRATION": str(folder)}
    gallery.cache_clear()  # another process
    probe = shots(np.linspace(-1, 1, 64))
    assert gallery().nearest(probe) == []
    assert FaceVector.objects.count() == 0
    # The column takes vectors of any size.
    enrolment.enrol(ada, probe)
    assert [match.key for match in gallery().nearest(probe)] == [ada.pk]


def test_index_finds_the_same_people(unindexed, probes, settings, capsys):
    settings.FACEAUTH = {**settings.FACEAUTH, "LOOK_ALIKES": "allow"}
    users = User.objects.bulk_create(
        User(username=f"user{row}", email=f"user{row}@example.com") for row in range(512)
    )
    for user, face in zip(users, cohort(), strict=True):
        enrol_silently(user, shots(face))
    before = [gallery().nearest(probe) for probe in probes]
    FaceVector.objects.all().delete()
    call_command("face_index")
    assert "People: 512. Index created." in capsys.readouterr().out
    assert index.exists()
    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")
        cursor.execute("SET enable_sort = off")
        after = [gallery().nearest(probe) for probe in probes]
        assert uses_index(probes[0])
        cursor.execute("RESET ALL")
    for ours, theirs in zip(after, before, strict=True):
        assert [match.key for match in ours] == [match.key for match in theirs]
        distances = [match.distance for match in theirs]
        assert [match.distance for match in ours] == pytest.approx(distances, abs=1e-6)
    call_command("face_index")
    assert "People: 512. The index already existed." in capsys.readouterr().out


def uses_index(probe: Any) -> bool:
    """Return True if the search uses the index."""
    asked = []

    def note(execute, sql, params, many, context):
        if "<->" in sql:
            asked.append(("EXPLAIN " + sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        gallery().nearest(probe)
    with connection.cursor() as cursor:
        cursor.execute(*asked[0])
        return "faceauth_vectors_" in str(cursor.fetchall())


@pytest.mark.django_db(transaction=True)
def test_new_face_is_found_by_several_searches_at_once(obama):
    locked, searched = threading.Event(), threading.Event()

    def lock() -> None:
        """Lock the face as another search does, which would make the vector if it had to."""
        try:
            with transaction.atomic():
                User.objects.select_for_update().get(pk=obama.pk)
                locked.set()
                searched.wait(10)
        finally:
            connection.close()

    other = threading.Thread(target=lock)
    other.start()
    assert locked.wait(10)
    (match,) = gallery().nearest(encodings("obama2"))
    searched.set()
    other.join()
    assert match.key == obama.pk


@pytest.mark.django_db(transaction=True)
def test_face_that_is_removed_while_it_is_read_does_not_come_back(obama):
    removed = threading.Event()

    def remove() -> None:
        try:
            enrolment.remove(User.objects.get(pk=obama.pk))
        finally:
            removed.set()
            connection.close()

    remover = threading.Thread(target=remove)
    FaceVector.objects.all().delete()

    def meanwhile(execute, sql, params, many, context):
        if sql.startswith('INSERT INTO "faceauth_pgvector'):
            remover.start()
            # It must wait for this transaction.
            assert not removed.wait(0.5)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(meanwhile):
        gallery().nearest(encodings("obama2"))
    remover.join()
    assert FaceVector.objects.count() == 0
    assert not stale_rows().exists()


@pytest.mark.django_db(transaction=True)
def test_user_who_is_being_changed_is_found_by_the_next_search(enrolled):
    ada, joe = enrolled("ada", "obama"), enrolled("joe", "biden")
    # Not the face, which has not changed for long.
    User.objects.update(face_changed_at=timezone.now() - 10 * OVERLAP)
    FaceVector.objects.all().delete()
    gallery.cache_clear()
    changing, searched = threading.Event(), threading.Event()

    def change() -> None:
        try:
            with transaction.atomic():
                User.objects.select_for_update().get(pk=ada.pk)
                changing.set()
                searched.wait(10)
        finally:
            connection.close()

    changer = threading.Thread(target=change)
    changer.start()
    assert changing.wait(10)
    assert [match.key for match in gallery().nearest(encodings("obama2"))] == [joe.pk]
    searched.set()
    changer.join()
    assert gallery().nearest(encodings("obama2"))[0].key == ada.pk
