"""Staff enrol another user's face in the admin."""

from __future__ import annotations

import pytest
from django.core import mail

from accounts.models import User
from faceauth.enrolment import adaptation
from faceauth.models import FaceEvent
from tests.site.conftest import JSON, log_in_by_face
from tests.support.admin import SEES_USERS, logged, member, staff
from tests.support.people import OBAMA
from tests.support.person import converse

USERS = "/admin/accounts/user/"


@pytest.fixture
def clerk(client, db):
    """Return a staff member who is logged in and may enrol faces."""
    user = staff("clerk", *SEES_USERS, "enrol_face")
    client.force_login(user)
    return user


@pytest.fixture
def eve(db):
    return member("eve")


@pytest.fixture
def send(client, upload, eve):
    """Send the form of one of the two pages for eve."""

    def post(page, *photos, headers=JSON, **more):
        shots = [upload(name, f"{name}.png") for name in photos]
        form = {"consent": "on", "snapshot": shots, **more}
        return client.post(f"{USERS}{eve.pk}/face/{page}/", form, headers=headers)

    return post


def code(response):
    return response.json()["error"]["code"]


@pytest.mark.real
def test_photos_are_enrolled_told_and_logged(clerk, eve, send, client):
    response = send("photos", *OBAMA)
    assert response.json()["next"] == f"{USERS}{eve.pk}/change/"
    eve.refresh_from_db()
    assert eve.face_shots == 5
    assert eve.face_consent_version == "1"
    assert {each["source"] for each in eve.face_shot_notes} == {"file"}
    assert all(each["head_size"] > 80 for each in eve.face_shot_notes)
    assert 0 < eve.face_quality <= 1
    event = FaceEvent.objects.get()
    assert (event.kind, event.outcome, event.user) == ("enrolled", "by_staff", eve)
    (told,) = mail.outbox
    assert told.to == ["eve@example.com"]
    assert "They recorded that you agreed to this." in told.body
    assert logged() == [
        ("clerk", "eve", "Face enrolled (photos); confirmed that the person agreed.")
    ]
    panel = client.get(f"{USERS}{eve.pk}/change/").text
    assert panel.count("<td>file</td>") == 5
    assert "to their left" in panel


def test_enrolled_again_is_a_replacement(clerk, send):
    send("photos", *OBAMA)
    send("photos", *OBAMA)
    assert [each.kind for each in FaceEvent.objects.order_by("pk")] == ["enrolled", "replaced"]
    assert "It replaces the old one." in mail.outbox[1].body


def test_who_was_enrolled_by_staff_logs_in(clerk, eve, send, client, upload):
    send("photos", *OBAMA)
    client.logout()
    response = client.post(
        "/face/login/", {"username": "eve", "snapshot": upload("obama2")}, headers=JSON
    )
    assert response.json()["user"]["username"] == "eve"


def test_nothing_is_enrolled_without_consent(clerk, eve, send):
    response = send("photos", *OBAMA, consent="")
    assert response.status_code == 400
    assert response.json()["error"]["fields"]["consent"] == [
        "Without their consent their face cannot be used."
    ]
    eve.refresh_from_db()
    assert not eve.has_face
    assert not logged()


@pytest.mark.parametrize(
    ("photos", "refused"),
    [
        (OBAMA[:4], "missing_snapshot"),
        ((*OBAMA[:4], "biden"), "not_same_person"),
        ((*OBAMA[:4], "obama"), "same_picture"),
        ((), "missing_snapshot"),
    ],
)
def test_gate_is_that_of_the_site(clerk, eve, send, photos, refused):
    assert code(send("photos", *photos)) == refused
    eve.refresh_from_db()
    assert not eve.has_face


def test_look_alikes_are_refused_where_the_site_refuses_them(clerk, eve, send, enrolled, settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "LOOK_ALIKES": "refuse"}
    enrolled("obama", "obama2", "obama3")
    assert code(send("photos", *OBAMA)) == "look_alike"


