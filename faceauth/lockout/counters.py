"""The counters of failed attempts, for accounts, devices, sessions and addresses."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import connections, router
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac

from faceauth import conf, faces, users
from faceauth.audit.notifications import address_of
from faceauth.http import client_ip
from faceauth.models import FaceDevice, FailureCount
from faceauth.step_up import second_step

FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=30), timedelta(hours=1)

# How long failures are kept after the last one. An account's failures count however far apart they
# are, or a patient guesser would have some free guesses each day. Names that nobody has need not
# be kept for so long.
KEEP_FOR = {
    # Of visitors who only claim that the account is theirs.
    "account": timedelta(days=365),
    # Of visitors who claim the account by its email address, or another name that finds it.
    "alias": timedelta(days=365),
    # Of visitors who have given the account's password, or are logged in to it.
    "own": timedelta(days=365),
    # For a username in lower case, whether an account has it or not.
    "name": timedelta(days=1),
    # Of one session, without a username.
    "session": timedelta(days=1),
    # Of one person on one device that they trust.
    "device": timedelta(days=365),
    # From one IP address (IPv6: /64), for all accounts together.
    "address": timedelta(days=1),
    # From one network (a /24, IPv6: /48), for all accounts together.
    "network": timedelta(days=1),
    # Of all visitors without a username.
    "site": timedelta(hours=1),
    # Of one user who checks other people's faces, for all accounts together, or enrols a face.
    "client": timedelta(days=1),
    # Of the same user with one account.
    "client-account": timedelta(days=365),
}

# The counters of one account: for visitors who only claim that it is theirs, and for visitors who
# have given its password.
ACCOUNT = ("account", "alias", "own")
# Counters that many people share. A success takes back only its own attempt: if it forgave the
# failures of others, anybody who has an account could guess at all the others for as long as they
# like. Instead, these counters lose their failures evenly, a full one within the time that its
# failures are kept: an address gets a day's number of guesses at once and as many again over each
# day, however patient the guesser. A number that suits a large office empties faster, in
# proportion.
SHARED = ("address", "network", "site", "client")


class Counter(NamedTuple):
    """One counter of failures.

    Attributes:
        kind: A key of `KEEP_FOR`.
        key: The primary key of its row: the kind, and a hash of what it counts for.
        limit: The number of failures at which a wait begins.
        user: The user whose failures it counts on a device, or None.
    """

    kind: str
    key: str
    limit: int
    user: Any = None

    @property
    def makes_wait(self) -> bool:
        """Return True if a full counter makes visitors wait.

        If an email address shared the waits of its account's username, a visitor could find out
        that the two are of one account. The name as it was entered makes them wait.
        """
        return self.kind not in ("alias", "site")

    @property
    def asks_for_username(self) -> bool:
        """Return True if a full counter makes nobody wait, but asks for a username."""
        return self.kind == "site"


def counters_of(
    request: HttpRequest | None,
    username: str | None,
    client: Any = None,
    device: FaceDevice | None = None,
    people: Sequence[Any] = (),
) -> list[Counter]:
    """Return the counters of an attempt.

    On a trusted device, these are only those of the device with each of its people: what strangers
    do elsewhere does not touch it, and what happens on it touches nobody else.

    Elsewhere they are the account's or, without a username, the session's and the site's; and in
    both cases those of the address and its network, because many accounts could be tried from
    there. If a client asks about somebody else, the two are the client's with that account, and
    the client's alone.

    A visitor who has given the account's password has a counter of their own: no stranger can keep
    an owner out who is asked for both.

    Args:
        request: The request of the attempt, if there is one.
        username: The claimed username, or None for face alone.
        client: The user who asks about somebody else's face.
        device: The trusted device of the attempt.
        people: The users whom the visitor can be: those who trust the device or, without a device,
            the one who is known without a name.
    """
    config = conf.get()
    if device is not None and people:
        return [
            Counter("device", device_key(device, user), config.failures, user) for user in people
        ]
    found: list[tuple[str, Any, int]] = []
    account, kind = None, "account"
    if people:
        account = people[0].pk
    elif username:
        account, kind = _claimed(request, username)
    if client is not None:
        pair = key_of("client-account", f"{client.pk}:{account}")
        return [Counter("client-account", pair, config.failures), *counters_of_client(client)]
    session = getattr(request, "session", None)
    if account is not None and _gave_password(request, account):
        found.append(("own", account, config.failures))
    elif account is not None:
        # Counted whether the account exists or not: nothing here reveals that. And counted for the
        # spelling in lower case as well, because some databases find the account by other
        # capitals and others do not.
        found.append((kind, account, config.failures))
        if username:
            found.append(("name", username.casefold(), config.failures))
    else:
        if session is not None and session.session_key:
            found.append(("session", session.session_key, config.failures))
        if request is not None:
            found.append(("site", "", config.MAX_ANONYMOUS_FAILURES_PER_HOUR))
    return [
        *[Counter(kind, key_of(kind, who), limit) for kind, who, limit in found],
        *counters_of_address(request),
    ]


def counters_of_client(client: Any) -> list[Counter]:
    """Return the counter of what a user does that concerns no account's face."""
    limit = conf.get().MAX_FAILURES_PER_ADDRESS
    return [Counter("client", key_of("client", client.pk), limit)]


