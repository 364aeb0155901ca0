from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from accounts.models import User
from faceauth import enrolment
from faceauth.gallery import memory
from faceauth.gallery.memory import OVERLAP, SWEEP, Gallery
from faceauth.recognition.matching import Templates, distance

pytestmark = pytest.mark.postgres


def shots(seed):
    random = np.random.default_rng(seed)
    return (random.normal(size=128) + random.normal(0, 0.05, (3, 128))).astype(np.float32)


@pytest.fixture
def people(db):
    users = []
    for number in range(5):
        user = User.objects.create_user(f"user{number}", f"user{number}@example.com")
        enrolment.enrol(user, shots(number))
        users.append(user)
    return users


def probe(number):
    return shots(number)[:1]


def test_nearest_first_with_their_distances(people):
    matches = Gallery().nearest(probe(3), count=len(people))
    assert matches[0].key == people[3].pk
    assert matches[0].distance < 0.1 < matches[1].distance
    assert [match.distance for match in matches] == sorted(match.distance for match in matches)
    apart = {user.pk: distance(shots(number), probe(3)) for number, user in enumerate(people)}
    assert {match.key: match.distance for match in matches} == pytest.approx(apart, abs=1e-4)


def test_no_more_people_than_asked_for(people):
    assert len(Gallery().nearest(probe(3))) == 2
    assert len(Gallery().nearest(probe(3), count=1)) == 1
    assert len(Gallery().nearest(probe(3), count=99)) == len(people)


def test_probe_of_several_frames_is_their_mean(people):
    several = Gallery().nearest(shots(3))[0]
    assert (several.key, several.distance) == (
        people[3].pk,
        pytest.approx(distance(shots(3), shots(3)), abs=1e-4),
    )
    assert several.distance < Gallery().nearest(probe(3))[0].distance


def test_match_tells_how_many_shots_stand_behind_it(people):
    one = User.objects.create_user("one", "one@example.com")
    enrolment.enrol(one, shots(9)[:1])
    gallery = Gallery()
    assert gallery.nearest(probe(9))[0] == (
        one.pk,
        pytest.approx(distance(*[probe(9)] * 2), abs=1e-3),
        1,
    )
    assert gallery.nearest(probe(3))[0].shots == 3
    enrolment.enrol(one, shots(9)[:2])
    assert gallery.nearest(probe(9))[0].shots == 2


def test_empty_gallery(db):
    assert Gallery().nearest(probe(0)) == []


def test_keeps_up_with_the_database(people):
    gallery = Gallery()
    gallery.nearest(probe(0))
    late = User.objects.create_user("late", "late@example.com")
    enrolment.enrol(late, shots(9))
    assert gallery.nearest(probe(9))[0].key == late.pk
    enrolment.enrol(late, shots(10))
    assert gallery.nearest(probe(10))[0].key == late.pk
    assert gallery.nearest(probe(9))[0].distance > 0.5
    enrolment.revoke(late)
    assert gallery.nearest(probe(10))[0].key != late.pk


def test_change_of_a_transaction_that_ended_late_is_seen(people):
    gallery = Gallery()
    gallery.nearest(probe(0))
    late = User.objects.create_user("late", "late@example.com")
    enrolment.enrol(late, shots(9))
    User.objects.filter(pk=late.pk).update(face_changed_at=timezone.now() - OVERLAP / 2)
    assert gallery.nearest(probe(9))[0].key == late.pk


def test_clock_that_is_set_back_hides_no_change(people):
    gallery = Gallery()
    with time_machine.travel(timezone.now()) as clock:
        gallery.nearest(probe(0))
        clock.shift(-timedelta(hours=1))
        late = User.objects.create_user("late", "late@example.com")
        enrolment.enrol(late, shots(9))
        enrolment.revoke(people[0])
        clock.shift(timedelta(seconds=1))
        assert gallery.nearest(probe(9))[0].key == late.pk
        assert gallery.nearest(probe(0))[0].key != people[0].pk
        User.objects.filter(pk=people[1].pk).delete()
        clock.shift(SWEEP)
        assert gallery.nearest(probe(1))[0].key != people[1].pk


def test_search_reads_no_templates_that_it_knows(people, monkeypatch, django_assert_num_queries):
    User.objects.update(face_changed_at=timezone.now() - 10 * OVERLAP)
    gallery = Gallery()
    gallery.nearest(probe(0))
    monkeypatch.setattr("faceauth.encryption.fields.EncodingsField.open", pytest.fail)
    with django_assert_num_queries(1):
        assert gallery.nearest(probe(1))[0].key == people[1].pk


