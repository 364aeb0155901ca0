"""Lockout: consecutive failed face attempts and exponential back-off.

The waits and the limits of 10 and 100 failures are those of NIST SP 800-63B-4, section 3.2.3, for
systems that accept less than 7 % of presentation attacks: docs/security.md says where this one does
not. Each attempt is recorded as a failure before the comparison and cleared on success, so parallel
requests cannot exceed the limit. Passwords are not affected.

An attempt on a trusted device counts for that device and its people alone: strangers cannot make
an owner wait there, and the device's failures make nobody wait elsewhere. All other attempts count
for the account or the session, and for the address and its network.

django-axes is not used here: it counts an attempt after it has failed, so guesses sent in parallel
all get through; its waits do not grow; and it would lock passwords together with faces.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import F
from django.http import HttpRequest
from django.utils import timezone

from faceauth import conf, devices, faces, users
from faceauth.audit import events
from faceauth.db import atomic
from faceauth.errors import (
    Busy,
    CameraNeeded,
    ChallengeExpired,
    ChallengeFailed,
    FaceError,
    MissingSnapshot,
    TooManyAttempts,
    UsernameNeeded,
)
from faceauth.models import DeviceTrust, FaceDevice, FaceEvent, FailureCount

from . import counters
from .counters import ACCOUNT, SHARED, Counter

# Errors of answers that were not looked at.
NOT_ABOUT_PICTURES = (Busy, CameraNeeded, ChallengeExpired, ChallengeFailed, MissingSnapshot)


@dataclass
class Attempt:
    """An attempt that was admitted. It counts as a failure until `succeeded` is called.

    If a face must be followed by a mailed code, call `succeeded` only after the code, or the end
    of a wait would show whose face was right. `pack` and `unpack` keep the attempt until then.

    Attributes:
        request: The request of the attempt, if there is one.
        counters: The counters that it was recorded in.
        device: The trusted device of the attempt, or None.
        counts: The failures in each counter, this attempt included, by the counter's key.
        waits: The wait that began with this attempt, by the counter's key.
    """

    request: HttpRequest | None
    counters: list[Counter]
    device: FaceDevice | None = None
    counts: dict[str, int] = field(default_factory=dict)
    waits: dict[str, datetime] = field(default_factory=dict)

    @property
    def account(self) -> Counter | None:
        """Return the counter of the claimed account, or None if no username was given."""
        return next((each for each in self.counters if each.kind in ACCOUNT), None)

    @property
    def people(self) -> list[Any]:
        """Return the people of a trusted device whose faces the attempt may be compared with.

        A person whose failures on this device make them wait is not among them.
        """
        return [each.user for each in self.counters if each.user is not None]

    def is_disabled(self, user: Any) -> bool:
        """Return True if no face is accepted for this user.

        Staff have disabled the face, its owner had it removed by now, or too many attempts before
        this one have failed; on a trusted device, only attempts on that device count.
        """
        face = faces.of(user)
        if face.face_disabled_at is not None or face.face_removal_is_due:
            return True
        if self.device is not None:
            return user.pk not in [each.pk for each in self.people]
        if self.account is None:
            return counters.account_failures(user).filter(disabled_at__isnull=False).exists()
        return self.counts[self.account.key] > conf.get().failures_before_disabling

    def succeeded(self, user: Any) -> None:
        """Clear the user's own failures, because the user was recognised.

        Of the counters that other people share, only this attempt is taken off: a success forgives
        nobody else's failures. An owner who was logged in already, or had given the password, ends
        no guesser's wait either.
        """
        shared = {each.key for each in self.counters if each.kind in SHARED}
        own = {*self.counts} - shared
        if self.device is not None:
            # Those of the device's other people are not this user's.
            mine = counters.device_key(self.device, user)
            shared, own = own - {mine}, {mine}
        elif not any(each.kind in ("client", "own") for each in self.counters):
            own |= {*counters.keys_of_user(user)}
        with atomic(FailureCount):  # one commit instead of one for each row
            if any(each.kind == "own" for each in self.counters):
                counters.accept_owner(user)
            FailureCount.objects.filter(key__in=own).delete()
            for key in sorted(shared):
                self._take_off(key)
            FailureCount.objects.filter(key__in=shared, failures=0, wait_until=None).delete()

    def failed(self, user: Any, details: events.EventDetails) -> None:
        """Leave the attempt recorded as a failure, and record the events that follow from it.

        Args:
            user: The user that the visitor claims to be, or None if there is no such user.
            details: The details for the audit log.
        """
        events.record(FaceEvent.Kind.REFUSED, self.request, user, details)
        waits = [each for each in self.counters if each.makes_wait]
        if any(self.counts[each.key] == each.limit for each in waits):
            events.record(FaceEvent.Kind.LOCKED, self.request, user, details)
        if self.device is not None:
            self._end_trust()
        elif self._disables(user):
            events.record(FaceEvent.Kind.DISABLED, self.request, user, details)

    def pack(self) -> list[list[Any]]:
        """Return the attempt's counters and counts, to be kept in a session as JSON."""
        return [
            [*each[:3], self.counts[each.key], _text(self.waits.get(each.key))]
            for each in self.counters
            if each.user is None
        ]

    @classmethod
    def unpack(cls, request: HttpRequest | None, packed: Sequence[Sequence[Any]]) -> Attempt:
        """Return the attempt that `pack` described. It must not be one on a trusted device."""
        attempt = cls(request, [Counter(*each[:3]) for each in packed])
        for _kind, key, _limit, count, wait in packed:
            attempt.counts[key] = count
            if wait:
                attempt.waits[key] = datetime.fromisoformat(wait)
        return attempt

    def _take_off(self, key: str) -> None:
        """Take this attempt off a shared counter, and end the wait that it began."""
        row = FailureCount.objects.filter(key=key)
        # Failures that were counted in the meantime stay, and so does the wait that they caused.
        if key in self.waits:
            row.filter(wait_until=self.waits[key]).update(wait_until=None)
        row.filter(failures__gt=0).update(failures=F("failures") - 1)

    def _end_trust(self) -> None:
        """End the trust of those in the device as whom too many attempts on it have failed."""
        limit = conf.get().failures_before_disabling
        for each in self.counters:
            if self.counts[each.key] < limit:
                continue
            trust = DeviceTrust.objects.filter(device=self.device, user=each.user).first()
            if trust is not None:
                FailureCount.objects.filter(key=each.key).delete()
                devices.revoke(trust, self.request)

    def _disables(self, user: Any) -> bool:
        """Disable the user's face if this failure reaches the limit. Return True if it did."""
        limit = conf.get().failures_before_disabling
        if self.account is None or self.counts[self.account.key] < limit:
            return False
        enabled = FailureCount.objects.filter(key=self.account.key, disabled_at=None)
        if faces.of(user).has_face:
            return bool(enabled.update(disabled_at=timezone.now(), user=user))
        enabled.update(disabled_at=None)  # the same work if there is nothing to disable
        return False