def counters_of_address(request: HttpRequest | None) -> list[Counter]:
    """Return the counters of the request's address and of its network."""
    if request is None:
        return []
    config = conf.get()
    address, network = client_ip.rate_limit_key(request), client_ip.network(request)
    found = [Counter("address", key_of("address", address), config.MAX_FAILURES_PER_ADDRESS)]
    if network:
        limit = config.MAX_FAILURES_PER_NETWORK
        found.append(Counter("network", key_of("network", network), limit))
    return found


def device_key(device: FaceDevice, user: Any) -> str:
    """Return the primary key of the counter of one person on one device."""
    return key_of("device", f"{device.pk}:{user.pk}")


def key_of(kind: str, who: Any) -> str:
    """Return the primary key of a counter's row."""
    digest = salted_hmac("faceauth.attempts", f"{kind}:{who}", algorithm="sha256").hexdigest()
    return f"{kind}:{digest}"


def account_id(username: str) -> Any:
    """Return the primary key of the account with this name; if there is none, a text for it."""
    return _claimed(None, username)[0]


def _claimed(request: HttpRequest | None, username: str) -> tuple[Any, str]:
    """Return the `account_id` of a name, and the kind of counter that its failures have."""
    user = faces.by_username(username, request)
    if user is None:
        return f"named {username}", "account"
    is_username = users.username(user).casefold() == username.casefold()
    return user.pk, "account" if is_username else "alias"


def keys_of_user(user: Any) -> list[str]:
    """Return the keys of all counters of one user alone, other spellings of the name included."""
    names = {*users.login_names(user), address_of(user)} - {""}
    return [
        *[key_of("name", each) for each in sorted({name.casefold() for name in names})],
        *[key_of(kind, user.pk) for kind in ACCOUNT],
    ]


def account_failures(user: Any) -> QuerySet[FailureCount]:
    """Return the rows of the user's account: with and without its password."""
    return FailureCount.objects.filter(key__in=[key_of(kind, user.pk) for kind in ACCOUNT])


def device_failures(user: Any) -> QuerySet[FailureCount]:
    """Return the rows of the devices that the user trusts."""
    trusted = FaceDevice.objects.filter(trusts__user=user)
    keys = [device_key(device, user) for device in trusted]
    return FailureCount.objects.filter(key__in=keys)


def clear_failures(user: Any) -> bool:
    """Delete the failures of the user's face everywhere. Return True if they had disabled it."""
    disabled = account_failures(user).filter(disabled_at__isnull=False).exists()
    FailureCount.objects.filter(key__in=keys_of_user(user)).delete()
    device_failures(user).delete()
    return disabled


def clear_device(device: FaceDevice, user: Any) -> None:
    """Clear the failures of one person on one device."""
    FailureCount.objects.filter(key=device_key(device, user)).delete()


