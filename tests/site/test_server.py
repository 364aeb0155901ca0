"""The site as it runs in production: gunicorn, PostgreSQL, collected static files, HTTPS only."""

from __future__ import annotations

import re
import socket
import time
from contextlib import ExitStack

import pytest

from tests.site.test_production import environment, manage
from tests.support import postgres
from tests.support.people import OBAMA, picture
from tests.support.requirements import unavailable
from tests.support.servers import Server, gunicorn
from tests.support.webcam import snapshot

HOST = "faceauth.example.com"


@pytest.fixture(scope="module")
def database():
    try:
        # It is stopped as a crash would stop it.
        with postgres.Server(durable=True) as server:
            yield server
    except postgres.Unavailable as error:
        unavailable(f"PostgreSQL cannot be had: {error}")


@pytest.fixture(scope="module")
def mails(tmp_path_factory):
    """The folder of the mails that the site sends."""
    return tmp_path_factory.mktemp("mails")


@pytest.fixture(scope="module")
def browser(database, mails, tmp_path_factory):
    static = tmp_path_factory.mktemp("static")
    variables = {
        "DATABASE_URL": database.url,
        "STATIC_ROOT": str(static),
        "EMAIL_URL": f"filemail:///{mails}",
    }
    for command in (["collectstatic", "--no-input"], ["migrate"]):
        done = manage(*command, **variables)
        assert done.returncode == 0, done.stderr
    with Server(gunicorn("config.wsgi"), {**environment(), **variables}) as server:
        yield server.visit(HOST)


def test_sign_up_log_out_and_log_in(browser, mails, faces):
    status, page = browser.ask("GET", "/accounts/signup/")
    assert status == 200
    assert "max-age=31536000" in browser.headers["Strict-Transport-Security"]
    status, answer = browser.post("/accounts/signup/", username="ada", email="ada@example.com")
    assert (status, answer["next"]) == (200, "/accounts/signup/code/")
    status, answer = browser.post(answer["next"], code=code_in(mails), trust="on")
    assert (status, answer["user"]) == (200, {"username": "ada"})
    shots = [picture(name) for name in OBAMA]
    enrolment = {"challenge": browser.converse("obama", "enrol"), "consent": "on"}
    status, answer = browser.post("/face/enrol/", shots, **enrolment)
    assert status == 200, answer
    assert browser.post("/face/login/", [faces["obama2"]])[0] == 400
    browser.ask("GET", "/face/login/")
    assert browser.log_in("biden")[0] == 401
    status, answer = browser.log_in("obama")
    assert (status, answer["user"]) == (200, {"username": "ada"})
    assert "ada" in browser.ask("GET", answer["next"])[1]


def test_half_sent_requests_hold_no_login_up(browser):
    def seconds():
        start = time.monotonic()
        status, answer = browser.log_in("obama")
        assert status == 200, answer
        return time.monotonic() - start

    quiet = seconds()
    head = b"POST /face/frames/ HTTP/1.1\r\nHost: faceauth.example.com\r\n"
    with ExitStack() as held:
        for number in range(200):
            client = socket.create_connection(("127.0.0.1", browser.port))
            held.enter_context(client)
            client.sendall(head + b"Content-Length: 90000\r\n\r\n" * (number % 2))
        # Twice as long, and a try that other tests on the machine made fail.
        assert seconds() < 2 * quiet + 5


def code_in(mails):
    """Return the code in the newest mail, once it is there."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        text = "".join(each.read_text() for each in sorted(mails.iterdir()))
        if found := re.findall(r"^(\d{6})$", text, re.MULTILINE):
            return found[-1]
        time.sleep(0.05)
    raise AssertionError("no mail")


def test_static_files_have_hashed_names_and_are_kept_for_good(browser):
    _, page = browser.ask("GET", "/face/enrol/")
    (script,) = set(re.findall(r'src="(/static/faceauth/capture\.\w+\.js)"', page))
    status, code = browser.ask("GET", script)
    assert status == 200
    assert "immutable" in browser.headers["Cache-Control"]
    imported = re.findall(r'from\s*"(\./[^"]+)"', code)
    assert imported
    for name in imported:
        assert re.fullmatch(r"\./\w+\.[0-9a-f]{12}\.js", name)
        assert browser.ask("GET", f"/static/faceauth/{name[2:]}")[0] == 200


def test_plain_http_is_redirected(browser):
    status, _ = browser.ask("GET", "/", X_Forwarded_Proto="http")
    assert (status, browser.headers["Location"]) == (301, f"https://{HOST}/")


def test_large_request_hears_its_answer(browser):
    status, answer = browser.post("/face/frames/", frames=[bytes(30_000_000)])
    assert (status, answer["error"]["code"]) == (413, "too_large")


def test_database_that_stops_and_comes_back_loses_no_session(browser, database):
    assert browser.ask("GET", "/members/")[0] == 200
    database.stop()
    try:
        status, page = browser.ask("GET", "/members/")
        assert status == 503
        assert "Try again" in page
        assert int(browser.headers["Retry-After"]) > 0
        status, answer = browser.post("/face/frames/", frames=[snapshot("obama")])
        assert (status, answer["error"]["code"]) == (503, "busy")
        assert browser.ask("GET", "/", Accept="application/json")[0] == 503
    finally:
        database.start()
    assert browser.ask("GET", "/members/")[0] == 200
    status, answer = browser.log_in("obama")
    assert status == 200, answer
