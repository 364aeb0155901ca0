"""Faces in a project that has nothing to spare."""

from __future__ import annotations

import pytest
from django.core.management import call_command

from faceauth import db, enrolment
from faceauth.models import FaceEvent
from tests.projects.own.models import Person
from tests.support.accounts import PASSWORD, log_in_by_face
from tests.support.people import encodings, picture

LOGIN, ENROL = "/face/login/", "/face/enrol/"
NAME = "ada@example.com"


@pytest.fixture
def ada(db):
    return Person.objects.create_user(NAME, PASSWORD)


@pytest.fixture
def boss(db, client):
    boss = Person.objects.create_user("boss@example.com", PASSWORD, is_admin=True)
    enrolment.enrol(boss, encodings("obama", "obama3"))
    log_in_by_face(client, boss)
    return boss


def test_names_are_looked_up_as_for_a_password(client, ada, send):
    enrolment.enrol(ada, encodings("obama", "obama3"))
    other = NAME.title()
    assert client.post(LOGIN, {"username": other, "password": PASSWORD}).status_code == 302
    client.logout()
    assert send(LOGIN, "obama2", username=other)[1]["message"] == "Welcome back, ada."
    client.logout()
    # And however they are written, it is the one account that is guessed at.
    written = [NAME, other, NAME.upper(), NAME, other]
    assert {send(LOGIN, "biden", username=name)[0] for name in written} == {401}
    assert send(LOGIN, "obama2", username=NAME.upper())[0] == 429


@pytest.mark.parametrize("name", ["ADA@example.com", "nobody@example.com"])
def test_name_that_finds_nobody_or_more_than_one(client, ada, send, name):
    Person.objects.create_user(NAME.upper(), PASSWORD)
    enrolment.enrol(ada, encodings("obama", "obama3"))
    assert send(LOGIN, "obama2", username=name)[1] == send(LOGIN, "biden", username="nobody")[1]


def test_who_is_not_logged_in_can_log_in(client, ada, ask, upload):
    assert client.get("/").status_code == 302
    for page in (LOGIN, "/face/whoami/", "/face/notice/"):
        assert client.get(page).status_code == 200
    assert ask("/face/frames/", frame=upload("obama"), pose="straight")[0] == 200
    assert client.get(ENROL)["Location"] == f"{LOGIN}?next={ENROL}"
    assert client.get("/face/health/").status_code == 404  # it is not on


def test_admin(client, boss, send):
    send(LOGIN, "biden")
    assert FaceEvent.objects.exists()
    people, events = "/admin/own/person/", "/admin/faceauth/faceevent/"
    pages = [people, *(f"{people}?o={column}" for column in range(1, 7)), events]
    pages += [f"{events}dashboard/", f"{people}{boss.pk}/change/", f"{people}{boss.pk}/face/enrol/"]
    for page in pages:
        assert client.get(page).status_code == 200, page
    disable = f"{people}{boss.pk}/face/do/disable_face/"
    assert client.post(disable, {"faceauth_confirmed": "yes"}).status_code == 302
    boss.refresh_from_db()
    assert boss.face_disabled_at is not None


def test_commands(boss, settings, capsys):
    settings.FACEAUTH = {**settings.FACEAUTH, "ADMIN_SECOND_STEP": True}
    call_command("check", databases=["default"])
    call_command("face_purge", verbosity=0)
    call_command("face_export", "boss@example.com")
    assert '"username": "boss@example.com"' in capsys.readouterr().out


@pytest.mark.parametrize("options", [[], ["--domain=example.org"]])
def test_accounts_are_made_of_addresses(db, tmp_path, options):
    folder = tmp_path / "people" / "joe@example.com"
    folder.mkdir(parents=True)
    for name in ("obama", "obama3"):
        (folder / f"{name}.jpg").write_bytes(picture(name))
    call_command("face_enrol", folder.parent, "--create", "--consent=1", "--processes=1", *options)
    joe = Person.objects.get()
    assert (joe.email, joe.face_shots) == ("joe@example.com", 2)
    assert not joe.has_usable_password()


def test_rows_are_written_where_the_project_keeps_them(settings):
    class Elsewhere:
        def db_for_write(self, model, **hints):
            return "people" if model is Person else None

    settings.DATABASE_ROUTERS = [Elsewhere()]
    assert db.atomic(Person).using == "people"
    assert db.atomic(FaceEvent).using == "default"
