"""Failures on a trusted device: they count there and nowhere else."""

from __future__ import annotations

import pytest
from django.test import Client, RequestFactory

from faceauth.audit.events import EventDetails
from faceauth.errors import BadImage, Busy, TooManyAttempts
from faceauth.lockout import attempts
from faceauth.models import DeviceTrust, FaceDevice, FaceEvent, FailureCount
from faceauth.privacy import export
from tests.site.conftest import JSON, PASSWORD, log_out, username_of
from tests.support import mail
from tests.support.guessing import counted, fail
from tests.support.threads import at_once

pytestmark = pytest.mark.postgres

LOGIN = "/face/login/"
HOUR = 3600


@pytest.fixture
def people(obama, django_user_model):
    return [obama, django_user_model.objects.create_user("ada")]


@pytest.fixture
def device(people):
    device = FaceDevice.objects.create(secret_hash="hash", label="Firefox, Linux")
    for user in people:
        DeviceTrust.objects.create(device=device, user=user, by="password")
    return device


@pytest.fixture
def attempt(device, people):
    """Admit an attempt on the device."""

    def admit():
        request = RequestFactory().post(LOGIN, REMOTE_ADDR="192.0.2.1")
        request.session = Client().session
        return attempts.admit(request, None, device=device, people=people)

    return admit


def trusting(device):
    return [trust.user.username for trust in device.trusts.order_by("user__username")]


def test_owner_never_waits_for_what_strangers_do(obama, device, people, quick, clock):
    """63 attempts in 48 hours: the owner was kept waiting in 99.7 % of the minutes."""
    waits, heard, minutes = 0, 0, 48 * 60
    stranger = RequestFactory().post(LOGIN, REMOTE_ADDR="192.0.2.1")
    for minute in range(minutes):
        clock.go(60)
        # As often as the strangers are let, and at the same address.
        while not attempts.retry_after(None, "obama"):
            fail("obama", 1)
            heard += 1
        waits += attempts.retry_after(stranger, None, device=device, people=people) > 0
        if minute % 60 == 0:
            attempts.admit(stranger, None, device=device, people=people).succeeded(obama)
    assert heard >= 50
    assert waits == 0
    clock.go(HOUR)
    # Strangers have disabled the face elsewhere; on the device, it opens.
    assert attempts.admit(None, "obama").is_disabled(obama)
    assert not attempts.admit(stranger, None, device=device, people=people).is_disabled(obama)


def test_nobody_else_waits_for_what_happens_on_the_device(attempt, device, clock):
    for _ in range(5):
        attempt()
    with pytest.raises(TooManyAttempts):
        attempt()
    assert counted() == ["device", "device"]
    assert not attempts.retry_after(RequestFactory().post("/"), "obama")
    other = FaceDevice.objects.create(secret_hash="other")
    assert not attempts.retry_after(None, None, device=other, people=[device.trusts.first().user])


def test_success_clears_the_failures_of_one_person(attempt, people, clock):
    """The others' lose only this attempt: they are not who succeeded."""
    obama, ada = people
    for _ in range(4):
        attempt()
    attempt().succeeded(obama)
    (left,) = FailureCount.objects.all()
    assert (left.failures, left.wait_until) == (4, None)
    attempt()  # Ada's fifth
    again = attempt()
    assert again.people == [obama]
    assert again.is_disabled(ada)
    assert not again.is_disabled(obama)


def test_wait_ends_with_the_first_of_the_people_who_may_try_again(attempt, device, people, clock):
    obama, _ = people
    for _ in range(4):
        attempt()
    attempt().succeeded(obama)
    attempt()
    for _ in range(4):
        attempt()
    with pytest.raises(TooManyAttempts) as error:
        attempt()
    assert error.value.retry_after == 30


def test_fifty_failures_end_the_trust_and_leave_the_face_enabled(
    attempt, device, people, clock, mailoutbox
):
    obama, ada = people
    for number in range(51):
        refused = attempt()
        if number == 30:
            refused.succeeded(ada)
        else:
            refused.failed(None, EventDetails())
        clock.go(HOUR)
    assert trusting(device) == ["ada"]
    (revoked,) = FaceEvent.objects.filter(kind=FaceEvent.Kind.DEVICE_REVOKED)
    assert (revoked.user, revoked.device) == (obama, "Firefox, Linux")
    assert not FaceEvent.objects.filter(kind=FaceEvent.Kind.DISABLED).exists()
    assert not attempts.admit(None, "obama").is_disabled(obama)
    # Whoever trusts the device again begins anew.
    DeviceTrust.objects.create(device=device, user=obama, by="password")
    assert obama in attempt().people


