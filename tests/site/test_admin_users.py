"""Faces in the user admin: the list, the actions, and the page of a user."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib import admin
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from faceauth.admin import staff as doing
from faceauth.models import FaceEvent, FailureCount
from tests.support.admin import SEES_USERS, logged, made_up, member, staff, taken

pytestmark = pytest.mark.postgres

USERS = "/admin/accounts/user/"
CONFIRMED = {"faceauth_confirmed": "yes"}


@pytest.fixture
def people(db):
    """Ada with a good face, grace with a bad one, and eve without any."""
    return [member("ada", 1), member("grace", 2, taken(sharpness=0.15)), member("eve")]


@pytest.fixture
def act(client):
    """Run an action on users, with a client that is logged in."""

    def post(action, *users, **more):
        form = {"action": action, "_selected_action": [user.pk for user in users], **more}
        return client.post(USERS, form, follow=True)

    return post


def named(page):
    """Return the usernames in the list."""
    return re.findall(r"/change/[^>]*>(\w+)</a></th>", page.text)


def cells(page, name):
    """Return the cells about the user's face in the list."""
    (row,) = (row for row in page.text.split("<tr>") if f">{name}</a>" in row)
    found = re.findall(r'<td class="field-face_\w+[^"]*">(.*?)</td>', row)
    return [re.sub(r'<img[^>]*alt="(\w+)"[^>]*>|<[^>]+>', r"\1", cell).strip() for cell in found]


def test_list_says_what_is_known_of_each_face(admin_client, people):
    ada, grace, _eve = people
    used = timezone.now() - timedelta(days=3)
    User.objects.filter(pk=ada.pk).update(face_last_used_at=used)
    doing.disable(None, grace)
    page = admin_client.get(USERS)
    enrolled, shots, quality, last, disabled = cells(page, "ada")
    assert (enrolled, shots, disabled) == ("True", "5", "–")
    assert "100 %" in quality
    assert str(used.year) in last
    assert cells(page, "grace")[2:] == ["44 % 44 %", "–", "by staff"]
    assert cells(page, "eve") == ["False", "–", "–", "–", "–"]


@pytest.mark.parametrize("column", ["face_enrolled_at", "face_encodings", "face_consent_from"])
def test_columns_of_faces_are_found_by_nobody_who_may_not_see_them(client, people, column):
    client.force_login(staff("clerk", "view_user"))
    assert client.get(USERS, {f"{column}__isnull": "False"}).status_code == 400
    client.force_login(staff("seer", *SEES_USERS))
    hidden = column == "face_encodings"
    assert client.get(USERS, {f"{column}__isnull": "False"}).status_code == (400 if hidden else 200)


def test_list_says_whose_face_was_wrong_too_often(client, admin_client, obama, upload, settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "MAX_FAILURES_BEFORE_DISABLING": 1}
    client.post("/face/login/", {"username": "obama", "snapshot": upload("biden")})
    assert cells(admin_client.get(USERS), "obama")[-1] == "after failures"
    assert named(admin_client.get(USERS, {"disabled": "failures"})) == ["obama"]
    assert "obama" not in named(admin_client.get(USERS, {"disabled": "no"}))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("enrolled=yes", ["ada", "grace"]),
        ("enrolled=no", ["eve"]),
        ("quality=low", ["grace"]),
        ("quality=good", ["ada"]),
        ("quality=unknown", []),
        ("last=week", ["ada"]),
        ("last=year", ["ada"]),
        ("last=earlier", []),
        ("last=never", ["grace"]),
        ("disabled=staff", ["eve"]),
        ("disabled=failures", []),
        ("disabled=no", ["ada", "grace"]),
        ("flagged=yes", ["grace"]),
        ("enrolled=yes&q=gra", ["grace"]),
        ("enrolled=no&q=gra", []),
    ],
)
def test_filters_and_search(client, people, query, found):
    ada, grace, eve = people
    now = timezone.now()
    User.objects.filter(pk=ada.pk).update(face_last_used_at=now)
    User.objects.filter(pk=grace.pk).update(face_flagged_at=now)
    User.objects.filter(pk=eve.pk).update(face_disabled_at=now)
    client.force_login(ada)
    User.objects.filter(pk=ada.pk).update(is_staff=True, is_superuser=True)
    assert named(client.get(f"{USERS}?{query}")) == found


