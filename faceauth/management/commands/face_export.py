from __future__ import annotations

import json
import os
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.core.serializers.json import DjangoJSONEncoder
from django.utils.translation import gettext as _

from faceauth import faces
from faceauth.privacy import export


class Command(BaseCommand):
    help = _(
        "Writes all that is kept of somebody's face, as JSON: what they can download themselves "
        "on the site. The encodings are in it, readable: whoever gets the file can "
        "compare faces with them. It is made for its owner alone to read, and replaces no file."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--output", metavar="FILE", help=_("by default it is printed"))

    def handle(self, *, username: str, output: str | None, **options: Any) -> None:
        user = faces.by_username(username)
        if user is None:
            raise CommandError(_("There is no user %(username)r.") % {"username": username})
        text = json.dumps(export.export(user), cls=DjangoJSONEncoder, indent=1)
        if output is None:
            self.stdout.write(text)
            return
        try:
            file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(file, "w", encoding="utf-8") as opened:
                opened.write(text + "\n")
        except OSError as error:
            values = {"file": output, "why": error.strerror}
            message = _("%(file)s cannot be written: %(why)s.") % values
            raise CommandError(message) from error
