from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from django.contrib.admin.models import LogEntry
from django.core import mail
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.datastructures import MultiValueDict

from accounts.models import User
from faceauth import conf, enrolment, signals
from faceauth.admin import staff
from faceauth.errors import AccountGone, SamePicture
from faceauth.forms import EnrolForm
from faceauth.models import FaceEvent
from tests.support.people import OBAMA, encodings, enrol_silently, picture

pytestmark = pytest.mark.postgres

LOGIN, SIGN_UP = "/face/login/", "/signup/"


@pytest.fixture
def ada(db):
    return User.objects.create_user("ada", "ada@example.com")


@pytest.fixture
def enrol_page(ask, client, upload):
    """Enrol that user's face, out of these pictures, on the page for it."""

    def post(user, *photos):
        client.force_login(user)
        status, answer = ask(
            "/face/enrol/", consent="on", snapshot=[upload(photo) for photo in photos]
        )
        client.logout()
        return status, answer

    return post


def test_whoever_staff_let_not_log_in_by_face_is_told_before_and_after(client, ada, enrol_page):
    client.force_login(ada)
    for page in ("/face/enrol/", "/", "/accounts/profile/"):
        assert "The staff turned off face login" not in client.get(page).text
    staff.disable(None, ada)
    for page in ("/face/enrol/", "/", "/accounts/profile/"):
        text = client.get(page).text
        assert "The staff turned off face login" in text
        assert "log in with your face." not in text
        assert "log in by looking into the camera" not in text
    status, answer = enrol_page(ada, *OBAMA)
    assert (status, answer["message"]) == (
        200,
        "Your face is enrolled. Face login is still turned off for your account.",
    )
    assert "you can log in with your face." not in client.get("/").text
    assert "Face login is still turned off for your account." in mail.outbox[-1].body


@pytest.mark.real
def test_as_many_pictures_as_the_site_asks_for(client, ask, db, upload):
    field = client.get(SIGN_UP).context["form"].fields["snapshot"]
    assert (field.shots, field.frames) == (conf.get().ENROLMENT_SHOTS, 1)
    field = client.get(LOGIN).context["form"].fields["snapshot"]
    assert (field.shots, field.frames) == (1, conf.get().LOGIN_FRAMES)


@pytest.mark.parametrize(
    "given",
    [
        lambda made: made,
        lambda made: [list(map(float, row)) for row in made],
        lambda made: made[0],
        lambda made: list(map(float, made[0])),
    ],
    ids=["several", "lists", "one alone", "one list"],
)
def test_encodings_made_by_face_recognition_log_in(ada, ask, upload, oracle, given):
    images = [oracle.load_image_file(BytesIO(picture(name))) for name in ("obama", "obama3")]
    made = np.array([oracle.face_encodings(image)[0] for image in images])
    assert made.dtype == np.float64
    enrolment.enrol(ada, given(made))
    assert ask(LOGIN, snapshot=upload("obama2"))[1]["user"]["username"] == "ada"
    assert ask(LOGIN, username="ada", snapshot=upload("biden"))[0] == 401


@pytest.mark.parametrize("value", [[], np.ones(127), ["a"] * 128, np.zeros(128), [[1.0]] * 128])
def test_what_is_no_encoding_is_not_enrolled(ada, value):
    with pytest.raises(ValidationError):
        enrolment.enrol(ada, value)
    ada.refresh_from_db()
    assert not ada.has_face


def test_copies_are_not_enrolled(ada):
    (shot,) = encodings("obama")
    with pytest.raises(SamePicture):
        enrolment.enrol(ada, [shot, shot * 1.001])


def test_second_account_of_a_face_is_flagged_and_hears_nothing(ask, enrolled, upload):
    first = enrolled("first", *OBAMA[:3])
    form = {"username": "second", "email": "second@example.com", "consent": "on"}
    status, answer = ask(SIGN_UP, **form, snapshot=[upload(name) for name in OBAMA])
    assert status == 200
    assert answer["message"] == "Welcome, second. Your account is ready."
    first.refresh_from_db()
    assert first.face_flagged_at is None
    assert User.objects.get(username="second").face_flagged_at is not None


def test_another_face_is_not_flagged(enrolled):
    enrolled("obama", *OBAMA[:3])
    assert enrolled("biden", "biden", "biden up").face_flagged_at is None


def test_enrolling_again_is_no_look_alike_of_oneself(enrolled):
    user = enrolled("obama", *OBAMA[:3])
    enrolment.enrol(user, encodings(*OBAMA))
    assert user.face_flagged_at is None


def test_look_alikes_who_may_not_log_in_count(enrolled):
    enrolled("first", *OBAMA[:3], is_active=False)
    assert enrolled("second", *OBAMA).face_flagged_at is not None


def test_refused_look_alike_learns_of_nobody(ask, enrolled, enrol_page, upload, settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "LOOK_ALIKES": "refuse"}
    enrolled("first", *OBAMA[:3])
    form = {"username": "second", "email": "second@example.com", "consent": "on"}
    status, answer = ask(SIGN_UP, **form, snapshot=[upload(name) for name in OBAMA])
    assert (status, answer["error"]["code"]) == (400, "look_alike")
    assert "first" not in str(answer)
    assert User.objects.count() == 1
    third = User.objects.create_user("third", "third@example.com")
    assert enrol_page(third, *OBAMA)[1]["error"]["code"] == "look_alike"
    third.refresh_from_db()
    assert not third.has_face


