from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone

from accounts.models import User
from faceauth import enrolment
from faceauth.capture import samples
from faceauth.enrolment import adaptation
from faceauth.gallery import gallery
from faceauth.recognition.matching import distance
from tests.site.conftest import PASSWORD, log_out
from tests.support.people import encodings, picture

pytestmark = pytest.mark.postgres

LOGIN = "/face/login/"
ENROLLED = ("obama", "obama3", "obama up", "obama left")


@pytest.fixture(autouse=True)
def adapting(settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "ADAPT": True}


@pytest.fixture
def obama(enrolled):
    return enrolled("obama", *ENROLLED, password=PASSWORD)


def shots(user):
    user.refresh_from_db()
    return user.face_encodings


def same(one, other):
    return np.allclose(one, other, atol=1e-4)


def a_day_later():
    early = timezone.now() - timedelta(days=1)
    User.objects.update(face_adapted_at=early)


@pytest.fixture
def new():
    """A shot as near to the first ones as a very sure login's is."""
    first, second = encodings("obama", "obama3")
    return (0.6 * first + 0.4 * second).astype(np.float32)


@pytest.mark.real
def test_password_login_with_a_new_picture_replaces_the_stalest_shot(ask, obama, upload):
    before = shots(obama)
    form = {"username": "obama", "password": PASSWORD}
    assert ask(LOGIN, **form, snapshot=upload("obama2"))[0] == 200
    assert same(shots(obama), [*before[:2], before[3], encodings("obama2")[0]])
    assert same(obama.face_enrolled_encodings, before)
    assert obama.face_adapted_at is not None


def test_wrong_password_changes_nothing(ask, obama, upload):
    before = shots(obama)
    ask(LOGIN, username="obama", password="wrong", snapshot=upload("obama2"))
    assert same(shots(obama), before)


@pytest.mark.parametrize("photo", [b"no picture", b"", "biden"])
def test_picture_that_does_not_serve_spoils_no_password_login(ask, obama, upload, photo):
    before = shots(obama)
    form = {"username": "obama", "password": PASSWORD}
    assert ask(LOGIN, **form, snapshot=upload(photo))[0] == 200
    assert same(shots(obama), before)


def test_login_by_face_that_is_very_sure_adapts_where_the_name_is_known(
    client, ask, obama, upload, monkeypatch
):
    monkeypatch.setattr(
        adaptation, "UNCONFIRMED_FACTOR", 0.01
    )  # no two test photos are alike enough
    before = shots(obama)
    ask(LOGIN, snapshot=upload("obama2"))
    assert same(shots(obama), before)
    log_out(client)
    assert ask(LOGIN, username="obama", snapshot=upload("obama2"))[0] == 200
    # What was compared: of a challenge, no picture is left.
    shown = samples.probe_encodings(picture("obama2"))[0]
    assert same(shots(obama)[-1], shown)
    log_out(client)
    adaptation.revert(obama)
    # On a trusted device, nobody types a name.
    ask(LOGIN, username="obama", password=PASSWORD, trust="on")
    log_out(client)
    assert ask(LOGIN, snapshot=upload("obama2"))[0] == 200
    assert same(shots(obama)[-1], shown)


def test_login_by_face_that_is_only_sure_does_not_adapt(ask, obama, upload, monkeypatch):
    monkeypatch.setattr(adaptation, "UNCONFIRMED_FACTOR", 1e9)
    before = shots(obama)
    assert ask(LOGIN, username="obama", snapshot=upload("obama2"))[0] == 200
    assert same(shots(obama), before)


def test_nothing_adapts_where_the_site_does_not_want_it(ask, obama, upload, settings, new):
    del settings.FACEAUTH["ADAPT"]
    before = shots(obama)
    form = {"username": "obama", "password": PASSWORD}
    assert ask(LOGIN, **form, snapshot=upload("obama2"))[0] == 200
    assert not adaptation.adapt(obama, new, confirmed=True)
    assert same(shots(obama), before)


def test_sure_shot_adapts_without_a_password(obama, new):
    assert adaptation.adapt(obama, new)
    assert same(shots(obama)[-1], new)


def test_another_person_is_never_learned(obama):
    (biden,) = encodings("biden")
    assert not adaptation.adapt(obama, biden, confirmed=True)


