"""The same as forms send, in JSON, and answered in JSON: for front ends that are not our page."""

from __future__ import annotations

import json
import tracemalloc
from base64 import b64encode

import pytest
from django.contrib.messages import get_messages
from django.test import Client, RequestFactory

from accounts.models import User
from config.wsgi import application
from faceauth import errors
from faceauth.http import json_body
from tests.site.conftest import PASSWORD, log_in_by_face, username_of
from tests.support.people import OBAMA, picture

LOGIN, FRAMES, ENROL, SIGN_UP = (
    "/face/login/",
    "/face/frames/",
    "/face/enrol/",
    "/signup/",
)


@pytest.fixture
def tell(client):
    """Send JSON, an object or any bytes: status and JSON."""

    def post(path, sent=None, /, **fields):
        body = sent if isinstance(sent, bytes) else json.dumps(fields if sent is None else sent)
        # Named twice: without a body the client would send no type.
        kind = "application/json"
        response = client.post(path, body, content_type=kind, CONTENT_TYPE=kind)
        return response.status_code, response.json()

    return post


def bare(name):
    return b64encode(picture(name)).decode()


def data_url(name, kind="image/jpeg"):
    return f"data:{kind};base64,{bare(name)}"


def code_of(answer):
    status, told = answer
    return status, told["error"]["code"]


@pytest.mark.parametrize("encoded", [bare, data_url])
@pytest.mark.parametrize("listed", [False, True])
def test_login(client, tell, obama, encoded, listed):
    sent = [encoded("obama2"), encoded("obama")] if listed else encoded("obama2")
    status, answer = tell(LOGIN, username="obama", snapshot=sent)
    assert (status, answer["user"]) == (200, {"username": "obama"})
    assert username_of(client) == "obama"


@pytest.mark.parametrize("escaped", ["+", "=", "/"])
def test_base64_as_some_libraries_escape_it(client, tell, obama, escaped):
    sent = json.dumps({"snapshot": bare("obama2")})
    assert len(sent) > json_body.MAX_TEXT_BYTES
    assert escaped in sent
    written = sent.replace(escaped, f"\\u{ord(escaped):04X}")
    assert tell(LOGIN, written.encode())[0] == 200
    assert username_of(client) == "obama"


def test_login_face_alone_and_password(client, tell, obama):
    assert tell(LOGIN, snapshot=bare("obama2"), username=None)[0] == 200
    client.logout()
    assert tell(LOGIN, username="obama", password=PASSWORD)[0] == 200
    assert username_of(client) == "obama"


@pytest.mark.parametrize("ascii_only", [True, False])
def test_name_in_any_script(client, tell, enrolled, ascii_only):
    enrolled("Łucja-李", "obama")
    fields = {"username": "Łucja-李", "snapshot": bare("obama2")}
    sent = json.dumps(fields, ensure_ascii=ascii_only).encode()
    assert tell(LOGIN, sent)[0] == 200
    assert username_of(client) == "Łucja-李"


def test_refusal(client, tell, obama):
    assert code_of(tell(LOGIN, username="obama", snapshot=bare("biden"))) == (401, "not_recognised")
    assert username_of(client) is None


def test_sign_up(client, tell, db):
    fields = {"username": "obama", "email": "o@example.com"}
    shots = [bare(name) for name in OBAMA]
    status, answer = tell(SIGN_UP, **fields, snapshot=shots, consent=False)
    assert (status, list(answer["error"]["fields"])) == (400, ["consent"])
    assert not User.objects.exists()
    status, answer = tell(SIGN_UP, **fields, snapshot=shots, consent=True)
    assert (status, answer["user"]) == (200, {"username": "obama"})
    assert User.objects.get().has_face


def test_enrolling_and_removing(client, tell, django_user_model):
    user = django_user_model.objects.create_user("obama", "o@example.com", PASSWORD)
    client.force_login(user)
    shots = [data_url(name) for name in OBAMA]
    assert tell(ENROL, snapshot=shots, consent=True)[0] == 200
    assert User.objects.get().has_face
    assert code_of(tell("/face/remove/", b"")) == (403, "face_required")
    log_in_by_face(client, user)
    assert tell("/face/remove/", b"")[0] == 200
    assert not User.objects.get().has_face