def test_look_alikes_may_be_allowed(enrolled, settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "LOOK_ALIKES": "allow"}
    enrolled("first", *OBAMA[:3])
    assert enrolled("second", *OBAMA).face_flagged_at is None


def test_staff_finds_flags_and_clears_them(admin_client, client, enrolled):
    first = enrolled("first", *OBAMA[:3])
    second = enrolled("second", *OBAMA)
    users = "/admin/accounts/user/"
    page = admin_client.get(users, {"flagged": "yes"}).text
    assert "second@example.com" in page
    assert "first@example.com" not in page
    page = admin_client.get(users, {"flagged": "no"}).text
    assert "second@example.com" not in page
    page = admin_client.get(f"{users}{second.pk}/change/").text
    assert f'<a href="{users}{first.pk}/change/">first</a>' in page
    clear = {"action": "clear_flag", "_selected_action": [second.pk]}
    assert "1 flag was cleared." in admin_client.post(users, clear, follow=True).text
    second.refresh_from_db()
    assert second.face_flagged_at is None
    assert second.has_face


def test_account_deleted_while_it_enrols_gets_no_face(client, ada, enrol_page, monkeypatch):
    check = enrolment.lifecycle._look_alike

    def deleted_after(user, shots):
        User.objects.filter(pk=user.pk).delete()
        return check(user, shots)

    monkeypatch.setattr(enrolment.lifecycle, "_look_alike", deleted_after)
    status, answer = enrol_page(ada, *OBAMA)
    assert (status, answer["error"]["code"]) == (409, "account_gone")
    assert not User.objects.exists()
    assert not FaceEvent.objects.exists()
    assert mail.outbox == []


def test_face_of_an_account_that_is_gone_cannot_be_written(enrolled):
    user = enrolled("obama", "obama")
    ghost = User.objects.get()
    user.delete()
    with pytest.raises(AccountGone):
        enrolment.enrol(ghost, encodings("obama"))
    assert not enrolment.revoke(ghost)
    assert not enrolment.agree(ghost, enrolment.Consent("1"))
    assert not User.objects.exists()


def test_code_that_enrols_leaves_an_event_and_sends_a_mail(ada):
    heard = []
    signals.face_enrolled.connect(listen := lambda **kwargs: heard.append(kwargs["event"]))
    first = enrolment.enrol(ada, encodings(*OBAMA))
    second = enrolment.enrol(ada, encodings(*OBAMA), by="staff")
    signals.face_enrolled.disconnect(listen)
    found = FaceEvent.objects.order_by("pk").values_list("kind", "outcome", "user__username")
    assert [*found] == [("enrolled", "", "ada"), ("replaced", "by_staff", "ada")]
    assert heard == [first, second]
    assert [each.to for each in mail.outbox] == [["ada@example.com"]] * 2
    assert "You can now log in with it." in mail.outbox[0].body


def test_no_mail_where_the_site_wants_none_or_the_enrolment_is_undone(ada, settings):
    with pytest.raises(RuntimeError), transaction.atomic():
        enrolment.enrol(ada, encodings("obama"))
        raise RuntimeError
    assert not FaceEvent.objects.exists()
    settings.FACEAUTH = {**settings.FACEAUTH, "NOTIFY_BY_MAIL": False}
    enrolment.enrol(User.objects.get(), encodings("obama"))
    assert FaceEvent.objects.count() == 1
    assert mail.outbox == []


def test_user_who_is_new_is_saved_with_the_face(db):
    event = enrolment.enrol(User(username="eve", email="eve@example.com"), encodings("obama"))
    assert event.user == User.objects.get()
    assert event.user.has_face


@pytest.fixture
def unreadable(ada):
    """A user whose face nobody can decrypt any more."""
    enrol_silently(ada, encodings(*OBAMA))
    elsewhere = User._meta.get_field("face_encodings").seal(ada.pk + 1, encodings("obama"))
    User.objects.filter(pk=ada.pk).update(face_encodings=elsewhere)
    mail.outbox = []
    return User.objects.get(pk=ada.pk)


def test_enrolling_over_an_unreadable_face_replaces_it_on_the_site(unreadable, enrol_page):
    assert not unreadable.has_face
    assert unreadable.face_is_enrolled
    assert enrol_page(unreadable, *OBAMA)[0] == 200
    assert FaceEvent.objects.get().kind == "replaced"


def test_enrolling_over_an_unreadable_face_replaces_it_in_the_admin(
    admin_client, unreadable, upload
):
    page = f"/admin/accounts/user/{unreadable.pk}/face/photos/"
    shots = [upload(name) for name in OBAMA]
    assert admin_client.post(page, {"consent": "on", "snapshot": shots}).status_code == 302
    assert FaceEvent.objects.get().kind == "replaced"
    assert "Face replaced (photos)" in str(LogEntry.objects.get())


def test_enrolling_over_an_unreadable_face_replaces_it_from_code(unreadable):
    assert enrolment.enrol(unreadable, encodings(*OBAMA)).kind == "replaced"


def test_form_without_a_request_counts_nobody(db, upload, settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "ENROLMENTS_PER_HOUR": 1}
    for _ in range(2):
        pictures = MultiValueDict({"snapshot": [upload(name) for name in OBAMA]})
        form = EnrolForm({"consent": "on"}, pictures)
        assert form.is_valid(), form.errors
