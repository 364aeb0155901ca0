from __future__ import annotations

from contextlib import ExitStack
from io import BytesIO

import numpy as np
import pytest
from django.db import OperationalError
from django.test import Client
from PIL import Image

from accounts.models import User
from faceauth.capture import samples
from tests.site.conftest import JSON
from tests.support.crowds import crowd
from tests.support.people import OBAMA
from tests.unit.vision.test_images import huge_png, saved

LOGIN, FRAMES, SIGN_UP = "/face/login/", "/face/frames/", "/signup/"


@pytest.fixture
def photo(faces):
    """Return a face that fits into a frame also where it is kept without loss."""
    return Image.open(BytesIO(faces["astronaut"])).convert("RGB").crop((110, 0, 350, 240))


def shown(path, file):
    """Return the fields of a form that shows a picture at that address."""
    return {"snapshot": file} if path == LOGIN else {"frame": file, "pose": "straight"}


def darkened(photo, factor):
    return Image.fromarray((np.asarray(photo) * factor).astype(np.uint8))


@pytest.mark.parametrize("path", [LOGIN, FRAMES])
@pytest.mark.parametrize(
    ("make", "status", "code"),
    [
        (lambda photo: b"", 400, "bad_image"),
        (lambda photo: saved(photo, "PNG")[:5000], 400, "bad_image"),
        (lambda photo: b"This is text with a picture's name.", 415, "unsupported_type"),
        (lambda photo: b"<svg onload='alert(1)'/>", 415, "unsupported_type"),
        (lambda photo: huge_png(20_000, 10_000), 413, "too_large"),
        (lambda photo: b"x" * 9_000_000, 413, "too_large"),
        (lambda photo: b"x" * 30_000_000, 413, "too_large"),
    ],
    ids=["empty", "truncated", "text", "svg", "200 megapixels", "9 MB", "30 MB"],
)
def test_what_is_no_usable_file_gets_its_code(db, ask, upload, photo, path, make, status, code):
    got, answer = ask(path, **shown(path, upload(make(photo))))
    assert (got, answer["error"]["code"]) == (status, code)
    assert answer["error"]["message"]


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda photo: Image.new("RGB", (640, 480), "gray"), "no_face"),
        (lambda photo: photo.crop((150, 0, 240, 30)), "no_face"),
        (lambda photo: darkened(photo, 0.12), "too_dark"),
        (
            lambda photo: Image.blend(photo, Image.new("RGB", photo.size, "white"), 0.85),
            "too_bright",
        ),
        (lambda photo: photo.resize((28, 28)).resize((240, 240)), "blurred"),
    ],
    ids=["nobody", "no face", "dark", "bright", "blurred"],
)
def test_what_is_wrong_with_the_picture_gets_its_code(db, ask, upload, photo, make, code):
    status, answer = ask(LOGIN, snapshot=upload(saved(make(photo), "PNG")))
    assert (status, answer["error"]["code"]) == (400, code)
    assert answer["error"]["fields"]["snapshot"]


def test_two_people_are_refused(db, ask, upload, faces):
    obama, biden = (Image.open(BytesIO(faces[name])) for name in ("obama", "biden"))
    both = Image.new("RGB", (obama.width + biden.width, biden.height))
    both.paste(obama, (0, 0))
    both.paste(biden, (obama.width, 0))
    both.thumbnail((700, 700))
    status, answer = ask(LOGIN, snapshot=upload(saved(both, "JPEG")))
    assert (status, answer["error"]["code"]) == (400, "several_faces")


@pytest.mark.parametrize("kind", ["rotated", "cmyk", "16 bit", "animated", "webp", "alpha"])
def test_unusual_pictures_log_in(ask, enrolled, upload, photo, kind):
    enrolled("eileen", "astronaut")
    exif = Image.Exif()
    exif[0x0112] = 6
    data = {
        "rotated": lambda: saved(photo.transpose(Image.Transpose.ROTATE_90), "JPEG", exif=exif),
        "cmyk": lambda: saved(photo.convert("CMYK"), "JPEG"),
        "16 bit": lambda: saved(
            Image.fromarray(np.asarray(photo.convert("L")).astype(np.uint16) * 257)
        ),
        "animated": lambda: saved(
            photo, "WEBP", save_all=True, append_images=[photo.rotate(90)], lossless=True
        ),
        "webp": lambda: saved(photo, "WEBP"),
        "alpha": lambda: saved(photo.convert("RGBA")),
    }[kind]()
    status, answer = ask(LOGIN, snapshot=upload(data))
    assert (status, answer["user"]["username"]) == (200, "eileen")