def test_without_a_password_and_mail_the_face_stays(client, tell, enrolled):
    log_in_by_face(client, enrolled("obama", "obama"))
    User.objects.update(email="")
    assert code_of(tell("/face/remove/")) == (409, "password_needed")
    assert User.objects.get().has_face


@pytest.mark.parametrize("path", [ENROL, "/face/remove/"])
def test_who_is_not_logged_in_is_told_in_json(tell, db, path):
    assert code_of(tell(path)) == (401, "login_required")


def test_guidance(tell, db):
    near = "0.2,0.2,0.8,0.8"
    status, answer = tell(FRAMES, frame=bare("obama"), pose="any", level=0.1, near=near)
    assert (status, answer["faces"]) == (200, 1)


def test_answers_come_in_json_whatever_is_accepted(client, db):
    response = client.post(
        LOGIN, b"{}", content_type="application/json", headers={"Accept": "text/html"}
    )
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "missing_snapshot"


def test_nothing_is_kept_to_be_said_on_a_page(client, tell, obama):
    tell(LOGIN, username="obama", snapshot=bare("obama2"))
    assert list(get_messages(client.get("/members/").wsgi_request)) == []


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (b"", 400, "missing_snapshot"),
        (b"{", 400, "invalid"),
        (b"\xff\xfe{\x00}\x00", 400, "invalid"),
        (b"\xef\xbb\xbf{}", 400, "invalid"),
        (b"[]", 400, "invalid"),
        (b'"snapshot"', 400, "invalid"),
        (b"[" * 900, 400, "invalid"),
        (b"[" * 100_000, 400, "invalid"),
        (b'{"x":' * 900 + b"1" + b"}" * 900, 400, "invalid"),
        (b'{"x": [' + b"1," * 2000 + b"1]}", 400, "invalid"),
        (b'{"x": "' + b'\\"' * 2000 + b'"}', 400, "invalid"),
        # A search for the end of each would take minutes.
        (b'\\u"' + b'\\"' * 900 + b"A" * 2_000_000, 400, "invalid"),
        ({"snapshot": "😀" + "A" * 70_000}, 400, "invalid"),
        ('{"snapshot": "😀'.encode() + b"A" * 70_000 + b'"}', 400, "invalid"),
        ('{"snapshot": "AAAA😀"}'.encode(), 400, "bad_image"),
        (b'{"level": NaN}', 400, "invalid"),
        (b'{"level": ' + b"9" * 5000 + b"}", 400, "invalid"),
        ({"username": ["obama"]}, 400, "invalid"),
        ({"username": {"is": "obama"}}, 400, "invalid"),
        ({"snapshot": 7}, 400, "invalid"),
        ({"snapshot": True}, 400, "invalid"),
        ({"snapshot": {"data": ""}}, 400, "invalid"),
        ({"snapshot": [["AAAA"]]}, 400, "invalid"),
        (b'{"username": "\\ud800", "snapshot": "AAAA"}', 400, "invalid"),
        (b'{"\\ud800": "x", "snapshot": "AAAA"}', 400, "invalid"),
        ({}, 400, "missing_snapshot"),
        ({"snapshot": None}, 400, "missing_snapshot"),
        ({"snapshot": []}, 400, "missing_snapshot"),
        ({"picture": "AAAA"}, 400, "missing_snapshot"),
        ({"snapshot": ""}, 400, "bad_image"),
        ({"snapshot": "AAA"}, 400, "bad_image"),
        ({"snapshot": "not base64!"}, 400, "bad_image"),
        ({"snapshot": "ÄÖÜ="}, 400, "bad_image"),
        ({"snapshot": "data:image/png,%89PNG"}, 400, "bad_image"),
        ({"snapshot": "data:image/png;base64"}, 400, "bad_image"),
        ({"snapshot": "data:image/png;base64,"}, 400, "bad_image"),
        ({"snapshot": b64encode(b"This is a text.").decode()}, 415, "unsupported_type"),
        ({"snapshot": "data:text/plain;base64,AAAA"}, 415, "unsupported_type"),
        ({"snapshot": "data:;base64,AAAA"}, 415, "unsupported_type"),
        ({"snapshot": b64encode(b"x" * 9_000_000).decode()}, 413, "too_large"),
        ({"snapshot": ["/9j/"] * 9}, 413, "too_large"),
        (b" " * 41_943_041, 413, "too_large"),
    ],
)
def test_what_cannot_be_used_gets_its_code(tell, db, sent, status, code):
    answer = tell(LOGIN, sent)
    assert code_of(answer) == (status, code)
    assert answer[1]["error"]["message"]