def test_failures_on_devices_are_exported_and_erased(attempt, device, people, clock):
    obama, ada = people
    attempt()
    assert [each["failures"] for each in export.export(obama)["failures"]] == [1]
    export.erase(obama)
    assert export.export(obama)["failures"] == []
    assert [each["failures"] for each in export.export(ada)["failures"]] == [1]


def test_face_that_staff_disabled_opens_no_device(attempt, people):
    obama, _ = people
    obama.face_disabled_at = "2026-01-01T00:00Z"
    obama.save()
    assert attempt().is_disabled(obama)


def test_pictures_that_cannot_be_used_count_for_the_device(attempt, device, people, clock):
    request = RequestFactory().post(LOGIN)
    for _ in range(5):
        attempts.count_unusable(request, BadImage(), device=device, people=people)
        attempts.count_unusable(request, Busy(), device=device, people=people)
    assert counted() == ["device", "device"]
    with pytest.raises(TooManyAttempts):
        attempt()


@pytest.mark.django_db(transaction=True)
def test_guesses_at_the_same_time_do_not_exceed_the_limit(attempt):
    assert at_once(16, lambda _: attempt()) == 11


class TestOnThePage:
    """As a user sees it: a browser that a password login has made trusted."""

    @pytest.fixture(autouse=True)
    def by_default(self, settings, obama):
        settings.FACEAUTH = {**settings.FACEAUTH, "UNKNOWN_DEVICES": "code", "MAX_FAILURES": 5}

    @pytest.fixture
    def show(self, client, upload):
        def post(face, by=client, **form):
            form = {"snapshot": upload(face), **form}
            return by.post(LOGIN, form, headers=JSON).status_code

        return post

    @staticmethod
    def log_in_by_password(client):
        form = {"username": "obama", "password": PASSWORD, "trust": "on"}
        assert client.post(LOGIN, form).status_code == 302
        log_out(client)

    def test_strangers_at_the_same_address_keep_nobody_waiting(self, client, show, clock):
        self.log_in_by_password(client)
        statuses = [show("biden", Client(), username="obama") for _ in range(6)]
        assert statuses == [200] * 5 + [429]
        # Each gets the page for a code, and then the whole address has to wait.
        while statuses[-1] != 429 or statuses[-2] != 429:
            statuses.append(show("biden", Client()))
        assert show("obama2") == 200
        assert username_of(client) == "obama"

    def test_failures_on_the_device_make_it_wait_and_nothing_else(self, client, show, clock):
        self.log_in_by_password(client)
        assert [show("biden") for _ in range(6)] == [401] * 5 + [429]
        assert show("obama2") == 429
        assert show("obama2", Client(), username="obama") == 200  # the page for a code
        clock.go(30)
        assert show("obama2") == 200

    def test_password_on_the_device_ends_its_wait(self, client, show, clock):
        self.log_in_by_password(client)
        for _ in range(5):
            show("biden")
        self.log_in_by_password(client)
        assert show("obama2") == 200

    def test_code_on_the_device_ends_its_wait(self, client, show, clock):
        self.log_in_by_password(client)
        device = FaceDevice.objects.get()
        attempts.admit(None, None, device=device, people=[device.trusts.get().user])
        device.trusts.all().delete()
        assert show("obama2", username="obama") == 200
        assert client.post(LOGIN, {"code": mail.code(), "trust": "on"}).status_code == 302
        log_out(client)
        assert counted() == []
        assert show("obama2") == 200

    def test_pictures_that_cannot_be_used_count_for_the_device(self, client, show, clock):
        self.log_in_by_password(client)
        assert [show(b"no picture") for _ in range(6)] == [415] * 5 + [429]
        assert counted() == ["device"]

    def test_accepted_face_is_a_failure_until_its_code(self, client, show, clock):
        """Otherwise the end of the waits would tell whose face was the right one."""
        for face in ("obama2", "biden"):
            statuses = [show(face, Client(), username="obama") for _ in range(6)]
            assert statuses == [200] * 5 + [429]
            FailureCount.objects.all().delete()
