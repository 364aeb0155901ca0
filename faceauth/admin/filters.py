"""Filters for users by their face, each by columns of one row."""

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
    """A filter of named choices."""

    def choices_of(self) -> list[Choice]:
        """Their names in the address, their labels, and whom they let through."""
        raise NotImplementedError

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(name, label) for name, label, _which in self.choices_of()]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        for name, _label, which in self.choices_of():
            if name == self.value():
                return queryset.filter(faces.user_condition(which))
        return queryset


class EnrolledFilter(FaceFilter):
    title = _("face enrolled")
    parameter_name = "enrolled"

    def choices_of(self) -> list[Choice]:
        return [
            ("yes", _("Yes"), Q(face_enrolled_at__isnull=False)),
            ("no", _("No"), Q(face_enrolled_at=None)),
        ]


class DisabledFilter(FaceFilter):
    title = _("face login disabled")
    parameter_name = "disabled"

    def choices_of(self) -> list[Choice]:
        locked = FailureCount.objects.filter(disabled_at__isnull=False, user__isnull=False)
        by_failures = Q(pk__in=locked.values("user"))
        by_staff = Q(face_disabled_at__isnull=False)
        return [
            ("staff", _("By the staff"), by_staff),
            ("failures", _("By failures"), by_failures),
            ("no", _("No"), ~by_staff & ~by_failures),
        ]


class FlaggedFilter(FaceFilter):
    """Faces that could be taken for somebody else's."""

    title = _("look-alike found")
    parameter_name = "flagged"

    def choices_of(self) -> list[Choice]:
        return [
            ("yes", _("Yes"), Q(face_flagged_at__isnull=False)),
            ("no", _("No"), Q(face_flagged_at=None)),
        ]


class QualityFilter(FaceFilter):
    title = _("template quality")
    parameter_name = "quality"

    def choices_of(self) -> list[Choice]:
        return [
            ("low", _("Low"), Q(face_quality__lt=shots.GOOD)),
            ("good", _("Good"), Q(face_quality__gte=shots.GOOD)),
            ("unknown", _("Not known"), Q(face_quality=None, face_enrolled_at__isnull=False)),
        ]


class LastLoginFilter(FaceFilter):
    title = _("last face login")
    parameter_name = "last"

    def choices_of(self) -> list[Choice]:
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
