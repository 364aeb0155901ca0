"""A face like another's takes nothing from the person who enrolled first."""

from __future__ import annotations

import time

import pytest
import time_machine
from django.core import mail

from faceauth import enrolment
from faceauth.admin import staff
from faceauth.audit import outbox
from faceauth.gallery import gallery
from tests.support.accounts import account, face, logged_in, username
from tests.support.people import OBAMA, encodings

pytestmark = pytest.mark.postgres

LOGIN = "/face/login/"
VICTIM, ATTACKER = ("obama", "obama3"), ("obama2", "obama left", "obama up")


@pytest.fixture
def victim(enrolled):
    return enrolled("victim", *VICTIM)


@pytest.fixture
def attacker(victim, enrolled):
    """Somebody who enrolled other pictures of the victim."""
    user = enrolled("attacker", *ATTACKER)
    assert face(user).face_flagged_at is not None
    return user


@pytest.fixture
def told():
    """Return the mails about look-alikes: recipients and bodies."""

    def mails():
        outbox.flush(5)
        return [each for each in mail.outbox if "face like yours" in each.subject]

    return mails


def alone(client, send, picture):
    """Return who is logged in by this picture without a username."""
    client.logout()
    send(LOGIN, picture)
    return logged_in(client)


def test_first_owner_logs_in_by_face_alone_as_before(client, send, victim, attacker):
    # The pictures that the attacker enrolled lie nearer to theirs than to the victim's.
    for picture in (*OBAMA, *ATTACKER):
        assert alone(client, send, picture) == "victim"


def test_newcomer_logs_in_with_the_username(client, send, victim, attacker):
    send(LOGIN, "obama2", username=username("attacker"))
    assert logged_in(client) == "attacker"


def test_newcomer_alone_is_nobody_if_the_first_owner_is_gone(client, send, victim, attacker):
    victim.delete()
    assert alone(client, send, "obama2") is None
    assert len(gallery()) == 0


def test_face_is_ambiguous_once_staff_have_cleared_the_flag(client, send, victim, attacker):
    assert alone(client, send, "obama2") == "victim"
    assert staff.clear_flag(attacker)
    assert not staff.clear_flag(attacker)
    # One of them is nearer here. What counts is that both are searched.
    assert {match.key for match in gallery().nearest(encodings("obama2"))} == {
        victim.pk,
        attacker.pk,
    }
    assert gallery().nearest(encodings("obama2"), flagged=True) == []
    attacker.delete()
    assert alone(client, send, "obama2") == "victim"


def test_owner_who_enrols_again_stays_the_first(client, send, victim, attacker):
    enrolment.enrol(victim, encodings("obama", "obama2", "obama3"))
    assert face(victim).face_flagged_at is None
    assert face(attacker).face_flagged_at is not None
    assert alone(client, send, "obama up") == "victim"


def test_another_face_does_not_become_the_first_by_enrolling_again(enrolled, victim, attacker):
    another = enrolled("another", "biden")
    enrolment.enrol(another, encodings(*VICTIM))
    assert face(another).face_flagged_at is not None
    # Nor where only flagged faces are like it.
    victim.delete()
    enrolment.enrol(attacker, encodings("obama"))
    assert face(attacker).face_flagged_at is not None


def test_first_owner_is_told_by_mail_once_a_day(client, enrolled, victim, told):
    enrolled("attacker", *ATTACKER)
    (message,) = told()
    assert message.to == ["victim@example.com"]
    assert message.subject.startswith("A face like yours was enrolled on ")
    assert "You log in as before" in message.body
    assert "attacker" not in message.body
    second = account("second")
    enrolment.enrol(second, encodings("obama2"))
    assert face(second).face_flagged_at is not None
    assert len(told()) == 1
    with time_machine.travel(time.time() + 24 * 3600 + 60):
        enrolment.enrol(second, encodings("obama3"))
    assert [each.to for each in told()] == [["victim@example.com"]] * 2


def test_nobody_is_told_whose_site_sends_no_mails(enrolled, victim, told, settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "NOTIFY_BY_MAIL": False}
    enrolled("attacker", *ATTACKER)
    assert told() == []


def test_look_alikes_that_are_allowed_are_searched_and_nobody_is_told(
    client, send, enrolled, victim, told, settings
):
    settings.FACEAUTH = {**settings.FACEAUTH, "LOOK_ALIKES": "allow"}
    other = enrolled("other", *ATTACKER)
    assert face(other).face_flagged_at is None
    assert len(gallery().nearest(encodings("obama2"))) == 2
    assert told() == []
