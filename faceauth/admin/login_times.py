"""Show the durations of logins by kind of device, from what `audit.timings` has recorded."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping
from itertools import accumulate
from typing import NamedTuple

from django.db.models import Count, F, IntegerField, QuerySet, Value
from django.db.models.functions import Cast, Floor, Least
from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from faceauth.models import LoginTiming

from . import statistics

STAGES = {
    "camera": gettext_lazy("Camera on"),
    "face": gettext_lazy("Face found"),
    "steps": gettext_lazy("Steps done"),
    "answer": gettext_lazy("Answer"),
}

# The database counts the logins by tenths of a second, so that a million of them are some hundred
# rows, and tells no times apart from here on.
PER_SECOND = 10
LONGEST = 60  # seconds


class LoginTimes(NamedTuple):
    """The table of the durations of logins.

    Attributes:
        devices: The kinds of devices, one a column.
        rows: The label and the cells of each row: the stages, in seconds since the page was
            opened, and the number of logins that were measured to their end.
    """

    devices: list[str]
    rows: list[tuple[str, list[str]]]


class Duration(NamedTuple):
    """The duration of logins until a stage ended, in seconds; exact to 0.05.

    Attributes:
        median: Half of the logins took no longer.
        slow: 95 of 100 logins took no longer.
    """

    median: float
    slow: float

    def __str__(self) -> str:
        return f"{_number(self.median)} ({_number(self.slow)})"


def table() -> LoginTimes | None:
    """Return the table of the last `statistics.DAYS` days, or None if no login was measured."""
    counts: dict[str, dict[str, dict[int, int]]] = defaultdict(lambda: defaultdict(dict))
    for kind, stage, tenths, count in _counted():
        counts[kind][stage][tenths] = count
    kinds = [kind for kind in LoginTiming.Kind if kind in counts]
    if not kinds:
        return None
    rows = [
        (str(label), [_cell(counts[kind][stage]) for kind in kinds])
        for stage, label in STAGES.items()
    ]
    logins = [str(sum(counts[kind]["answer"].values())) for kind in kinds]
    return LoginTimes([str(kind.label) for kind in kinds], [*rows, (_("Logins"), logins)])


def duration(counts: Mapping[int, int]) -> Duration:
    """Return the duration of a stage.

    Args:
        counts: The number of logins by tenths of a second; not empty.
    """
    times = sorted(counts)
    totals = list(accumulate(counts[each] for each in times))
    median, slow = (times[bisect_left(totals, share * totals[-1])] for share in (0.5, 0.95))
    return Duration(median / PER_SECOND, slow / PER_SECOND)


def _counted() -> QuerySet:
    """Return kinds, stages, tenths of seconds and the number of such logins, in one query."""
    first, *more = map(_tenths, STAGES)
    return first.union(*more, all=True)


def _tenths(stage: str) -> QuerySet:
    # The nearest tenth.
    tenths = Floor(Least(F(stage), Value(float(LONGEST))) * PER_SECOND + 0.5)
    rows = LoginTiming.objects.filter(at__gte=statistics.since(), **{f"{stage}__isnull": False})
    rows = rows.annotate(stage=Value(stage), tenths=Cast(tenths, IntegerField()))
    return rows.values_list("kind", "stage", "tenths").annotate(Count("pk")).order_by()


def _cell(counts: Mapping[int, int]) -> str:
    return str(duration(counts)) if counts else "–"


def _number(seconds: float) -> str:
    return str(formats.number_format(seconds, 1)) if seconds < LONGEST else f"≥ {LONGEST}"
