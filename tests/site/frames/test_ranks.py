"""Who is looked at first: who is further along."""

from __future__ import annotations

import pytest
from django.test import Client

from faceauth.capture import turns
from faceauth.capture.turns import ANSWERING, BEGINNING, FORM, GUIDANCE, Turns
from tests.site.conftest import JSON
from tests.support.conversing import FRAMES


@pytest.fixture
def waited(monkeypatch):
    """Return a function that returns who has waited for a turn since it was called last."""
    visitors = []
    acquire = Turns.acquire

    def noted(self, timeout):
        visitors.append(turns._visitor.get())
        return acquire(self, timeout)

    monkeypatch.setattr(Turns, "acquire", noted)

    def take():
        found = {(each.line, each.rank) for each in visitors}
        visitors.clear()
        return found

    return take


def test_frames_of_a_challenge_come_before_those_that_guide_and_later_steps_before_earlier_ones(
    visit, drawn, waited, client, upload
):
    drawn("left", "up")
    here = ("127.0.0.0/24", "127.0.0.1/32", "")
    client.post(FRAMES, {"frame": upload("obama"), "pose": "straight"}, headers=JSON)
    assert waited() == {(here, GUIDANCE)}
    page = visit()
    page.send()
    assert waited() == {(here, BEGINNING)}
    page.until_step()
    waited()
    page.follow()
    ranks = {rank for _line, rank in waited()}
    assert {ANSWERING, ANSWERING + 1} <= ranks <= {ANSWERING, ANSWERING + 1, ANSWERING + 2}


def test_form_comes_first(client, obama, upload, waited, challenge):
    challenge(None)
    client.post("/face/login/", {"snapshot": upload("obama2")}, REMOTE_ADDR="2001:db8::1")
    assert waited() == {(("2001:db8::/48", "2001:db8::/64", ""), FORM)}


def test_pictures_to_enrol_let_those_who_log_in_go_first(client, obama, upload, waited, challenge):
    challenge(None)
    client.post("/face/login/", {"username": "obama", "password": "a long password"})
    client.post("/face/confirm/", {"snapshot": upload("obama3")})
    waited()
    form = {"snapshot": [upload("obama2") for _ in range(5)], "consent": "on"}
    client.post("/face/enrol/", form)
    assert {rank for _line, rank in waited()} == {BEGINNING}


def test_trusted_device_has_a_place_of_its_own(client, obama, upload, waited):
    form = {"username": "obama", "password": "a long password", "trust": "on"}
    client.post("/face/login/", form)
    for browser in (client, Client()):
        browser.post(FRAMES, {"frame": upload("obama"), "pose": "any"}, headers=JSON)
    assert len({line for line, _rank in waited()}) == 2


def test_challenge_on_a_trusted_device_is_as_good_as_begun(visit, client, obama, waited):
    form = {"username": "obama", "password": "a long password", "trust": "on"}
    client.post("/face/login/", form)
    # Comparing a password takes a turn as well.
    assert {rank for _line, rank in waited()} == {BEGINNING}
    page = visit()
    page.send()
    assert {rank for _line, rank in waited()} == {ANSWERING}
