"""A face that is removed by email: a link, a day to cancel, and then it is gone."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from faceauth import enrolment
from faceauth.enrolment import planned_removal
from faceauth.models import FaceEvent
from tests.support.accounts import PASSWORD, face, log_in_by_face, logged_in, username, users
from tests.support.people import encodings

pytestmark = pytest.mark.postgres

LOGIN, BY_EMAIL, CANCEL = "/face/login/", "/face/remove/by-email/", "/face/remove/cancel/"
GONE = "This link no longer works."


@pytest.fixture
def clock():
    with time_machine.travel(timezone.now(), tick=False) as clock:
        yield clock


@pytest.fixture
def link(client, obama, ask, clock):
    """The link in the mail that Obama, who is logged in by password, has asked for."""
    log_in(client)
    assert ask(BY_EMAIL)[0] == 200
    return link_in_mail()


@pytest.fixture
def planned(link, obama):
    """Obama, whose face will be removed."""
    Client().post(link)
    return obama


def log_in(client):
    return client.post(LOGIN, {"username": username("obama"), "password": PASSWORD})


def link_in_mail():
    (found,) = re.findall(r"^http://testserver(/face/remove/\S+)$", mail.outbox[-1].body, re.M)
    return found


def kinds():
    events = FaceEvent.objects.exclude(kind__in=["login", "confirmed"]).order_by("pk")
    return [*events.values_list("kind", "outcome")]


def messages(client):
    return " ".join(client.get("/face/notice/").text.split())


def purge():
    call_command("face_purge", verbosity=0)


def test_link_plans_the_removal_and_a_day_later_the_face_is_gone(link, obama, clock):
    assert mail.outbox[-1].to == [obama.email]
    assert kinds() == []
    visitor = Client()
    page = visitor.get(link).text
    assert username("obama") in page and "will be removed in 24 hours" in page
    # Mail programs open links; that plans nothing yet.
    assert face(obama).face_removal_at is None
    assert visitor.post(link)["Location"] == LOGIN
    assert face(obama).face_removal_at - timezone.now() > timedelta(hours=23, minutes=59)
    assert "will be removed from testserver on " in mail.outbox[-1].body
    assert kinds() == [("removal_planned", "")]

    clock.shift(timedelta(hours=23))
    purge()
    assert face(obama).has_face
    clock.shift(timedelta(hours=1))
    purge()
    assert not face(obama).face_is_enrolled
    assert face(obama).face_removal_at is None
    assert kinds() == [("removal_planned", ""), ("removed", "planned")]
    assert "as you asked by email a day ago" in mail.outbox[-1].body


def test_link_in_the_mail_keeps_the_face(planned, clock):
    visitor, cancel = Client(), link_in_mail()
    assert "Do you want to keep it?" in visitor.get(cancel).text
    assert face(planned).face_removal_at is not None
    assert visitor.post(cancel).status_code == 302
    assert face(planned).face_removal_at is None
    assert kinds() == [("removal_planned", ""), ("removal_undone", "")]
    assert GONE in visitor.post(cancel).text
    clock.shift(timedelta(hours=25))
    purge()
    assert face(planned).has_face


def test_face_keeps_the_face_and_the_password_does_not(client, planned, send):
    log_in(client)
    assert "/face/confirm/" in client.get(CANCEL)["Location"]
    assert "/face/confirm/" in client.post(CANCEL)["Location"]
    assert face(planned).face_removal_at is not None
    assert send("/face/confirm/", "obama2")[0] == 200
    assert "Do you want to keep it?" in client.get(CANCEL).text
    assert client.post(CANCEL).status_code == 302
    assert face(planned).face_removal_at is None
    assert client.get(CANCEL).status_code == 302  # there is nothing to keep


def test_logins_tell_of_it_and_cancel_nothing(planned, send, client):
    client.logout()
    log_in(client)
    assert f'href="{CANCEL}">Keep your face</a>' in messages(client)
    client.logout()
    assert send(LOGIN, "obama2")[0] == 200
    assert f'href="{CANCEL}">Keep your face</a>' in messages(client)
    assert face(planned).face_removal_at is not None


def test_next_login_carries_out_what_is_due_and_the_face_opens_nothing(
    planned, client, send, clock
):
    clock.shift(timedelta(hours=24))
    client.logout()
    for name in (username("obama"), ""):
        assert send(LOGIN, "obama2", username=name)[0] == 401
    assert face(planned).has_face
    log_in(client)
    assert logged_in(client) == "obama"
    assert "Your face was removed, as you asked by email." in messages(client)
    assert not face(planned).has_face


def test_export_says_when_it_is(client, planned):
    log_in_by_face(client, planned)
    assert client.get("/face/export/").json()["face"]["removal_planned_for"]


def test_face_that_is_enrolled_in_the_meantime_stays(planned, clock):
    enrolment.enrol(users().get(pk=planned.pk), encodings("obama2"))
    clock.shift(timedelta(hours=24))
    purge()
    assert face(planned).has_face


def test_link_works_once_and_a_day_long(link, obama, clock):
    visitor = Client()
    clock.shift(timedelta(hours=24, seconds=1))
    assert GONE in visitor.get(link).text and GONE in visitor.post(link).text
    clock.shift(-timedelta(hours=1))
    assert visitor.post(link).status_code == 302
    assert visitor.post(link).status_code == 410
    planned_removal.cancel(None, users().get(pk=obama.pk))
    assert visitor.post(link).status_code == 410
    assert face(obama).face_removal_at is None


def test_link_is_for_the_face_that_there_was(link, obama):
    enrolment.enrol(users().get(pk=obama.pk), encodings("obama2"))
    assert Client().post(link).status_code == 410
    assert face(obama).face_removal_at is None


@pytest.mark.parametrize("page", [BY_EMAIL, CANCEL])
def test_nobody_makes_a_link_up(page, obama):
    assert Client().get(f"{page}made:up:link/").status_code == 410
    assert Client().get(page).status_code == 302


def test_link_of_a_user_who_is_gone(link, obama):
    users().get(pk=obama.pk).delete()
    assert Client().post(link).status_code == 410


def test_mails_are_limited(link, ask, clock):
    assert [ask(BY_EMAIL)[0] for _ in range(3)] == [200, 200, 429]
    assert len(mail.outbox) == 3
    clock.shift(timedelta(hours=1))
    assert ask(BY_EMAIL)[0] == 200


def test_page_says_what_happens(client, obama, ask):
    log_in(client)
    page = " ".join(client.get(BY_EMAIL).text.split())
    assert f"We send a link to {obama.email}." in page
    assert client.post(BY_EMAIL).status_code == 302
    Client().post(link_in_mail())
    page = " ".join(client.get(BY_EMAIL).text.split())
    assert "Your face will be removed at this time: " in page and f'href="{CANCEL}"' in page


def test_nothing_is_mailed_where_it_would_not_help(client, ada, ask, settings, obama):
    client.force_login(ada)
    assert ask(BY_EMAIL)[1]["error"]["code"] == "no_email"  # there is no face
    log_in_by_face(client, obama)
    users().filter(pk=obama.pk).update(email="")
    assert ask(BY_EMAIL)[1]["error"]["code"] == "no_email"
    users().filter(pk=obama.pk).update(email="obama@example.com")
    # As a second step, the face guards what the mailbox alone would open.
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "faceauth.middleware.FaceSecondStepMiddleware"]
    strict = Client()
    log_in_by_face(strict, obama)
    assert strict.post(BY_EMAIL).status_code == 409
    assert "Ask the site’s staff to remove it." in strict.get(BY_EMAIL).text
    assert mail.outbox == []