@pytest.mark.parametrize("kind", ["GIF", "TIFF", "BMP"])
@pytest.mark.parametrize("path", [LOGIN, FRAMES])
def test_formats_that_no_camera_sends_are_not_opened(db, ask, upload, photo, path, kind, capfd):
    data = bytearray(saved(photo, kind))
    data[200:-200:7] = bytes(len(data[200:-200:7]))
    status, answer = ask(path, **shown(path, upload(bytes(data), "face.jpg")))
    assert (status, answer["error"]["code"]) == (415, "unsupported_type")
    assert "JPEG, PNG or WebP" in answer["error"]["message"]
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("path", [LOGIN, FRAMES])
def test_missing_picture(db, ask, path):
    status, answer = ask(path)
    assert (status, answer["error"]["code"]) == (400, "missing_snapshot")


def test_picture_as_text_field_is_a_missing_picture(db, ask):
    assert ask(LOGIN, snapshot="not a file")[1]["error"]["code"] == "missing_snapshot"


@pytest.mark.parametrize("name", ["x" * 300, "x\0"], ids=["long", "null"])
def test_impossible_username_beside_a_face(db, ask, upload, name):
    status, answer = ask(LOGIN, username=name, snapshot=upload("astronaut"))
    assert (status, list(answer["error"]["fields"])) == (400, ["username"])


def test_too_many_pictures(db, ask, upload):
    status, answer = ask(LOGIN, snapshot=[upload("astronaut") for _ in range(9)])
    assert (status, answer["error"]["code"]) == (413, "too_large")


@pytest.mark.parametrize("accept", ["application/json", "text/html"])
def test_get_where_a_post_belongs(client, db, accept):
    response = client.get(FRAMES, headers={"Accept": accept})
    assert response.status_code == 405
    assert "POST" in response["Allow"]
    assert response["Content-Type"].startswith(accept)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"no boundary"),
        ("multipart/form-data; boundary=x", b"--x\r\nbroken"),
        ("multipart/form-data; boundary=" + "x" * 300, b""),
        ("application/json", b"{"),
        ("text/plain", b"\xff\xfe"),
        ("application/x-www-form-urlencoded", b"a=1&" * 2000),
        ("application/x-www-form-urlencoded", b"a=" + b"x" * 3_000_000),
    ],
)
def test_broken_bodies_are_client_errors(client, db, content_type, body):
    response = client.post(LOGIN, body, content_type=content_type, headers=JSON)
    assert 400 <= response.status_code < 500
    assert response.json()["error"]["message"]


def test_errors_in_a_page_without_script(client, db, upload):
    response = client.post(LOGIN, {"snapshot": upload(b"text")})
    assert response.status_code == 415
    assert "read this file as a picture" in response.text
    response = client.post(LOGIN, {"snapshot": upload(b"x" * 30_000_000)})
    assert response.status_code == 413
    assert "too large" in response.text


def test_uploads_never_touch_the_disk(db, ask, upload, monkeypatch, settings):
    def refuse(*args, **kwargs):
        raise AssertionError("an upload was written to a file")

    monkeypatch.setattr("django.core.files.uploadedfile.TemporaryUploadedFile.__init__", refuse)
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 10_000
    assert ask(LOGIN, snapshot=upload("obama"))[1]["error"]["code"] == "not_recognised"


def test_crowd_is_asked_to_come_back(client, db, upload, monkeypatch):
    monkeypatch.setattr(samples, "WAIT_SECONDS", 0.01)
    with crowd():
        response = client.post(LOGIN, {"snapshot": upload("astronaut")}, headers=JSON)
    assert response.status_code == 503
    assert response.json()["error"]["code"] == "busy"
    assert int(response["Retry-After"]) > 0
    assert client.post(LOGIN, {"snapshot": upload("astronaut")}).status_code == 401


