"""Rate limits: how often a request may be made in a period, whatever its outcome.

Requests are counted in the database, not in a cache: all processes share it, it loses nothing, and
requests that are sent in parallel cannot exceed the limit. One count takes 0.3 ms on SQLite and, on
PostgreSQL, the 4 ms that a disk needs to store it; analysing one picture takes longer.
"""

from __future__ import annotations

import time
import unicodedata
from datetime import timedelta
from typing import Any

from django.db.models import F
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import get_random_string, salted_hmac

from faceauth import conf
from faceauth.errors import TooManyAttempts, TooManyPasswords, TooManyPictures, TooManySignUps
from faceauth.models import RequestCount

from . import client_ip

MINUTE, HOUR, DAY = 60, 60 * 60, 24 * 60 * 60

# How far the clocks of processes may differ, if one is set: counts are kept so much longer.
SLACK = HOUR + MINUTE

# How many times as much as one address a whole network may do: a /24, or a /48 of IPv6. Otherwise
# whoever has a /48 could use each of its 65,536 subnets like another visitor's.
NETWORK_FACTOR = 5

# How many times as many codes are emailed for one account in a day as in an hour. With 20 codes of
# five tries each, whoever has somebody's picture guesses one in a year with a probability of 4 %.
CODES_A_DAY = 4


def count(action: str, client: Any, limit: int, seconds: int, *, evenly: bool = False) -> float:
    """Count a request in the database, unless there were `limit` already in this window.

    Args:
        action: What is limited, such as "enrol".
        client: Whom the request is counted for: a rate-limit key or a user's primary key.
        limit: The maximum number of requests in a window.
        seconds: The length of a window.
        evenly: Do the same work whether or not there was a request in this window before.

    Returns:
        0 if the request was counted; otherwise the number of seconds until the next window.
    """
    key, passed = _key(action, client, seconds)
    rows = RequestCount.objects.filter(key=key, count__lt=limit)
    # One conditional update: the database decides which request comes first.
    if not evenly and rows.update(count=F("count") + 1):
        return 0
    now = timezone.now()
    RequestCount.objects.filter(forget_at__lt=now).delete()
    # Not with the window: another process, whose clock is ahead, would delete it before it is used.
    row = RequestCount(key=key, forget_at=now + timedelta(seconds=seconds - passed + SLACK))
    RequestCount.objects.bulk_create([row], ignore_conflicts=True)
    return 0 if rows.update(count=F("count") + 1) else seconds - passed


def enforce(
    action: str,
    client: Any,
    limit: int,
    seconds: int,
    error: type[TooManyAttempts] = TooManyPictures,
) -> None:
    """Count a request as `count` does, and refuse it if there were too many.

    Raises:
        TooManyAttempts: The limit was reached before this request. `error` says which subclass.
    """
    if wait := count(action, client, limit, seconds):
        raise error(wait)


def enforce_sign_up(request: HttpRequest) -> None:
    """Count a sign-up for the request's address, and refuse it after ``ENROLMENTS_PER_HOUR``.

    Call it for each form that a sign-up page receives, before the form tells who has an account.
    `EnrolFormMixin` does.

    Raises:
        TooManySignUps: There were too many from this address, or from its network.
    """
    _enforce_by_address("signup", request, "", conf.get().ENROLMENTS_PER_HOUR, TooManySignUps)


def enforce_challenge(request: HttpRequest) -> None:
    """Count a challenge that a request opens, and refuse it after ``CHALLENGES_PER_MINUTE``.

    Raises:
        TooManyPictures: There were too many from this address, or from its network.
    """
    limit = conf.get().CHALLENGES_PER_MINUTE
    _enforce_by_address("challenge", request, "", limit, TooManyPictures, MINUTE)


def enforce_password(request: HttpRequest | None, username: str) -> None:
    """Count a password that is given for an account, and refuse it after ``PASSWORDS_PER_HOUR``.

    Call it before the password is compared, and `forgive_password` if it was right. Passwords count
    for the account and the address together: the owner is not kept out at any other address.

    Args:
        request: The request; without one, nothing is counted.
        username: The username as it was given, whether or not there is such an account.

    Raises:
        TooManyPasswords: There were too many from this address, or from its network.
    """
    limit = conf.get().PASSWORDS_PER_HOUR
    _enforce_by_address("password", request, _folded(username), limit, TooManyPasswords)


def forgive_password(request: HttpRequest | None, username: str) -> None:
    """Forget the passwords that were given for an account from this address: this one was right."""
    keys = [
        _key("password", f"{address}:{_folded(username)}", HOUR)[0]
        for address, _factor in _addresses(request)
    ]
    RequestCount.objects.filter(key__in=keys).delete()


def admits_code(account: Any) -> bool:
    """Count a code that is to be mailed for an account. Return False after ``CODES_PER_HOUR``.

    Also after `CODES_A_DAY` times as many in a day: each code allows a few guesses.

    Args:
        account: The user's primary key or, if no code is sent, anything that stands for nobody.
    """
    limit = conf.get().CODES_PER_HOUR
    full = count("code", account, limit, HOUR, evenly=True)
    # The work is the same for accounts that get a code, for those that get none, and for nobody.
    who = get_random_string(16) if full else account
    return not count("code-day", who, limit * CODES_A_DAY, DAY, evenly=True) and not full


def _enforce_by_address(
    action: str,
    request: HttpRequest | None,
    who: str,
    limit: int,
    error: type[TooManyAttempts],
    seconds: int = HOUR,
) -> None:
    for address, factor in _addresses(request):
        enforce(action, f"{address}:{who}", limit * factor, seconds, error)


def _addresses(request: HttpRequest | None) -> list[tuple[str, int]]:
    """Return the request's address and its network, with the factor of their limits."""
    if request is None:
        return []
    found = [(client_ip.rate_limit_key(request), 1)]
    if network := client_ip.network(request):
        found.append((network, NETWORK_FACTOR))
    return found


def _folded(username: str) -> str:
    """Return a username without capitals and accents: some databases ignore both in a look-up."""
    letters = unicodedata.normalize("NFKD", username)
    return "".join(each for each in letters if not unicodedata.combining(each)).casefold()


def _key(action: str, client: Any, seconds: int) -> tuple[str, float]:
    """Return the key of the current window, hashed, and how many seconds of it have passed."""
    window, passed = divmod(time.time(), seconds)
    name = f"{action}:{client}:{window}"
    digest = salted_hmac("faceauth.throttling", name, algorithm="sha256").hexdigest()
    return f"{action}:{digest}", passed
