"""Command ``face_rotate_keys``: encrypt all templates with the first key."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from functools import reduce
from operator import or_
from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction
from django.db.models import Q
from tqdm import tqdm

from faceauth import faces
from faceauth.db import batches
from faceauth.encryption import crypto
from faceauth.encryption.fields import EncodingsField, UnreadableEncodings
from faceauth.liveness import replay

# The exit status if templates could not be read.
UNREADABLE = 3


class Command(BaseCommand):
    """Encrypt the templates in batches, each in a transaction."""

    help = (
        "Encrypt face templates with the first of the keys, if they were encrypted with an older "
        "one. The site stays up, and a run that was interrupted is continued by the next one. Run "
        "it when all processes of the site know the new key, and remove the old key afterwards. "
        "Exit with status 3 if templates could not be read; these are left unchanged."
    )

    def handle(self, **options: Any) -> None:
        people = faces.rows()
        fields = [each for each in people.model._meta.fields if isinstance(each, EncodingsField)]
        outdated = people.filter(_any(fields, _outdated))
        count, total = outdated.count(), people.filter(_any(fields, _stored)).count()
        outcomes: Counter[str] = Counter()
        with tqdm(total=count, unit=" people", disable=None) as progress:
            for keys in batches(outdated.values_list("pk", flat=True)):
                with transaction.atomic(using=outdated.db):
                    outcomes.update(_rotate(people.filter(pk=key), key, fields) for key in keys)
                progress.update(len(keys))
        self.stdout.write(
            f"rotated: {outcomes['rotated']}, already current: {total - count}, "
            f"unreadable: {outcomes['unreadable']}."
        )
        # Those that no key opens are deleted: the next logins take their place.
        self.stdout.write(f"movements at logins, rotated or deleted: {replay.encrypt_again()}.")
        if outcomes["unreadable"]:
            sys.exit(UNREADABLE)


def _rotate(row: Any, key: Any, fields: list[EncodingsField]) -> str:
    """Encrypt the templates of one person with the current keys, and return the outcome.

    Args:
        row: The queryset of the person's row, and of no other.
        key: The row's primary key.
        fields: The fields that hold encodings.
    """
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
        # If the face was enrolled, adapted or removed in the meantime, the change stays, and the
        # row is read again.
        unchanged = row.filter(**{name: held[name] for name in new})
        if not new or unchanged.update(**new):
            return "rotated" if len(new) == len(old) else "unreadable"
    return "gone"


def _any(fields: list[EncodingsField], condition: Callable[[str], Q]) -> Q:
    return reduce(or_, (condition(field.name) for field in fields))


def _stored(name: str) -> Q:
    return Q(**{f"{name}__isnull": False})


def _outdated(name: str) -> Q:
    return _stored(name) & ~Q(**{f"{name}__begins_with": crypto.current_header()})
