"""face_enrol: enrol people from photos, and report the photos that are not used."""

from __future__ import annotations

import json
import os
import stat
from io import BytesIO, StringIO
from unicodedata import normalize

import numpy as np
import pytest
from django.contrib.auth import authenticate
from django.core import mail
from django.core.management import CommandError, call_command
from PIL import Image, ImageFilter

from accounts.models import User
from faceauth.bulk import photos
from faceauth.management.commands.face_enrol import SOME_REFUSED
from faceauth.models import FaceEvent
from tests.support.people import encodings, picture


@pytest.fixture
def folder(tmp_path):
    """Write a folder: `folder({"ada/1.jpg": "obama", "ada/notes.txt": b"..."})`."""

    def make(files):
        for name, content in files.items():
            path = tmp_path / "photos" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(picture(content) if isinstance(content, str) else content)
        return tmp_path / "photos"

    return make


@pytest.fixture
def users(db):
    """Make users without a face."""

    def make(*names, **fields):
        return [User.objects.create(username=n, email=f"{n}@example.com", **fields) for n in names]

    return make


@pytest.fixture
def enrol(tmp_path, capsys):
    """Run the command, and return its exit status and its JSON results."""

    def run(path, **options):
        file = tmp_path / "results.json"
        options = {"consent": "1", "processes": 1, **options}
        try:
            call_command("face_enrol", path, json=file, **options)
        except SystemExit as caught:
            return caught.code, json.loads(file.read_text())
        return 0, json.loads(file.read_text())

    return run


def reasons(results, username):
    """Return why each file of a person was not used; "" if it was."""
    person = next(each for each in results["results"] if each["username"] == username)
    return {each["file"]: each["reason"] for each in [*person["photos"], *person["unused"]]}


@pytest.mark.real
def test_people_in_a_folder_can_log_in(folder, users, enrol, settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "NOTICE_VERSION": "7"}
    ada, joe = users("ada", "joe")
    path = folder({"ada/1.jpg": "obama", "ada/2.jpg": "obama2", "joe/me.png": "biden"})
    status, results = enrol(path, consent="7")
    assert status == 0
    assert authenticate(None, snapshot=picture("obama3"), username="ada") == ada
    assert authenticate(None, snapshot=picture("biden left")) == joe
    ada.refresh_from_db()
    assert (ada.face_shots, ada.face_consent_version) == (2, "7")
    assert [note["source"] for note in ada.face_shot_notes] == ["file", "file"]
    assert results["people"]["enrolled"] == 2
    assert results["photos"]["good"] == 3


def test_event_and_mail_name_the_staff(folder, users, enrol):
    (ada,) = users("ada")
    enrol(folder({"ada/1.jpg": "obama"}))
    event = FaceEvent.objects.get()
    assert (event.user, event.kind, event.outcome) == (ada, "enrolled", "by_staff")
    (sent,) = mail.outbox
    assert sent.to == ["ada@example.com"]
    assert "staff" in sent.body
    # A command does not know where the site is.
    assert "http" not in sent.body


def test_nobody_is_enrolled_without_consent(folder, users, enrol):
    users("ada")
    with pytest.raises(CommandError, match="Have these people agreed"):
        enrol(folder({"ada/1.jpg": "obama"}), consent=None)
    assert not User.objects.get().has_face


@pytest.mark.parametrize(
    ("by", "username", "first_name"),
    [("id", "123", "Ada Lovelace"), ("name", "Ada Lovelace", ""), ("file", "123-Ada Lovelace", "")],
)
def test_username_in_a_file_name(folder, users, enrol, by, username, first_name):
    path = folder({"123-Ada Lovelace.png": "obama"})
    if by == "id":
        enrol(path, by=by, create=True, domain="example.com")
    else:
        users(username)
        enrol(path, by=by)
    user = User.objects.get()
    assert (user.username, user.first_name) == (username, first_name)
    assert user.has_face


