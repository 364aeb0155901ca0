"""Search in PostgreSQL, in a table of vectors that follows the users' faces."""

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
from pgvector.django import HalfVectorField, L2Distance

from faceauth import conf, faces, metrics
from faceauth.db import atomic, batches
from faceauth.encryption import crypto
from faceauth.gallery.last_read import LastRead
from faceauth.gallery.memory import OVERLAP
from faceauth.recognition import encoders
from faceauth.recognition.matching import Templates, cohort, normalised
from faceauth.recognition.policy import Match
from faceauth.vision.encoding import Encoding

from .models import FaceVector

# The index sorts by plain Euclidean distance in half the precision, so CANDIDATES rows are fetched
# and ranked again by their distance and margins.
CANDIDATES = 100

# The minimum of hnsw.ef_search, how much of the index is searched. With more of it, it is more
# certain that nobody is missed: of 300 people among a million, 7 were missed with 200, 4 with 400,
# and 2 with 1000, which takes four times as long.
MIN_EF_SEARCH = 400

# If there are more people than this, they are counted only once a minute.
COUNT_EACH_TIME = 10_000
COUNT_EVERY = timedelta(minutes=1)


class VectorGallery:
    """The templates of all enrolled users, in the database. Thread-safe.

    A search first makes the vectors of faces that changed since this process's last search: see
    `catch_up`.
    """

    def __init__(self) -> None:
        self._last_read = LastRead()
        self._count = 0
        self._counted_at = timezone.now()

    def __len__(self) -> int:
        """Return the number of people enrolled, without flagged ones.

        If there are many, it is as of up to a minute ago.
        """
        now = timezone.now()
        if self._count < COUNT_EACH_TIME or abs(now - self._counted_at) >= COUNT_EVERY:
            self._count = current_vectors().filter(flagged=False).count()
            self._counted_at = now
            metrics.set_gallery_size(self._count)
        return self._count

    def nearest(self, probe: Encoding, count: int = 2, *, flagged: bool = False) -> list[Match]:
        """Return the `count` people nearest to a probe, float32 (n, d), nearest first."""
        with metrics.stage("search"):
            self.catch_up()
            templates = Templates.from_encodings([probe])
            margin = float(templates.margins[0])
            candidates = _candidates(transformed(templates.vectors)[0], count, flagged)
            found = [
                Match(key, normalised(euclidean, margin, other), shots)
                for key, euclidean, other, shots in candidates
            ]
        return sorted(found, key=lambda match: match.distance)[:count]

    def forget(self, keys: Iterable[Any]) -> None:
        """Drop people who no longer exist, until they change again."""
        FaceVector.objects.filter(pk__in=[*keys]).delete()

    def catch_up(self) -> None:
        """Make the vectors of faces that changed since the last call, or that have none.

        The first call in a process checks all faces.
        """
        now = timezone.now()
        # A change made before the last call may have been committed after it.
        last = self._last_read.since()
        due = stale_rows(last and last - OVERLAP).values_list("pk", flat=True)
        incomplete = [keys for keys in batches(due) if not update_vectors(keys)]
        # Keep the old start time, so that the next call retries the faces skipped here. Some of
        # them may have changed long ago.
        if not incomplete:
            self._last_read.note(now)


def current_vectors() -> QuerySet[FaceVector]:
    """Return the vectors that can be compared with those of a probe."""
    return FaceVector.objects.filter(space=space())


def stale_rows(since: datetime | None = None) -> QuerySet:
    """Return the rows of faces whose vectors are missing, outdated, or no longer needed.

    Args:
        since: Return only faces that changed after this time.
    """
    vectors = FaceVector.objects.filter(pk=OuterRef("pk"))
    current = vectors.filter(made_of=OuterRef("face_changed_at"), space=space())
    relevant = Q(face_encodings__isnull=False) | Exists(vectors)
    rows = faces.rows().filter(~Exists(current), relevant, face_changed_at__isnull=False)
    if faces.in_profiles():
        # Without users whom the project's manager hides: a forgotten user would come back.
        rows = rows.filter(pk__in=get_user_model()._default_manager.values("pk"))
    return rows.filter(face_changed_at__gte=since) if since else rows


def update_vectors(keys: list[Any]) -> bool:
    """Make the vectors of these people again, or delete them if there is no face to compare.

    Returns:
        False if people were left out, because their faces are being changed.
    """
    model = faces.model()
    rows = (
        faces.rows()
        .filter(pk__in=keys)
        .only("face_changed_at", "face_encodings", "face_flagged_at")
    )
    with atomic(model):
        # A process that changes a face waits until the vector of the old one is written, and then
        # deletes it. Faces that are being changed are left out, so that no search waits.
        locked = rows.select_for_update(of=("self",), skip_locked=True)
        rows_by_key = {face.pk: face for face in locked}
        FaceVector.objects.filter(pk__in=[*rows_by_key]).delete()
        people = [face for face in rows_by_key.values() if face.has_face]
        templates = Templates.from_encodings(face.face_encodings for face in people)
        made = zip(people, transformed(templates.vectors), templates.margins, strict=True)
        FaceVector.objects.bulk_create(
            FaceVector(
                pk=face.pk,
                vector=vector,
                margin=margin,
                shots=len(face.face_encodings),
                flagged=face.face_flagged_at is not None,
                made_of=face.face_changed_at,
                space=space(),
            )
            for face, vector, margin in made
        )
    return len(rows_by_key) == len(keys)


def transformed(vectors: Encoding) -> Encoding:
    """Transform the vectors of templates, float32 (n, d), to those that are stored."""
    return (vectors @ crypto.secret_matrix(crypto.search_key(), vectors.shape[1])).astype(
        np.float32
    )


def space() -> str:
    """Return an id shared by all vectors that can be compared.

    It stands for the matrix that transforms them, the encoder, and the cohort of the margins.
    """
    encoder = encoders.encoder()
    return _space(crypto.search_key(), encoder.name, encoder.size, conf.get().CALIBRATION)


@lru_cache(maxsize=8)
def _space(key: bytes, encoder: str, size: int, calibration: str | Path | None) -> str:
    parts = (key, encoder.encode(), str(size).encode(), cohort().tobytes())
    return sha256(b"".join(sha256(part).digest() for part in parts)).hexdigest()[:16]


def _candidates(vector: Encoding, count: int, flagged: bool) -> list[tuple[Any, float, float, int]]:
    """Return the key, Euclidean distance, margin and shots of the people who may be nearest."""
    number = max(count, CANDIDATES)
    ef_search = min(max(number, MIN_EF_SEARCH), 1000)
    as_indexed = Cast("vector", HalfVectorField(dimensions=len(vector)))
    vectors = current_vectors().filter(flagged=flagged)
    near = vectors.order_by(L2Distance(as_indexed, vector))[:number]
    rows = near.values_list("pk", L2Distance("vector", vector), "margin", "shots")
    with transaction.atomic(using=near.db), connections[near.db].cursor() as cursor:
        cursor.execute("SELECT set_config('hnsw.ef_search', %s, true)", [str(ef_search)])
        return [*rows]
