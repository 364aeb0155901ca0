"""Lockout: consecutive failed face attempts and exponential back-off.

This follows NIST SP 800-63B-4, section 3.2.3. Each attempt is recorded as a failure before the
comparison and cleared on success, so parallel requests cannot exceed the limit. Passwords are not
affected.

django-axes is not used here: it counts an attempt after it has failed, so guesses sent in parallel
all get through; its waits do not grow; and it would lock passwords together with faces.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db.models import F
from django.http import HttpRequest
from django.utils import timezone

from faceauth import conf, faces
from faceauth.audit import events
from faceauth.db import atomic
from faceauth.errors import TooManyAttempts
from faceauth.models import FaceEvent, FailureCount
from faceauth.single_use import mark_used

from . import counters
from .counters import ACCOUNT, SHARED, Counter


@dataclass
class Attempt:
    """An attempt that was admitted. It counts as a failure until `succeeded` is called.

    Attributes:
        request: The request of the attempt, if there is one.
        counters: The counters that it was recorded in.
        counts: The failures in each counter, this attempt included, by the counter's key.
    """

    request: HttpRequest | None
    counters: list[Counter]
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def account(self) -> Counter | None:
        """Return the counter of the claimed account, or None if no username was given."""
        return next((each for each in self.counters if each.kind in ACCOUNT), None)

    def is_disabled(self, user: Any) -> bool:
        """Return True if no face is accepted for this user.

        Staff have disabled the face, or too many attempts before this one have failed.
        """
        if faces.of(user).face_disabled_at is not None:
            return True
        if self.account is None:
            return counters.account_failures(user).filter(disabled_at__isnull=False).exists()
        return self.counts[self.account.key] > conf.get().failures_before_disabling

    def succeeded(self, user: Any) -> None:
        """Clear the failures, because the user was recognised."""
        asked_by_client = any(each.kind == "client" for each in self.counters)
        shared = {each.key for each in self.counters if each.kind in SHARED}
        own = set() if asked_by_client else {*counters.keys_of_user(user)}
        keys = {*self.counts} - shared | own
        with atomic(FailureCount):  # one commit instead of one for each row
            FailureCount.objects.filter(key__in=keys).delete()
            for key in shared:
                alone = FailureCount.objects.filter(key=key, failures=1)
                if self.counts[key] > 1 or not alone.delete()[0]:
                    self._clear_shared(key, user)

    def failed(self, user: Any, details: events.EventDetails) -> None:
        """Leave the attempt recorded as a failure, and record the events that follow from it.

        Args:
            user: The user that the visitor claims to be, or None if there is no such user.
            details: The details for the audit log.
        """
        events.record(FaceEvent.Kind.REFUSED, self.request, user, details)
        if any(self.counts[each.key] == each.limit for each in self.counters):
            events.record(FaceEvent.Kind.LOCKED, self.request, user, details)
        if self._disables(user):
            events.record(FaceEvent.Kind.DISABLED, self.request, user, details)

    def _clear_shared(self, key: str, user: Any) -> None:
        """Clear this attempt from a shared counter; once a day, clear the earlier ones too."""
        row = FailureCount.objects.filter(key=key)
        if mark_used("recognised", [f"{key}:{user.pk}".encode()], timedelta(days=1)):
            row.delete()
            return
        # Failures that were counted in the meantime stay, and so does the wait that they caused.
        row.filter(failures=self.counts[key]).update(wait_until=None)
        row.filter(failures__gt=0).update(failures=F("failures") - 1)

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


def retry_after(request: HttpRequest | None, username: str | None, client: Any = None) -> float:
    """Return how many seconds an attempt would have to wait now, without recording one."""
    keys = [each.key for each in counters.counters_of(request, username, client)]
    return counters.seconds_to_wait(FailureCount.objects.filter(key__in=keys), timezone.now())


def admit(request: HttpRequest | None, username: str | None, client: Any = None) -> Attempt:
    """Admit an attempt, and record it as a failure.

    Args:
        request: The request of the attempt, if there is one.
        username: The claimed username, or None for face alone.
        client: The user who asks about somebody else's face. The attempt then counts for the
            client alone.

    Raises:
        TooManyAttempts: The attempt must wait.
    """
    now = timezone.now()
    counters.expired_counts().delete()
    _start_session(request, username)
    attempt = Attempt(request, counters.counters_of(request, username, client))
    with atomic(FailureCount):
        rows = counters.lock(attempt.counters, now)
        if seconds := counters.seconds_to_wait(rows.values(), now):
            raise TooManyAttempts(seconds)
        for counter in attempt.counters:
            row = rows[counter.key]
            row.failures += 1
            if row.failures >= counter.limit:
                row.wait_until = now + counters.wait_after(row.failures - counter.limit)
            row.save(update_fields=["failures", "wait_until"])
            attempt.counts[counter.key] = row.failures
    return attempt


def _start_session(request: HttpRequest | None, username: str | None) -> None:
    """Create a session if there is no username, so that the attempt can be counted for it."""
    session = getattr(request, "session", None)
    if not username and session is not None and not session.session_key:
        session.create()
