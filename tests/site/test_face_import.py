"""face_import: import encodings that face_recognition computed for another program."""

from __future__ import annotations

import base64
import json
import pickle
import sqlite3

import numpy as np
import pytest
from django.contrib.auth import authenticate
from django.core import mail
from django.core.management import CommandError, call_command

from accounts.models import User
from faceauth.lockout import counters
from faceauth.management.commands.face_import import SOME_REFUSED
from faceauth.models import FaceEvent
from tests.support.people import picture

ADA = ("obama", "obama3", "obama up")


@pytest.fixture(scope="session")
def encoding(oracle):
    """Return face_recognition's encoding of a picture, float64 (128,)."""

    def compute(name):
        from faceauth.vision import decode_image

        (found, *_others) = oracle.face_encodings(decode_image(picture(name)))
        return found

    return compute


@pytest.fixture
def kept(tmp_path, encoding):
    """Write a pickle as the tutorials do: `kept(("ada", "obama"), ("joe", "biden"))`."""

    def write(*people):
        names = [name for name, _ in people]
        found = [encoding(each) if isinstance(each, str) else each for _, each in people]
        path = tmp_path / "encodings.pickle"
        path.write_bytes(pickle.dumps({"encodings": found, "names": names}))
        return path

    return write


@pytest.fixture
def users(db):
    """Ada and Joe, without a face."""
    return [
        User.objects.create(username=name, email=f"{name}@example.com") for name in ("ada", "joe")
    ]


@pytest.fixture
def run(tmp_path):
    """Run the command, and return its exit status and its JSON results."""

    def command(path, **options):
        file = tmp_path / "results.json"
        try:
            call_command("face_import", path, json=file, **{"consent": "1", **options})
        except SystemExit as caught:
            return caught.code, json.loads(file.read_text())
        return 0, json.loads(file.read_text())

    return command


def reasons(results, username):
    """Return why each encoding of a person was not used; "" if it was."""
    person = next(each for each in results["results"] if each["username"] == username)
    return {each["place"].rpartition(":")[2]: each["reason"] for each in person["encodings"]}


def recognised(name):
    counters.FailureCount.objects.all().delete()
    return authenticate(None, snapshot=picture(name))


@pytest.mark.real
def test_people_in_a_tutorials_pickle_can_log_in(kept, users, run, capsys):
    ada, joe = users
    path = kept(*[("ada", name) for name in ADA], ("joe", "biden"))
    status, results = run(path)
    assert status == 0
    assert results["people"] == {
        "found": 2,
        "enrolled": 2,
        "replaced": 0,
        "already": 0,
        "refused": 0,
        "created": 0,
        "alike": 0,
        "few_encodings": 2,
    }
    assert recognised("obama2") == ada
    assert recognised("biden") == joe
    ada.refresh_from_db()
    assert ada.face_shots == 3
    assert ada.face_shot_notes[0]["source"] == "elsewhere"
    assert FaceEvent.objects.filter(kind="enrolled", outcome="by_staff").count() == 2
    assert len(mail.outbox) == 2
    told = capsys.readouterr()
    assert "Enrolled: 2, face replaced: 0" in told.out
    assert "People enrolled with fewer than 5 encodings" in told.err


def test_other_formats(users, run, encoding, tmp_path):
    ada, joe = users
    packed = {"ada": encoding("obama"), "joe": encoding("biden")}
    lines = [
        json.dumps({"name": name, "encoding": base64.b64encode(each.tobytes()).decode()})
        for name, each in packed.items()
    ]
    document = tmp_path / "people.jsonl"
    document.write_text("\n".join(lines))
    database = tmp_path / "people.sqlite3"
    with sqlite3.connect(database) as connection:
        connection.execute("CREATE TABLE people (login TEXT, face BLOB)")
        rows = [(name, each.astype(np.float32).tobytes()) for name, each in packed.items()]
        connection.executemany("INSERT INTO people VALUES (?, ?)", rows)
    connection.close()
    for name, each in packed.items():
        (tmp_path / "npy").mkdir(exist_ok=True)
        np.save(tmp_path / "npy" / f"{name}.npy", each)
    columns = {"table": "people", "username_column": "login", "encoding_column": "face"}
    for path, options in (document, {}), (database, columns), (tmp_path / "npy", {}):
        User.objects.update(face_encodings=None, face_enrolled_at=None)
        status, results = run(path, **options)
        assert (status, results["people"]["enrolled"]) == (0, 2)
        assert recognised("obama2") == ada


