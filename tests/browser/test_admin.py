"""Staff and faces in the admin."""

from __future__ import annotations

import re

import numpy as np
import pytest
from django.core import mail
from playwright.sync_api import Page, expect

from accounts.models import User
from faceauth import enrolment
from faceauth.models import DeviceTrust, FaceDevice, FaceEvent
from tests.support import admin
from tests.support.accessibility import assert_accessible
from tests.support.browsing import PASSWORD, UNREADABLE, Visitors, photos_of, pose
from tests.support.webcam import Webcam

USERS, EVENTS = "/admin/accounts/user/", "/admin/faceauth/faceevent/"
PHONE = {"width": 375, "height": 667}
PATIENTLY = 60_000

both_schemes = pytest.mark.parametrize("color_scheme", ["light", "dark"])


@pytest.fixture
def boss(transactional_db) -> User:
    return User.objects.create_superuser("boss", "boss@example.com", PASSWORD)


@pytest.fixture
def eve(transactional_db) -> User:
    return admin.member("eve")


def panel(page: Page):
    return page.locator(".faceauth-panel")


def change(user: User) -> str:
    return f"{USERS}{user.pk}/change/"


def take(page: Page, action: str, *names: str) -> None:
    """Take an action on the list on these users."""
    for name in names:
        page.get_by_role("row").filter(has=page.get_by_role("link", name=name, exact=True)).locator(
            ".action-select"
        ).check()
    page.get_by_role("combobox", name="Action").select_option(label=action)
    page.get_by_role("button", name="Go").click()


def column(page: Page, user: str, name: str):
    row = page.get_by_role("row").filter(has=page.get_by_role("link", name=user, exact=True))
    return row.locator(f".field-{name}")


def test_list_filters_and_actions(visitors: Visitors, boss: User, member: User, eve: User):
    page = visitors.open(USERS, user=boss)
    expect(column(page, "ada", "face_enrolled").get_by_alt_text("True")).to_be_visible()
    expect(column(page, "ada", "face_shot_count")).to_have_text("2")
    page.get_by_role("navigation", name="Filter").locator("a[href='?enrolled=no']").click()
    expect(page.get_by_role("link", name="ada", exact=True)).to_have_count(0)

    page.goto(USERS)
    take(page, "Invite to enrol", "ada", "eve")
    expect(page.get_by_text("1 invitation was sent.")).to_be_visible()
    take(page, "Disable face login", "ada")
    buttons = page.locator(".delete-confirmation form .button")
    yes, no = buttons.evaluate_all("all => all.map((each) => each.offsetHeight)")
    assert yes == no
    page.get_by_role("button", name="Yes, disable").click()
    expect(page.get_by_text("Face login was disabled for 1 user.")).to_be_visible()
    expect(column(page, "ada", "face_state")).to_have_text("by staff")
    take(page, "Enable face login", "ada")
    expect(column(page, "ada", "face_state")).to_have_text("–")
    take(page, "Remove face", "ada", "eve")
    expect(page.get_by_text("Remove the face of 1 user?")).to_be_visible()
    page.get_by_role("link", name="No, take me back").click()
    expect(column(page, "ada", "face_shot_count")).to_have_text("2")
    take(page, "Remove face", "ada")
    page.get_by_role("button", name="Yes, remove").click()
    expect(page.get_by_text("1 face was removed.")).to_be_visible()
    expect(column(page, "ada", "face_shot_count")).to_have_text("–")
    assert not User.objects.filter(face_encodings__isnull=False).exists()
    assert [each[2] for each in admin.logged()] == [
        "Invited to enrol a face.",
        "Face login disabled.",
        "Face login enabled.",
        "Face removed.",
    ]


def test_panel_of_a_user(visitors: Visitors, boss: User, member: User):
    page = visitors.open(change(member), user=boss)
    panel(page).get_by_role("button", name="Disable face login").click()
    page.get_by_role("button", name="Yes, disable").click()
    expect(panel(page).get_by_text("Face login disabled by staff")).to_be_visible()
    panel(page).get_by_role("button", name="Enable face login").click()
    expect(panel(page).get_by_text("Face login disabled by staff")).to_have_count(0)
    expect(panel(page).get_by_role("row").filter(has_text="enabled")).to_be_visible()
    panel(page).get_by_role("button", name="Remove face").click()
    page.get_by_role("button", name="Yes, remove").click()
    expect(panel(page).get_by_text("No face is enrolled.")).to_be_visible()
    panel(page).get_by_role("button", name="Invite to enrol").click()
    expect(page.get_by_text("1 invitation was sent.")).to_be_visible()
    subjects = [re.sub(r"localhost:\d+", "site", str(each.subject)) for each in mail.outbox]
    assert subjects == [
        "Face login was turned off on site",
        "Your face was removed from site",
        "Log in to site with your face",
    ]


