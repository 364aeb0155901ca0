"""Step-up authentication: the face again before a view that matters."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.http import HttpResponse
from django.test import Client
from django.urls import include, path
from django.utils import timezone
from django.utils.module_loading import import_string
from django.views import View

from accounts.models import User
from config.urls import handler404, handler500  # noqa: F401  (the site's own)
from faceauth.admin import staff
from faceauth.decorators import face_required
from faceauth.mixins import FaceRequiredMixin
from faceauth.models import FaceEvent, FailureCount
from tests.site.conftest import JSON, PASSWORD, log_in_by_face, username_of
from tests.support import guides
from tests.support.admin import member
from tests.support.people import OBAMA
from tests.support.person import converse

CONFIRM, LOGIN, SAFE, STRICT = "/face/confirm/", "/face/login/", "/safe/", "/strict/"

pytestmark = pytest.mark.urls(__name__)


@face_required
def safe(request):
    return HttpResponse(f"opened by {request.method}")


@face_required(max_age=60, password=False)
def strict(request):
    return HttpResponse("opened")


@face_required
async def slow(request):
    return HttpResponse("opened")


class Vault(FaceRequiredMixin, View):
    face_max_age = 60

    def get(self, request):
        return HttpResponse("opened")


urlpatterns = [
    path("safe/", safe),
    path("strict/", strict),
    path("slow/", slow),
    path("vault/", Vault.as_view()),
    path("", include("config.urls")),
]


@pytest.fixture
def clock():
    with time_machine.travel(timezone.now(), tick=False) as clock:
        yield clock


@pytest.fixture
def visitor(client, obama, clock):
    """Log Obama in by password, an hour ago."""
    client.force_login(obama)
    clock.shift(timedelta(hours=1))
    return client


def led_to(response):
    """Return the page that the visitor is redirected to, and its query."""
    assert response.status_code == 302
    parts = urlsplit(response["Location"])
    return parts.path, {name: value for name, (value,) in parse_qs(parts.query).items()}


def opened(client, page=SAFE):
    return client.get(page).status_code == 200


def code(answer):
    return answer[1]["error"]["code"]


def kinds():
    return list(FaceEvent.objects.order_by("pk").values_list("kind", "outcome"))


# Before a view that matters


@pytest.mark.real
def test_face_opens_what_the_session_alone_does_not(visitor, ask, upload, clock):
    assert led_to(visitor.get(f"{SAFE}?page=2")) == (CONFIRM, {"next": f"{SAFE}?page=2"})
    page = visitor.get(f"{CONFIRM}?next={SAFE}").text
    assert "data-faceauth=" in page and 'name="password"' in page
    assert 'name="username"' in page and "obama" in page
    status, answer = ask(CONFIRM, snapshot=upload("obama2"), next=SAFE)
    assert (status, answer["next"]) == (200, SAFE)
    assert opened(visitor)
    clock.shift(timedelta(minutes=5))
    assert opened(visitor)
    clock.shift(timedelta(seconds=1))
    assert not opened(visitor)


def test_clock_that_is_set_back_makes_no_confirmation_last_longer(visitor, ask, upload, clock):
    ask(CONFIRM, snapshot=upload("obama2"))
    assert opened(visitor)
    clock.shift(-timedelta(hours=3))
    assert not opened(visitor)
    # As it would be with any clock.
    ask(CONFIRM, snapshot=upload("obama2"))
    assert opened(visitor)


def test_step_up_can_be_left(client, obama):
    client.force_login(obama)
    page = client.get(CONFIRM, {"next": SAFE}).text
    assert '<a href="/accounts/profile/">Not now</a>' in page
    # That page would lead here again.
    assert "Not now" not in client.get(CONFIRM, {"next": "/accounts/profile/"}).text


def test_confirmation_is_kept_as_one_and_as_a_use_of_the_face(visitor, obama, ask, upload):
    ask(CONFIRM, snapshot=upload("obama2"))
    event = FaceEvent.objects.get()
    assert (event.kind, event.outcome, event.user) == ("confirmed", "accepted", obama)
    assert event.distance is not None
    obama.refresh_from_db()
    assert obama.face_last_used_at == timezone.now()


def test_who_has_just_logged_in_is_not_asked_again(client, obama, ask, upload):
    ask(LOGIN, username="obama", snapshot=upload("obama2"))
    assert opened(client) and opened(client, STRICT)
    client.logout()
    ask(LOGIN, username="obama", password=PASSWORD)
    assert opened(client) and not opened(client, STRICT)


def test_without_javascript(visitor, upload):
    response = visitor.post(CONFIRM, {"snapshot": upload("obama2"), "next": SAFE})
    assert response["Location"] == SAFE
    assert "Thank you. You have confirmed that it’s you." in visitor.get("/").text


def test_head_has_to_move_where_it_has_to_at_login(visitor, ask, upload, settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "CHALLENGE": "auto"}
    assert code(ask(CONFIRM, snapshot=upload("obama2"))) == "challenge_failed"
    assert ask(CONFIRM, challenge=converse(visitor, "confirm"))[0] == 200
    assert opened(visitor)


def test_nobody_elses_face_opens_it(visitor, obama, ask, upload, enrolled):
    enrolled("biden", "biden")
    for name in ({}, {"username": "biden"}):
        status, answer = ask(CONFIRM, snapshot=upload("biden"), **name)
        assert (status, answer["error"]["code"]) == (401, "not_recognised")
        assert "log in" not in answer["error"]["message"]
    assert not opened(visitor)
    assert username_of(visitor) == "obama"
    assert kinds() == [("refused", "too_far")] * 2
    assert FaceEvent.objects.filter(user=obama).count() == 2


def test_attempts_count_as_at_a_login(visitor, obama, ask, upload, settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "MAX_FAILURES": 2}
    for page in (CONFIRM, LOGIN):
        ask(page, username="obama", snapshot=upload("biden"))
    assert ask(CONFIRM, snapshot=upload("obama2"))[0] == 429
    assert ask(CONFIRM, password=PASSWORD)[0] == 200
    # After the password, the face is accepted again.
    assert not FailureCount.objects.filter(key__startswith="account").exists()


def test_password_opens_it_where_there_is_no_camera(visitor, ask):
    status, answer = ask(CONFIRM, password="wrong")
    assert (status, answer["error"]["code"]) == (401, "not_recognised")
    assert answer["error"]["fields"] == {"password": ["This password is not correct. Try again."]}
    assert not opened(visitor)
    assert visitor.post(CONFIRM, {"password": PASSWORD, "next": SAFE})["Location"] == SAFE
    assert opened(visitor)
    assert not opened(visitor, STRICT)
    assert kinds() == []


def test_passwords_are_not_guessed_on(visitor, ask, settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "PASSWORDS_PER_HOUR": 2}
    assert [ask(CONFIRM, password="wrong")[0] for _ in range(3)] == [401, 401, 429]
    response = visitor.post(CONFIRM, {"password": PASSWORD})
    assert (response.status_code, response["Retry-After"] > "0") == (429, True)
    assert not opened(visitor)
    # Not at the door beside it either; the owner, who is elsewhere, feels nothing of it.
    assert ask(LOGIN, username="obama", password=PASSWORD)[0] == 429
    data, elsewhere = {"username": "obama", "password": PASSWORD}, "203.0.113.9"
    assert Client().post(LOGIN, data, REMOTE_ADDR=elsewhere).status_code == 302


def test_where_only_the_face_does_the_page_asks_for_nothing_else(visitor, ask, upload):
    page, query = led_to(visitor.get(STRICT))
    assert query == {"next": STRICT, "only": "face"}
    assert 'name="password"' not in visitor.get(page, query).text
    ask(CONFIRM, snapshot=upload("obama2"), **query)
    assert opened(visitor, STRICT)


@pytest.mark.parametrize("has_password", [True, False])
def test_whoever_staff_let_not_show_their_face_is_told_so(client, obama, has_password):
    if not has_password:
        obama.set_unusable_password()
        obama.save()
    staff.disable(None, obama)
    client.force_login(obama)
    page = client.get(CONFIRM)
    assert "The staff turned off face login for your account." in page.text
    assert "Turn on the camera" not in page.text
    assert ("Confirm with password" in page.text) == has_password
    assert ("ask the site’s staff for help" in page.text) != has_password


def test_who_has_no_face_confirms_by_password(client, ask, clock, db):
    client.force_login(member("eve"))
    clock.shift(timedelta(hours=1))
    page, query = led_to(client.get(STRICT))
    text = client.get(page, query).text
    assert "data-faceauth=" not in text and 'name="password"' in text
    ask(CONFIRM, password=PASSWORD)
    assert opened(client, STRICT)


def test_who_has_neither_is_told_to_log_in_again(client, clock, db):
    client.force_login(User.objects.create_user("eve", "eve@example.com"))
    clock.shift(timedelta(hours=1))
    assert "Log out, then log in again." in client.get(CONFIRM).text


@pytest.mark.parametrize(
    ("referrer", "back"),
    [
        ("http://testserver/form/?id=1", "http://testserver/form/?id=1"),
        ("https://evil.example/form/", SAFE),
        (None, SAFE),
    ],
)
def test_form_that_comes_too_late_leads_back_to_its_page(visitor, ask, referrer, back):
    headers = {"Referer": referrer} if referrer else {}
    response = visitor.post(SAFE, {"amount": "100"}, headers=headers)
    assert led_to(response) == (CONFIRM, {"next": back})
    response = visitor.post(CONFIRM, {"password": PASSWORD, "next": back}, follow=True)
    assert "opened by POST" not in response.text


def test_clients_are_told_in_json(visitor, client):
    response = visitor.get(SAFE, headers=JSON)
    assert response.status_code == 403
    error = response.json()["error"]
    assert (error["code"], error["confirm"]) == ("face_required", "/face/confirm/?next=%2Fsafe%2F")
    response = Client().get(SAFE, headers=JSON)
    assert (response.status_code, response.json()["error"]["code"]) == (401, "login_required")


def test_who_is_not_logged_in_logs_in(client, db):
    assert led_to(client.get(SAFE)) == (LOGIN, {"next": SAFE})
    assert led_to(client.get(CONFIRM)) == (LOGIN, {"next": CONFIRM})


def test_page_leads_to_no_other_site(visitor, upload):
    data = {"snapshot": upload("obama2"), "next": "https://evil.example/"}
    assert visitor.post(CONFIRM, data)["Location"] == "/accounts/profile/"


def test_session_key_is_another_afterwards(visitor, ask):
    before = visitor.session.session_key
    ask(CONFIRM, password=PASSWORD)
    assert visitor.session.session_key != before
    stolen = Client()
    stolen.cookies["sessionid"] = before
    assert led_to(stolen.get(SAFE)) == (LOGIN, {"next": SAFE})


def test_confirmation_of_one_is_none_of_another(client, obama, ask, upload, db):
    ask(LOGIN, username="obama", snapshot=upload("obama2"))
    session = client.session
    session["faceauth_seen"] = {**session["faceauth_seen"], "user": "0"}
    session.save()
    assert not opened(client)


@pytest.mark.parametrize("page", ["/vault/", "/slow/"])
def test_classes_and_coroutines_are_guarded_as_well(visitor, ask, page):
    assert led_to(visitor.get(page)) == (CONFIRM, {"next": page})
    ask(CONFIRM, password=PASSWORD)
    assert opened(visitor, page)


# Somebody else in a session that was left open


def shots(upload, *names):
    return {"consent": "on", "snapshot": [upload(name) for name in names or OBAMA]}


def test_stolen_session_neither_exchanges_the_face_nor_removes_it(visitor, obama, ask, upload):
    before = obama.face_enrolled_at
    for page, data in ("/face/enrol/", shots(upload)), ("/face/remove/", {}):
        assert code(ask(page, **data)) == "face_required"
        assert led_to(visitor.get(page)) == (CONFIRM, {"next": page, "only": "face"})
        assert led_to(visitor.post(page, data)) == (CONFIRM, {"next": page, "only": "face"})
    obama.refresh_from_db()
    assert obama.face_enrolled_at == before
    # Nor does somebody who knows the password.
    assert ask(CONFIRM, password=PASSWORD)[0] == 200
    for page, data in ("/face/enrol/", shots(upload)), ("/face/remove/", {}):
        assert led_to(visitor.post(page, data)) == (CONFIRM, {"next": page, "only": "face"})
    obama.refresh_from_db()
    assert obama.face_enrolled_at == before
    assert ask(CONFIRM, snapshot=upload("obama2"))[0] == 200
    assert ask("/face/enrol/", **shots(upload))[0] == 200


def test_stolen_session_enrols_no_face_to_confirm_with(client, ask, upload, clock, db):
    eve = member("eve")
    client.force_login(eve)
    clock.shift(timedelta(hours=1))
    assert code(ask("/face/enrol/", **shots(upload))) == "face_required"
    assert code(ask(CONFIRM, snapshot=upload("obama2"))) == "not_recognised"
    assert not opened(client)
    eve.refresh_from_db()
    assert not eve.has_face


def test_stolen_session_sets_no_password_to_confirm_with(client, enrolled, ask, upload, clock):
    client.force_login(enrolled("obama", "obama", "obama3"))
    page = "/accounts/password-change/"
    assert client.get(page).status_code == 200
    clock.shift(timedelta(hours=1))
    new = {"new_password1": "another engine", "new_password2": "another engine"}
    assert led_to(client.post(page, new)) == (CONFIRM, {"next": page})
    assert 'name="password"' not in client.get(CONFIRM).text
    assert ask(CONFIRM, snapshot=upload("obama2"))[0] == 200
    assert led_to(client.post(page, new)) == ("/accounts/profile/", {})


def test_stolen_session_of_staff_enrols_none_in_the_admin(client, ask, upload, clock, db):
    boss = User.objects.create_superuser("boss", "boss@example.com", PASSWORD)
    client.force_login(boss)
    clock.shift(timedelta(hours=1))
    own, other = (f"/admin/accounts/user/{each.pk}/face/photos/" for each in (boss, member("eve")))
    assert client.get(other).status_code == 200
    assert led_to(client.get(own)) == (CONFIRM, {"next": own})
    assert code(ask(own, **shots(upload))) == "face_required"


def test_stolen_session_takes_no_encodings_along(client, obama, visitor, ask, upload):
    response = client.get("/face/export/")
    assert led_to(response) == (CONFIRM, {"next": "/face/export/", "only": "face"})
    ask(CONFIRM, snapshot=upload("obama2"))
    assert len(client.get("/face/export/").json()["face"]["encodings"]) == 3


def test_pictures_may_take_a_while(client, obama, ask, upload, clock):
    log_in_by_face(client, obama)
    assert client.get("/face/enrol/").status_code == 200
    clock.shift(timedelta(minutes=10))
    assert client.get("/face/enrol/").status_code == 302
    assert ask("/face/enrol/", **shots(upload))[0] == 200


# What docs/stepup.md says


def test_examples_of_the_docs_run():
    blocks = guides.blocks("stepup.md", "python")
    assert len(blocks) == 4
    for block in blocks:
        names = {"MIDDLEWARE": []}
        exec(block.text, names)  # it is ours
        for middleware in names["MIDDLEWARE"]:
            assert import_string(middleware)
