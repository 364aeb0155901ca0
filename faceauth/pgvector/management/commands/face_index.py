"""The command ``face_index``."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from tqdm import tqdm

from faceauth.db import batches
from faceauth.gallery import gallery
from faceauth.pgvector import index
from faceauth.pgvector.gallery import space, stale_rows, update_vectors
from faceauth.pgvector.models import FaceVector
from faceauth.recognition import encoders


class Command(BaseCommand):
    """Compute the missing vectors, then create the index."""

    help = (
        "Compute the vectors that faces are searched by, for all people whose vector is missing or "
        "outdated, and create their index. Run it after installing faceauth.pgvector and after "
        "changing the encoder, the calibration or the transform key. The site stays up. If it is "
        "interrupted, run it again; it continues where it stopped."
    )

    def handle(self, **options: Any) -> None:
        due = stale_rows().values_list("pk", flat=True)
        with tqdm(total=due.count(), unit=" people", disable=None) as progress:
            for keys in batches(due):
                update_vectors(keys)
                progress.update(len(keys))
        # The remaining ones belong to users whom the project's manager hides.
        FaceVector.objects.exclude(space=space()).delete()
        created = index.create(encoders.encoder().size)
        state = "Index created." if created else "The index already existed."
        self.stdout.write(f"People: {len(gallery())}. {state}")