def test_enrols_from_photos_that_are_looked_at_first(visitors: Visitors, boss: User, eve: User):
    page = visitors.open(change(eve), user=boss)
    panel(page).get_by_role("link", name="Enrol from photos").click()
    chooser = page.get_by_label("Choose 5 different photos of their face")
    chooser.set_input_files([*photos_of("obama")[:4], UNREADABLE])
    verdicts = page.locator("[data-part=verdict]")
    expect(verdicts).to_have_text(["Good."] * 4 + [re.compile("We can’t read this file")])
    page.get_by_label("The person has agreed").check()
    page.get_by_role("button", name="Enrol this face").click()
    expect(page.locator(".errorlist")).to_contain_text("We can’t read this file as a picture")

    chooser.set_input_files(photos_of("obama"))
    expect(page.locator(".errorlist")).to_have_count(0)
    expect(verdicts).to_have_text(["Good."] * 5)
    page.get_by_label("The person has agreed").check()
    page.get_by_role("button", name="Enrol this face").click()
    expect(page.get_by_text("The face of eve was enrolled.")).to_be_visible()
    expect(panel(page).get_by_role("cell", name="file")).to_have_count(5)
    expect(panel(page).get_by_role("cell", name="to their left")).to_be_visible()
    assert FaceEvent.objects.get().outcome == "by_staff"


def test_enrols_at_the_webcam(visitors: Visitors, webcam: Webcam, boss: User, eve: User):
    webcam.show("obama")
    page = visitors.open(f"{USERS}{eve.pk}/face/enrol/", user=boss)
    expect(page.locator("video")).to_be_hidden()
    page.get_by_label("The person has agreed").check()
    pose(page, webcam, "obama")
    page.get_by_role("button", name="Enrol this face").click()
    expect(page.get_by_text("The face of eve was enrolled.")).to_be_visible()
    expect(panel(page).get_by_role("cell", name="webcam")).to_have_count(5)


def test_face_at_the_webcam_moves_as_on_the_site(
    visitors: Visitors, webcam: Webcam, boss: User, eve: User, settings
):
    settings.FACEAUTH = {**settings.FACEAUTH, "CHALLENGE": "full"}
    webcam.follow("obama")
    page = visitors.open(f"{USERS}{eve.pk}/face/enrol/", user=boss)
    page.get_by_label("The person has agreed").check()
    expect(page.get_by_text("All set.").first).to_be_visible(timeout=PATIENTLY)
    page.get_by_role("button", name="Enrol this face").click()
    expect(page.get_by_text("The face of eve was enrolled.")).to_be_visible()


def test_wrong_pictures_are_refused_at_the_fields(
    visitors: Visitors, webcam: Webcam, boss: User, eve: User
):
    page = visitors.open(f"{USERS}{eve.pk}/face/photos/", user=boss, java_script_enabled=False)
    page.get_by_label("The person has agreed").check()
    page.get_by_label("Choose 5 different photos").set_input_files(photos_of("obama")[:2])
    page.get_by_role("button", name="Enrol this face").click()
    expect(page.get_by_text("choose all 5")).to_be_visible()


def test_events_and_dashboard(visitors: Visitors, boss: User, member: User):
    for kind in ("login", "login", "refused"):
        FaceEvent.objects.create(kind=kind, user=member, mode="username", distance=0.2)
    twin = admin.member("twin")
    enrolment.enrol(twin, admin.made_up(5, like=np.asarray(member.face_encodings, np.float32)))
    page = visitors.open(EVENTS, user=boss)
    chart = page.get_by_role("img", name="Face logins per day")
    expect(chart.locator("rect")).to_have_count(2)
    page.get_by_text("Show as a table").click()
    expect(page.get_by_role("rowheader").first).to_be_visible()
    page.get_by_role("navigation", name="Filter").locator("a[href*='refused']").click()
    expect(page.locator("#result_list tbody tr")).to_have_count(1)
    page.get_by_role("link", name="Dashboard").click()
    expect(page.get_by_role("img", name="Distances in the last 30 days")).to_be_visible()
    expect(page.get_by_text("33.3 %").first).to_be_visible()
    expect(page.get_by_text("1 pair is similar enough")).to_be_visible()
    page.get_by_role("link", name="twin").click()
    expect(page).to_have_url(re.compile(change(twin)))