def test_webcam_takes_the_challenge_and_photos_are_vouched_for(clerk, eve, send, client, settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "CHALLENGE": "auto"}
    pages = {page: client.get(f"{USERS}{eve.pk}/face/{page}/").text for page in ("enrol", "photos")}
    assert 'data-purpose="enrol"' in pages["enrol"]
    assert "data-purpose" not in pages["photos"]
    assert code(send("enrol", *OBAMA)) == "challenge_failed"
    assert send("enrol", *OBAMA, challenge=converse(client, "enrol")).status_code == 200
    assert send("photos", *OBAMA).status_code == 200
    assert [each[2].split("(")[1][:6] for each in logged()] == ["webcam", "photos"]


def test_without_javascript_the_page_says_what_is_wrong(clerk, eve, send):
    response = send("photos", "obama", "obama2", headers={})
    assert response.status_code == 400
    assert "choose all 5" in response.text
    assert "Choose 5 different photos" in response.text


def test_only_staff_who_may_reach_the_pages(client, eve, upload):
    path = f"{USERS}{eve.pk}/face/photos/"
    assert client.get(path)["Location"] == f"/admin/login/?next={path}"
    client.force_login(staff("blind", "enrol_face"))
    assert client.get(path).status_code == 403
    client.force_login(eve)
    assert client.post(path, {"snapshot": upload("obama")}).status_code == 302
    client.force_login(staff("clerk", *SEES_USERS, "enrol_face"))
    assert client.get(f"{USERS}99999/face/photos/").status_code == 404


def test_form_from_elsewhere_is_refused(eve):
    from django.test import Client

    strict = Client(enforce_csrf_checks=True)
    strict.force_login(staff("clerk", *SEES_USERS, "enrol_face"))
    assert strict.post(f"{USERS}{eve.pk}/face/photos/", {"consent": "on"}).status_code == 403
    assert strict.post(f"{USERS}{eve.pk}/face/do/invite_to_enrol/").status_code == 403
    assert not mail.outbox


def test_photo_is_judged_for_what_it_is(clerk, client, upload):
    """Photos get no advice to come closer: they have been taken already."""

    def verdict(photo):
        form = {"pose": "photo", "frame": upload(photo)}
        return client.post("/face/frames/", form, headers=JSON).json()

    small = verdict("obama")
    assert (small["ok"], small["code"]) == (True, "ok")
    assert not verdict(b"no picture").get("ok")


def test_own_enrolment_is_noted_as_it_came(client, db, upload):
    ada = User.objects.create_user("ada", "ada@example.com", "x")
    client.force_login(ada)
    shots = [upload(name, "picture.jpg") for name in OBAMA]
    client.post("/face/enrol/", {"consent": "on", "snapshot": shots})
    ada.refresh_from_db()
    assert {each["source"] for each in ada.face_shot_notes} == {"webcam"}
    log_in_by_face(client, ada)
    exported = client.get("/face/export/").json()
    assert exported["face"]["pictures"] == ada.face_shot_notes
    assert exported["face"]["quality"] == ada.face_quality
    client.post("/face/remove/")
    ada.refresh_from_db()
    assert ada.face_shot_notes is ada.face_quality is None


def test_notes_follow_adaptation_and_its_end(client, clerk, eve, send, upload, settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "ADAPT": True}
    send("photos", "obama", "obama3", "obama left", "obama right", "obama up")
    before = User.objects.get(pk=eve.pk)
    form = {"username": "eve", "password": "a long password", "snapshot": upload("obama2")}
    client.logout()
    client.post("/face/login/", form)
    after = User.objects.get(pk=eve.pk)
    assert after.face_adapted_at is not None
    assert [each["source"] for each in after.face_shot_notes] == ["file"] * 5 + ["login"]
    assert "head_size" in after.face_shot_notes[-1]
    assert adaptation.revert(after)
    assert after.face_shot_notes == before.face_shot_notes
    assert after.face_quality == before.face_quality
