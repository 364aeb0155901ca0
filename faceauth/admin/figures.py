"""What the events and the users' rows add up to, counted by the database."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.contrib.auth import get_user_model
from django.db.models import Count, F, IntegerField, Q
from django.db.models.functions import Cast, Floor, TruncDate
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from faceauth import conf, faces
from faceauth.db import to_local_time
from faceauth.enrolment import lookalikes, shots
from faceauth.models import FaceEvent, FailureCount
from faceauth.recognition import policy

from .charts import Chart, Column, chart
from .outcomes import LABELS

DAYS = 30

# How wide the histogram's columns are, in units of distance.
STEP = 0.02

Kind = FaceEvent.Kind
ATTEMPTS = (Kind.LOGIN, Kind.REFUSED)


class Users(NamedTuple):
    """How many users may log in, and of these with what kind of face."""

    active: int
    enrolled: int
    flagged: int
    low: int
    disabled_by_staff: int
    disabled_by_failures: int

    @property
    def share(self) -> str:
        """How many are enrolled."""
        return percent(self.enrolled, self.active)


class Attempts(NamedTuple):
    """How attempts of one mode went."""

    mode: str
    logins: int
    refused: int

    @property
    def refusal_rate(self) -> str:
        return percent(self.refused, self.logins + self.refused)


def percent(part: int, whole: int) -> str:
    """A share as people read it; "" where there is no whole."""
    return f"{formats.number_format(100 * part / whole, 1)} %" if whole else ""


def since(days: int = DAYS) -> datetime:
    """The beginning of the day so many days ago, today being one of them."""
    today = to_local_time(timezone.now()).replace(hour=0, minute=0, second=0, microsecond=0)
    return today - timedelta(days=days - 1)


def users() -> Users:
    """Of now, in one query and a small one."""
    kinds = {
        "enrolled": Q(face_enrolled_at__isnull=False),
        "flagged": Q(face_flagged_at__isnull=False),
        "low": Q(face_quality__lt=shots.GOOD),
        "disabled_by_staff": Q(face_disabled_at__isnull=False),
    }
    counts = {
        name: Count("pk", filter=faces.user_condition(which)) for name, which in kinds.items()
    }
    active = get_user_model()._default_manager.filter(**faces.known_conditions(is_active=True))
    found: dict[str, int] = active.aggregate(active=Count("pk"), **counts)
    failures = FailureCount.objects.filter(disabled_at__isnull=False, user__in=active).count()
    return Users(**found, disabled_by_failures=failures)


def attempts() -> tuple[list[Attempts], list[tuple[str, str, int]]]:
    """How those of the last days went, by mode, and of all together at the end; and why they were
    refused, the most frequent reason first: the outcome, in words, and how many.
    """
    counts = dict.fromkeys(((mode, kind) for mode in FaceEvent.Mode for kind in ATTEMPTS), 0)
    refusals: Counter[str] = Counter()
    rows = _attempts().values_list("mode", "kind", "outcome").annotate(Count("pk")).order_by()
    for mode, kind, outcome, count in rows:
        if (mode, kind) in counts:
            counts[mode, kind] += count
        if kind == Kind.REFUSED:
            refusals[outcome] += count
    found = [
        Attempts(str(mode.label), counts[mode, Kind.LOGIN], counts[mode, Kind.REFUSED])
        for mode in FaceEvent.Mode
    ]
    logins = sum(counts[mode, Kind.LOGIN] for mode in FaceEvent.Mode)
    refused = sum(counts[mode, Kind.REFUSED] for mode in FaceEvent.Mode)
    reasons = [(each, str(LABELS.get(each, each)), n) for each, n in refusals.most_common()]
    return [*found, Attempts(_("all"), logins, refused)], reasons


def daily() -> Chart:
    """Successes and refusals of the last days."""
    counts: dict[Any, dict[str, int]] = {}
    rows = _attempts().annotate(day=TruncDate("at")).values_list("day", "kind")
    for day, kind, count in rows.annotate(Count("pk")).order_by():
        counts.setdefault(day, {})[kind] = count
    first = since().date()
    days = [first + timedelta(days=number) for number in range(DAYS)]
    columns = [
        Column(
            formats.date_format(day, "MONTH_DAY_FORMAT"),
            counts.get(day, {}).get(Kind.LOGIN, 0),
            counts.get(day, {}).get(Kind.REFUSED, 0),
        )
        for day in days
    ]
    title = _("Face logins a day, in the last %(days)d days") % {"days": DAYS}
    return chart(title, columns, **_names())


def distances(enrolled: int) -> Chart:
    """How far faces were from those they were compared with, in the last days, with the limits of
    now.
    """
    limits = _limits(enrolled)
    compared = _attempts().filter(distance__isnull=False)
    bucket = Cast(Floor(F("distance") / STEP), IntegerField())
    rows = compared.annotate(bucket=bucket).values_list("bucket", "kind")
    counts = {(place, kind): n for place, kind, n in rows.annotate(Count("pk")).order_by()}
    # The limits are shown also where no face was near them.
    ends = [place for place, _kind in counts] + [math.floor(at / STEP) for at, _text in limits]
    first, last = min(ends), max(ends)
    columns = [
        Column(
            formats.number_format(place * STEP, 2),
            counts.get((place, Kind.LOGIN), 0),
            counts.get((place, Kind.REFUSED), 0),
        )
        for place in range(first, last + 1)
    ]
    lines = [(at / STEP - first, text) for at, text in limits]
    title = _("Distances of the last %(days)d days, and the limit") % {"days": DAYS}
    return chart(title, columns, lines=lines, **_names())


def _attempts() -> Any:
    return FaceEvent.objects.filter(at__gte=since(), kind__in=ATTEMPTS)


def _limits(enrolled: int) -> Sequence[tuple[float, str]]:
    """The distances up to which a face is taken for that of a user, of whom there are pictures as
    a new enrolment has them, and in which case.
    """
    now = conf.get()

    def at(rate: float) -> float:
        return policy.limit(now.ENROLMENT_SHOTS, 1, rate).distance

    found = [(at(now.MAX_FALSE_MATCH_RATE), _("limit with a username"))]
    if now.FACE_ALONE:
        alone = _("limit face alone, %(people)d enrolled") % {"people": enrolled}
        found.append((at(lookalikes.rate(enrolled)), alone))
    return found


def _names() -> dict[str, Any]:
    """What a chart calls the two counts of attempts."""
    return {"good": pgettext("attempts", "logged in"), "bad": pgettext("attempts", "refused")}