def test_second_run_changes_nothing_and_sends_no_mail(kept, users, run):
    path = kept(("ada", "obama"), ("joe", "biden"))
    run(path)
    before = User.objects.get(username="ada").face_enrolled_at
    mail.outbox.clear()
    for options in ({}, {"replace": True}):
        status, results = run(path, **options)
        assert (status, results["people"]["already"]) == (0, 2)
    assert User.objects.get(username="ada").face_enrolled_at == before
    assert not mail.outbox
    _, results = run(kept(("ada", "obama"), ("ada", "obama3")), replace=True)
    assert results["people"]["replaced"] == 1


def test_dry_run_says_what_would_be_done(kept, users, run, capsys):
    path = kept(("ada", "obama"), ("eve", "biden"))
    status, results = run(path, dry_run=True, consent=None, create=True, domain="example.com")
    assert (status, results["dry_run"]) == (0, True)
    assert (results["people"]["enrolled"], results["people"]["created"]) == (2, 1)
    assert not User.objects.filter(face_enrolled_at__isnull=False).exists()
    assert User.objects.count() == 2
    assert "nobody is enrolled" in capsys.readouterr().out


def test_accounts_are_created_with_the_option(kept, db, run):
    path = kept(("eve", "biden"))
    status, results = run(path)
    assert (status, results["results"][0]["reason"]) == (SOME_REFUSED, "unknown")
    status, results = run(path, create=True, domain="example.com")
    assert (status, results["people"]["created"]) == (0, 1)
    eve = User.objects.get()
    assert (eve.email, eve.has_usable_password()) == ("eve@example.com", False)
    assert recognised("biden") == eve


def test_unusable_encodings_are_reported_and_the_others_are_enrolled(
    kept, users, run, encoding, capsys
):
    random = np.random.default_rng(7)
    unit = random.normal(size=128)
    path = kept(
        ("ada", "obama"),
        ("ada", np.zeros(127)),
        ("ada", np.full(128, np.nan)),
        ("ada", unit / np.linalg.norm(unit)),
        ("ada", encoding("obama") * 1.001),
        ("ada", "biden"),
        ("ada", "obama3"),
        ("ada", "obama2"),
        ("ada", "obama up"),
        ("", "biden"),
        ("joe", "biden"),
        ("joe", "astronaut"),
    )
    status, results = run(path, max_shots=4)
    assert status == SOME_REFUSED
    assert reasons(results, "ada") == {
        "1": "",
        "2": "wrong_size",
        "3": "not_finite",
        "4": "another_encoder",
        "5": "same_picture",
        "6": "not_same_person",
        "7": "",
        "8": "",
        "9": "enough",
    }
    assert results["results"][1]["reason"] == "not_same_person"
    assert [each["reason"] for each in results["unused"]] == ["unnamed"]
    said = capsys.readouterr().err
    assert "encodings.pickle:2: 127 numbers, but an encoding has 128" in said
    assert "joe: the encodings are of different people" in said
    assert recognised("obama left").username == "ada"


def test_face_of_somebody_else_is_flagged_or_refused(kept, users, run, obama, settings, capsys):
    _, results = run(kept(("ada", "obama2")))
    assert results["results"][0]["alike"] == "obama"
    assert "ada has nearly the same face as obama." in capsys.readouterr().err
    settings.FACEAUTH = {**settings.FACEAUTH, "LOOK_ALIKES": "refuse"}
    status, results = run(kept(("joe", "obama2")))
    assert (status, results["results"][0]["reason"]) == (SOME_REFUSED, "look_alike")


def test_nobody_is_enrolled_without_consent(kept, users, run):
    with pytest.raises(CommandError, match="Have these people agreed"):
        run(kept(("ada", "obama")), consent=None)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("faces.pickle", b"cos\nsystem\n(S'true'\ntR.", "asks for os.system"),
        ("faces.pickle", pickle.dumps({}), "There are no people"),
        ("faces.txt", b"hello", "--format"),
        ("missing.pickle", None, "No such file"),
    ],
)
def test_errors_say_why_a_file_cannot_be_read(tmp_path, db, run, name, content, words):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CommandError, match=words):
        run(path)
