"""Run each recipe of docs/recipes.md with real faces."""

from __future__ import annotations

import importlib
import re
import sys
import time
from itertools import pairwise

import django
import pytest
import time_machine
from django.conf import settings as now
from django.contrib.auth.models import Permission
from django.core import mail
from django.core.checks import run_checks

from accounts.models import User
from faceauth.models import FaceEvent
from faceauth.recognition import encoders
from tests.site.conftest import PASSWORD, username_of
from tests.support import encoders as support
from tests.support import guides
from tests.support.people import OBAMA, encodings, picture

GUIDE = "recipes.md"
LOGIN, CONFIRM = "/face/login/", "/face/confirm/"

URLS = """
from django.urls import include, path

from mysite.views import pay

urlpatterns = [path("pay/", pay), path("face/", include("faceauth.urls"))]
"""

SIGN_UP_URLS = """
from django.urls import include, path

from mysite.views import SignUpView

urlpatterns = [path("signup/", SignUpView.as_view()), path("face/", include("faceauth.urls"))]
"""


def recipe(title):
    """Return the blocks under a heading."""
    text = guides.page(GUIDE)
    places = [*(each.start() for each in re.finditer("^## ", text, re.MULTILINE)), len(text)]
    (wanted,) = [
        text[one:other]
        for one, other in pairwise(places)
        if text[one:other].startswith(f"## {title}\n")
    ]
    return [each for each in guides.blocks(GUIDE) if each.text in wanted]


@pytest.fixture
def use(tmp_path, monkeypatch, settings):
    """Install a recipe: write its files, and use its settings and templates.

    The function returns a function that imports one of the recipe's modules.
    """
    monkeypatch.syspath_prepend(tmp_path)

    def put(title):
        named = [each for each in recipe(title) if each.path]
        guides.write([each for each in named if each.path != "mysite/settings.py"], tmp_path)
        (templates,) = settings.TEMPLATES
        settings.TEMPLATES = [{**templates, "DIRS": [tmp_path / "templates"]}]
        names = {"MIDDLEWARE": [*now.MIDDLEWARE]}
        for each in named:
            if each.path == "mysite/settings.py":
                exec(each.text, names)  # it is ours
        # Settings that the tests have already set stay, above all the challenge.
        names["FACEAUTH"] = {**settings.FACEAUTH, **names.get("FACEAUTH", {})}
        for name in filter(str.isupper, names):
            setattr(settings, name, names[name])
        return importlib.import_module

    yield put
    for name in [*sys.modules]:
        if name.split(".")[0] in ("mysite", "door", "compare"):
            del sys.modules[name]


def test_every_recipe_has_a_test():
    titles = re.findall("^## (.*)$", guides.page(GUIDE), re.MULTILINE)
    with open(__file__) as file:
        tested = file.read()
    assert [each for each in titles if f'"{each}"' not in tested] == []


def test_the_password_and_then_the_face(ask, client, obama, upload, use, settings):
    use("Password first, then face")
    settings.ROOT_URLCONF = "mysite.urls"
    settings.LOGIN_REDIRECT_URL = "/face/enrol/"
    page = client.get(LOGIN).text
    assert 'type="password"' in page and "data-faceauth=" not in page
    # By face alone, nobody.
    client.post(LOGIN, {"snapshot": upload("obama2"), "username": "obama"})
    assert username_of(client) is None
    # By the password alone, nothing.
    client.post(LOGIN, {"username": "obama", "password": PASSWORD})
    assert username_of(client) == "obama"
    assert client.get("/face/export/")["Location"].startswith(CONFIRM)
    assert ask(CONFIRM, snapshot=upload("biden"))[0] == 401
    assert client.get("/face/export/").status_code == 302
    assert ask(CONFIRM, snapshot=upload("obama2"))[0] == 200
    assert client.get("/face/export/").status_code == 200


def test_sign_up_with_a_face(ask, client, db, upload, use, tmp_path, settings):
    use("Sign up with a face")
    guides.write([guides.Block("python", "mysite/urls.py", SIGN_UP_URLS)], tmp_path)
    settings.ROOT_URLCONF, settings.LOGIN_REDIRECT_URL = "mysite.urls", "/"
    page = client.get("/signup/").text
    assert (
        'name="username"' in page and 'name="consent"' in page and 'data-faceauth="enrol"' in page
    )

    fields = {"username": "ada", "email": "ada@example.com", "consent": "on"}
    mixed = [upload("biden"), *(upload(name) for name in OBAMA[1:])]
    status, answer = ask("/signup/", **fields, snapshot=mixed)
    assert (status, answer["error"]["code"]) == (400, "not_same_person")
    assert not User.objects.exists()
    shots = [upload(name) for name in OBAMA]
    status, answer = ask("/signup/", **{**fields, "consent": ""}, snapshot=shots)
    assert (status, [*answer["error"]["fields"]]) == (400, ["consent"])

    shots = [upload(name) for name in OBAMA]
    status, answer = ask("/signup/", **fields, snapshot=shots)
    assert (status, answer["message"]) == (200, "Your account is ready.")
    assert username_of(client) == "ada"
    assert [each.kind for each in FaceEvent.objects.all()] == ["enrolled"]
    client.logout()
    assert ask(LOGIN, snapshot=upload("obama2"))[0] == 200


