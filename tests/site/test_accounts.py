from __future__ import annotations

import re
from io import BytesIO

import pytest
from django.db import IntegrityError
from PIL import Image

from accounts.models import User
from faceauth.models import RequestCount
from tests.site.conftest import log_in_by_face, username_of
from tests.support import mail
from tests.support.people import OBAMA, picture
from tests.unit.vision.test_images import saved

# With the face in the form, as in tests/projects/site; the site's own is in test_signup.
SIGN_UP, LOGIN = "/signup/", "/face/login/"
GOOD = {"username": "ada", "email": "ada@example.com"}


@pytest.fixture
def shots(upload):
    return lambda *names: [upload(name) for name in names or OBAMA]


@pytest.mark.real
def test_sign_up_with_a_face_and_no_password(client, ask, db, shots, upload):
    status, answer = ask(SIGN_UP, **GOOD, consent="on", snapshot=shots())
    assert status == 200
    assert username_of(client) == "ada"
    user = User.objects.get()
    assert not user.has_usable_password()
    assert (user.has_face, user.face_shots) == (True, 5)
    assert user.face_consented_at is not None
    client.post("/accounts/logout/")
    assert username_of(client) is None
    assert ask(LOGIN, snapshot=upload("obama2"))[1]["user"]["username"] == "ada"
    client.logout()
    assert ask(LOGIN, username="ada", password="")[0] == 400


def test_sign_up_with_a_password_and_no_face(client, ask, db):
    assert ask(SIGN_UP, **GOOD, password="a long password")[0] == 200
    user = User.objects.get()
    assert not user.has_face
    assert user.face_consented_at is None
    assert user.check_password("a long password")


def test_neither_face_nor_password_is_no_account(ask, db):
    status, answer = ask(SIGN_UP, **GOOD)
    assert status == 400
    assert answer["error"]["fields"]["password"]
    assert not User.objects.exists()


def test_face_without_consent_is_not_computed(ask, db, shots, monkeypatch):
    monkeypatch.setattr("faceauth.capture.samples.encodings", pytest.fail)
    status, answer = ask(SIGN_UP, **GOOD, snapshot=shots())
    assert status == 400
    assert answer["error"]["fields"]["consent"]
    assert not User.objects.exists()


def test_shots_of_two_people_are_refused(ask, db, shots):
    status, answer = ask(SIGN_UP, **GOOD, consent="on", snapshot=shots(*OBAMA[:4], "biden"))
    assert (status, answer["error"]["code"]) == (400, "not_same_person")
    assert not User.objects.exists()


