"""The list of face events in the admin, and the dashboard."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import formats
from django.utils.functional import cached_property
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from faceauth import faces
from faceauth.models import FaceEvent

from . import dashboard, outcome_labels, statistics
from .users import ENCODINGS

# The maximum number of events listed. Nobody reads longer lists to the end, and counting is slow.
MAX_EVENTS = 10_000

# The maximum number of users whose events a search finds.
MAX_USERS = 1000


class LatestPaginator(Paginator):
    """Paginate only the first `MAX_EVENTS`."""

    limit = MAX_EVENTS

    @cached_property
    def count(self) -> int:
        found: Any = self.object_list
        return int(found.order_by()[: self.limit].count())


@admin.register(FaceEvent)
class FaceEventAdmin(admin.ModelAdmin):
    """A read-only list of events. Only this list shows distances."""

    change_list_template = "admin/faceauth/event_list.html"
    list_display = (
        "at",
        "kind",
        "user",
        "outcome_label",
        "comparison",
        "origin",
    )
    list_filter = ("kind", outcome_labels.OutcomeFilter, "mode", "at")
    list_select_related = ("user",)
    show_full_result_count = False
    paginator = LatestPaginator

    class Media:
        css = {"all": ["faceauth/admin.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        events = super().get_queryset(request)
        if faces.in_profiles():
            return events
        return events.defer(*(f"user__{name}" for name in ENCODINGS))

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        return (get_user_model().USERNAME_FIELD,)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet, search_term: str
    ) -> tuple[QuerySet, bool]:
        """Search the usernames first, because there are fewer users than events."""
        if not search_term:
            return queryset, False
        users: QuerySet = get_user_model()._default_manager.order_by()
        found, _duplicates = super().get_search_results(request, users, search_term)
        keys = list(found.values_list("pk", flat=True)[:MAX_USERS])
        return queryset.filter(user__in=keys), False

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.dashboard_view)
        name = f"{self.opts.app_label}_{self.opts.model_name}_dashboard"
        return [path("dashboard/", view, name=name), *super().get_urls()]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description=_("outcome"), ordering="outcome")
    def outcome_label(self, event: FaceEvent) -> str:
        return outcome_labels.label(event)

    @admin.display(description=_("distance"), ordering="distance")
    def comparison(self, event: FaceEvent) -> str:
        """Return the distance, its limit, and how many strangers one of whom comes that near."""
        if event.distance is None:
            return "–"
        text = formats.number_format(round(event.distance, 3), 3)
        if event.max_distance is not None:
            text += f" / {formats.number_format(round(event.max_distance, 3), 3)}"
        if not event.rate:
            return text
        strangers = formats.number_format(float(f"{1 / event.rate:.2g}"), 0, force_grouping=True)
        return gettext("%(distance)s (1 in %(strangers)s)") % {
            "distance": text,
            "strangers": strangers,
        }

    @admin.display(description=_("device"), ordering="device")
    def origin(self, event: FaceEvent) -> str:
        """Return the browser and the network."""
        return " ".join(each for each in (event.device, event.address) if each) or "–"

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        allowed = self.has_view_permission(request)
        context = {
            "title": capfirst(self.opts.verbose_name_plural),
            "chart": statistics.daily() if allowed else None,
            **(extra_context or {}),
        }
        return super().changelist_view(request, context)

    def dashboard_view(self, request: HttpRequest) -> HttpResponse:
        """Show statistics of the events and of the enrolled faces."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        request.current_app = self.admin_site.name
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Face login"),
            "opts": self.opts,
            "media": self.media,
            **dashboard.context(request, self.admin_site),
        }
        return TemplateResponse(request, "admin/faceauth/dashboard.html", context)