def accept_owner(user: Any) -> bool:
    """Enable a face whose owner has shown who they are without it. Return True if it was disabled.

    The waits of visitors who only claim the account stay as they were: if they ended with the
    owner's login, a guesser would learn that the account exists and when its owner is there.
    """
    FailureCount.objects.filter(key=key_of("own", user.pk)).delete()
    claimed = [key_of(kind, user.pk) for kind in ("account", "alias")]
    row = FailureCount.objects.filter(key__in=claimed)
    # From here on, each failure leads to the longest wait, so that a lower count looks the same.
    config = conf.get()
    looks_the_same = config.failures + math.ceil(math.log2(LONGEST_WAIT / FIRST_WAIT))
    count = min(looks_the_same, config.failures_before_disabling - 1)
    row.filter(failures__gt=count).update(failures=count)
    return bool(row.filter(disabled_at__isnull=False).update(disabled_at=None))


def expired_counts() -> QuerySet[FailureCount]:
    """Return the rows that were kept long enough.

    A row that disables a face is kept until the face's owner enables it again.
    """
    return FailureCount.objects.filter(forget_at__lt=timezone.now(), disabled_at=None)


def lock(counters: Iterable[Counter], now: datetime) -> dict[str, FailureCount]:
    """Create the counters' rows if they are missing, and lock them until the transaction ends.

    Returns:
        The rows by key. No other process can change them before the transaction ends. Those of
        shared counters have lost the failures that are over.
    """
    # Always in the same order, so that no two transactions wait for each other.
    ordered = sorted(counters, key=lambda each: each.key)
    rows = [
        FailureCount(
            key=each.key,
            decayed_at=now if each.kind in SHARED else None,
            forget_at=now + KEEP_FOR[each.kind],
        )
        for each in ordered
    ]
    # Both inserting and updating makes others wait: on SQLite for the whole database, on
    # PostgreSQL for these rows.
    features = connections[router.db_for_write(FailureCount)].features
    FailureCount.objects.bulk_create(
        rows,
        update_conflicts=True,
        # MySQL does not accept the names of the fields.
        unique_fields=["key"] if features.supports_update_conflicts_with_target else None,
        update_fields=["forget_at"],
    )
    locked = FailureCount.objects.in_bulk([each.key for each in ordered])
    for each in ordered:
        decay(locked[each.key], each, now)
    return locked


def count(row: FailureCount, counter: Counter, now: datetime) -> None:
    """Count a failure in a locked row, and begin a wait if it has reached the limit."""
    row.failures += 1
    if row.failures >= counter.limit and counter.makes_wait:
        row.wait_until = now + wait_after(row.failures - counter.limit)
    row.save(update_fields=["failures", "wait_until", "decayed_at"])


def decay(row: FailureCount, counter: Counter, now: datetime) -> None:
    """Take off a shared counter's row the failures that it has lost since the last attempt."""
    if row.decayed_at is None:
        return
    each = max(KEEP_FOR[counter.kind] / counter.limit, timedelta.resolution)
    lost = max(min((now - row.decayed_at) // each, row.failures), 0)
    row.failures -= lost
    # An empty counter begins anew: time without failures is not saved up.
    row.decayed_at = row.decayed_at + lost * each if row.failures else now


def seconds_to_wait(rows: Iterable[FailureCount], now: datetime) -> float:
    """Return for how many seconds at least one of the rows admits no attempt; 0 if all do."""
    ends = [row.wait_until for row in rows if row.wait_until]
    return max((max(ends) - now).total_seconds(), 0) if ends else 0


def wait_after(further: int) -> timedelta:
    """Return the wait after a failure: `FIRST_WAIT`, doubled for each further failure.

    Args:
        further: The number of failures since the first one that led to a wait.
    """
    doublings = min(further, 16)  # far beyond the longest wait
    return min(FIRST_WAIT * 2**doublings, LONGEST_WAIT)


def _gave_password(request: HttpRequest | None, account: Any) -> bool:
    """Return True if this session belongs to the account, or its password was given in it."""
    if request is None or not hasattr(request, "session"):
        return False
    logged_in, pending = getattr(request, "user", None), second_step.pending_user(request)
    return account in (getattr(logged_in, "pk", None), getattr(pending, "pk", None))
