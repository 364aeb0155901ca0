from __future__ import annotations

import sys
from collections import Counter
from functools import reduce
from operator import or_
from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from tqdm import tqdm

from faceauth import faces
from faceauth.db import batches
from faceauth.encryption import crypto
from faceauth.encryption.fields import PLAIN, EncodingsField, UnreadableEncodings

# The exit status where a template cannot be read.
UNREADABLE = 3


class Command(BaseCommand):
    help = _(
        "Encrypts face templates with the first of the keys: those of older keys, those that were "
        "not encrypted yet, and those that do not say yet which encoder made them. The site stays "
        "up, and what an interrupted run has left the next one does. Run it once all processes of "
        "the site know the new key, and remove the old one after it. Ends with status 3 where "
        "templates cannot be read; they stay as they are."
    )

    def handle(self, **options: Any) -> None:
        people = faces.rows()
        fields = [each for each in people.model._meta.fields if isinstance(each, EncodingsField)]
        outdated = people.filter(_any(fields, _outdated))
        plain = people.filter(_any(fields, _plain)).count()
        count, total = outdated.count(), people.filter(_any(fields, _there)).count()
        outcomes: Counter[str] = Counter()
        with tqdm(total=count, unit=" " + _("people"), disable=None) as progress:
            for keys in batches(outdated.values_list("pk", flat=True)):
                with transaction.atomic(using=outdated.db):
                    outcomes.update(_rotate(people.filter(pk=key), key, fields) for key in keys)
                progress.update(len(keys))
        told = _(
            "rotated: %(rotated)d, already current: %(current)d, unreadable: %(unreadable)d. "
            "Not encrypted before: %(plain)d."
        )
        self.stdout.write(
            told
            % {
                "rotated": outcomes["rotated"],
                "current": total - count,
                "unreadable": outcomes["unreadable"],
                "plain": plain,
            }
        )
        if outcomes["unreadable"]:
            sys.exit(UNREADABLE)


def _rotate(row: Any, key: Any, fields: list[EncodingsField]) -> str:
    """Seal anew what one person has, the only one in the queryset `row`; what became of it."""
    while (held := row.values(*[field.name for field in fields]).first()) is not None:
        old = {
            field.name: field.open(key, held[field.name])
            for field in fields
            if held[field.name] and not held[field.name].startswith(crypto.current_header())
        }
        new = {
            field.name: field.seal(key, old[field.name])
            for field in fields
            if field.name in old and not isinstance(old[field.name], UnreadableEncodings)
        }
        # A face that was enrolled, adapted or removed in this moment stays: it is read once more.
        unchanged = row.filter(**{name: held[name] for name in new})
        if not new or unchanged.update(**new):
            return "rotated" if len(new) == len(old) else "unreadable"
    return "gone"


def _any(fields: list[EncodingsField], which: Any) -> Q:
    return reduce(or_, (which(field.name) for field in fields))


def _there(name: str) -> Q:
    return Q(**{f"{name}__isnull": False})


def _plain(name: str) -> Q:
    return Q(**{f"{name}__begins_with": PLAIN})


def _outdated(name: str) -> Q:
    return _there(name) & ~Q(**{f"{name}__begins_with": crypto.current_header()})