def test_forgotten_people_are_not_found(people):
    gallery = Gallery()
    assert gallery.nearest(probe(2))[0].key == people[2].pk
    gallery.forget([people[2].pk])
    assert gallery.nearest(probe(2))[0].key != people[2].pk


def test_unreadable_template_is_left_out(people, caplog):
    with connection.cursor() as cursor:
        table = User._meta.db_table
        cursor.execute(
            f"UPDATE {table} SET face_encodings = %s WHERE id = %s", [b"\x01xx", people[1].pk]
        )
    gallery = Gallery()
    assert gallery.nearest(probe(1))[0].key != people[1].pk
    assert len(gallery.nearest(probe(1), count=10)) == 4
    assert "unreadable" in caplog.text
    user = User.objects.get(pk=people[1].pk)
    assert (user.has_face, user.face_shots) == (False, 0)
    user.save()
    assert bytes(User.objects.values_list("face_encodings", flat=True).get(pk=user.pk)) == b"\x01xx"


def test_deleted_user_is_nobody(client, enrolled, upload):
    user = enrolled("obama", "obama")
    assert client.post("/face/login/", {"snapshot": upload("obama")}).status_code == 302
    client.logout()
    user.delete()
    assert client.post("/face/login/", {"snapshot": upload("obama")}).status_code == 401
    again = enrolled("again", "obama")
    User.objects.filter(pk=again.pk).update(face_changed_at=timezone.now() + timedelta(seconds=1))
    assert client.post("/face/login/", {"snapshot": upload("obama")}).status_code == 302


def test_deleted_users_are_not_kept_in_memory(enrolled):
    ada, joe = enrolled("ada", "obama"), enrolled("joe", "biden")
    faces = Gallery()
    probe = np.asarray(joe.face_encodings)
    assert len(faces.nearest(probe)) == 2
    ada.delete()
    with time_machine.travel(timezone.now() + SWEEP):
        assert [match.key for match in faces.nearest(probe)] == [joe.pk]
    assert len(faces) == 1


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr("faceauth.gallery.people.BLOCK", 4)
    # They come in several batches too.
    monkeypatch.setattr(memory, "BATCH", 3)


@pytest.mark.usefixtures("small_blocks")
def test_gallery_that_followed_all_changes_equals_one_that_is_loaded_now(people):
    followed, random = Gallery(), np.random.default_rng(0)
    for number in range(5, 12):
        people.append(User.objects.create_user(f"user{number}", f"user{number}@example.com"))
    for step in range(60):
        user = people[random.integers(len(people))]
        if random.random() < 0.6:
            enrolment.enrol(user, shots(step)[: random.integers(1, 4)])
            if random.random() < 0.2:
                User.objects.filter(pk=user.pk).update(face_flagged_at=timezone.now())
        else:
            enrolment.revoke(user)
        for flagged in (False, True):
            found, loaded = (
                each.nearest(probe(step), count=99, flagged=flagged)
                for each in (followed, Gallery())
            )
            assert found == [
                (match.key, pytest.approx(match.distance, abs=1e-5), match.shots)
                for match in loaded
            ]
            assert followed.nearest(probe(step), flagged=flagged) == found[:2]
    for user in people:
        enrolment.revoke(user)
    assert followed.nearest(probe(0)) == followed.nearest(probe(0), flagged=True) == []
    assert len(followed) == 0


def test_change_copies_no_templates(people):
    gallery = Gallery()
    gallery.nearest(probe(0))
    before = gallery._searched.blocks[0]
    enrolment.enrol(people[3], shots(40))
    assert gallery.nearest(probe(40))[0].key == people[3].pk
    after = gallery._searched.blocks[0]
    assert (len(before), len(after)) == (5, 6)
    assert after.vectors is before.vectors


def test_search_that_runs_during_a_change_does_not_see_half_of_it(people, monkeypatch):
    gallery = Gallery()
    expected = gallery.nearest(probe(3), count=5)
    assert expected[0].key == people[3].pk
    compare = Templates.distances

    def change_first(templates, others):
        monkeypatch.setattr(Templates, "distances", compare)
        enrolment.enrol(people[3], shots(30)[:2])
        enrolment.revoke(people[4])
        assert gallery.nearest(probe(30), count=5)[0].shots == 2
        return compare(templates, others)

    monkeypatch.setattr(Templates, "distances", change_first)
    assert gallery.nearest(probe(3), count=5) == expected
    assert {match.key for match in gallery.nearest(probe(3), count=5)} == {
        user.pk for user in people[:4]
    }
