"""docs/openapi.yaml is true: whatever is sent, the answer is one that stands there."""

from __future__ import annotations

import json
import re
import time
from base64 import b64encode
from datetime import timedelta
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import pytest
import requests
import schemathesis
import yaml
from django.contrib.auth.models import Permission
from django.db import OperationalError
from django.test import Client
from django.utils import timezone
from django.views import View
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.core.transport import Response
from schemathesis.specs.openapi import checks
from time_machine import travel

from config.wsgi import application
from faceauth import api, errors, urls
from faceauth.capture import samples
from faceauth.models import DeviceTrust, FailureCount
from faceauth.operations import health
from faceauth.privacy_views import ExportView
from faceauth.views import CaptureMixin, PostOnlyView
from tests.robustness.pictures import plain
from tests.robustness.stack import SECRET
from tests.site.conftest import JSON, PASSWORD
from tests.site.test_devices import Key
from tests.support import mail
from tests.support.conversing import Visitor
from tests.support.crowds import crowd
from tests.support.limits import UNLIMITED
from tests.support.people import OBAMA, picture
from tests.support.signing_up import CODE, SIGN_UP

# Real transactions: the handler closes its connections as it does in a server.
pytestmark = pytest.mark.django_db(transaction=True)

PATH = Path(__file__).parents[2] / "docs/openapi.yaml"
WRITTEN = yaml.safe_load(PATH.read_text())

LOGIN, FRAMES = "/face/login/", "/face/frames/"

schema = schemathesis.openapi.from_path(PATH)
schema.app = application

CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]


@cache
def pictures():
    """Faces and what is none, as a client may send them."""
    faces = [plain("jpeg", "biden"), plain("png", "astronaut"), plain("webp", "nobody")]
    return [*faces, b"GIF89a", b"text", b""]


def encoded(data):
    return b64encode(data).decode()


schemathesis.openapi.format(
    "byte", st.deferred(lambda: st.sampled_from([encoded(each) for each in pictures()]))
)
schemathesis.openapi.format("binary", st.deferred(lambda: st.sampled_from(pictures())))


@pytest.fixture
def unlimited(settings):
    """Let everything that is sent be looked at."""
    settings.FACEAUTH = {**settings.FACEAUTH, **UNLIMITED}


@pytest.fixture
def staff(django_user_model):
    """Somebody who may ask for everything."""
    user = django_user_model.objects.create_user("ada", "ada@example.com", PASSWORD, is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="verify_face"))
    return user


