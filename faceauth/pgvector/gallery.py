"""Who is nearest: found by PostgreSQL, in a table that is kept up with the users' faces."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from django.contrib.auth import get_user_model
from django.db import connections, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Cast
from django.utils import timezone
from pgvector.django import L2Distance, VectorField

from faceauth import conf, faces, metrics
from faceauth.db import atomic, batches
from faceauth.encryption import crypto
from faceauth.gallery.memory import OVERLAP
from faceauth.recognition import encoders
from faceauth.recognition.matching import Templates, cohort, normalised
from faceauth.recognition.policy import Match
from faceauth.vision.encoding import Encoding

from .models import FaceVector

# The index knows the plain distance, without the margins that count as well: so many by that are
# looked at more closely.
CANDIDATES = 100

# The more of the index is searched, the surer that nobody is missed.
EFFORT = 200

# More people than this are counted anew once a minute only.
FEW = 10_000
COUNTED_FOR = timedelta(minutes=1)


class VectorGallery:
    """The templates of all enrolled users, in the database. Thread-safe.

    A search first asks what has changed since this process's last one, and makes the vectors of
    that: see `catch_up`.
    """

    def __init__(self) -> None:
        self._read_until: datetime | None = None
        self._count = 0
        self._counted_at = timezone.now()

    def __len__(self) -> int:
        """How many people are enrolled; where there are many, as of a minute ago."""
        now = timezone.now()
        if self._count < FEW or now - self._counted_at >= COUNTED_FOR:
            self._count = searched().count()
            self._counted_at = now
            metrics.set_gallery_size(self._count)
        return self._count

    def nearest(self, probe: Encoding, count: int = 2) -> list[Match]:
        """The `count` people nearest to a probe's encodings, float32 (n, d), nearest first."""
        with metrics.stage("search"):
            self.catch_up()
            templates = Templates.from_encodings([probe])
            margin = float(templates.margins[0])
            found = [
                Match(key, normalised(distance, margin, other), shots)
                for key, distance, other, shots in _candidates(turned(templates.vectors)[0], count)
            ]
        return sorted(found, key=lambda match: match.distance)[:count]

    def forget(self, keys: Iterable[Any]) -> None:
        """Drop people who turned out to be gone, until they change again."""
        FaceVector.objects.filter(pk__in=[*keys]).delete()

    def catch_up(self) -> None:
        """Make the vectors of faces that have changed since the last time, or that have none yet;
        the first time in a process that is looked for in all of them.
        """
        now = timezone.now()
        since = self._read_until and self._read_until - OVERLAP
        due = stale(since).values_list("pk", flat=True)
        incomplete = [keys for keys in batches(due) if not make(keys)]
        # Of those that were left out, some may have changed long ago.
        if not incomplete:
            self._read_until = now


def searched() -> QuerySet[FaceVector]:
    """The vectors that can be compared with those of a probe."""
    return FaceVector.objects.filter(space=space())


def stale(since: datetime | None = None) -> QuerySet:
    """The rows of faces whose vectors are not what they should be.

    since: only those that have changed after that.
    """
    vectors = FaceVector.objects.filter(pk=OuterRef("pk"))
    current = vectors.filter(made_of=OuterRef("face_changed_at"), space=space())
    there = Q(face_encodings__isnull=False) | Exists(vectors)
    rows = faces.rows().filter(~Exists(current), there, face_changed_at__isnull=False)
    if faces.in_profiles():
        # Not of users whom the project hides: who was forgotten would come back.
        rows = rows.filter(pk__in=get_user_model()._default_manager.values("pk"))
    return rows.filter(face_changed_at__gte=since) if since else rows


def make(keys: list[Any]) -> bool:
    """Make the vectors of those people anew, or drop them where there is no face to compare;
    whether nobody was left out.
    """
    model = faces.model()
    rows = faces.rows().filter(pk__in=keys).only("face_changed_at", "face_encodings")
    with atomic(model):
        # Who changes a face waits until what is made of the one before is there, and drops that.
        # Who is being changed is left out, so that no search waits.
        locked = rows.select_for_update(of=("self",), skip_locked=True)
        there = {face.pk: face for face in locked}
        FaceVector.objects.filter(pk__in=[*there]).delete()
        people = [face for face in there.values() if face.has_face]
        templates = Templates.from_encodings(face.face_encodings for face in people)
        made = zip(people, turned(templates.vectors), templates.margins, strict=True)
        FaceVector.objects.bulk_create(
            FaceVector(
                pk=face.pk,
                vector=vector,
                margin=margin,
                shots=len(face.face_encodings),
                made_of=face.face_changed_at,
                space=space(),
            )
            for face, vector, margin in made
        )
    return len(there) == len(keys)


def turned(vectors: Encoding) -> Encoding:
    """Templates' vectors, float32 (n, d), as the database has them."""
    return (vectors @ crypto.secret_matrix(crypto.search_key(), vectors.shape[1])).astype(
        np.float32
    )


def space() -> str:
    """Stands for all that vectors must have in common to be compared: the matrix that they are
    turned by, the encoder, and the strangers that margins are measured from.
    """
    encoder = encoders.encoder()
    return _space(crypto.search_key(), encoder.name, encoder.size, conf.get().CALIBRATION)


@lru_cache(maxsize=8)
def _space(key: bytes, encoder: str, size: int, calibration: str | Path | None) -> str:
    parts = (key, encoder.encode(), str(size).encode(), cohort().tobytes())
    return sha256(b"".join(sha256(part).digest() for part in parts)).hexdigest()[:16]


def _candidates(vector: Encoding, count: int) -> list[tuple[Any, float, float, int]]:
    """The primary keys, plain distances, margins and shots of those who may be nearest."""
    number = max(count, CANDIDATES)
    effort = min(max(number, EFFORT), 1000)
    as_indexed = Cast("vector", VectorField(dimensions=len(vector)))
    near = searched().annotate(apart=L2Distance(as_indexed, vector))
    rows = near.order_by("apart").values_list("pk", "apart", "margin", "shots")[:number]
    with transaction.atomic(using=near.db), connections[near.db].cursor() as cursor:
        cursor.execute("SELECT set_config('hnsw.ef_search', %s, true)", [str(effort)])
        return [*rows]