@pytest.mark.parametrize("column", range(1, 9))
def test_every_column_sorts_and_unknown_comes_last(admin_client, people, column):
    descending = named(admin_client.get(USERS, {"o": f"-{column}"}))
    assert len(descending) == 4
    if column == 6:
        assert descending[:2] == ["ada", "grace"]


def test_list_takes_few_queries_and_decrypts_nothing(admin_client, people, monkeypatch):
    def opened(*arguments):
        raise AssertionError("a template was decrypted")

    monkeypatch.setattr("faceauth.encryption.fields.EncodingsField.open", opened)
    for number in range(10, 30):
        User.objects.create_user(f"user{number}", f"user{number}@example.com")
    with CaptureQueriesContext(connection) as queries:
        admin_client.get(USERS)
    assert len(queries) <= 10
    (read,) = (each["sql"] for each in queries if "face_locked" in each["sql"])
    assert "face_quality" in read and "encodings" not in read


# What staff may do


def test_staff_without_the_permission_see_nothing_of_faces(client, people):
    client.force_login(staff("clerk", "view_user", "change_user"))
    page = client.get(USERS)
    assert named(page) == ["ada", "clerk", "eve", "grace"]
    assert "field-face_" not in page.text
    assert "face enrolled" not in page.text
    detail = client.get(f"{USERS}{people[0].pk}/change/")
    assert detail.status_code == 200
    assert "faceauth-panel" not in detail.text


def test_each_permission_allows_its_actions_and_no_other(client, people):
    def offered(*permissions):
        name = "-".join(("clerk", *permissions))
        client.force_login(staff(name, *SEES_USERS, *permissions))
        return set(re.findall(r'<option value="(\w+_\w+)"', client.get(USERS).text))

    assert offered() == set()
    assert offered("enrol_face") == {"invite_to_enrol"}
    assert offered("remove_face") == {"remove_face", "disable_face", "enable_face"}
    assert {"clear_flag", "take_back_adaptation"} == offered("change_user")


@pytest.mark.parametrize("action", ["remove_face", "disable_face", "invite_to_enrol"])
def test_what_is_not_offered_is_refused_as_well(client, act, people, action):
    ada, _grace, eve = people
    client.force_login(staff("clerk", *SEES_USERS))
    act(action, ada, eve, **CONFIRMED)
    assert client.post(f"{USERS}{ada.pk}/face/do/{action}/", CONFIRMED).status_code == 403
    for page in ("enrol", "photos"):
        assert client.get(f"{USERS}{eve.pk}/face/{page}/").status_code == 403
    ada.refresh_from_db()
    assert ada.has_face and ada.face_disabled_at is None
    assert not mail.outbox and not logged()


def test_staff_cannot_put_their_face_into_the_account_of_other_staff(client, act, people):
    boss = member("boss", 9, is_staff=True, is_superuser=True)
    clerk = staff("clerk", *SEES_USERS, "enrol_face", "remove_face")
    client.force_login(clerk)
    page = act("remove_face", boss, people[0], **CONFIRMED)
    assert "1 face was removed." in page.text
    assert "1 user was skipped: only superusers may do this to staff." in page.text
    assert client.get(f"{USERS}{boss.pk}/face/photos/").status_code == 403
    assert client.get(f"{USERS}{clerk.pk}/face/photos/").status_code == 200
    assert "Enrol from photos" not in client.get(f"{USERS}{boss.pk}/change/").text
    boss.refresh_from_db()
    assert boss.has_face


# Actions


def test_removing_asks_first_tells_them_and_is_logged(client, admin_client, people):
    form = {"action": "remove_face", "_selected_action": [user.pk for user in people]}
    page = admin_client.post(USERS, form)
    assert "Remove the faces of 2 users?" in page.text
    assert "<li>ada</li>" in page.text and "<li>eve</li>" not in page.text
    assert User.objects.filter(face_encodings__isnull=False).count() == 2
    fields = re.findall(r'type="hidden" name="(\w+)" value="([^"]+)"', page.text)
    again = {name: [v for n, v in fields if n == name] for name, _ in fields}
    page = admin_client.post(USERS, again, follow=True)
    assert "2 faces were removed." in page.text
    assert not User.objects.filter(face_encodings__isnull=False).exists()
    assert [each[1:] for each in logged()] == [("ada", "Face removed."), ("grace", "Face removed.")]
    assert {each.outcome for each in FaceEvent.objects.all()} == {"by_staff"}
    assert len(mail.outbox) == 2


