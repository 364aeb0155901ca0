"""What the dashboard page shows, and where its figures lead to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from faceauth.enrolment import lookalikes

from . import figures

# How many pairs of look-alikes are listed.
PAIRS = 50


def context(request: HttpRequest, site: admin.AdminSite) -> dict[str, Any]:
    """All figures; of look-alikes only for who may know about faces."""
    user: Any = request.user
    may_know = user.has_perm("faceauth.view_face")
    link: Callable[..., str] = _links(request, site) if may_know else _nowhere
    users = figures.users()
    attempts, reasons = figures.attempts()
    found = lookalikes.find(PAIRS) if may_know else None
    return {
        "users": users,
        "counts": _counts(users, link("changelist")),
        "attempts": attempts,
        "reasons": reasons,
        "daily": figures.daily(),
        "distances": figures.distances(users.enrolled),
        "days": figures.DAYS,
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


def _counts(users: figures.Users, url: str) -> list[tuple[str, int, str]]:
    """Labels, counts, and lists of whom they are of: of all users, which those are mostly."""
    found = [
        (_("Look-alikes flagged"), users.flagged, "flagged=yes"),
        (_("Of low quality"), users.low, "quality=low"),
        (_("Disabled by the staff"), users.disabled_by_staff, "disabled=staff"),
        (_("Disabled by failures"), users.disabled_by_failures, "disabled=failures"),
    ]
    return [(label, count, url and f"{url}?{query}") for label, count, query in found]


def _nowhere(page: str, *args: Any) -> str:
    return ""


def _links(request: HttpRequest, site: admin.AdminSite) -> Callable[..., str]:
    """Addresses of the users' admin; "" where there is none, or not for this staff member."""
    model: Any = get_user_model()
    known = site.is_registered(model) and site.get_model_admin(model).has_view_permission(request)

    def link(page: str, *args: Any) -> str:
        if not known:
            return ""
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}"
        return reverse(name, args=args, current_app=site.name)

    return link