def test_revokes_a_trusted_device(visitors: Visitors, boss: User, member: User):
    for label in ("Firefox, Windows", "Safari, iPhone"):
        device = FaceDevice.objects.create(label=label)
        DeviceTrust.objects.create(device=device, user=member, by=DeviceTrust.By.PASSWORD)
    page = visitors.open(change(member), user=boss)
    page.get_by_role("button", name="Revoke Safari, iPhone").click()
    expect(page.get_by_text("The device is no longer trusted.")).to_be_visible()
    expect(panel(page).get_by_role("button", name="Revoke Safari, iPhone")).to_have_count(0)

    page.goto("/admin/faceauth/devicetrust/")
    page.get_by_role("row").filter(has_text="Firefox, Windows").get_by_role("checkbox").check()
    take(page, "Revoke")
    expect(page.get_by_text("1 device is no longer trusted.")).to_be_visible()
    assert not FaceDevice.objects.exists()


@both_schemes
@pytest.mark.parametrize("viewport", [{"width": 1280, "height": 800}, PHONE], ids=["wide", "phone"])
def test_pages_are_accessible_in_the_admins_own_theme(
    visitors: Visitors, boss: User, member: User, color_scheme, viewport
):
    FaceEvent.objects.create(kind="login", user=member, mode="username", distance=0.2)
    User.objects.create_user("a" * 150)
    FaceEvent.objects.create(kind="login", user=User.objects.get(username="a" * 150))
    compared = {"distance": 0.51234, "max_distance": 0.20612, "rate": 0.0000476}
    place = {"device": "Chrome, Windows", "address": "192.168.100.0/24"}
    FaceEvent.objects.create(
        kind="refused", user=member, mode="username", outcome="too_far", **compared, **place
    )
    User.objects.filter(pk=member.pk).update(face_shot_notes=admin.taken(), face_quality=1.0)
    device = FaceDevice.objects.create(label="Firefox, Windows", address="192.0.2.0/24")
    DeviceTrust.objects.create(device=device, user=member, by=DeviceTrust.By.CODE)
    page = visitors.open(USERS, user=boss, color_scheme=color_scheme, viewport=viewport)
    pages = [change(member), EVENTS, f"{EVENTS}dashboard/"]
    for path in [*pages, *(f"{USERS}{member.pk}/face/{each}/" for each in ("enrol", "photos"))]:
        page.goto(path)
        assert_accessible(
            page,
            within=".faceauth-panel, .faceauth-chart, .faceauth-dashboard, .faceauth-enrolment",
        )
        for table in page.locator(".results").all():
            if viewport != PHONE and path == EVENTS:
                assert table.evaluate("each => each.scrollWidth <= each.clientWidth")
        wide = page.evaluate("document.querySelector('#content').scrollWidth")
        assert wide <= viewport["width"]
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(18, 18, 18)"
    assert dark == (color_scheme == "dark")


# Logging in


@pytest.mark.smoke
def test_staff_log_in_by_face(visitors: Visitors, webcam: Webcam, member: User):
    User.objects.filter(pk=member.pk).update(is_staff=True, is_superuser=True)
    page = visitors.open(USERS, camera="allowed when asked")
    page.get_by_role("link", name="Log in with your face").click()
    webcam.show("obama")
    page.get_by_role("button", name="Turn on the camera").click()
    expect(page).to_have_url(re.compile(f"{USERS}$"))
    expect(page.get_by_text("Welcome back, ada.")).to_be_visible()


def test_nobody_else_does(visitors: Visitors, webcam: Webcam, member: User):
    webcam.show("obama")
    page = visitors.open("/admin/login/face/")
    expect(page.get_by_text("We didn’t recognise you.").first).to_be_visible()
    page.get_by_role("link", name="Log in with your password").click()
    expect(page).to_have_url(re.compile("/admin/login/$"))


def test_password_first_then_the_face(visitors: Visitors, webcam: Webcam, member: User, settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "ADMIN_SECOND_STEP": True}
    User.objects.filter(pk=member.pk).update(is_staff=True, is_superuser=True)
    page = visitors.open(USERS)
    expect(page.get_by_role("link", name="Log in with your face")).to_have_count(0)
    webcam.show("biden")
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_text("Your password is correct, ada.")).to_be_visible()
    expect(page.get_by_text("We didn’t recognise you.").first).to_be_visible()
    page.goto(USERS)
    expect(page).to_have_url(re.compile("/admin/login/"))
    page.goto("/admin/login/face/?next=" + USERS)
    webcam.show("obama")
    expect(page).to_have_url(re.compile(f"{USERS}$"))
