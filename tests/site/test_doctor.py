"""face_doctor: its findings for a site that works, and for each part that may be broken."""

from __future__ import annotations

import json
from io import StringIO

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.test.utils import override_script_prefix
from PIL import Image

from accounts.models import User
from faceauth.capture import samples
from faceauth.operations import doctor as checkup
from faceauth.vision import Engine, dlib_networks, synthetic_face
from tests.support.people import picture
from tests.support.ports import free_port
from tests.unit.test_checks import KEY, KEYS, send_mail_by
from tests.unit.vision.test_images import saved

FINE, WARNING, BROKEN = checkup.State


@pytest.fixture
def doctor(db, settings, monkeypatch):
    """Run the command, and return its exit status and its findings."""
    monkeypatch.setattr(checkup, "RUNS", 1)
    safe = {**KEYS, "CHALLENGE": "auto", "UNKNOWN_DEVICES": "refuse"}
    settings.FACEAUTH = {**settings.FACEAUTH, **safe}
    settings.SECURE_SSL_REDIRECT = True

    def ask(*arguments):
        status, text = run("--json", *arguments)
        told = json.loads(text)
        assert told["ok"] == (status == 0)
        return status, told["findings"]

    return ask


def run(*arguments):
    out = StringIO()
    try:
        call_command("face_doctor", *arguments, stdout=out, no_color=True)
    except SystemExit as ended:
        return ended.code, out.getvalue()
    return 0, out.getvalue()


def states(found):
    """Return the state of each part; the worst state if there are several findings."""
    worst = {}
    for each in found:
        before = worst.get(each["part"], FINE)
        worst[each["part"]] = max(before, each["state"], key=[FINE, WARNING, BROKEN].index)
    return worst


def facts(found, part):
    return next(each["facts"] for each in found if each["part"] == part)


def text(found, part):
    return " ".join(each["text"] for each in found if each["part"] == part)


@pytest.mark.real
@pytest.mark.postgres
def test_site_that_works(doctor, enrolled):
    enrolled("eileen", "astronaut")
    status, found = doctor()
    assert (status, set(states(found).values())) == (0, {FINE}), found
    assert set(states(found)) == {*checkup.PARTS, "migrations", "gallery"}
    assert facts(found, "networks")["provider"] == "CPUExecutionProvider"
    assert facts(found, "networks")["providers_of_onnxruntime"]
    assert facts(found, "self-test")["find_ms"] > 0
    assert facts(found, "database")["vendor"] == connection.vendor
    assert facts(found, "faces") == {"people": 1, "unreadable": 0, "outdated": 0}
    assert "camera=(self)" in facts(found, "pages")["Permissions-Policy"]


def test_lines_for_people(doctor):
    status, told = run()
    assert status == 0
    assert "CPUExecutionProvider" in told
    assert "\nOK    self-test   found in " in told
    assert "from the expected encoding (OK up to 0.015)\n" in told


def test_each_line_has_its_verdict(doctor, settings, monkeypatch):
    settings.SECURE_SSL_REDIRECT = False
    monkeypatch.setattr(synthetic_face, "encoding", lambda: np.ones(128, np.float32))
    status, told = run()
    assert status == 1
    marks = {line.split()[1]: line.split()[0] for line in told.splitlines()}
    assert marks["keys"] == "OK"
    assert marks["pages"] == "WARN"
    assert marks["self-test"] == "ERROR"


def test_keys_are_never_printed(doctor, settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "ENCRYPTION_KEYS": [KEY, "not-a-key"]}
    for told, verdict in ((run()[1], "\nERROR keys"), (run("--json")[1], "broken")):
        assert verdict in told
        for secret in (KEY, "not-a-key", KEYS["ENCRYPTION_TRANSFORM_KEY"], settings.SECRET_KEY):
            assert secret not in told


