"""Run each recipe of docs/recipes.md with real faces."""

from __future__ import annotations

import importlib
import os
import re
import shlex
import shutil
import ssl
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path
from urllib.request import urlopen

import django
import pytest
import time_machine
from django.conf import settings as now
from django.contrib.auth.models import Permission
from django.core import mail
from django.core.checks import run_checks
from django.core.management import call_command

from accounts.models import User
from faceauth import conf
from faceauth.models import FaceEvent
from faceauth.recognition import encoders
from tests.site.conftest import PASSWORD, username_of
from tests.support import encoders as support
from tests.support import guides
from tests.support.people import OBAMA, encodings, picture
from tests.support.servers import Server

ROOT = Path(__file__).parents[2]
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
    # The others need packages that the site does not have.
    others = ("tests/package/test_tokens.py", "tests/package/frameworks.py")
    files = (Path(__file__), *(ROOT / each for each in others))
    tested = "".join(file.read_text() for file in files)
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


def test_a_folder_of_photos_and_who_is_in_pictures(db, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shown = {"badges/ada/1.jpg": "obama", "badges/ada/2.jpg": "obama3", "party/1.jpg": "obama2"}
    for path, name in shown.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(picture(name))
    for command, enrolled in zip(commands("A folder of badge photos"), ([], ["ada"]), strict=True):
        call_command(*command, processes=1)
        assert [str(each) for each in User.objects.all() if each.has_face] == enrolled
    assert User.objects.get().email == "ada@example.com"
    for command in commands("Who is in these pictures"):
        call_command(*command, processes=1)
        results = tmp_path / "named/results.csv"
        assert ",accepted,ada," in results.read_text()
        results.unlink()


def commands(title):
    """Return the commands of a recipe, and their arguments."""
    (block,) = recipe(title)
    return [shlex.split(line)[2:] for line in block.text.splitlines()]


def test_a_front_end_served_by_the_site(client, use, tmp_path, settings):
    settings.BASE_DIR = tmp_path
    shutil.copytree(ROOT / "examples/frontend", tmp_path / "frontend")
    use("A single-page front end")
    settings.ROOT_URLCONF = "mysite.urls"
    page = client.get("/app/")
    assert page["Content-Type"] == "text/html"
    (script,) = re.findall(r'<script type="module" src="(\S+)">', read(page))
    answer = client.get(f"/app/{script}")
    assert answer["Content-Type"] in ("text/javascript", "application/javascript")
    assert read(answer) == (ROOT / "examples/frontend" / script).read_text()
    # The browser's tests go through its login.
    assert client.get("/face/whoami/").status_code == 200


def read(answer):
    return b"".join(answer).decode()


def test_policy_is_that_of_the_example_site(client, settings):
    django6, django5 = recipe("An enforced Content Security Policy")
    block = django6 if django.VERSION >= (6,) else django5
    names = {"MIDDLEWARE": [each for each in now.MIDDLEWARE if "csp" not in each.lower()]}
    exec(block.text, names)  # it is ours
    before = client.get(LOGIN)["Content-Security-Policy"]
    for name in filter(str.isupper, names):
        setattr(settings, name, {} if name != "MIDDLEWARE" else now.MIDDLEWARE)
        setattr(settings, name, names[name])
    after = client.get(LOGIN)["Content-Security-Policy"]
    assert sorted(after.split("; ")) == sorted(before.split("; "))
    # The other block says the same.
    assert django5.text.count("'self'") == django6.text.count("'self'")
    assert policies(django5) == policies(django6)


def policies(block):
    return re.findall(r'^ *("[\w-]+": \[.*\]),$', block.text, re.MULTILINE)


@pytest.mark.slow
def test_phone_gets_the_site_by_https(tmp_path):
    (block,) = recipe("A phone on your network")
    certificate, serve = (shlex.split(line) for line in block.text.splitlines())
    local = [each.replace("192.168.1.20", "127.0.0.1") for each in certificate]
    subprocess.run(local, cwd=tmp_path, check=True, capture_output=True)
    variable, _, *arguments = [each.replace("192.168.1.20", "127.0.0.1") for each in serve]
    command = [sys.executable, "-m", "gunicorn", *arguments]
    command[command.index("0.0.0.0:8443")] = "127.0.0.1:{port}"
    for name in ("cert.pem", "key.pem"):
        command[command.index(name)] = str(tmp_path / name)
    trusted = ssl.create_default_context(cafile=tmp_path / "cert.pem")

    def ask(path):
        url = f"https://127.0.0.1:{server.port}{path}"
        with urlopen(url, context=trusted, timeout=20) as answer:
            return answer.read().decode()

    def ready():
        try:
            return bool(ask("/face/whoami/"))
        except OSError:
            return False

    name, _, address = variable.partition("=")
    variables = {
        **{each: value for each, value in os.environ.items() if not each.startswith("DJANGO_")},
        name: address,
        "DEBUG": "true",
        "SECRET_KEY": "k" * 50,
        "DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3",
    }
    migrate = [sys.executable, "manage.py", "migrate", "--verbosity=0"]
    subprocess.run(migrate, cwd=ROOT, env=variables, check=True, capture_output=True)
    server = Server(command, variables, ready=ready)
    try:
        server.wait()
        (script,) = set(re.findall(r'src="(/static/faceauth/capture\.js)"', ask(LOGIN)))
        assert "import" in ask(script)
    finally:
        server.stop()


def test_proxies_let_everything_pass_that_the_site_takes():
    nginx, caddy = ((ROOT / "deploy" / name).read_text() for name in ("nginx.conf", "Caddyfile"))
    sizes = re.findall(r"client_(?:max_body|body_buffer)_size (\d+)m;", nginx)
    sizes += re.findall(r"max_size (\d+)MiB\n", caddy)
    assert [int(each) * 1024**2 for each in sizes] == 3 * [conf.get().MAX_UPLOAD_BYTES]
    headers = re.findall(r"proxy_set_header (\S+) (\S+);", nginx)
    assert dict(headers) == {
        "Host": "$host",
        "X-Forwarded-Proto": "$scheme",
        "X-Forwarded-For": "$proxy_add_x_forwarded_for",
    }
    for text in (nginx, caddy):
        assert text.count("{") == text.count("}") > 0
        assert text.count("127.0.0.1:8000") == 1
    # The recipe explains what is in the files.
    title = "nginx or Caddy in front of the site"
    recipe = guides.page(GUIDE).partition(f"## {title}\n")[2].partition("\n## ")[0]
    rows = [line.split("|")[1:3] for line in recipe.splitlines() if line.startswith("| `")]
    assert len(rows) == 5
    for cells in rows:
        for cell, text in zip(cells, (nginx, caddy), strict=True):
            assert [each for each in re.findall(r"`(\w+)`", cell) if each not in text] == []


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
