"""How often a face may be wrong: failures in a row, and the waits that follow them.

After NIST SP 800-63B-4, 3.2.3. An attempt counts as failed when it is let through, before anything
is compared, and no longer once it has succeeded: however many arrive at the same time, no more
than allowed reach the comparison. Passwords are not touched by any of this.

Not django-axes: it counts when an attempt has failed, so that guesses sent at the same time all
pass, knows no waits that grow, and would lock passwords together with faces.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac

from . import addresses, conf, events, faces
from .errors import TooManyAttempts
from .models import FaceEvent, FailureCount

FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=30), timedelta(hours=1)

# How long failures count that nothing has followed. An account's count however far apart they
# are, or a patient guesser would have some for free each day; but names that nobody has need not
# be kept for ever.
KEPT = {
    "account": timedelta(days=365),
    "session": timedelta(days=1),
    "address": timedelta(days=1),
    "client": timedelta(days=1),
    "client-account": timedelta(days=365),
}


class Counter(NamedTuple):
    """What failures are counted for, and how many of them bring no wait."""

    kind: str
    key: str
    limit: int


@dataclass
class Attempt:
    """One that was let through; counted as failed until `succeeded`."""

    request: HttpRequest | None
    counters: list[Counter]
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def account(self) -> Counter | None:
        """The counter of the account that the visitor says is theirs."""
        return next((each for each in self.counters if each.kind == "account"), None)

    def refuses(self, user: Any) -> bool:
        """Whether no face is good enough for the user, because the staff has disabled it,
        or because too many were wrong before it.
        """
        if faces.of(user).face_disabled_at is not None:
            return True
        if self.account is None:
            return of_account(user).filter(disabled_at__isnull=False).exists()
        return self.counts[self.account.key] > conf.get().failures_before_disabling

    def succeeded(self, user: Any = None) -> None:
        """Begin to count anew.

        user: who logs in by it.
        """
        keys = {*self.counts} if user is None else {*self.counts, _account(user)}
        FailureCount.objects.filter(key__in=keys).delete()

    def failed(self, user: Any, facts: events.Facts) -> None:
        """Leave it counted, and record what follows from that.

        user: whom the visitor claims to be, if there is such a user.
        """
        events.record(FaceEvent.Kind.REFUSED, self.request, user, facts)
        if any(self.counts[each.key] == each.limit for each in self.counters):
            events.record(FaceEvent.Kind.LOCKED, self.request, user, facts)
        if self._disables(user):
            events.record(FaceEvent.Kind.DISABLED, self.request, user, facts)

    def _disables(self, user: Any) -> bool:
        """Whether it is this attempt that disables the user's face."""
        most = conf.get().failures_before_disabling
        if self.account is None or self.counts[self.account.key] < most:
            return False
        enabled = FailureCount.objects.filter(key=self.account.key, disabled_at=None)
        if faces.of(user).has_face:
            return bool(enabled.update(disabled_at=timezone.now(), user=user))
        enabled.update(disabled_at=None)  # the same work, where there is nothing to disable
        return False


def wait(request: HttpRequest | None, username: str | None, client: Any = None) -> float:
    """How many seconds an attempt would have to wait now; 0 where none. Reserves nothing."""
    keys = [each.key for each in _counters(request, username, client)]
    return _wait(FailureCount.objects.filter(key__in=keys), timezone.now())


def admit(request: HttpRequest | None, username: str | None, client: Any = None) -> Attempt:
    """Let an attempt through, face alone where no username is given, and count it as failed.

    client: the user who asks about somebody else's face, for whom alone it counts then.

    Raises:
        TooManyAttempts: it has to wait.
    """
    now = timezone.now()
    expired().delete()
    _start_session(request, username)
    attempt = Attempt(request, _counters(request, username, client))
    with transaction.atomic():
        rows = _locked(attempt.counters, now)
        if seconds := _wait(rows.values(), now):
            raise TooManyAttempts(seconds)
        for counter in attempt.counters:
            row = rows[counter.key]
            row.failures += 1
            if row.failures >= counter.limit:
                row.wait_until = now + _wait_after(row.failures - counter.limit)
            row.save(update_fields=["failures", "wait_until"])
            attempt.counts[counter.key] = row.failures
    return attempt


def enable(user: Any) -> bool:
    """Forget the failures of the user's face; whether they had disabled it."""
    counts = of_account(user)
    disabled = counts.filter(disabled_at__isnull=False).exists()
    counts.delete()
    return disabled


def expired() -> QuerySet[FailureCount]:
    """What has been kept long enough. What disables a face stays until its owner comes."""
    return FailureCount.objects.filter(forget_at__lt=timezone.now(), disabled_at=None)


def of_account(user: Any) -> QuerySet[FailureCount]:
    """What is counted for the user's account, whoever failed there: one row or none."""
    return FailureCount.objects.filter(key=_account(user))


def _account(user: Any) -> str:
    return _key("account", user.get_username().casefold())


def _counters(
    request: HttpRequest | None, username: str | None, client: Any = None
) -> list[Counter]:
    """What an attempt counts for: the account, or without a username the session; and either way
    the address, from which one could go through many accounts. With a client, what the two are to
    that.
    """
    now = conf.get()
    if client is not None:
        whose = f"{client.pk}:{(username or '').casefold()}"
        return [
            Counter("client-account", _key("client-account", whose), now.failures),
            Counter("client", _key("client", str(client.pk)), now.MAX_FAILURES_PER_ADDRESS),
        ]
    session = getattr(request, "session", None)
    found = []
    if username:
        # As it was typed, whether or not there is such an account: nothing here tells.
        found.append(("account", username.casefold(), now.failures))
    elif session is not None and session.session_key:
        found.append(("session", session.session_key, now.failures))
    if request is not None:
        found.append(("address", addresses.counted(request), now.MAX_FAILURES_PER_ADDRESS))
    return [Counter(kind, _key(kind, who), limit) for kind, who, limit in found]


def _key(kind: str, who: str) -> str:
    digest = salted_hmac("faceauth.attempts", f"{kind}:{who}", algorithm="sha256").hexdigest()
    return f"{kind}:{digest}"


def _start_session(request: HttpRequest | None, username: str | None) -> None:
    """Have something to count for where there is no username."""
    session = getattr(request, "session", None)
    if not username and session is not None and not session.session_key:
        session.create()


def _locked(counters: list[Counter], now: datetime) -> dict[str, FailureCount]:
    """The rows of the counters, by key, held by the transaction until it ends."""
    rows = [
        FailureCount(key=each.key, forget_at=now + KEPT[each.kind])
        # Always in the same order, so that no two wait for each other.
        for each in sorted(counters, key=lambda each: each.key)
    ]
    # Insert or update, and in both cases others have to wait: on SQLite for the whole database,
    # on PostgreSQL for these rows. What is read after it nobody else can change.
    FailureCount.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["key"], update_fields=["forget_at"]
    )
    return FailureCount.objects.in_bulk([each.key for each in rows])


def _wait(rows: Any, now: datetime) -> float:
    """For how many seconds at least one of the rows lets nothing through."""
    ends = [row.wait_until for row in rows if row.wait_until]
    return max((max(ends) - now).total_seconds(), 0) if ends else 0


def _wait_after(further: int) -> timedelta:
    """What follows on the first failure with a wait, and on so many further ones."""
    doublings = min(further, 16)  # far beyond the longest wait
    return min(FIRST_WAIT * 2**doublings, LONGEST_WAIT)