def retry_after(
    request: HttpRequest | None,
    username: str | None,
    client: Any = None,
    device: FaceDevice | None = None,
    people: Sequence[Any] = (),
) -> float:
    """Return how many seconds an attempt would have to wait now, without recording one.

    The arguments are those of `admit`.
    """
    found = counters.counters_of(request, username, client, device, people)
    rows = FailureCount.objects.in_bulk([each.key for each in found])
    return _seconds_to_wait(found, rows, timezone.now())


def check(
    request: HttpRequest | None,
    username: str | None,
    client: Any = None,
    device: FaceDevice | None = None,
    people: Sequence[Any] = (),
) -> None:
    """Refuse an attempt that `admit` would refuse now, before its pictures are analysed.

    The arguments and errors are those of `admit`.
    """
    now = timezone.now()
    found = counters.counters_of(request, username, client, device, people)
    _refuse(found, FailureCount.objects.in_bulk([each.key for each in found]), now)


def admit(
    request: HttpRequest | None,
    username: str | None,
    client: Any = None,
    device: FaceDevice | None = None,
    people: Sequence[Any] = (),
) -> Attempt:
    """Admit an attempt, and record it as a failure.

    Args:
        request: The request of the attempt, if there is one.
        username: The claimed username, or None for face alone.
        client: The user who asks about somebody else's face. The attempt then counts for the
            client alone.
        device: The trusted device that sends the request, if it is one. The attempt then counts
            for the device and its people alone; compare the face only with `Attempt.people`.
        people: The users whom the visitor can be: those who trust the device or, without a device,
            the one who is known without a name.

    Raises:
        TooManyAttempts: The attempt must wait.
        UsernameNeeded: Too many attempts without a username have failed on the whole site.
    """
    now = timezone.now()
    counters.expired_counts().delete()
    if device is None and not people:
        _start_session(request, username)
    found = counters.counters_of(request, username, client, device, people)
    with atomic(FailureCount):
        rows = counters.lock(found, now)
        _refuse(found, rows, now)
        # On a device, the failures of one person make only that person wait.
        ready = [each for each in found if not counters.seconds_to_wait([rows[each.key]], now)]
        attempt = Attempt(request, ready, device if people else None)
        for counter in ready:
            row = rows[counter.key]
            counters.count(row, counter, now)
            attempt.counts[counter.key] = row.failures
            if row.wait_until is not None:
                attempt.waits[counter.key] = row.wait_until
    return attempt


