"""Leads through a list by years, months and days, whatever its length."""

from __future__ import annotations

from calendar import monthrange
from datetime import date
from typing import Any

from django import template
from django.db.models import Max, Min
from django.utils import formats
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from faceauth.db import to_local_time

register = template.Library()


@register.inclusion_tag("admin/date_hierarchy.html")
def face_dates(cl: Any) -> dict[str, Any]:
    """As the admin's own for `date_hierarchy`, but with every date between the first and the last:
    to ask which of them have something is to look at every row.
    """
    field = cl.date_hierarchy
    ends = cl.model._default_manager.aggregate(first=Min(field), last=Max(field))
    if ends["first"] is None:
        return {"show": False}
    first, last = (to_local_time(ends[each]).date() for each in ("first", "last"))
    asked = {unit: cl.params.get(f"{field}__{unit}") for unit in ("year", "month", "day")}
    year, month, day = (int(each) if each else None for each in asked.values())
    if year is None and first.year == last.year:
        year = first.year
        month = first.month if first.month == last.month else None

    def choice(title: str, **units: int) -> dict[str, str]:
        query = {f"{field}__{unit}": value for unit, value in units.items()}
        return {"link": cl.get_query_string(query, [f"{field}__"]), "title": capfirst(title)}

    if year is None:
        back = None
        choices = [choice(str(each), year=each) for each in range(first.year, last.year + 1)]
    elif month is None:
        back = choice(_("All dates"))
        months = [date(year, each, 1) for each in range(1, 13)]
        choices = [
            choice(_month(each), year=year, month=each.month)
            for each in months
            if (first.year, first.month) <= (each.year, each.month) <= (last.year, last.month)
        ]
    elif day is None:
        back = choice(str(year), year=year)
        days = [date(year, month, each + 1) for each in range(monthrange(year, month)[1])]
        choices = [
            choice(_day(each), year=year, month=month, day=each.day)
            for each in days
            if first <= each <= last
        ]
    else:
        shown = date(year, month, day)
        back = choice(_month(shown), year=year, month=month)
        choices = [{"title": capfirst(_day(shown))}]
    return {"show": True, "back": back, "choices": choices}


def _month(day: date) -> str:
    return formats.date_format(day, "YEAR_MONTH_FORMAT")


def _day(day: date) -> str:
    return formats.date_format(day, "MONTH_DAY_FORMAT")