def test_crowd_that_comes_between_looking_and_encoding(client, db, upload, monkeypatch):
    monkeypatch.setattr(samples, "WAIT_SECONDS", 0.01)
    looked = samples.analyse
    with ExitStack() as until:

        def look(snapshot, **options):
            seen = looked(snapshot, **options)
            until.enter_context(crowd())
            return seen

        monkeypatch.setattr(samples, "analyse", look)
        response = client.post(LOGIN, {"snapshot": upload("astronaut")}, headers=JSON)
    assert (response.status_code, response.json()["error"]["code"]) == (503, "busy")


@pytest.mark.parametrize("accept", ["application/json", "text/html"])
@pytest.mark.parametrize("path", ["/face/login/", "/accounts/profile/", "/"])
def test_stopped_database_is_said_and_loses_no_session(
    client, enrolled, upload, monkeypatch, accept, path
):
    enrolled("eileen", "astronaut")
    client.post(LOGIN, {"snapshot": upload("astronaut")})

    def stopped(*args, **kwargs):
        raise OperationalError("connection refused")

    with monkeypatch.context() as broken:
        broken.setattr("django.db.backends.utils.CursorWrapper.execute", stopped)
        # As in production: what Django would raise in a test becomes the answer.
        client.raise_request_exception = False
        response = client.get(path, headers={"Accept": accept})
        assert response.status_code == 503
        assert int(response["Retry-After"]) > 0
        assert response["Content-Type"].startswith(accept)
        assert "refused" not in response.text
        data = {"snapshot": upload("astronaut")}
        assert client.post(LOGIN, data, headers={"Accept": accept}).status_code == 503
    assert client.get("/members/").status_code == 200


def test_database_that_stops_as_a_session_is_saved(client, enrolled, upload, monkeypatch, settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "CHALLENGE": "auto"}
    client.force_login(enrolled("eileen", "astronaut"))

    def stopped(*args, **kwargs):
        raise OperationalError("connection lost")

    monkeypatch.setattr("django.contrib.sessions.models.Session.save", stopped)
    client.raise_request_exception = False
    response = client.post(FRAMES, {"frame": upload("astronaut")}, headers=JSON)
    assert response.status_code == 503
    assert response.json()["error"]["code"] == "busy"
    assert int(response["Retry-After"]) > 0


def test_database_that_stops_during_sign_up_leaves_no_half_account(client, db, upload, monkeypatch):
    def stopped(*args, **kwargs):
        raise OperationalError("connection lost")

    monkeypatch.setattr("faceauth.enrolment.enrol", stopped)
    form = {
        "username": "obama",
        "email": "obama@example.com",
        "consent": "on",
        "snapshot": [upload(name) for name in OBAMA],
    }
    assert client.post(SIGN_UP, form, headers=JSON).status_code == 503
    assert not User.objects.exists()


def test_wrong_host_and_a_form_that_cannot_be_read(db):
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    client.get(LOGIN)  # for the cookie, with which forms are looked into
    sent = {"content_type": "multipart/form-data; !boundary=x", "HTTP_HOST": "elsewhere.example"}
    assert client.generic("POST", LOGIN, b"x", **sent).status_code == 400


@pytest.mark.parametrize("charset", ["utf-7", "unicode_escape", "raw_unicode_escape"])
def test_name_in_a_charset_that_makes_text_of_what_is_none(client, db, charset):
    body = (
        b'--x\r\nContent-Disposition: form-data; name="username"\r\n\r\n+2AA-\\ud800\r\n--x--\r\n'
    )
    kind = f"multipart/form-data; charset={charset}; boundary=x"
    response = client.post("/face/login/", body, content_type=kind, headers=JSON)
    assert response.status_code == 400


def test_project_without_messages(client, obama, upload, settings):
    settings.MIDDLEWARE = [each for each in settings.MIDDLEWARE if "messages" not in each]
    data = {"username": "obama", "snapshot": upload("obama2")}
    assert client.post("/face/login/", data).status_code == 302


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/accounts/signup/", "too_large"),
        ("/accounts/signup/code/", "too_large"),
        ("/face/confirm/", "login_required"),
        ("/face/enrol/", "login_required"),
        ("/face/remove/", "too_large"),
        ("/face/devices/trust/", "too_large"),
        ("/face/verify/", "login_required"),
    ],
)
def test_visitors_cannot_fill_memory_where_nobody_looks_at_their_pictures(client, db, path, code):
    # It is not read as JSON, which it is not.
    response = client.post(path, b"x" * 100_000, "application/json")
    assert response.json()["error"]["code"] == code
