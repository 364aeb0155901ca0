"""Filters for the list of users. Each uses the columns of one row only."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from faceauth import faces
from faceauth.enrolment import shots
from faceauth.models import FailureCount

Choice = tuple[str, Any, Q]


class FaceFilter(admin.SimpleListFilter):
    """A filter with named choices."""

    def face_choices(self) -> list[Choice]:
        """Return the choices: name in the URL, label, and condition on the columns of the face."""
        raise NotImplementedError

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(name, label) for name, label, _condition in self.face_choices()]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        for name, _label, condition in self.face_choices():
            if name == self.value():
                return queryset.filter(faces.user_condition(condition))
        return queryset


class EnrolledFilter(FaceFilter):
    """Filter by whether a face is enrolled."""

    title = _("face enrolled")
    parameter_name = "enrolled"

    def face_choices(self) -> list[Choice]:
        return [
            ("yes", _("Yes"), Q(face_enrolled_at__isnull=False)),
            ("no", _("No"), Q(face_enrolled_at=None)),
        ]


class DisabledFilter(FaceFilter):
    """Filter by whether face login is disabled, and why."""

    title = _("face login disabled")
    parameter_name = "disabled"

    def face_choices(self) -> list[Choice]:
        locked = FailureCount.objects.filter(disabled_at__isnull=False, user__isnull=False)
        by_failures = Q(pk__in=locked.values("user"))
        by_staff = Q(face_disabled_at__isnull=False)
        return [
            ("staff", _("By staff"), by_staff),
            ("failures", _("After failures"), by_failures),
            ("no", _("No"), ~by_staff & ~by_failures),
        ]


class FlaggedFilter(FaceFilter):
    """Filter by faces that could be mistaken for another user's."""

    title = _("look-alike found")
    parameter_name = "flagged"

    def face_choices(self) -> list[Choice]:
        return [
            ("yes", _("Yes"), Q(face_flagged_at__isnull=False)),
            ("no", _("No"), Q(face_flagged_at=None)),
        ]


class QualityFilter(FaceFilter):
    """Filter by the quality of the template."""

    title = _("template quality")
    parameter_name = "quality"

    def face_choices(self) -> list[Choice]:
        return [
            ("low", _("Low"), Q(face_quality__lt=shots.GOOD)),
            ("good", _("Good"), Q(face_quality__gte=shots.GOOD)),
            ("unknown", _("Unknown"), Q(face_quality=None, face_enrolled_at__isnull=False)),
        ]


class LastLoginFilter(FaceFilter):
    """Filter by the time of the last login by face."""

    title = _("last face login")
    parameter_name = "last"

    def face_choices(self) -> list[Choice]:
        now = timezone.now()
        week, month, year = (now - timedelta(days=days) for days in (7, 30, 365))
        return [
            ("week", _("In the last 7 days"), Q(face_last_used_at__gte=week)),
            ("month", _("In the last 30 days"), Q(face_last_used_at__gte=month)),
            ("year", _("In the last 365 days"), Q(face_last_used_at__gte=year)),
            ("earlier", _("Earlier"), Q(face_last_used_at__lt=year)),
            ("never", _("Never"), Q(face_last_used_at=None, face_enrolled_at__isnull=False)),
        ]


FILTERS = (EnrolledFilter, QualityFilter, LastLoginFilter, DisabledFilter, FlaggedFilter)