def test_disabled_face_is_refused_like_any_other_until_it_is_enabled(
    client, admin_client, obama, ask, upload
):
    form = {"action": "disable_face", "_selected_action": [obama.pk]}
    assert "Disable face login for 1 user?" in admin_client.post(USERS, form).text
    assert not mail.outbox
    admin_client.post(USERS, {**form, **CONFIRMED})
    (told,) = mail.outbox
    assert "The staff of testserver turned off face login" in told.body
    answers = [
        ask("/face/login/", username=name, snapshot=upload("obama2")) for name in ("obama", "eve")
    ]
    assert answers[0] == answers[1]
    assert answers[0][0] == 401
    assert ask("/face/login/", snapshot=upload("obama2"))[0] == 401
    assert FaceEvent.objects.filter(outcome="disabled").count() == 2
    # Neither the password nor another enrolment makes up for it.
    assert ask("/face/login/", username="obama", password="a long password")[0] == 200
    obama.refresh_from_db()
    assert obama.face_disabled_at is not None
    client.logout()
    page = admin_client.post(
        USERS, {"action": "enable_face", "_selected_action": [obama.pk]}, follow=True
    )
    assert "Face login was enabled for 1 user." in page.text
    assert ask("/face/login/", username="obama", snapshot=upload("obama2"))[0] == 200
    assert [each[2] for each in logged()] == ["Face login disabled.", "Face login enabled."]


def test_enabling_forgets_failures_too(admin_client, people):
    ada, *_ = people
    now = timezone.now()
    key = doing.counters.key_of("account", ada.pk)
    FailureCount.objects.create(key=key, failures=100, disabled_at=now, user=ada, forget_at=now)
    admin_client.post(USERS, {"action": "enable_face", "_selected_action": [ada.pk]})
    assert not FailureCount.objects.exists()
    assert FaceEvent.objects.get().kind == "enabled"


def test_disabling_outlasts_a_new_enrolment_and_a_removal(people):
    ada, *_ = people
    doing.disable(None, ada)
    doing.enable(None, ada)
    doing.disable(None, ada)
    assert not doing.disable(None, ada)
    from faceauth import enrolment

    enrolment.revoke(ada)
    enrolment.enrol(ada, made_up(4))
    ada.refresh_from_db()
    assert ada.face_disabled_at is not None


def test_invitation_leads_to_the_enrolment_page(client, admin_client, people):
    page = admin_client.post(
        USERS,
        {"action": "invite_to_enrol", "_selected_action": [user.pk for user in people]},
        follow=True,
    )
    assert "1 invitation was sent." in page.text
    (told,) = mail.outbox
    assert told.to == ["eve@example.com"]
    (link,) = re.findall(r"http://testserver(\S+)", told.body)
    login = client.get(link)
    assert login["Location"] == f"/face/login/?next={link}"
    client.post(login["Location"], {"username": "eve", "password": "a long password"})
    assert "Set up face login" in client.get(link).text
    assert [each[1:] for each in logged()] == [("eve", "Invited to enrol a face.")]


def test_who_has_no_password_is_led_to_one_first(client, admin_client, db):
    user = User.objects.create_user("eve", "eve@example.com")
    admin_client.post(USERS, {"action": "invite_to_enrol", "_selected_action": [user.pk]})
    first, second = re.findall(r"http://testserver(\S+)", mail.outbox[0].body)
    page = client.get(first, follow=True)
    form = {"new_password1": "brass engine 9", "new_password2": "brass engine 9"}
    client.post(page.redirect_chain[-1][0], form)
    user.refresh_from_db()
    assert user.check_password("brass engine 9")
    assert second == "/face/enrol/"


def test_invitation_without_a_page_for_passwords_says_so(admin_client, db, monkeypatch):
    users = admin.site.get_model_admin(User)
    monkeypatch.setattr(users, "password_reset_url", "nowhere")
    user = User.objects.create_user("eve", "eve@example.com")
    form = {"action": "invite_to_enrol", "_selected_action": [user.pk]}
    page = admin_client.post(USERS, form, follow=True)
    assert "0 invitations were sent." in page.text
    assert "there is no view nowhere" in page.text
    assert not mail.outbox


