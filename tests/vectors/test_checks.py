"""The checks and the notice of a search that is not encrypted."""

from __future__ import annotations

import pytest
from django.core import checks
from django.core.management import call_command
from django.db import connection

from faceauth.gallery import gallery
from faceauth.pgvector import index


def ids(*databases: str) -> list[str | None]:
    return [each.id for each in checks.run_checks(databases=databases)]


def test_warns_of_what_is_not_encrypted():
    (warning,) = [each for each in checks.run_checks() if each.id == "faceauth.W023"]
    assert "obfuscated, not encrypted" in warning.msg
    assert "about 80 accounts" in warning.msg


def test_another_database_cannot_search(monkeypatch):
    monkeypatch.setattr(connection, "vendor", "sqlite")
    found = ids()
    assert "faceauth.E018" in found
    assert "faceauth.W023" not in found


def test_warns_of_searches_through_everybody(unindexed, enrolled, monkeypatch, capsys):
    ada = enrolled("ada", "obama")
    gallery().nearest(ada.face_encodings)
    assert "faceauth.W024" not in ids("default")
    monkeypatch.setattr(index, "MIN_PEOPLE", 1)
    assert "faceauth.W024" in ids("default")
    call_command("face_index")
    assert "faceauth.W024" not in ids("default")


@pytest.mark.django_db(transaction=True)
def test_index_that_was_not_finished_is_made_again(enrolled, capsys):
    enrolled("ada", "obama")
    call_command("face_index")
    with connection.cursor() as cursor:
        # As PostgreSQL leaves an index whose creation was interrupted.
        cursor.execute(
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = %s::regclass",
            [f'"{index._name()}"'],
        )
    assert not index.exists()
    call_command("face_index")
    assert index.exists()


def test_notice_says_it(client, db):
    page = client.get("/face/notice/").content.decode()
    assert "They are not encrypted" in page
    assert "knows about 80 of the faces" in " ".join(page.split())
    spanish = client.get("/face/notice/", headers={"accept-language": "es"}).content.decode()
    assert "No están cifrados" in spanish
