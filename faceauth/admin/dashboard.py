"""The context of the dashboard page: counts, charts, and links to the users behind them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from faceauth.enrolment import lookalikes

from . import login_times, statistics

# The maximum number of pairs of look-alikes listed.
MAX_PAIRS = 50


def context(request: HttpRequest, site: admin.AdminSite) -> dict[str, Any]:
    """Return the template's variables.

    Look-alikes and links are included only for staff with the permission to view face data.
    """
    user: Any = request.user
    may_view_faces = user.has_perm("faceauth.view_face")
    link: Callable[..., str] = _user_links(request, site) if may_view_faces else _no_link
    users = statistics.users()
    attempts, reasons = statistics.attempts()
    found = lookalikes.find(MAX_PAIRS) if may_view_faces else None
    return {
        "users": users,
        "counts": _counts(users, link("changelist")),
        "attempts": attempts,
        "reasons": reasons,
        "daily": statistics.daily(),
        "distances": statistics.distances(users.enrolled),
        "login_times": login_times.table(),
        "days": statistics.DAYS,
        "found": found,
        "pairs": [
            {
                "users": [(each.get_username(), link("change", each.pk)) for each in pair[:2]],
                "distance": pair.distance,
                "limit": pair.limit,
            }
            for pair in (found.pairs if found else ())
        ],
    }


def _counts(users: statistics.Users, url: str) -> list[tuple[str, int, str]]:
    """Return labels, counts, and the URL of a list of the counted users, "" without `url`.

    The lists include inactive users, whom the counts leave out.
    """
    found = [
        (_("Look-alikes flagged"), users.flagged, "flagged=yes"),
        (_("Low quality"), users.low, "quality=low"),
        (_("Disabled by staff"), users.disabled_by_staff, "disabled=staff"),
        (_("Disabled after failures"), users.disabled_by_failures, "disabled=failures"),
    ]
    return [(label, count, url and f"{url}?{query}") for label, count, query in found]


def _no_link(page: str, *args: Any) -> str:
    return ""


def _user_links(request: HttpRequest, site: admin.AdminSite) -> Callable[..., str]:
    """Return a function that returns the URL of a page of the user admin.

    It returns "" if users are not in this admin site or the staff member may not view them.
    """
    model: Any = get_user_model()
    known = site.is_registered(model) and site.get_model_admin(model).has_view_permission(request)

    def link(page: str, *args: Any) -> str:
        if not known:
            return ""
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}"
        return reverse(name, args=args, current_app=site.name)

    return link
