"""System checks: what it takes and what it costs to have a database search faces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import django.db
from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import connections, router

from . import index
from .gallery import searched
from .models import FaceVector

Configs = Sequence[AppConfig] | None


@register(Tags.security)
def check_vectors(app_configs: Configs, **kwargs: Any) -> list[CheckMessage]:
    """Whoever has a database search faces knows what lies open there."""
    if connections[router.db_for_write(FaceVector)].vendor != "postgresql":
        message = "faceauth.pgvector is installed, and the users' database is not PostgreSQL."
        hint = "Take it out of INSTALLED_APPS: the search in memory needs nothing."
        return [Error(message, hint=hint, id="faceauth.E018")]
    message = (
        "faceauth.pgvector is installed: what faces are found by is not encrypted. Who steals the "
        "database can tell who looks like whom, and with some effort who they are."
    )
    hint = (
        "Take it out unless there are more people than the memory of each process should hold; "
        "first run manage.py migrate faceauth_pgvector zero, which deletes the vectors."
    )
    return [Warning(message, hint=hint, id="faceauth.W023")]


@register(Tags.database)
def check_index(
    app_configs: Configs, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Searches do not go through everybody."""
    if router.db_for_write(FaceVector) not in (databases or ()):
        return []
    try:
        people = searched().count()
        if people < index.WORTH_IT or index.exists():
            return []
    except django.db.Error:  # before the first migration, say
        return []
    message = f"Each search goes through the vectors of all {people:,} people."
    return [Warning(message, hint="Run manage.py face_index.", id="faceauth.W024")]
