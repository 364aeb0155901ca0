"""Users who are found by other names than the one that is shown, or by none at all."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from time_machine import travel

from faceauth import backends, checks, devices, faces
from faceauth.liveness import steps
from faceauth.models import DeviceTrust, FaceEvent, FailureCount
from tests.projects.members.models import Member
from tests.support.accounts import PASSWORD
from tests.support.conversing import Visitor
from tests.support.people import encodings, enrol_silently, picture

LOGIN, CONFIRM = "/face/login/", "/face/confirm/"
ADDRESS = "bob@example.com"
FACE = "faceauth.backends.FaceBackend"


def member(slug, name, email, *photos, **fields):
    new = Member(slug=slug, name=name, email=email, **fields)
    new.set_password(PASSWORD)
    new.save()
    if photos:
        enrol_silently(new, encodings(*photos))
    return new


@pytest.fixture
def bob(db):
    return member("bobthebuilder", "Bob the Builder", ADDRESS, "obama", "obama3", number=7)


@pytest.fixture
def other(db):
    """Somebody whose slug is what is shown of Bob."""
    return member("Bob the Builder", "Impostor", "impostor@example.com", "biden")


def log_in_by_password(client, **form):
    answer = client.post(LOGIN, {"username": ADDRESS, "password": PASSWORD, **form})
    assert answer.status_code == 302


def refused():
    """The users whose face was refused, the last one first."""
    return [each.user for each in FaceEvent.objects.filter(kind="refused").order_by("-pk")]


def test_ones_own_face_confirms_whomever_ones_name_finds(client, bob, other, send):
    log_in_by_password(client)
    assert send(CONFIRM, "biden")[0] == 401
    assert send(CONFIRM, "obama2")[0] == 200
    assert FaceEvent.objects.get(kind="confirmed").user == bob
    assert refused() == [bob]


def test_ones_own_password_confirms_whatever_the_backend_asks_for(client, bob, ask, settings):
    log_in_by_password(client)
    assert ask(CONFIRM, password="wrong")[0] == 401
    assert ask(CONFIRM, password=PASSWORD)[0] == 200
    # Nor is there a backend that takes a password with a name, such as where a header logs in.
    settings.AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.RemoteUserBackend", FACE]
    client.force_login(bob, FACE)
    assert ask(CONFIRM, password="wrong")[0] == 401
    assert ask(CONFIRM, password=PASSWORD)[0] == 200
    Member.objects.update(password="!")
    client.force_login(Member.objects.get(), FACE)
    assert ask(CONFIRM, password=PASSWORD)[0] == 401


def test_password_of_somebody_else_whom_ones_address_finds_does_not_confirm(client, bob, ask):
    Member.objects.filter(pk=bob.pk).update(email="twin@example.com", password="!")
    member("twin", "Twin", "twin@example.com")
    client.force_login(Member.objects.get(pk=bob.pk), FACE)
    assert ask(CONFIRM, password=PASSWORD)[0] == 401


def test_failed_confirmations_count_for_the_owner_alone(client, bob, other, send):
    log_in_by_password(client)
    while send(CONFIRM, "biden")[0] == 401:
        pass
    assert send(CONFIRM, "obama2")[0] == 429
    assert send(LOGIN, "biden", username=other.email)[0] == 200


def test_challenge_that_fails_counts_for_the_owner(client, bob, monkeypatch, settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "CHALLENGE": "auto"}
    monkeypatch.setattr(steps, "draw", lambda kind: ["left"])
    log_in_by_password(client)
    with travel(time.time(), tick=False) as travelled:
        clock = SimpleNamespace(shift=travelled.shift, time=time.time)
        page = Visitor(client, clock, purpose="confirm")
        page.until_step()
        assert page.follow("up") == 400
    assert refused() == [bob]
    assert FailureCount.objects.get(key__startswith="own:").failures == 1


def test_trusted_browser_knows_its_owner(client, bob, other, send, settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "UNKNOWN_DEVICES": "refuse"}
    log_in_by_password(client, trust="on")
    assert DeviceTrust.objects.get().user == bob
    del client.cookies["sessionid"]
    assert send(LOGIN, "biden")[0] == 401
    for name in {}, {"username": ADDRESS}, {"username": ADDRESS.upper()}:
        status, answer = send(LOGIN, "obama2", **name)
        assert (status, answer["user"]["username"]) == (200, "Bob the Builder")
        del client.cookies["sessionid"]
    assert send(LOGIN, "obama2", username=other.email)[0] == 403


def test_second_step_is_the_face_of_the_user_who_gave_the_password(
    client, bob, other, send, settings
):
    middleware = "faceauth.middleware.FaceSecondStepMiddleware"
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, middleware]
    log_in_by_password(client)
    assert client.get("/")["Location"].startswith(CONFIRM)
    assert send(CONFIRM, "biden")[0] == 401
    assert send(CONFIRM, "obama2")[0] == 200
    assert client.get("/").text == f"Hello, {bob}."


@pytest.mark.parametrize("name", [ADDRESS, ADDRESS.title(), "bobthebuilder"])
def test_login_by_face_takes_what_the_site_takes(client, bob, other, send, name):
    status, answer = send(LOGIN, "obama2", username=name)
    assert (status, answer["user"]["username"]) == (200, "Bob the Builder")


def test_name_of_nobody_and_name_of_two_get_one_answer(client, bob, send):
    member("twin", "Twin", ADDRESS.upper(), "biden")
    answers = [send(LOGIN, "obama2", username=name) for name in ("nobody@example.com", ADDRESS)]
    assert answers[0] == answers[1]
    assert answers[0][0] == 401
    # Their own names still find them.
    assert send(LOGIN, "obama2", username="bobthebuilder")[0] == 200


NAMES = ["7", "Bob the Builder", "BOB the builder", ADDRESS, "bobthebuilder"]


@pytest.mark.parametrize("name", NAMES)
def test_fields_of_the_setting(client, bob, send, settings, name):
    fields = ["number", "name__iexact", "email"]
    settings.FACEAUTH = {**settings.FACEAUTH, "LOGIN_FIELDS": fields}
    assert checks.check_settings(None) == []
    assert send(LOGIN, "obama2", username=name)[0] == 200
    client.logout()
    assert send(LOGIN, "obama2", username=ADDRESS.title())[0] == 401


def test_natural_key_comes_first(bob, other, settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "LOGIN_FIELDS": ["name"]}
    assert faces.by_username("Bob the Builder") == other


@pytest.mark.parametrize("fields", [None, [], ["number", "name__iexact", "email__iexact"]])
def test_work_does_not_tell_who_has_the_name(bob, settings, fields):
    settings.FACEAUTH = {**settings.FACEAUTH, "LOGIN_FIELDS": fields}
    for slug in ("twin1", "twin2"):
        member(slug, "Twin", "twin@example.com")

    def work(name):
        with CaptureQueriesContext(connection) as queries:
            faces.by_username(name)
        assert queries
        return [each["sql"].lower().replace(name.lower(), "") for each in queries]

    for names in (
        ("bobthebuilder", "Bob the Builder", "nobody", "Twin"),
        (ADDRESS, "nobody@example.com", "twin@example.com"),
        ("7", "8"),
    ):
        first, *others = map(work, names)
        assert others == [first] * len(others)


@pytest.mark.parametrize("field", ["nick", "name__contains", "number__iexact", "password"])
def test_field_that_finds_nobody_by_a_name_is_an_error(settings, field):
    settings.FACEAUTH = {**settings.FACEAUTH, "LOGIN_FIELDS": [field]}
    (error,) = checks.check_settings(None)
    assert error.id == "faceauth.E019"
    assert repr(field) in error.msg


def test_failures_of_all_ones_names_end_with_a_success(client, bob, send, settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "LOGIN_FIELDS": ["number", "email__iexact"]}
    for name in ("7", ADDRESS):
        assert send(LOGIN, "biden", username=name)[0] == 401
    counted = FailureCount.objects.filter(key__startswith="name:")
    assert counted.count() == 2
    assert send(LOGIN, "obama2", username="bobthebuilder")[0] == 200
    assert not counted.exists()


class ByNameBackend(backends.FaceBackend):
    def find_user(self, request, username):
        return faces.users().filter(name=username).first()


@pytest.fixture
def by_name(settings):
    """A project with a rule of its own."""
    email, _face = settings.AUTHENTICATION_BACKENDS
    settings.AUTHENTICATION_BACKENDS = [email, f"{__name__}.ByNameBackend"]


def test_rule_of_the_project_counts_at_logins_and_in_limits(by_name, client, bob, other, send):
    assert send(LOGIN, "biden", username=bob.slug)[0] == 401
    assert send(LOGIN, "biden", username=bob.name)[0] == 401
    assert refused() == [bob, None]
    while send(LOGIN, "biden", username=bob.name)[0] == 401:
        pass
    assert (
        FailureCount.objects.filter(key__startswith="account:", wait_until__isnull=False).count()
        == 1
    )
    assert send(LOGIN, "obama2", username=bob.name)[0] == 429
    assert send(LOGIN, "biden", username=other.name)[0] == 200


def test_rule_of_the_project_counts_for_devices(by_name, client, bob):
    log_in_by_password(client, trust="on")
    request = client.get(LOGIN).wsgi_request
    device = devices.current(request)
    assert devices.people_named(request, device, bob.name) == [bob]
    assert devices.people_named(request, device, bob.slug) == []


def test_rule_of_the_project_counts_for_commands(by_name, bob, other, tmp_path, capsys):
    call_command("face_export", bob.name)
    assert '"username": "Bob the Builder"' in capsys.readouterr().out
    folder = tmp_path / "Newcomer"
    folder.mkdir()
    (folder / "face.jpg").write_bytes(picture("astronaut"))
    new = member("number-12", "Newcomer", "newcomer@example.com")
    call_command("face_enrol", tmp_path, "--consent=1", "--processes=1")
    assert Member.objects.get(pk=new.pk).face_shots == 1
