"""The outcomes of events as labels for staff, and the filter by outcome."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from faceauth.audit import events
from faceauth.liveness.conversation import NotLiveError, Reason
from faceauth.models import FaceEvent
from faceauth.recognition.policy import Outcome


def _not_live(reason: Reason) -> str:
    return str(NotLiveError(reason))


LABELS: dict[str, Any] = {
    Outcome.ACCEPTED.value: _("accepted"),
    Outcome.TOO_FAR.value: _("no match"),
    Outcome.AMBIGUOUS.value: _("two faces match equally well"),
    Outcome.NOBODY.value: _("no face to compare with"),
    "disabled": _("face login disabled"),
    "inactive": _("inactive account"),
    "not_staff": _("not a member of staff"),
    _not_live(Reason.OTHER_WAY): _("not live: another movement"),
    _not_live(Reason.MIRRORED): _("not live: the movement to the other side"),
    _not_live(Reason.FLAT): _("not live: flat"),
    _not_live(Reason.ANOTHER): _("not live: another person in between"),
    _not_live(Reason.REPLAYED): _("not live: an earlier login again"),
    events.UNUSED: _("not used for a long time"),
    events.BY_STAFF: _("by staff"),
    events.RESET: _("older than the confirmation of the address"),
    events.PLANNED: _("planned by email"),
}


def label(event: FaceEvent) -> str:
    """Return the label of the event's outcome, or the outcome itself if it has no label."""
    return str(LABELS.get(event.outcome, event.outcome))


class OutcomeFilter(admin.SimpleListFilter):
    """Filter by outcomes that have a label. Asking the database would read every event."""

    title = _("outcome")
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [*LABELS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(outcome=self.value()) if self.value() else queryset