def test_media_type_of_many_parameters_takes_no_more_memory_than_others():
    picture = "data:image/jpeg" + ";aa" * 300_000
    sent = json.dumps({"snapshot": picture})
    request = RequestFactory().post(LOGIN, sent, content_type="application/json")
    tracemalloc.start()
    with pytest.raises(errors.BadImage):
        json_body.load(request, len(sent))
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 6 * len(sent)


@pytest.mark.parametrize("charset", ["utf-8", "UTF-8", "utf8"])
def test_server_reads_json_whatever_its_charset_is_called(db, charset):
    kind = f"application/json; charset={charset}"
    request = RequestFactory().post(LOGIN, b"[]", content_type=kind)
    answer = b"".join(application(request.environ, lambda _status, _headers: None))
    assert json.loads(answer)["error"]["message"] == "The JSON must be an object."


def test_a_body_that_ends_before_it_should(client, db):
    response = client.post(LOGIN, b"{}", content_type="application/json", CONTENT_LENGTH="1000000")
    assert response.status_code == 400


@pytest.mark.parametrize("name", ["x" * 300, "x\0"], ids=["long", "null"])
def test_impossible_username(tell, db, name):
    status, answer = tell(LOGIN, username=name, snapshot=bare("astronaut"))
    assert (status, list(answer["error"]["fields"])) == (400, ["username"])


def test_pictures_may_be_larger_than_django_lets_texts_be(tell, db, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10_000
    assert code_of(tell(LOGIN, snapshot=bare("obama"))) == (401, "not_recognised")


class TestSession:
    """As a front end has it: a cookie, and a token that it asks for and sends with what it does."""

    @pytest.fixture
    def client(self):
        return Client(enforce_csrf_checks=True)

    def test_no_token_no_effect(self, client, obama):
        sent = json.dumps({"username": "obama", "snapshot": bare("obama2")})
        client.get("/face/whoami/")
        response = client.post(LOGIN, sent, content_type="application/json")
        assert response.status_code == 403
        assert response.json()["error"]["code"] == "csrf_failed"
        assert username_of(client) is None

    def test_log_in_hear_who_one_is_and_log_out(self, client, obama):
        token = client.get("/face/whoami/").json()["csrf_token"]
        sent = json.dumps({"username": "obama", "snapshot": bare("obama2")})
        options = {"content_type": "application/json", "headers": {"X-CSRFToken": token}}
        assert client.post(LOGIN, sent, **options).status_code == 200
        told = client.get("/face/whoami/").json()
        assert told["user"] == {"username": "obama", "greeting": "Hello, obama.", "has_face": True}
        headers = {"X-CSRFToken": told["csrf_token"]}
        client.post("/accounts/logout/", headers=headers)
        assert client.get("/face/whoami/").json()["user"] is None


def test_greeting_is_by_the_first_name(client, django_user_model):
    user = django_user_model.objects.create_user("barack", first_name="Barack")
    client.force_login(user)
    response = client.get("/face/whoami/")
    told = response.json()["user"]
    assert (told["greeting"], told["has_face"]) == ("Hello, Barack.", False)
    assert "no-store" in response["Cache-Control"]
