"""Statistics of events and users, counted by the database."""

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
from .outcome_labels import LABELS

DAYS = 30

# The width of the histogram's columns, as a distance.
STEP = 0.02

Kind = FaceEvent.Kind
ATTEMPTS = (Kind.LOGIN, Kind.REFUSED)


class Users(NamedTuple):
    """The number of active users, and how many of them have each kind of face."""

    active: int
    enrolled: int
    flagged: int
    low: int
    disabled_by_staff: int
    disabled_by_failures: int

    @property
    def share(self) -> str:
        """Return the share of active users who have a face, as a percentage."""
        return percent(self.enrolled, self.active)


class Attempts(NamedTuple):
    """The number of accepted and refused attempts of one mode."""

    mode: str
    logins: int
    refused: int

    @property
    def refusal_rate(self) -> str:
        """Return the share of refused attempts, as a percentage."""
        return percent(self.refused, self.logins + self.refused)


def percent(part: int, whole: int) -> str:
    """Return a share as a localised percentage, or "" if `whole` is 0."""
    return f"{formats.number_format(100 * part / whole, 1)} %" if whole else ""


def since(days: int = DAYS) -> datetime:
    """Return the start of a period of whole days that ends with today."""
    today = to_local_time(timezone.now()).replace(hour=0, minute=0, second=0, microsecond=0)
    return today - timedelta(days=days - 1)


def users() -> Users:
    """Return the current numbers, in two queries."""
    kinds = {
        "enrolled": Q(face_enrolled_at__isnull=False),
        "flagged": Q(face_flagged_at__isnull=False),
        "low": Q(face_quality__lt=shots.GOOD),
        "disabled_by_staff": Q(face_disabled_at__isnull=False),
    }
    counts = {
        name: Count("pk", filter=faces.user_condition(condition))
        for name, condition in kinds.items()
    }
    active = get_user_model()._default_manager.filter(**faces.known_conditions(is_active=True))
    found: dict[str, int] = active.aggregate(active=Count("pk"), **counts)
    failures = FailureCount.objects.filter(disabled_at__isnull=False, user__in=active).count()
    return Users(**found, disabled_by_failures=failures)


def attempts() -> tuple[list[Attempts], list[tuple[str, str, int]]]:
    """Count the attempts of the last `DAYS` days.

    Returns:
        The numbers for each mode, followed by their sum; and the reasons for refusals, most
        frequent first, each with its outcome, label and number.
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
    """Return the chart of accepted and refused attempts on each of the last `DAYS` days."""
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
    title = _("Face logins per day in the last %(days)d days") % {"days": DAYS}
    return chart(title, columns, **_names())


def distances(enrolled: int) -> Chart:
    """Return the histogram of the distances in the last `DAYS` days, with the current limits.

    Args:
        enrolled: The number of enrolled users, which determines the limit for face alone.
    """
    limits = _limits(enrolled)
    compared = _attempts().filter(distance__isnull=False)
    bucket = Cast(Floor(F("distance") / STEP), IntegerField())
    rows = compared.annotate(bucket=bucket).values_list("bucket", "kind")
    counts = {(place, kind): n for place, kind, n in rows.annotate(Count("pk")).order_by()}
    # The chart includes the limits even if no distance was near them.
    ends = [place for place, _kind in counts] + [math.floor(at / STEP) for at, _label in limits]
    first, last = min(ends), max(ends)
    columns = [
        Column(
            formats.number_format(place * STEP, 2),
            counts.get((place, Kind.LOGIN), 0),
            counts.get((place, Kind.REFUSED), 0),
        )
        for place in range(first, last + 1)
    ]
    lines = [(at / STEP - first, label) for at, label in limits]
    title = _("Distances in the last %(days)d days, with the limits") % {"days": DAYS}
    return chart(title, columns, lines=lines, **_names())


def _attempts() -> Any:
    return FaceEvent.objects.filter(at__gte=since(), kind__in=ATTEMPTS)


def _limits(enrolled: int) -> Sequence[tuple[float, str]]:
    """Return the distances up to which a probe is accepted, each with the label of its case.

    The limits are for a template with as many shots as a new enrolment.
    """
    config = conf.get()

    def distance(rate: float) -> float:
        return policy.limit(config.ENROLMENT_SHOTS, 1, rate).distance

    found = [(distance(config.MAX_FALSE_MATCH_RATE), _("limit with a username"))]
    if config.FACE_ALONE:
        alone = _("limit for face alone, %(people)d enrolled") % {"people": enrolled}
        found.append((distance(lookalikes.rate(enrolled)), alone))
    return found


def _names() -> dict[str, Any]:
    """Return the names of the two counts of attempts in a chart."""
    return {"good": pgettext("attempts", "logged in"), "bad": pgettext("attempts", "refused")}