def test_copies_of_a_picture_are_refused(ask, db, shots, upload):
    photo = Image.open(BytesIO(picture("obama")))
    smaller = saved(photo.resize((photo.width * 2 // 3, photo.height * 2 // 3)), "JPEG", quality=80)
    for copy in (picture("obama"), smaller):
        status, answer = ask(SIGN_UP, **GOOD, consent="on", snapshot=[*shots()[:4], upload(copy)])
        assert (status, answer["error"]["code"]) == (400, "same_picture")
    assert not User.objects.exists()


def test_too_few_shots_are_asked_for(ask, db, shots):
    status, answer = ask(SIGN_UP, **GOOD, consent="on", snapshot=shots("obama"))
    assert (status, answer["error"]["code"]) == (400, "missing_snapshot")
    assert "choose all 5" in answer["error"]["message"]


def test_sign_ups_are_limited_by_address(client, db, shots, settings, monkeypatch):
    settings.FACEAUTH = {**settings.FACEAUTH, "ENROLMENTS_PER_HOUR": 1}
    form = {**GOOD, "consent": "on"}
    assert client.post(SIGN_UP, {**form, "snapshot": shots("obama")}).status_code == 400
    with monkeypatch.context() as blind:
        blind.setattr("faceauth.capture.samples.analyse", pytest.fail)
        response = client.post(SIGN_UP, {**form, "snapshot": shots()})
    assert response.status_code == 429
    assert int(response["Retry-After"]) <= 3600
    assert "Too many sign-ups from your network" in response.text
    assert not User.objects.exists()
    elsewhere = {"REMOTE_ADDR": "203.0.113.9"}
    assert client.post(SIGN_UP, {**form, "snapshot": shots()}, **elsewhere).status_code == 302
    client.logout()
    # Also without pictures; and who has an account is then no longer said.
    response = client.post(SIGN_UP, {**GOOD, "password": "a long password"})
    assert response.status_code == 429
    assert "This username is taken" not in response.text


def test_who_has_just_signed_up_is_limited_by_address_as_well(client, db, shots, settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "ENROLMENTS_PER_HOUR": 1}
    statuses = []
    for name in ("ada", "eve"):
        form = {**GOOD, "username": name, "email": f"{name}@example.com", "consent": "on"}
        statuses.append(client.post(SIGN_UP, {**form, "snapshot": shots()}).status_code)
    assert statuses == [302, 429]
    assert [user.username for user in User.objects.all()] == ["ada"]


def test_database_itself_keeps_names_and_addresses_unique(db):
    User.objects.create_user("ada", "ada@example.com")
    with pytest.raises(IntegrityError):
        User.objects.create_user("ADA", "other@example.com")


def test_pages_that_need_login_lead_there_and_back(client, enrolled, upload):
    enrolled("obama", "obama")
    response = client.get("/members/")
    assert response["Location"] == "/face/login/?next=/members/"
    assert "Log in to continue." in client.get(response["Location"]).text
    assert "Log in to continue." not in client.get(LOGIN).text
    response = client.post(LOGIN, {"snapshot": upload("obama"), "next": "/members/"}, follow=True)
    assert response.request["PATH_INFO"] == "/members/"


def test_logout_is_a_post(client, enrolled):
    client.force_login(enrolled("obama", "obama"))
    assert client.get("/accounts/logout/").status_code == 405
    assert username_of(client) == "obama"
    page = client.post("/accounts/logout/", follow=True)
    assert "You are logged out." in page.text
    assert username_of(client) is None


def test_profile_tells_when_the_face_was_enrolled_and_used(client, ask, enrolled, upload):
    enrolled("obama", "obama")
    ask(LOGIN, snapshot=upload("obama"))
    user = User.objects.get()
    page = client.get("/accounts/profile/").text
    for moment in (user.face_enrolled_at, user.face_last_used_at):
        assert str(moment.year) in page
        assert moment.strftime("%H:%M") in page or moment.isoformat()[:16] in page


def test_enrolling_again_replaces_the_face(client, ask, enrolled, upload, shots, settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "ENROLMENT_SHOTS": 2}
    user = enrolled("ada", "obama", password="a long password")
    log_in_by_face(client, user)
    assert ask("/face/enrol/", snapshot=shots("biden", "biden up"))[0] == 400
    status, _ = ask("/face/enrol/", consent="on", snapshot=shots("biden", "biden up"))
    assert status == 200
    client.logout()
    assert ask(LOGIN, snapshot=upload("obama"))[0] == 401
    assert ask(LOGIN, snapshot=upload("biden"))[0] == 200


def test_removing_the_face(client, ask, enrolled, upload):
    user = enrolled("ada", "obama", password="a long password")
    log_in_by_face(client, user)
    assert client.get("/face/remove/").status_code == 200
    assert client.post("/face/remove/").status_code == 302
    user.refresh_from_db()
    assert user.face_encodings is None
    assert user.face_enrolled_at is user.face_consented_at is user.face_last_used_at is None
    client.logout()
    assert ask(LOGIN, snapshot=upload("obama"))[0] == 401


def test_who_has_neither_password_nor_mail_sets_one_before_removing_the_face(client, enrolled):
    user = enrolled("ada", "obama")
    User.objects.update(email="")
    log_in_by_face(client, user)
    assert client.post("/face/remove/").status_code == 409
    user.refresh_from_db()
    assert user.has_face
    passwords = {"new_password1": "a long password", "new_password2": "a long password"}
    assert client.post("/accounts/password-change/", passwords).status_code == 302
    assert client.post("/face/remove/").status_code == 302


@pytest.mark.parametrize("path", ["/face/enrol/", "/face/remove/", "/accounts/profile/"])
def test_strangers_are_sent_to_log_in(client, db, path):
    assert client.get(path)["Location"].startswith("/face/login/")
    assert client.post(path)["Location"].startswith("/face/login/")


def test_password_reset_works_for_who_never_had_a_password(client, enrolled):
    enrolled("ada", "obama")
    client.post("/accounts/password-reset/", {"email": "ADA@example.com"})
    (message,) = mail.sent()
    assert message.to == ["ada@example.com"]
    (link,) = re.findall(r"http://testserver(/\S+)", message.body)
    form = client.get(link)["Location"]
    passwords = {"new_password1": "a long password", "new_password2": "a long password"}
    assert client.post(form, passwords).status_code == 302
    assert client.login(username="ada", password="a long password")


def test_password_reset_tells_nobody_who_has_an_account(client, enrolled):
    enrolled("ada", "obama")
    answers = [
        client.post("/accounts/password-reset/", {"email": email})
        for email in ("ada@example.com", "nobody@example.com")
    ]
    assert answers[0].status_code == answers[1].status_code == 302
    assert answers[0]["Location"] == answers[1]["Location"]
    assert len(mail.sent()) == 1


def test_made_up_addresses_fill_no_table(client, db, settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "ENROLMENTS_PER_HOUR": 3}
    for number in range(30):
        page = client.post("/accounts/password-reset/", {"email": f"nobody{number}@example.com"})
    assert "Too many emails" in page.text
    # Two for each of three, and those of the visitor's own address and network.
    assert RequestCount.objects.count() <= 3 * 2 + 2 * 2


def test_admin_shows_who_is_enrolled_and_no_numbers(admin_client, enrolled):
    user = enrolled("ada", "obama")
    assert "icon-yes" in admin_client.get("/admin/accounts/user/").text
    page = admin_client.get(f"/admin/accounts/user/{user.pk}/change/").text
    assert "Face" in page
    assert "face_encodings" not in page
    assert "array(" not in page
