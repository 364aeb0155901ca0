"""Leading a volunteer through true logins and attacks, and the sheets of several volunteers."""

from __future__ import annotations

import json
from urllib.request import HTTPCookieProcessor, build_opener

import pytest
from django.core.management import CommandError, call_command

from faceauth.evaluation.pad import talk
from faceauth.evaluation.posting.browser import Browser
from faceauth.evaluation.recording import session, sheets, site
from faceauth.evaluation.recording.sheets import TRUE, Entry
from tests.support.person import Person
from tests.support.ports import free_port

pytestmark = pytest.mark.django_db


def entry(person="a", label=TRUE, *, logged_in=True, reason=""):
    return Entry(person, label, "short", logged_in, logged_in, reason, ["left"], 1.5)


def test_attempt_ended_as_the_site_answered():
    step = {"number": 1, "state": "step", "step": "left", "at": 10.0}
    passed = {"number": 1, "state": "passed", "step": "", "at": 11.5}
    login = {"number": 1, "login": True, "user": True, "at": 11.75}
    found = session.ended([step, step, passed, login], "a", TRUE, "short")
    assert found == Entry("a", TRUE, "short", True, True, "", ["left"], 1.75)
    refused = {"number": 1, "code": "challenge_failed", "message": "", "at": 12.0}
    found = session.ended([step, refused], "a", "own print", "full")
    assert (found.live, found.logged_in, found.reason) == (False, False, "challenge_failed")
    assert session.ended([], "a", TRUE, "full").reason == "no_step"


def test_sheets_of_several_volunteers_add_up(tmp_path, capsys):
    sheets.write(tmp_path / "a.json", [entry(), entry(logged_in=False, reason="late")])
    sheets.write(tmp_path / "b.json", [entry("b", "own print", logged_in=False, reason="late")])
    call_command("face_attack", sheets=[tmp_path / "a.json", tmp_path / "b.json"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[2].startswith("true login, short")
    assert "BPCER 50.0" in lines[2] and lines[2].endswith("late 1")
    assert lines[3].startswith("own print, short") and "IAPAR 0.0" in lines[3]


def test_error_says_what_is_wrong(tmp_path, settings):
    (tmp_path / "no.json").write_text("[1]")
    with pytest.raises(CommandError, match=r"no\.json is no sheet"):
        call_command("face_attack", sheets=[tmp_path / "no.json"])
    with pytest.raises(CommandError, match="Give a folder"):
        call_command("face_attack")
    settings.DEBUG = False
    with pytest.raises(CommandError, match="set DEBUG"):
        call_command("face_attack", record=tmp_path)
    (tmp_path / site.EVENTS).write_text("")
    with pytest.raises(OSError, match="holds a recording"):
        session.lead(tmp_path, port=1, plan=(), ask=input, write=print)


@pytest.mark.slow
def test_volunteer_is_led_and_pictures_stay_in_the_folder(tmp_path):
    port, folder = free_port(), tmp_path / "recording"
    asked = []

    def ask(text):
        """Do what the terminal says."""
        asked.append(text)
        address = f"http://localhost:{port}"
        if site.ENROL in text:
            page = build_opener(HTTPCookieProcessor()).open(address + site.ENROL)
            assert page.url.endswith("/face/enrol/")
            return
        browser = Browser(f"{address}/face/login/")
        outcome = talk.talk(browser.frames, Person("obama").frame, talk.RealClock())
        if outcome.passed:
            browser.log_in({"challenge": outcome.challenge})

    plan = ((TRUE, 1, "Log in."),)
    found = session.lead(folder, port=port, plan=plan, ask=ask, write=print)
    assert [each.challenge for each in found] == ["short", "full"]
    # Nobody is enrolled, so a live person is not recognised.
    assert (found[0].live, found[0].logged_in, found[0].reason) == (True, False, "not_recognised")
    sheet = (folder / "sheet.json").read_text()
    assert [each["label"] for each in json.loads(sheet)] == [TRUE, TRUE]
    assert list((folder / site.FRAMES / "001").glob("*.jpg"))
