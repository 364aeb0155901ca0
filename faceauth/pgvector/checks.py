"""System checks of the search in the database: its requirements and its risks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import django.db
from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import connections, router

from . import index
from .gallery import current_vectors
from .models import FaceVector

Configs = Sequence[AppConfig] | None


@register(Tags.security)
def check_vectors(app_configs: Configs, **kwargs: Any) -> list[CheckMessage]:
    """Check that the database is PostgreSQL, and warn that the vectors are not encrypted."""
    if connections[router.db_for_write(FaceVector)].vendor != "postgresql":
        message = "faceauth.pgvector is installed, but the users' database is not PostgreSQL."
        hint = "Remove it from INSTALLED_APPS. The search in memory works with any database."
        return [Error(message, hint=hint, id="faceauth.E018")]
    message = (
        "faceauth.pgvector is installed: the vectors that faces are found by are obfuscated, not "
        "encrypted. Anyone who steals the database can see who looks like whom. With about 80 "
        "accounts of their own in it, they recover the vectors of everybody, and so who they are."
    )
    hint = (
        "Remove it from INSTALLED_APPS unless there are more people than each process should hold "
        "in memory. First run manage.py migrate faceauth_pgvector zero, which deletes the vectors."
    )
    return [Warning(message, hint=hint, id="faceauth.W023")]


@register(Tags.database)
def check_index(
    app_configs: Configs, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Check that there is an index, if there are many people."""
    if router.db_for_write(FaceVector) not in (databases or ()):
        return []
    try:
        people = current_vectors().count()
        if people < index.MIN_PEOPLE or index.exists():
            return []
    except django.db.Error:  # for example before the first migration
        return []
    message = f"Each search compares with the vectors of all {people:,} people: there is no index."
    return [Warning(message, hint="Run manage.py face_index.", id="faceauth.W024")]