def test_too_many_at_once_are_left_alone(admin_client, people, monkeypatch):
    monkeypatch.setattr("faceauth.admin.actions.MAX_USERS", 2)
    chosen = [user.pk for user in people]
    form = {"action": "disable_face", "_selected_action": chosen, **CONFIRMED}
    assert "Select at most 2 users at a time" in admin_client.post(USERS, form, follow=True).text
    assert not User.objects.filter(face_disabled_at__isnull=False).exists()


# The page of one user


def test_panel_shows_pictures_by_their_notes_and_events(admin_client, obama, client, upload):
    client.post("/face/login/", {"username": "obama", "snapshot": upload("biden")})
    panel = admin_client.get(f"{USERS}{obama.pk}/change/").text.split("faceauth-panel")[1]
    assert panel.count("computed elsewhere") == 3
    assert "notice version 1" in panel
    assert "refused" in panel and "no match" in panel
    event = FaceEvent.objects.get()
    assert f"{event.distance:.3f}" not in panel


def test_no_page_holds_encodings(admin_client, people):
    ada, *_ = people
    pages = [USERS, *(f"{USERS}{ada.pk}/{each}/" for each in ("change", "face/enrol", "history"))]
    for path in pages:
        text = admin_client.get(path).text
        assert "encodings" not in text
        assert not re.search(r"0\.\d{4,}.*0\.\d{4,}.*0\.\d{4,}", text)


def test_no_form_changes_what_is_kept_of_a_face(admin_client, people):
    ada, *_ = people
    before = User.objects.filter(pk=ada.pk).values().get()
    form = {
        "username": "ada",
        "email": "ada@example.com",
        "date_joined_0": "2026-01-01",
        "date_joined_1": "00:00",
        "face_encodings": "AAAA",
        "face_quality": "1",
        "face_disabled_at": "2026-01-01",
        "face_panel": "x",
    }
    assert admin_client.post(f"{USERS}{ada.pk}/change/", form).status_code == 302
    after = User.objects.filter(pk=ada.pk).values().get()
    assert {name for name in before if before[name] != after[name]} <= {
        "date_joined",
        "is_active",
        "last_login",
    }


def test_buttons_of_the_panel_do_what_the_actions_do(admin_client, people):
    ada, *_ = people
    page = f"{USERS}{ada.pk}/change/"
    do = re.findall(r'formaction="([^"]+)"', admin_client.get(page).text)
    assert [each.split("/")[-2] for each in do] == ["remove_face", "disable_face"]
    assert "Disable face login for 1 user?" in admin_client.post(do[1]).text
    assert admin_client.post(do[1], CONFIRMED)["Location"] == page
    ada.refresh_from_db()
    assert ada.face_disabled_at
    assert "Remove the face of 1 user?" in admin_client.post(do[0]).text
    assert admin_client.post(do[0], CONFIRMED)["Location"] == page
    ada.refresh_from_db()
    assert not ada.has_face
    assert admin_client.get(do[1]).status_code == 405
    assert admin_client.post(do[1].replace("disable_face", "delete_queryset")).status_code == 404
    assert admin_client.post(f"{USERS}999999/face/do/disable_face/").status_code == 404


def test_panel_is_on_no_page_of_a_new_user(admin_client):
    page = admin_client.get(f"{USERS}add/")
    assert page.status_code == 200
    assert "faceauth-panel" not in page.text


def test_mixin_suits_a_plain_admin_of_users(rf, admin_user, people):
    """The mixin works in another project, whose user admin has no fieldsets."""
    from faceauth.admin import FaceAdminMixin

    class Plain(FaceAdminMixin, admin.ModelAdmin):
        fields = ("username",)

    site = admin.AdminSite("other")
    plain = Plain(User, site)
    assert not plain.check()
    request = rf.get("/")
    request.user = admin_user
    for user in (None, people[0]):
        names = [
            name for _title, each in plain.get_fieldsets(request, user) for name in each["fields"]
        ]
        assert names == (["username", "face_panel"] if user else ["username"])
    Plain.fields = None
    for user in (None, people[0]):
        names = [
            name for _title, each in plain.get_fieldsets(request, user) for name in each["fields"]
        ]
        assert names.count("face_panel") == bool(user)
        assert not {name for name in names if "encodings" in name}