def test_files_without_a_username_are_reported(folder, users, enrol):
    users("anna")
    status, results = enrol(folder({"anna.jpg": "obama", "7-anna.jpg": "biden"}), by="name")
    assert status == SOME_REFUSED
    assert [(each["file"], each["reason"]) for each in results["unused"]] == [
        ("anna.jpg", "unnamed")
    ]
    assert User.objects.get().face_shots == 1


def test_csv(folder, enrol, db):
    path = folder({"a/1.jpg": "obama", "a/2.jpg": "obama2", "joe.png": "biden"})
    lines = ["Username;E-mail;File", "ada;ada@example.org;a\\1.jpg", "", "ada;;a/2.jpg"]
    lines += ["joe;joe@example.org;joe.png"]
    (path / "people.csv").write_text("\n".join(lines), "utf-8-sig")
    assert enrol(path / "people.csv", create=True)[0] == 0
    ada, joe = User.objects.order_by("username")
    assert (ada.email, ada.face_shots) == ("ada@example.org", 2)
    assert (joe.email, joe.face_shots) == ("joe@example.org", 1)


def test_csv_cannot_name_a_file_outside_its_folder(folder, users, enrol, tmp_path):
    users("ada")
    path = folder({"inside.jpg": "obama"})
    (tmp_path / "outside.jpg").write_bytes(picture("obama2"))
    (path / "link.jpg").symlink_to(tmp_path / "outside.jpg")
    (path / "inner.jpg").symlink_to(path / "inside.jpg")
    named = ["../outside.jpg", str(tmp_path / "outside.jpg"), "link.jpg", "inner.jpg", "gone.jpg"]
    rows = "".join(f"ada,{name}\n" for name in [*named, str(path / "inside.jpg"), "\0", "."])
    (path / "people.csv").write_text("username,file\n" + rows)
    _status, results = enrol(path / "people.csv")
    assert User.objects.get().face_shots == 1
    assert list(reasons(results, "ada").values()) == [
        "",
        "outside",
        "outside",
        "outside",
        "link",
        "missing",
        "missing",
        "no_picture",
    ]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"name,file\nada,1.jpg\n", "no column “username”"),
        (b"username\nada\n", "no column “file”"),
        ("username,file\nÄda,1.jpg\n".encode("latin-1"), "UTF-8"),
        (b'username,file\n"ada,1.jpg\n', "not a valid CSV file"),
        (b"", "no column"),
    ],
)
def test_csv_that_cannot_be_read_says_why(folder, enrol, db, content, problem):
    path = folder({"people.csv": content})
    with pytest.raises(CommandError, match=problem):
        enrol(path / "people.csv")


def test_accounts_are_created_only_with_the_option(folder, enrol, db):
    path = folder({"ada/1.jpg": "obama", "wall/1.png": wall()})
    status, results = enrol(path)
    assert status == SOME_REFUSED
    assert {each["reason"] for each in results["results"]} == {"unknown"}
    assert not User.objects.exists()
    status, results = enrol(path, create=True, domain="example.com")
    assert status == SOME_REFUSED
    # Who has no usable photo has no account either.
    ada = User.objects.get()
    assert (ada.username, ada.email) == ("ada", "ada@example.com")
    assert not ada.has_usable_password()
    assert ada.has_face


def test_account_that_cannot_be_created_is_refused(folder, users, enrol, capsys):
    users("joe")
    folder({"a.jpg": "obama", "e.jpg": "biden", "o.jpg": "obama"})
    path = folder(
        {"people.csv": b"username,file,email\nada!,a.jpg,a@b.de\neve,e.jpg,\nola,o.jpg,c@d.de"}
    )
    status, results = enrol(path / "people.csv", create=True)
    assert status == SOME_REFUSED
    reasons = {each["username"]: each["reason"] for each in results["results"]}
    assert reasons == {"ada!": "invalid", "eve": "invalid", "ola": ""}
    told = capsys.readouterr().err
    assert "eve: no account can be created: email: This field cannot be blank." in told
    assert "ada!: no account can be created: username: Enter a valid username." in told
    assert {*User.objects.values_list("username", flat=True)} == {"joe", "ola"}


