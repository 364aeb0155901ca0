from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.utils.translation import gettext as _
from tqdm import tqdm

from faceauth.db import batches
from faceauth.gallery import gallery
from faceauth.pgvector import index
from faceauth.pgvector.gallery import make, space, stale
from faceauth.pgvector.models import FaceVector
from faceauth.recognition import encoders


class Command(BaseCommand):
    help = _(
        "Makes the vectors that faces are found by, of everybody who has none yet or an outdated "
        "one, and an index of them. Run it after faceauth.pgvector was installed and after another "
        "encoder, calibration or transform key was set. The site stays up, and what an interrupted "
        "run has left the next one does."
    )

    def handle(self, **options: Any) -> None:
        due = stale().values_list("pk", flat=True)
        with tqdm(total=due.count(), unit=" " + _("people"), disable=None) as progress:
            for keys in batches(due):
                make(keys)
                progress.update(len(keys))
        # What is left of those is of users whom the project hides.
        FaceVector.objects.exclude(space=space()).delete()
        created = index.create(encoders.encoder().size)
        told = _("The index is new.") if created else _("The index was there.")
        people = _("people: %(people)d.") % {"people": len(gallery())}
        self.stdout.write(f"{people} {told}")