def count_unusable(
    request: HttpRequest | None,
    error: FaceError | None = None,
    device: FaceDevice | None = None,
    people: Sequence[Any] = (),
) -> None:
    """Count pictures that were analysed but cannot be used, such as damaged frames.

    They cost as much as an attempt, so they count as a failure of the address and its network, or
    of the trusted device. No account is compared with, so they count for none elsewhere.

    Args:
        request: The request that sent the pictures.
        error: The reason. If it is not about the pictures, nothing is counted.
        device: The trusted device that sends the request, if it is one.
        people: The users who trust the device.
    """
    if isinstance(error, NOT_ABOUT_PICTURES):
        return
    if device is not None and people:
        _count(counters.counters_of(request, None, None, device, people))
    else:
        _count(counters.counters_of_address(request))


def check_enrolment(request: HttpRequest) -> None:
    """Refuse a challenge to enrol, if too many of them have failed: see `count_enrolment`.

    Raises:
        TooManyAttempts: They have.
    """
    found = _of_enrolment(request)
    _refuse(found, FailureCount.objects.in_bulk([each.key for each in found]), timezone.now())


def count_enrolment(request: HttpRequest) -> None:
    """Count a challenge to enrol that failed, so that nobody practises for a login without limit.

    It counts for the user who is logged in, or for the address of a visitor who signs up.
    """
    _count(_of_enrolment(request))


def _of_enrolment(request: HttpRequest) -> list[Counter]:
    user: Any = request.user
    if user.is_authenticated:
        return counters.counters_of_client(user)
    return counters.counters_of_address(request)


def _count(found: Sequence[Counter]) -> None:
    now = timezone.now()
    with atomic(FailureCount):
        rows = counters.lock(found, now)
        for counter in found:
            counters.count(rows[counter.key], counter, now)


def _refuse(found: Sequence[Counter], rows: Mapping[str, FailureCount], now: datetime) -> None:
    """Refuse an attempt with these counters, if it must wait or needs a username."""
    if seconds := _seconds_to_wait(found, rows, now):
        raise TooManyAttempts(seconds)
    for each in found:
        if each.asks_for_username and each.key in rows:
            counters.decay(rows[each.key], each, now)
            if rows[each.key].failures >= each.limit:
                raise UsernameNeeded(users.login_name())


def _seconds_to_wait(
    found: Sequence[Counter], rows: Mapping[str, FailureCount], now: datetime
) -> float:
    """Return how long an attempt must wait: for all counters, or for one person of a device."""
    waits = [
        counters.seconds_to_wait([rows[each.key]], now) if each.key in rows else 0.0
        for each in found
    ]
    if not waits:
        return 0
    return min(waits) if found[0].user is not None else max(waits)


def _start_session(request: HttpRequest | None, username: str | None) -> None:
    """Create a session if there is no username, so that the attempt can be counted for it."""
    session = getattr(request, "session", None)
    if not username and session is not None and not session.session_key:
        session.create()


def _text(time: datetime | None) -> str:
    return time.isoformat() if time else ""