def test_address_that_all_new_accounts_lack_is_named_before_any_work(folder, users, enrol, capsys):
    users("joe")
    path = folder({"ada!/1.jpg": "obama", "eve/1.jpg": "biden", "joe/1.jpg": "astronaut"})
    for how in ({}, {"dry_run": True}):
        with pytest.raises(CommandError) as caught:
            enrol(path, create=True, **how)
        assert str(caught.value) == (
            "New accounts need an email address: add --domain example.com, or name them in the "
            "column email of a CSV file."
        )
    assert capsys.readouterr() == ("", "")
    assert not User.objects.filter(face_encodings__isnull=False).exists()


def test_any_other_field_that_new_accounts_lack_is_named(folder, enrol, db, monkeypatch):
    monkeypatch.setattr(User._meta.get_field("first_name"), "blank", False)
    with pytest.raises(CommandError, match="New accounts need a value for first_name, which this"):
        enrol(folder({"ada/1.jpg": "obama"}), create=True, domain="example.com")


def test_progress_is_shown_on_a_terminal_only(folder, users, enrol, monkeypatch):
    class Terminal(StringIO):
        def isatty(self):
            return True

    users("ada", "joe")
    path = folder({"ada/1.jpg": "obama", "joe/1.jpg": "biden", "joe/2.jpg": "biden left"})
    for stream, shown in ((StringIO(), False), (Terminal(), True)):
        with monkeypatch.context() as patched:
            patched.setattr("sys.stderr", stream)
            enrol(path, dry_run=True)
        assert ("3/3" in stream.getvalue() and "photos" in stream.getvalue()) is shown


def test_second_run_skips_enrolled_people(folder, users, enrol, monkeypatch):
    users("ada", "joe")
    path = folder({"ada/1.jpg": "obama", "joe/1.png": wall()})
    enrol(path)
    before = User.objects.get(username="ada").face_enrolled_at
    looked_at = []
    examine = photos.examine
    monkeypatch.setattr(
        photos, "examine", lambda paths, **how: looked_at.extend(paths) or examine(paths, **how)
    )
    status, results = enrol(path)
    assert status == SOME_REFUSED
    assert [each.parent.name for each in looked_at] == ["joe"]
    assert results["people"]["already"] == 1
    assert User.objects.get(username="ada").face_enrolled_at == before
    assert len(mail.outbox) == FaceEvent.objects.count() == 1


def test_face_is_replaced_with_the_option_and_once(folder, enrolled, enrol):
    ada = enrolled("ada", "biden")
    path = folder({"ada/1.jpg": "obama", "ada/2.jpg": "obama2"})
    assert enrol(path)[1]["people"]["already"] == 1
    assert authenticate(None, snapshot=picture("obama3"), username="ada") is None
    assert enrol(path, replace=True)[1]["people"]["replaced"] == 1
    assert authenticate(None, snapshot=picture("obama3"), username="ada") == ada
    assert enrol(path, replace=True)[1]["people"]["already"] == 1
    assert [event.kind for event in FaceEvent.objects.filter(outcome="by_staff")] == ["replaced"]
    assert len(mail.outbox) == 1


def test_interrupted_run_is_continued_by_the_next(folder, users, enrol, monkeypatch):
    users("ada", "joe")
    path = folder({"ada/1.jpg": "obama", "joe/1.jpg": "biden"})
    examine = photos.examine

    def interrupted(paths, **how):
        if paths[0].parent.name == "joe":
            raise KeyboardInterrupt
        return examine(paths, **how)

    with monkeypatch.context() as patched, pytest.raises(CommandError) as caught:
        patched.setattr(photos, "examine", interrupted)
        enrol(path)
    assert caught.value.returncode == 130
    assert [user.has_face for user in User.objects.order_by("username")] == [True, False]
    people = enrol(path)[1]["people"]
    assert (people["already"], people["enrolled"]) == (1, 1)


