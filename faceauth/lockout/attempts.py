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

from django.contrib.auth import get_user_model
from django.db import connections, router
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac

from faceauth import conf, faces, users
from faceauth.audit import events
from faceauth.db import atomic
from faceauth.errors import TooManyAttempts
from faceauth.http import client_ip
from faceauth.models import FaceEvent, FailureCount
from faceauth.single_use import mark_used
from faceauth.step_up import second_step

FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=30), timedelta(hours=1)

# How long failures count that nothing has followed. An account's count however far apart they
# are, or a patient guesser would have some for free each day; but names that nobody has need not
# be kept for ever.
KEEP_FOR = {
    "account": timedelta(days=365),
    "own": timedelta(days=365),
    "name": timedelta(days=1),
    "session": timedelta(days=1),
    "address": timedelta(days=1),
    "client": timedelta(days=1),
    "client-account": timedelta(days=365),
}

# One account's: of who only says that it is theirs, and of who has given its password.
ACCOUNT = ("account", "own")
# Many people's, of whom one who is recognised makes up for the others once a day only: or whoever
# has an account could guess at all others for as long as they like.
SHARED = ("address", "client")


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
        """The counter of the account that the visitor says is theirs, or has shown to be."""
        return next((each for each in self.counters if each.kind in ACCOUNT), None)

    def is_disabled(self, user: Any) -> bool:
        """Whether no face is good enough for the user, because the staff has disabled it,
        or because too many were wrong before it.
        """
        if faces.of(user).face_disabled_at is not None:
            return True
        if self.account is None:
            return account_failures(user).filter(disabled_at__isnull=False).exists()
        return self.counts[self.account.key] > conf.get().failures_before_disabling

    def succeeded(self, user: Any) -> None:
        """Begin to count anew, now that the user was recognised."""
        asked = any(each.kind == "client" for each in self.counters)
        shared = {each.key for each in self.counters if each.kind in SHARED}
        keys = {*self.counts} - shared | (set() if asked else {*_keys(user)})
        with atomic(FailureCount):  # one commit, not one each
            FailureCount.objects.filter(key__in=keys).delete()
            for key in shared:
                alone = FailureCount.objects.filter(key=key, failures=1)
                if self.counts[key] > 1 or not alone.delete()[0]:
                    self._make_up(key, user)

    def failed(self, user: Any, details: events.EventDetails) -> None:
        """Leave it counted, and record what follows from that.

        user: whom the visitor claims to be, if there is such a user.
        """
        events.record(FaceEvent.Kind.REFUSED, self.request, user, details)
        if any(self.counts[each.key] == each.limit for each in self.counters):
            events.record(FaceEvent.Kind.LOCKED, self.request, user, details)
        if self._disables(user):
            events.record(FaceEvent.Kind.DISABLED, self.request, user, details)

    def _make_up(self, key: str, user: Any) -> None:
        """Count this attempt as failed no longer, or once a day none of those before it either."""
        row = FailureCount.objects.filter(key=key)
        if mark_used("recognised", [f"{key}:{user.pk}".encode()], timedelta(days=1)):
            row.delete()
            return
        # Those that came meanwhile stay counted, and so does the wait that they bring.
        row.filter(failures=self.counts[key]).update(wait_until=None)
        row.filter(failures__gt=0).update(failures=F("failures") - 1)

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


def retry_after(request: HttpRequest | None, username: str | None, client: Any = None) -> float:
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
    expired_counts().delete()
    _start_session(request, username)
    attempt = Attempt(request, _counters(request, username, client))
    with atomic(FailureCount):
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


def clear_failures(user: Any) -> bool:
    """Forget the failures of the user's face; whether they had disabled it."""
    disabled = account_failures(user).filter(disabled_at__isnull=False).exists()
    FailureCount.objects.filter(key__in=_keys(user)).delete()
    return disabled


def expired_counts() -> QuerySet[FailureCount]:
    """What has been kept long enough. What disables a face stays until its owner comes."""
    return FailureCount.objects.filter(forget_at__lt=timezone.now(), disabled_at=None)


def account_failures(user: Any) -> QuerySet[FailureCount]:
    """What is counted for the user's account: where anybody failed who said it was theirs, and
    where somebody did who had given its password.
    """
    return FailureCount.objects.filter(key__in=[_key(kind, user.pk) for kind in ACCOUNT])


def _keys(user: Any) -> list[str]:
    """Of all that is counted for the user alone, and for who writes their name another way."""
    name = _key("name", users.username(user).casefold())
    return [name, *[_key(kind, user.pk) for kind in ACCOUNT]]


def _counters(
    request: HttpRequest | None, username: str | None, client: Any = None
) -> list[Counter]:
    """What an attempt counts for: the account, or without a username the session; and either way
    the address, from which one could go through many accounts. With a client, what the two are to
    that.

    Who has given the account's password counts apart: no stranger keeps an owner out who is asked
    for both.
    """
    now = conf.get()
    found: list[tuple[str, Any, int]] = []
    whose = _account_id(username) if username else None
    if client is not None:
        found.append(("client-account", f"{client.pk}:{whose}", now.failures))
        found.append(("client", client.pk, now.MAX_FAILURES_PER_ADDRESS))
        return [Counter(kind, _key(kind, who), limit) for kind, who, limit in found]
    session = getattr(request, "session", None)
    if username and _given_password(request, whose):
        found.append(("own", whose, now.failures))
    elif username:
        # Whether or not there is such an account: nothing here tells. And as it is written in
        # other letters, for some databases find the account by these and others do not.
        found.append(("account", whose, now.failures))
        found.append(("name", username.casefold(), now.failures))
    elif session is not None and session.session_key:
        found.append(("session", session.session_key, now.failures))
    if request is not None:
        found.append(("address", client_ip.rate_limit_key(request), now.MAX_FAILURES_PER_ADDRESS))
    return [Counter(kind, _key(kind, who), limit) for kind, who, limit in found]


def _account_id(username: str) -> Any:
    """The primary key of the account of that name; the name itself where there is none."""
    user = faces.by_username(username, get_user_model()._default_manager.only("pk"))
    return f"named {username}" if user is None else user.pk


def _given_password(request: HttpRequest | None, whose: Any) -> bool:
    """Whether who sends the request has come in as that user already, if only half-way."""
    if request is None or not hasattr(request, "session"):
        return False
    inside, half_way = getattr(request, "user", None), second_step.pending(request)
    return whose in (getattr(inside, "pk", None), getattr(half_way, "pk", None))


def _key(kind: str, who: Any) -> str:
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
        FailureCount(key=each.key, forget_at=now + KEEP_FOR[each.kind])
        # Always in the same order, so that no two wait for each other.
        for each in sorted(counters, key=lambda each: each.key)
    ]
    # Insert or update, and in both cases others have to wait: on SQLite for the whole database,
    # on PostgreSQL for these rows. What is read after it nobody else can change.
    features = connections[router.db_for_write(FailureCount)].features
    FailureCount.objects.bulk_create(
        rows,
        update_conflicts=True,
        # MySQL wants them unsaid.
        unique_fields=["key"] if features.supports_update_conflicts_with_target else None,
        update_fields=["forget_at"],
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
