"""Command ``face_export``: write all data about a user's face."""

from __future__ import annotations

import json
import os
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.core.serializers.json import DjangoJSONEncoder

from faceauth import faces
from faceauth.privacy import export


class Command(BaseCommand):
    """Print the data as JSON, or write it to a new file."""

    help = (
        "Write all data that the site keeps about a user's face, as JSON: the same data that "
        "the user can download on the site. It includes the encodings in readable form: anyone "
        "who gets the file can compare faces with them. Only the owner of the file can read it, "
        "and an existing file is not replaced."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--output", metavar="FILE", help="default: print the data")

    def handle(self, *, username: str, output: str | None, **options: Any) -> None:
        user = faces.by_username(username)
        if user is None:
            raise CommandError(f"There is no user {username!r}.")
        text = json.dumps(export.export(user), cls=DjangoJSONEncoder, indent=1)
        if output is None:
            self.stdout.write(text)
            return
        try:
            file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(file, "w", encoding="utf-8") as opened:
                opened.write(text + "\n")
        except OSError as error:
            raise CommandError(f"{output} cannot be written: {error.strerror}.") from error