def test_dry_run_does_nothing(folder, users, enrol):
    users("ada")
    path = folder({"ada/1.jpg": "obama", "eve/1.jpg": "obama2", "joe/1.jpg": "biden"})
    options = {"create": True, "domain": "example.com"}
    status, results = enrol(path, dry_run=True, consent=None, **options)
    assert status == 0
    assert results["dry_run"]
    assert (results["people"]["enrolled"], results["people"]["created"]) == (3, 2)
    assert User.objects.count() == 1
    assert not User.objects.get().has_face
    assert not FaceEvent.objects.exists()
    assert not mail.outbox
    # What a real run finds, one after another.
    assert [each["alike"] for each in results["results"]] == ["", "ada", ""]
    _status, results = enrol(path, **options)
    assert [each["alike"] for each in results["results"]] == ["", "ada", ""]
    assert User.objects.get(username="eve").face_flagged_at is not None


def test_look_alike_is_refused_if_the_setting_says_so(folder, users, enrol, settings, capsys):
    settings.FACEAUTH = {**settings.FACEAUTH, "LOOK_ALIKES": "refuse"}
    path = folder({"ada/1.jpg": "obama", "eve/1.jpg": "obama2"})
    users("ada", "eve")
    for dry_run in True, False:
        status, results = enrol(path, dry_run=dry_run)
        assert status == SOME_REFUSED
        assert [each["reason"] for each in results["results"]] == ["", "look_alike"]
        assert "eve: the face is nearly the same as the face of ada" in capsys.readouterr().err
    assert not User.objects.get(username="eve").has_face