@schema.parametrize()
@settings(
    max_examples=12,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
def test_whatever_is_sent(case, unlimited, staff):
    cookies = {"csrftoken": SECRET}
    if {"faces", "staff"} & set(case.operation.tags):
        client = Client()
        client.force_login(staff)
        cookies["sessionid"] = client.cookies["sessionid"].value
    headers = {**JSON, "X-CSRFToken": SECRET}
    case.call_and_validate(checks=CHECKS, headers=headers, cookies=cookies)
    # The thread that sends mail draws random numbers, which Hypothesis must not notice.
    mail.sent()


@pytest.fixture
def told(client):
    """Send JSON: the status, once the answer was found to be as it is described."""

    def send(path, method="POST", sent=None, pk=None, **fields):
        client.raise_request_exception = False
        body = json.dumps(fields if sent is None else sent) if method == "POST" else b""
        url = path.format(pk=pk)
        response = client.generic(method, url, body, "application/json", headers=JSON)
        check(path, method, response)
        return response.status_code

    return send


def check(path, method, response):
    assert str(response.status_code) in WRITTEN["paths"][path][method.lower()]["responses"]
    request = requests.Request(method, f"http://testserver{path.format(pk=1)}").prepare()
    headers = {name: [value] for name, value in response.headers.items()}
    answer = Response(response.status_code, headers, response.content, request, 0.0, False)
    schema[path][method].validate_response(answer)


def test_what_does_not_conform_is_noticed(client):
    response = client.get("/face/whoami/")
    check("/face/whoami/", "GET", response)
    response.content = b'{"user": {"username": "ada"}, "csrf_token": "x"}'
    with pytest.raises(Exception, match="greeting"):
        check("/face/whoami/", "GET", response)


def test_a_visit(told, client, settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "CHALLENGE": None}
    shots = [encoded(picture(name)) for name in OBAMA]
    fields = {"username": "obama", "email": "o@example.com", "password": PASSWORD}
    assert told("/face/whoami/", "GET") == 200
    assert told(SIGN_UP, **fields) == 200
    assert told(CODE, again=True) == 200
    assert told(CODE, code="x") == 401
    assert told(CODE, code=mail.code()) == 200
    assert told(CODE, code="x") == 400
    assert told("/face/enrol/", consent=True, snapshot=shots) == 200
    assert told("/face/export/", "GET") == 403
    assert told("/face/devices/trust/") == 200
    (trust,) = DeviceTrust.objects.all()
    assert told("/face/devices/{pk}/rename/", pk=trust.pk, name="Laptop") == 200
    assert told("/face/devices/{pk}/revoke/", pk=trust.pk) == 200
    assert told("/face/devices/{pk}/revoke/", pk=trust.pk) == 404
    assert told("/accounts/logout/") == 302
    assert told(FRAMES, frame=shots[0], pose="straight") == 200
    assert told(FRAMES, frame=shots[:3], challenge="x") == 400
    assert told(LOGIN, username="obama", snapshot=encoded(picture("biden"))) == 401
    assert told(LOGIN, username="obama", snapshot=encoded(picture("obama2"))) == 200
    assert told("/face/whoami/", "GET") == 200
    assert told("/face/export/", "GET") == 200
    assert told("/face/remove/by-email/") == 200
    assert told("/face/enrol/", consent=True, snapshot=shots) == 200
    assert told("/face/verify/", username="obama", snapshot=shots[0]) == 403
    assert told("/face/remove/") == 200


class Described(Visitor):
    """A page that looks up each answer."""

    def _post(self, *sent):
        response = super()._post(*sent)
        check(FRAMES, "POST", response)
        return response


@pytest.mark.parametrize("as_json", [True, False])
def test_a_challenge(told, client, settings, enrolled, as_json):
    settings.FACEAUTH = {**settings.FACEAUTH, "CHALLENGE": "auto", "UNKNOWN_DEVICES": "code"}
    enrolled("obama", "obama", "obama3", "obama up", password=PASSWORD)
    key = Key()
    assert (
        told(LOGIN, username="obama", password=PASSWORD, trust=True, device_key=key.public) == 200
    )
    told("/accounts/logout/")
    assert told("/face/whoami/", "GET") == 200
    proof = key.sign(client.get("/face/whoami/").json()["device_nonce"])
    with travel(time.time(), tick=False) as clock:
        page = Described(client, SimpleNamespace(shift=clock.shift, time=time.time), **proof)
        page.as_json = as_json
        assert page.send(b"text") == 415
        page.opening = key.sign(page.answer["error"]["device_nonce"])
        page.until_step()
        assert page.send(number=1) == 409
        proof = key.sign(client.get("/face/whoami/").json()["device_nonce"])
        assert page.follow() == 200
        assert told(LOGIN, challenge=page.challenge, **proof) == 200
        assert page.send() == 400


def test_an_unknown_device(told, client, settings, enrolled):
    enrolled("obama", "obama", "obama3", "obama up", password=PASSWORD)
    settings.FACEAUTH = {**settings.FACEAUTH, "CHALLENGE": None, "UNKNOWN_DEVICES": "code"}
    shot = encoded(picture("obama2"))
    assert told(LOGIN, username="obama", snapshot=shot) == 200
    assert told(LOGIN, code="x") == 401
    assert told(LOGIN, code=mail.code(), trust=True, device_key="none") == 200
    assert told("/face/devices/trust/", device_key="none") == 200
    told("/accounts/logout/")
    assert told(LOGIN, username="obama", snapshot=shot) == 200
    assert client.get("/face/whoami/").json()["user"]["username"] == "obama"
    assert told("/face/devices/trust/") == 403
    settings.FACEAUTH = {**settings.FACEAUTH, "UNKNOWN_DEVICES": "refuse"}
    client.cookies.clear()
    assert told(LOGIN, username="obama", snapshot=shot) == 403


def test_verifying(told, client, staff, enrolled):
    enrolled("eileen", "astronaut")
    shot = encoded(picture("astronaut"))
    assert told("/face/verify/", username="eileen", snapshot=shot) == 401
    client.force_login(staff)
    assert told("/face/verify/", username="eileen", snapshot=shot) == 200
    assert told("/face/verify/", username="nobody", snapshot=shot) == 200


def test_what_is_refused(told):
    assert told(LOGIN, sent=[]) == 400
    assert told(LOGIN, snapshot=encoded(b"x" * 9_000_000)) == 413
    assert told(LOGIN, snapshot=encoded(b"This is a text.")) == 415
    assert told("/face/enrol/", snapshot="") == 401


def test_no_token():
    client = Client(enforce_csrf_checks=True)
    response = client.post(LOGIN, b"{}", content_type="application/json")
    assert response.status_code == 403
    check(LOGIN, "POST", response)


def test_having_to_wait(told):
    shot = encoded(picture("biden"))
    told(LOGIN, username="obama", snapshot=shot)
    FailureCount.objects.update(wait_until=timezone.now() + timedelta(minutes=1))
    assert told(LOGIN, username="obama", snapshot=shot) == 429


def test_being_watched(told, settings, monkeypatch):
    assert told("/face/health/", "GET") == told("/face/health/ready/", "GET") == 404
    settings.FACEAUTH = {**settings.FACEAUTH, "HEALTH": True}
    assert told("/face/health/", "GET") == told("/face/health/ready/", "GET") == 200
    monkeypatch.setattr(samples, "engine", None)
    assert told("/face/health/ready/", "GET") == 503


def test_a_crowd(told, monkeypatch):
    monkeypatch.setattr(samples, "WAIT_SECONDS", 0.01)
    with crowd():
        assert told(LOGIN, snapshot=encoded(picture("biden"))) == 503


def test_no_database(told, monkeypatch):
    def stopped(*args, **kwargs):
        raise OperationalError("connection refused")

    monkeypatch.setattr("django.db.backends.utils.CursorWrapper.execute", stopped)
    assert told(LOGIN, username="obama", password=PASSWORD) == 503


def test_every_address_for_programs_is_described():
    def is_for_programs(view):
        kind = getattr(view, "view_class", View)
        answers = (CaptureMixin, PostOnlyView, ExportView)
        return issubclass(kind, answers) or view.__module__ in (api.__name__, health.__name__)

    found = {
        "/face/" + re.sub(r"<int:(\w+)>", r"{\1}", str(each.pattern))
        for each in urls.urlpatterns
        if is_for_programs(each.callback)
    }
    assert found == {path for path in WRITTEN["paths"] if path.startswith("/face/")}


def test_every_code_is_described():
    def below(kind):
        return {kind}.union(*map(below, kind.__subclasses__()))

    codes = {each.default_code for each in below(errors.FaceError)}
    described = WRITTEN["components"]["schemas"]["Error"]["properties"]["error"]["properties"]
    assert described["code"]["enum"] == sorted(codes)