def test_lax_distance_set_by_hand_makes_nobody_sure(obama, new, settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "MAX_DISTANCE": 0.6}
    assert not adaptation.adapt(obama, new)
    assert not adaptation.adapt(obama, new, confirmed=True)


def test_once_a_day(obama, new):
    (obama2,) = encodings("obama2")
    assert adaptation.adapt(obama, new)
    assert not adaptation.adapt(obama, obama2, confirmed=True)
    a_day_later()
    assert adaptation.adapt(obama, obama2, confirmed=True)


def test_anchors_stay_whatever_comes(obama, new):
    before = shots(obama)
    step = (encodings("obama2")[0] - new) / 4
    for number in range(4):
        assert adaptation.adapt(obama, new + number * step, confirmed=True)
        a_day_later()
    after = shots(obama)
    assert same(after[:2], before[:2])
    assert same(after[2:], [new + 2 * step, new + 3 * step])
    assert same(obama.face_enrolled_encodings, before)


def test_same_picture_again_teaches_nothing(obama):
    assert not adaptation.adapt(obama, encodings("obama")[0] * np.float32(1.001), confirmed=True)


def test_single_shot_is_never_replaced(enrolled):
    user = enrolled("obama", "obama")
    assert not adaptation.adapt(user, encodings("obama2")[0], confirmed=True)


def test_of_two_logins_at_once_one_adapts(obama, new, monkeypatch):
    (obama2,) = encodings("obama2")
    is_sure = adaptation._is_certain

    def other_first(*arguments):
        monkeypatch.setattr(adaptation, "_is_certain", is_sure)
        assert adaptation.adapt(User.objects.get(), obama2, confirmed=True)
        return is_sure(*arguments)

    monkeypatch.setattr(adaptation, "_is_certain", other_first)
    before = shots(obama)
    assert not adaptation.adapt(obama, new, confirmed=True)
    assert same(shots(obama), [*before[:2], before[3], obama2])


def test_face_removed_meanwhile_stays_removed(obama, new, monkeypatch):
    is_sure = adaptation._is_certain

    def removed(*arguments):
        enrolment.revoke(User.objects.get())
        return is_sure(*arguments)

    monkeypatch.setattr(adaptation, "_is_certain", removed)
    assert not adaptation.adapt(obama, new, confirmed=True)
    assert shots(obama) is None


def test_adaptation_can_be_taken_back(obama, new):
    before = shots(obama)
    assert not adaptation.revert(obama)
    assert adaptation.adapt(obama, new)
    assert adaptation.revert(obama)
    assert same(shots(obama), before)
    assert obama.face_enrolled_encodings is obama.face_adapted_at is None


def test_galleries_follow(obama, new):
    gallery().nearest(new[None])
    for change in (lambda: adaptation.adapt(obama, new), lambda: adaptation.revert(obama)):
        assert change()
        (match,) = gallery().nearest(new[None])
        assert match.distance == pytest.approx(distance(shots(obama), new[None]), abs=1e-3)


@pytest.mark.parametrize(
    "renew",
    [enrolment.revoke, lambda user: enrolment.enrol(user, encodings(*ENROLLED))],
    ids=["removed", "enrolled again"],
)
def test_nothing_is_left_of_adaptation(obama, new, renew):
    assert adaptation.adapt(obama, new)
    renew(obama)
    obama.refresh_from_db()
    assert obama.face_enrolled_encodings is obama.face_adapted_at is None


def test_staff_sees_when_and_takes_it_back(admin_client, obama, new):
    before = shots(obama)
    assert adaptation.adapt(obama, new)
    page = admin_client.get(f"/admin/accounts/user/{obama.pk}/change/").text
    assert "Face adapted" in page
    assert "encodings" not in page
    take_back = {"action": "take_back_adaptation", "_selected_action": [obama.pk]}
    page = admin_client.post("/admin/accounts/user/", take_back, follow=True).text
    assert "The adaptation of 1 face was undone." in page
    assert same(shots(obama), before)


def test_staff_who_may_only_look_change_nothing(client, obama, new):
    assert adaptation.adapt(obama, new)
    viewer = User.objects.create_user("viewer", "viewer@example.com", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_user"))
    client.force_login(viewer)
    for action in ("take_back_adaptation", "clear_flag"):
        client.post("/admin/accounts/user/", {"action": action, "_selected_action": [obama.pk]})
    assert same(shots(obama)[-1], new)