def test_every_file_that_is_not_used_has_its_reason(folder, users, enrol, tmp_path, capsys):
    users("ada")
    face = Image.open(BytesIO(picture("obama left")))
    files = {
        "0.jpg": "obama",
        "1.jpg": "obama2",
        ".DS_Store": b"...",
        "a.txt": b"notes",
        "b.jpg": b"no picture",
        "c.jpg": picture("obama3")[:5000],
        "d.png": wall(),
        "e.png": png(side_by_side(face, face)),
        "f.png": png(face.resize((face.width // 4, face.height // 4))),
        "g.png": png(face.point(lambda value: value // 12)),
        "h.png": png(face.filter(ImageFilter.GaussianBlur(12))),
        "i.jpg": picture("obama"),
        "j.jpg": picture("biden"),
        "k.gif": b"",
        "l/1.jpg": "obama",
    }
    path = folder({f"ada/{name}": content for name, content in files.items()})
    (path / "ada" / "m.jpg").symlink_to(path / "ada" / "0.jpg")
    status, results = enrol(path, max_shots=9)
    assert status == 0
    assert reasons(results, "ada") == {
        "ada/0.jpg": "",
        "ada/1.jpg": "",
        "ada/.DS_Store": "hidden",
        "ada/a.txt": "no_picture",
        "ada/b.jpg": "unsupported_type",
        "ada/c.jpg": "bad_image",
        "ada/d.png": "no_face",
        "ada/e.png": "several_faces",
        "ada/f.png": "too_small",
        "ada/g.png": "too_dark",
        "ada/h.png": "blurred",
        "ada/i.jpg": "same_picture",
        "ada/j.jpg": "not_same_person",
        "ada/k.gif": "bad_image",
        "ada/l": "nested",
        "ada/m.jpg": "link",
    }
    assert User.objects.get().face_shots == 2
    told = capsys.readouterr().err
    assert "ada/e.png: several faces: 2" in told
    assert "pixels tall; at least 80 are needed" in told


def test_photos_of_two_people_enrol_neither(folder, users, enrol):
    users("ada")
    status, results = enrol(folder({"ada/1.jpg": "obama", "ada/2.jpg": "biden"}))
    assert status == SOME_REFUSED
    assert results["results"][0]["reason"] == "not_same_person"
    assert not User.objects.get().has_face


def test_how_many_photos_are_used(folder, users, enrol, capsys):
    users("ada", "joe")
    names = ("obama", "obama2", "obama3")
    path = folder({f"ada/{name}.jpg": name for name in names} | {"joe/1.jpg": "biden"})
    status, results = enrol(path, min_shots=2, max_shots=2)
    assert status == SOME_REFUSED
    assert list(reasons(results, "ada").values()) == ["", "", "enough"]
    assert User.objects.get(username="ada").face_shots == 2
    assert "joe: usable photos: 1, needed: 2" in capsys.readouterr().err
    enrol(path)
    told = capsys.readouterr().err
    assert "People enrolled with fewer than 5 photos (ENROLMENT_SHOTS): 1." in told


def test_inactive_users_are_left_alone(folder, users, enrol):
    users("ada", is_active=False)
    status, results = enrol(folder({"ada/1.jpg": "obama"}))
    assert status == SOME_REFUSED
    assert results["results"][0]["reason"] == "inactive"
    assert not User.objects.get().has_face


def test_names_are_the_same_however_they_are_written(folder, users, enrol):
    (zoe,) = users("zoë")
    path = folder({f"{normalize('NFD', 'Zoë')}/1.jpg": "obama", "zoë/2.jpg": "obama2"})
    assert enrol(path, create=True)[0] == 0
    zoe.refresh_from_db()
    assert zoe.face_shots == 2
    assert User.objects.count() == 1


def test_sheet_shows_the_result_of_each_photo(folder, users, enrol, tmp_path, capsys):
    users("ada")
    path = folder({"ada/1.jpg": "obama", "ada/2.png": wall(), "<b>eve/1.jpg": "biden"})
    sheet = tmp_path / "sheet.html"
    sheet.write_text("of an earlier run, for all to read")
    enrol(path, sheet=sheet)
    text = sheet.read_text()
    assert text.count("data:image/jpeg;base64,") == 2
    assert "2.png: no face found" in " ".join(text.split())
    assert "&lt;b&gt;eve" in text
    assert "<b>" not in text
    assert "<script" not in text
    assert "http:" not in text
    assert stat.S_IMODE(sheet.stat().st_mode) == 0o600
    assert "contains pictures of people" in capsys.readouterr().err


def test_several_processes_do_the_same(folder, users, enrol, settings):
    # They know the settings that are in force here.
    settings.FACEAUTH = {**settings.FACEAUTH, "MIN_FACE_SIZE": 150}
    users("ada", "joe", "eve")
    small = Image.open(BytesIO(picture("biden left"))).resize((400, 300))
    path = folder({"ada/1.jpg": "obama", "joe/1.jpg": "biden smile", "eve/1.png": png(small)})
    status, results = enrol(path, processes=2)
    assert status == SOME_REFUSED
    assert [each["outcome"] for each in results["results"]] == ["enrolled", "refused", "enrolled"]
    assert reasons(results, "eve") == {"eve/1.png": "too_small"}
    (stored,) = User.objects.get(username="ada").face_encodings
    assert np.allclose(stored, encodings("obama"), atol=1e-4)


def test_killed_process_is_reported(folder, users, enrol, monkeypatch, capsys):
    users("ada", "joe")
    path = folder({"ada/1.jpg": "obama", "joe/1.jpg": "biden"})
    monkeypatch.setattr(photos, "examine", killed)
    with pytest.raises(CommandError, match="A process was killed"):
        enrol(path, processes=2)
    assert "not processed: 2" in capsys.readouterr().out


def killed(paths, **how):
    """End the process, as the system does when memory is full."""
    os._exit(1)


def test_folder_without_people_is_an_error(folder, enrol, db, tmp_path):
    with pytest.raises(CommandError, match="There are no people"):
        enrol(folder({"notes.txt": b"..."}))
    with pytest.raises(CommandError, match="No such file"):
        enrol(tmp_path / "gone")


def wall():
    return png(Image.new("RGB", (300, 300), "beige"))


def png(image):
    file = BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def side_by_side(*images):
    return Image.fromarray(np.hstack([np.asarray(image.convert("RGB")) for image in images]))