def test_the_face_before_a_payment(ask, client, obama, upload, use, tmp_path, settings):
    use("Ask for the face before a payment")
    guides.write([guides.Block("python", "mysite/urls.py", URLS)], tmp_path)
    guides.write([guides.Block("django", "templates/mysite/pay.html", "How much?")], tmp_path)
    settings.ROOT_URLCONF, settings.LOGIN_REDIRECT_URL = "mysite.urls", "/pay/"
    ask(LOGIN, snapshot=upload("obama2"))
    assert client.get("/pay/").text == "How much?"
    assert client.post("/pay/").text == "Paid."
    with time_machine.travel(time.time() + 150):
        assert client.post("/pay/")["Location"].startswith(CONFIRM)
        assert ask(CONFIRM, snapshot=upload("obama2"))[0] == 200
        assert client.post("/pay/").text == "Paid."


def test_a_door(live_server, obama, use):
    door = use("A door with a badge reader")("door")
    user = User.objects.create_user("door", "d@example.com", PASSWORD, is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="verify_face"))
    ours = door.Door(live_server.url, "door", PASSWORD)
    assert ours.opens_for("obama", picture("obama2")) is True
    assert ours.opens_for("obama", picture("biden")) is False
    assert ours.opens_for("nobody", picture("obama2")) is False


def test_a_guarded_door_takes_a_photo_where_logins_do_not(live_server, obama, use, settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "CHALLENGE": "auto"}
    door = use("A door with a badge reader")("door")
    user = User.objects.create_user("door", "d@example.com", PASSWORD, is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="verify_face"))
    ours = door.Door(live_server.url, "door", PASSWORD)
    assert ours.opens_for("obama", picture("obama2")) is True
    assert "faceauth.W020" in [each.id for each in run_checks()]


def test_people_from_a_script(ask, db, upload, use):
    people = use("People from a face_recognition script")("mysite.people")
    people.take_over("obama", [list(map(float, each)) for each in encodings("obama", "obama3")])
    assert ask(LOGIN, username="obama", snapshot=upload("obama2"))[0] == 200


def test_several_machines(use, monkeypatch):
    monkeypatch.setenv("REDIS_URL", "redis://localhost:6379/0")
    monkeypatch.setenv("FACE_KEYS", f"{'a' * 43}=,{'b' * 43}=")
    monkeypatch.setenv("FACE_TRANSFORM_KEY", f"{'c' * 43}=")
    use("Several machines")
    told = [each.id for each in run_checks() if each.id.startswith("faceauth.")]
    assert told == ["faceauth.W009"]  # the tests' site has no challenge


def test_an_encoder_of_ones_own(use, tmp_path, monkeypatch, settings):
    monkeypatch.setenv("OUR_NETWORK", str(support.network(tmp_path / "squares.onnx")))
    use("A custom encoder class")
    assert settings.FACEAUTH["CALIBRATION"] == "/srv/ours-calibration"
    folder = support.calibration(tmp_path / "own", "ours-1", size=64, limit=0.5)
    settings.FACEAUTH = {**settings.FACEAUTH, "CALIBRATION": folder}
    assert encoders.encoder().name == "ours-1"
    assert not [each for each in run_checks() if each.id.startswith("faceauth.E")]


def test_a_mail_to_the_managers(ask, obama, upload, use, settings):
    address = "porter@example.com"
    settings.MANAGERS = [address if django.VERSION >= (6,) else ("The porter", address)]
    receivers = use("Email the managers when a face is locked out")("mysite.receivers")
    settings.FACEAUTH = {**settings.FACEAUTH, "MAX_FAILURES": 1}
    try:
        ask(LOGIN, username="obama", snapshot=upload("biden"))
    finally:
        receivers.face_locked.disconnect(receivers.tell)
    (sent,) = [each for each in mail.outbox if "Face login" in each.subject]
    assert "locked out: obama" in sent.body


def test_two_photos_without_a_site(use, tmp_path):
    compare = use("Compare two photos without a site")("compare")
    for name in ("obama", "obama2", "biden"):
        (tmp_path / f"{name}.jpg").write_bytes(picture(name))
    assert compare.distance(tmp_path / "obama.jpg", tmp_path / "obama2.jpg") < 0.4
    assert compare.distance(tmp_path / "obama.jpg", tmp_path / "biden.jpg") > 0.6