class TestPicture:
    @pytest.fixture
    def file(self, tmp_path):
        def write(data):
            path = tmp_path / "picture"
            path.write_bytes(data)
            return str(path)

        return write

    def test_of_a_face(self, doctor, file):
        status, found = doctor(file(picture("obama")))
        assert (status, states(found)["picture"]) == (0, FINE)
        assert facts(found, "picture")["faces"] == 1
        assert facts(found, "picture")["encode_ms"] > 0

    def test_that_a_login_would_refuse(self, doctor, file):
        nobody = saved(Image.new("RGB", (640, 480), "gray"))
        status, found = doctor(file(nobody), "--fail-level", "WARNING")
        assert (status, states(found)["picture"]) == (1, WARNING)
        assert facts(found, "picture")["problem"] == "no_face"

    def test_that_is_not_a_picture(self, doctor, file):
        status, found = doctor(file(b"text"))
        assert (status, states(found)["picture"]) == (1, BROKEN)

    def test_that_does_not_exist(self, doctor):
        with pytest.raises(CommandError, match="No such file"):
            doctor("nowhere.jpg")


def test_networks_find_the_drawn_face():
    engine = samples.engine()
    (face,) = engine.find_faces(synthetic_face.face())
    assert face.score > 0.9
    off = np.linalg.norm(
        engine.encode_with_mirror(synthetic_face.face(), face) - synthetic_face.encoding()
    )
    assert off < checkup.MAX_ENCODING_ERROR / 3


def test_networks_with_wrong_results(doctor, monkeypatch):
    right = Engine.encode_with_mirror
    monkeypatch.setattr(Engine, "encode_with_mirror", lambda *given: right(*given)[::-1])
    status, found = doctor()
    assert (status, states(found)["self-test"]) == (1, BROKEN)


def test_networks_that_find_nothing(doctor, monkeypatch):
    monkeypatch.setattr(Engine, "find_faces", lambda *given: [])
    assert states(doctor()[1])["self-test"] == BROKEN


@pytest.mark.real
def test_weights_that_are_missing(doctor, monkeypatch):
    monkeypatch.setattr(samples, "engine", lambda: Engine())
    monkeypatch.setattr("faceauth.vision.engine.DETECTOR_FILE", "missing.dat")
    status, found = doctor()
    assert (status, states(found)["networks"], states(found)["self-test"]) == (1, BROKEN, BROKEN)


def test_weights_of_another_network(doctor, monkeypatch, tmp_path):
    real = dlib_networks.model_path

    def other(name):
        path = tmp_path / name
        path.write_bytes(real(name).read_bytes())
        if name == dlib_networks.LANDMARKS_FILE:
            path.write_bytes(path.read_bytes()[:-1] + b"?")
        return path

    monkeypatch.setattr(dlib_networks, "model_path", other)
    status, found = doctor()
    assert (status, states(found)["weights"]) == (1, BROKEN)
    assert facts(found, "weights") == {"altered": [dlib_networks.LANDMARKS_FILE]}


@pytest.mark.filterwarnings("ignore:Specified provider")
def test_gpu_that_cannot_be_used_is_reported(doctor, monkeypatch):
    engine = Engine(providers=["CUDAExecutionProvider", "CPUExecutionProvider"])
    monkeypatch.setattr(samples, "engine", lambda: engine)
    status, found = doctor()
    assert (status, states(found)["provider"]) == (0, WARNING)
    assert "CPUExecutionProvider does the work" in text(found, "provider")
    assert facts(found, "networks")["provider"] == "CPUExecutionProvider"


def test_warnings_fail_with_the_option(doctor, settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "CHALLENGE": None}
    status, found = doctor()
    assert (status, states(found)["settings"]) == (0, WARNING)
    assert facts(found, "settings")["id"] == "faceauth.W009"
    assert doctor("--fail-level", "WARNING")[0] == 1


def test_settings_that_are_wrong(doctor, settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "MAX_SNAPSHOTS": 2}
    status, found = doctor()
    assert (status, states(found)["settings"]) == (1, BROKEN)


