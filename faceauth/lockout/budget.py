"""Budgets of CPU time for frames: by address and network, and by trusted device.

One frame can take fifty times as long as another, so what is limited is not how many are sent but
how long looking at them takes. A budget is a minute's allowance: it can be spent at once, and comes
back evenly. A trusted device has one of its own, so strangers at the same address cannot use it up.

Each process adds up what is spent, and exchanges it with the database after every hundredth of a
budget: a login takes about one such exchange, and a refusal takes none. Several processes together
can exceed a budget by a hundredth each.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Any, NamedTuple

from django.db.models import Case, DateTimeField, F, Value, When
from django.db.models.functions import Greatest, Least
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac

from faceauth import conf, devices
from faceauth.errors import TooManyPictures
from faceauth.http import client_ip
from faceauth.http.rate_limit import NETWORK_FACTOR
from faceauth.models import RequestCount

PERIOD = timedelta(minutes=1)

# How far budgets can be overspent, by looks that began before; and what only a clock that was set
# back explains: then nobody is kept waiting.
LONGEST, IMPOSSIBLE = 2 * PERIOD, 10 * PERIOD

# The part of a budget that a process spends before it tells the others.
SHARE = 0.01

# How many budgets a process remembers; those not used for the longest time are read again.
MAX_KNOWN = 10_000


class Budget(NamedTuple):
    """One of the budgets that a request spends.

    Attributes:
        key: The primary key of its row in `RequestCount`.
        seconds: The CPU time that it allows in a period.
    """

    key: str
    seconds: float

    def lasting(self, seconds: float) -> timedelta:
        """Return how long it takes until so many seconds have come back."""
        return PERIOD * (seconds / self.seconds)


@dataclass
class _Account:
    """One budget, as far as this process knows it.

    Attributes:
        full_at: When all that had been spent at the last exchange will have come back.
        spent: The CPU time spent since then, in seconds.
    """

    full_at: datetime
    spent: float = 0.0


_accounts: OrderedDict[str, _Account] = OrderedDict()
_lock = Lock()


def check(request: HttpRequest) -> None:
    """Refuse a request whose budget is used up.

    Raises:
        TooManyPictures: It is.
    """
    budgets, now = _budgets(request), timezone.now()
    accounts = _known(budgets, now)
    waits = [
        account.full_at - now + budget.lasting(account.spent) - PERIOD
        for budget, account in zip(budgets, accounts, strict=True)
    ]
    if (wait := max(waits)) >= timedelta(0):
        raise TooManyPictures(wait.total_seconds())


@contextmanager
def spending(request: HttpRequest) -> Iterator[None]:
    """Take the CPU time of what is done meanwhile off the request's budgets."""
    began = time.thread_time()
    try:
        yield
    finally:
        # The networks' other threads are not measured. They work at most as long as this one.
        _spend(_budgets(request), (time.thread_time() - began) * conf.get().THREADS)


def line(request: HttpRequest) -> tuple[str, str, str]:
    """Return where a request waits for its turn: its network, address and trusted device, or ""."""
    known: tuple[str, str, str] | None = getattr(request, "face_line", None)
    if known is None:
        device = devices.current(request)
        whose = str(device.pk) if device else ""
        network, address, _ = client_ip.line(request)
        known = network, address, whose
        request.face_line = known  # type: ignore[attr-defined]
    return known


def forget() -> None:
    """Forget what this process knows, so that it asks the database."""
    with _lock:
        _accounts.clear()


def _spend(budgets: Sequence[Budget], seconds: float) -> None:
    now = timezone.now()
    for budget, account in zip(budgets, _known(budgets, now), strict=True):
        with _lock:
            account.spent += seconds
            if account.spent < budget.seconds * SHARE:
                continue
            told, account.spent = account.spent, 0.0
        account.full_at = _exchange(budget, told, now)


def _exchange(budget: Budget, seconds: float, now: datetime) -> datetime:
    """Add what this process has spent to the row. Return when all will have come back."""
    rows = RequestCount.objects.filter(key=budget.key)
    earliest, latest = (Value(each, DateTimeField()) for each in (now, now + LONGEST))
    possible = Least(Greatest(F("forget_at"), earliest), latest)
    began = Case(When(forget_at__gt=now + IMPOSSIBLE, then=earliest), default=possible)
    change: Any = {"forget_at": began + budget.lasting(seconds)}
    if not rows.update(**change):
        RequestCount.objects.filter(forget_at__lt=now).delete()
        # Not an empty row, which others would delete before it is used.
        first = {"forget_at": now + budget.lasting(seconds)}
        if not RequestCount.objects.get_or_create(first, key=budget.key)[1]:
            rows.update(**change)
    return rows.values_list("forget_at", flat=True).first() or now


def _known(budgets: Sequence[Budget], now: datetime) -> list[_Account]:
    """Return what is known of some budgets; it is read if this process knows nothing yet."""
    with _lock:
        missing = [each.key for each in budgets if each.key not in _accounts]
    rows = RequestCount.objects.in_bulk(missing) if missing else {}
    with _lock:
        found = []
        for budget in budgets:
            full_at = rows[budget.key].forget_at if budget.key in rows else now
            account = _accounts.setdefault(budget.key, _Account(full_at))
            possible = account.full_at <= now + IMPOSSIBLE
            account.full_at = min(account.full_at, now + LONGEST) if possible else now
            _accounts.move_to_end(budget.key)
            found.append(account)
        while len(_accounts) > MAX_KNOWN:
            _accounts.popitem(last=False)
    return found


def _budgets(request: HttpRequest) -> list[Budget]:
    """Return the budgets that a request spends."""
    (network, address, device), seconds = line(request), conf.get().FRAME_CPU_SECONDS_PER_MINUTE
    if device:
        # Those of one address have a limit as well: anybody can trust many browsers.
        mine, shared = ("device", device), ("devices", address)
    else:
        mine, shared = ("address", address), ("network", network)
    return [_budget(*mine, seconds), _budget(*shared, NETWORK_FACTOR * seconds)]


def _budget(kind: str, whose: str, seconds: float) -> Budget:
    name = f"{kind}:{whose}"
    digest = salted_hmac("faceauth.budget", name, algorithm="sha256").hexdigest()
    return Budget(f"frames:{digest}", seconds)
