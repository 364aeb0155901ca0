"""Run docs/scaling.md line by line: install pgvector in the site, then uninstall it."""

from __future__ import annotations

import shlex
import tomllib
from importlib import import_module
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection

from faceauth.gallery import gallery
from faceauth.pgvector.models import FaceVector
from tests.support import guides
from tests.support.people import encodings

PAGE = "scaling.md"
ROOT = Path(__file__).parents[2]


@pytest.mark.django_db(transaction=True)
def test_what_is_typed_does_what_is_said(client, upload, obama, capsys):
    typed = [line for block in guides.blocks(PAGE, "") for line in block.text.splitlines()]
    *measured, installed, migrated, indexed, last = map(shlex.split, typed)
    commands = (migrated, indexed)
    for words in measured:
        assert hasattr(import_module(words[2]), "main")
    (extra,) = installed[2:]
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert extra.partition("[")[2].rstrip("]") in extras["optional-dependencies"]

    call_command(*last[2:])  # the state before the guide is followed
    for command in commands:
        call_command(*command[2:])
    assert "People: 1. Index created." in capsys.readouterr().out
    assert FaceVector.objects.get().pk == obama.pk
    assert client.post("/face/login/", {"snapshot": upload("obama2")}).status_code == 302

    try:
        call_command(*last[2:])
        assert FaceVector._meta.db_table not in connection.introspection.table_names()
    finally:
        call_command("migrate", verbosity=0)
    assert gallery().nearest(encodings("obama2"))[0].key == obama.pk


def test_what_is_added_to_the_settings_is_what_is_tested_here():
    (block,) = guides.blocks(PAGE, "python")
    given = {"INSTALLED_APPS": []}
    exec(block.text, given)  # it is ours
    assert {*given["INSTALLED_APPS"]} <= {*settings.INSTALLED_APPS}