def test_faces_that_other_keys_encrypted(doctor, settings, enrolled):
    enrolled("eileen", "astronaut")
    settings.FACEAUTH = {**settings.FACEAUTH, "ENCRYPTION_KEYS": [KEYS["ENCRYPTION_TRANSFORM_KEY"]]}
    settings.FACEAUTH["ENCRYPTION_TRANSFORM_KEY"] = KEY
    status, found = doctor()
    assert (status, states(found)["faces"]) == (1, BROKEN)
    assert facts(found, "faces") == {"people": 1, "unreadable": 1, "outdated": 0}
    assert "eileen" not in str(found)


def test_database_that_does_not_answer(doctor, monkeypatch):
    def stopped(*args, **kwargs):
        raise OperationalError("connection refused")

    with monkeypatch.context() as broken:
        broken.setattr("django.db.backends.utils.CursorWrapper.execute", stopped)
        status, found = doctor()
    assert (status, states(found)["database"]) == (1, BROKEN)
    assert states(found)["self-test"] == FINE


@pytest.mark.postgres
def test_migrations_that_are_missing(doctor):
    MigrationRecorder.Migration.objects.filter(app="faceauth").latest("id").delete()
    status, found = doctor()
    assert (status, states(found)["migrations"]) == (1, BROKEN)
    assert facts(found, "migrations")["missing"] >= 1


@pytest.mark.parametrize(
    ("camera", "state"), [([], BROKEN), ("*", WARNING), (None, WARNING), ("self", FINE)]
)
def test_who_may_use_the_camera(doctor, settings, camera, state):
    settings.PERMISSIONS_POLICY = {} if camera is None else {"camera": camera}
    found = doctor()[1]
    assert states(found)["pages"] == state, text(found, "pages")


def test_login_page_below_a_prefix(doctor):
    with override_script_prefix("/site/"):
        status, found = doctor()
    assert (status, states(found)["pages"]) == (0, FINE), text(found, "pages")


def test_no_redirect_to_https(doctor, settings):
    settings.SECURE_SSL_REDIRECT = False
    assert "HTTPS" in text(doctor()[1], "pages")


def test_page_that_fails(doctor, monkeypatch):
    monkeypatch.setattr("faceauth.views.LoginView.template_name", "nowhere.html")
    status, found = doctor()
    assert (status, states(found)["pages"]) == (1, BROKEN)
    assert "nowhere.html" in text(found, "pages")


def test_nobody_is_named(doctor, enrolled):
    enrolled("eileen", "astronaut")
    assert User.objects.exists()
    assert "eileen" not in run()[1] + run("--json")[1]


def test_mail_server_that_does_not_answer(doctor, settings):
    send_mail_by(settings, "smtp", host="127.0.0.1", port=free_port())
    status, found = doctor()
    assert (status, states(found)["email"]) == (0, WARNING)
    assert "smtp.EmailBackend has no connection to 127.0.0.1" in text(found, "email")
    assert "(ConnectionRefusedError)" in text(found, "email")


@pytest.mark.parametrize(("devices", "email"), [("code", "a@b.c"), ("allow", "")])
def test_people_whom_codes_can_reach(doctor, enrolled, settings, devices, email):
    enrolled("ada", "obama")
    User.objects.update(email=email)
    settings.FACEAUTH = {**settings.FACEAUTH, "UNKNOWN_DEVICES": devices}
    assert "addresses" not in states(doctor()[1])


def test_people_whom_no_code_can_reach(doctor, enrolled, settings):
    enrolled("ada", "obama")
    enrolled("joe", "biden")
    User.objects.filter(username="ada").update(email="")
    settings.FACEAUTH = {**settings.FACEAUTH, "UNKNOWN_DEVICES": "code"}
    (found,) = [each for each in doctor()[1] if each["part"] == "addresses"]
    assert found["state"] == WARNING
    assert found["text"].startswith("1 of 2 people have no email address")
