"""Sessions that a face began, or that have seen one: they end with that face."""

from __future__ import annotations

import pickle

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth import aget_user, get_user, update_session_auth_hash
from django.test import Client, RequestFactory

from faceauth import enrolment
from faceauth.admin import staff
from faceauth.backends import configured
from faceauth.enrolment import adaptation
from faceauth.step_up import confirmation
from tests.support.accounts import PASSWORD, face, username, users
from tests.support.people import OBAMA, encodings

pytestmark = pytest.mark.postgres

LOGIN, ENROL, REMOVE = (f"/face/{name}/" for name in ("login", "enrol", "remove"))
BY_FACE, BY_PASSWORD = "faceauth.backends.FaceBackend", "django.contrib.auth.backends.ModelBackend"


def browser(user, backend=BY_FACE):
    """Another browser in which this user is logged in."""
    visitor = Client()
    visitor.force_login(users().get(pk=user.pk), backend=backend)
    assert is_logged_in(visitor)
    return visitor


def is_logged_in(visitor):
    return visitor.get("/face/whoami/").json()["user"] is not None


def request_of(visitor):
    """A request of this visitor, as the middleware would hand it to a view."""
    request = RequestFactory().get("/")
    request.session = visitor.session
    request.user = get_user(request)
    return request


def replace(user):
    enrolment.enrol(user, encodings("biden"))


def disable(user):
    staff.disable(None, user)


@pytest.mark.parametrize("change", [enrolment.remove, enrolment.revoke, replace, disable])
def test_sessions_that_the_face_began_end_with_it(client, obama, send, change):
    assert send(LOGIN, "obama2")[0] == 200
    assert is_logged_in(client)
    by_face, by_password = browser(obama), browser(obama, BY_PASSWORD)
    change(users().get(pk=obama.pk))
    assert [is_logged_in(each) for each in (client, by_face, by_password)] == [False, False, True]


def test_whoever_logs_in_again_keeps_what_is_in_the_session(client, obama, send):
    assert send(LOGIN, "obama2")[0] == 200
    session = client.session
    session["cart"] = ["apples"]
    session.save()
    assert send(LOGIN, "obama2")[0] == 200
    assert client.session["cart"] == ["apples"]


def test_face_of_another_ends_nobodys_session(obama, enrolled):
    by_face = browser(obama)
    enrolment.remove(enrolled("biden", "biden"))
    assert is_logged_in(by_face)


def test_failures_of_strangers_end_no_session(obama, send, settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "MAX_FAILURES_BEFORE_DISABLING": 1}
    by_face = browser(obama)
    assert send(LOGIN, "biden", username=username("obama"))[0] == 401
    assert send(LOGIN, "obama2", username=username("obama"))[0] == 401  # it is disabled
    assert is_logged_in(by_face)


def test_adaptation_ends_no_session(obama, settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "ADAPT": True}
    by_face, before = browser(obama), face(obama).face_changed_at
    assert adaptation.adapt(obama, encodings("obama2")[0], confirmed=True)
    assert face(obama).face_changed_at > before
    assert is_logged_in(by_face)


@pytest.mark.parametrize("change", ["enrol", "remove"])
def test_owner_who_changes_their_face_stays_logged_in_there_alone(client, obama, send, change):
    other, by_password = browser(obama), browser(obama, BY_PASSWORD)
    assert send(LOGIN, "obama2")[0] == 200
    key = client.session.session_key
    if change == "enrol":
        assert send(ENROL, *OBAMA, consent="on")[0] == 200
    else:
        assert send(REMOVE)[0] == 200
    assert [is_logged_in(each) for each in (client, other, by_password)] == [True, False, True]
    # Somebody who has copied the key before is out as well.
    assert client.session.session_key != key
    # What this session has seen of its owner still counts.
    assert confirmation.seen(request_of(client), confirmation.FACE)


def test_staff_who_enrol_somebody_keep_their_own_session_and_not_the_owners(obama, enrolled):
    boss, owner = browser(enrolled("biden", "biden")), browser(obama)
    enrolment.enrol(obama, encodings("obama2"), request=request_of(boss), by="staff")
    assert (is_logged_in(boss), is_logged_in(owner)) == (True, False)


@pytest.mark.parametrize("same", [True, False])
def test_password_can_be_changed_in_a_session_that_a_face_began(obama, same):
    by_face, other = browser(obama), browser(obama)
    request = request_of(by_face)
    user = request.user if same else users().get(pk=obama.pk)
    user.set_password("another password")
    user.save()
    update_session_auth_hash(request, user)
    request.session.save()
    by_face.cookies["sessionid"] = request.session.session_key
    assert (is_logged_in(by_face), is_logged_in(other)) == (True, False)
    enrolment.remove(users().get(pk=obama.pk))
    assert not is_logged_in(by_face)


def test_secret_key_can_be_changed(obama, settings):
    by_face = browser(obama)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another secret key, which is as long as the one before it was"
    assert is_logged_in(by_face)
    settings.SECRET_KEY_FALLBACKS = []
    assert is_logged_in(by_face)
    enrolment.remove(users().get(pk=obama.pk))
    assert not is_logged_in(by_face)


def test_session_that_was_not_renewed_ends_with_its_secret_key(obama, settings):
    by_face = browser(obama)
    settings.SECRET_KEY = "another secret key, which is as long as the one before it was"
    assert not is_logged_in(by_face)


@pytest.mark.django_db(transaction=True)
def test_asynchronous_views_see_the_same(obama):
    request = request_of(browser(obama))
    assert async_to_sync(aget_user)(request) == obama
    enrolment.remove(users().get(pk=obama.pk))
    assert not async_to_sync(aget_user)(request).is_authenticated


def test_user_of_such_a_session_can_be_cached(obama):
    user = pickle.loads(pickle.dumps(configured().get_user(obama.pk)))  # it is ours
    assert user.get_session_auth_hash() == configured().get_user(obama.pk).get_session_auth_hash()
    plain = users().get(pk=obama.pk)
    assert user.get_session_auth_hash() != plain.get_session_auth_hash()


@pytest.mark.parametrize("change", [enrolment.remove, replace, disable])
def test_face_that_a_session_has_seen_counts_no_more_once_it_changed(obama, change):
    visitor = browser(obama, BY_PASSWORD)
    request = request_of(visitor)
    confirmation.note(request, request.user, confirmation.FACE)
    request.session.save()
    assert confirmation.seen(request_of(visitor), confirmation.FACE)
    change(users().get(pk=obama.pk))
    request = request_of(visitor)
    assert request.user == obama
    assert not confirmation.seen(request, confirmation.FACE)
    assert confirmation.seen(request, confirmation.PASSWORD)
    # Nor does it once something else is noted.
    confirmation.note(request, request.user, confirmation.PASSWORD)
    assert not confirmation.seen(request, confirmation.FACE)


def test_password_of_a_user_without_a_face_is_noted_as_before(ada, client):
    client.post(LOGIN, {"username": username("ada"), "password": PASSWORD})
    assert confirmation.seen(request_of(client), confirmation.PASSWORD)
    assert not confirmation.seen(request_of(client), confirmation.FACE)
