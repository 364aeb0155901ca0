"""docs/customise.md: what a project changes from outside, by the files that stand there."""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path

import pytest
from django.conf import settings as now
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import AnonymousUser, Group
from django.core.checks import run_checks
from django.template import engines
from django.template.loader import render_to_string

from accounts.models import User
from faceauth import views
from faceauth.models import FaceEvent
from faceauth.signals import face_login_failed
from tests.site.conftest import PASSWORD, username_of
from tests.site.test_verification import log_in
from tests.support import catalogues, guides

GUIDE = "customise.md"
LOGIN = "/face/login/"
APP = Path(views.__file__).parent

BASE = """
{% extends "faceauth/login.html" %}
{% block title %}Who is there?{% endblock %}
{% block head %}{{ block.super }}<meta name="head" content="ours">{% endblock %}
{% block help %}<p>The help.</p>{% endblock %}
{% block footer %}<footer>The end.</footer>{% endblock %}
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """The guide's files in a folder, as a package `mysite` that can be imported."""
    named = [each for each in guides.blocks(GUIDE) if each.path]
    guides.write([each for each in named if each.path != "mysite/settings.py"], tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in [each for each in sys.modules if each.split(".")[0] == "mysite"]:
        del sys.modules[name]


@pytest.fixture
def templates(project, settings):
    """The project's templates first; `templates()` leaves out the site's own."""

    def use(*, sites_own: bool = False) -> Path:
        (now,) = settings.TEMPLATES
        others = now["DIRS"] if sites_own else []
        settings.TEMPLATES = [{**now, "DIRS": [project / "templates", *others]}]
        return project / "templates"

    return use


@pytest.fixture
def backend(project, settings):
    """The project's backend in use."""
    (block,) = [each for each in guides.blocks(GUIDE) if each.path == "mysite/settings.py"]
    names = {}
    exec(block.text, names)  # it is ours
    settings.AUTHENTICATION_BACKENDS = names["AUTHENTICATION_BACKENDS"]


def test_pages_go_into_the_sites_own_and_a_template_extends_the_one_it_replaces(
    client, db, templates
):
    templates(sites_own=True)
    page = client.get(LOGIN).text
    assert "Call the porter: 1234." in page
    assert '<link rel="stylesheet" href="/static/mysite/face.css">' in page
    assert "faceauth/capture.js" in page
    assert 'class="header"' in page


@pytest.mark.parametrize(
    "base",
    [
        "<head>{% block head %}<i></i>{% endblock %}</head>{% block content %}{% endblock %}",
        "<head><i></i></head>{% block content %}{% endblock %}",
    ],
    ids=["with a head", "without one"],
)
def test_pages_need_only_a_block_for_their_content(client, db, templates, base):
    folder = templates()
    (folder / "base.html").write_text(base)
    page = client.get(LOGIN).text
    for asset in "faceauth/capture.css", "faceauth/pages.css", "data-faceauth-toasts>":
        assert page.count(asset) == 1
    assert page.count("faceauth/capture.js") == 1
    if "block head" in base:
        assert "<i>" in page
        assert page.index("capture.css") < page.index("</head>")
    assert '<div class="faceauth-main">' in page


def test_page_runs_from_right_to_left_where_its_language_does(
    client, db, templates, settings, tmp_path
):
    def page(language):
        return client.get(LOGIN, HTTP_ACCEPT_LANGUAGE=language).text

    (templates() / "faceauth" / "base.html").unlink()
    settings.LANGUAGES = [("ar", "Arabic"), ("en", "English")]
    assert "dir=" not in page("ar")  # it is in English
    catalogues.write(tmp_path, "ar", {})
    settings.LOCALE_PATHS = [tmp_path]
    assert page("ar").count('<html lang="ar" dir="rtl">') == 1
    assert "dir=" not in page("en")


def test_title_head_help_and_footer_of_the_apps_own_pages(client, db, templates):
    folder = templates()
    (folder / "faceauth/base.html").unlink()
    (folder / "faceauth/login.html").write_text(BASE)
    page = " ".join(client.get(LOGIN).text.split())
    assert re.search(r"<title>\s*Who is there\?\s*</title>", page)
    head, body = page.split("</head>")
    assert '<meta name="head" content="ours">' in head and "faceauth/capture.css" in head
    assert body.index("<form") < body.index("The help.") < body.index("</main>")
    assert body.index("</main>") < body.index("<footer>The end.</footer>")


def test_buttons_have_the_classes_of_the_site(client, db, settings):
    classes = {"primary": "btn btn-primary", "secondary": "btn"}
    settings.FACEAUTH = {**settings.FACEAUTH, "BUTTON_CLASSES": classes}
    page = client.get(LOGIN).text
    assert re.search(r'class="btn btn-primary">\s*Log in with this picture', page)
    assert re.search(r'class="btn">\s*Log in with password', page)
    assert "faceauth-button" not in page


def test_site_that_shows_no_messages_gets_none(client, obama, settings):
    form = {"username": "obama", "password": PASSWORD}
    assert "Welcome back, obama." in client.post(LOGIN, form, follow=True).text
    settings.FACEAUTH = {**settings.FACEAUTH, "MESSAGES": False}
    assert "Welcome back" not in client.post(LOGIN, form, follow=True).text


class EmailBackend(ModelBackend):
    """Finds users by their email address."""

    def authenticate(self, request, username=None, password=None, **kwargs):
        return None


def test_labels_say_what_people_type(client, db, settings):
    def labels():
        return re.findall(r'<label for="(?:id_username|id_face_username)">([^<]+)<', page())

    def page():
        return client.get(LOGIN).text

    def asked():
        return re.search(r"<summary>\s*([^<]+?)\s*</summary>", page())[1]

    assert labels() == ["Username or email", "Username"]
    assert asked() == "Enter your username or email as well"
    settings.AUTHENTICATION_BACKENDS = [f"{__name__}.EmailBackend", *now.AUTHENTICATION_BACKENDS]
    assert labels() == ["Username or email", "Username or email"]
    settings.FACEAUTH = {**settings.FACEAUTH, "LOGIN_FIELDS": ["email__iexact"]}
    assert labels() == ["Email address", "Email address"]
    assert asked() == "Enter your email address as well"
    settings.FACEAUTH = {**settings.FACEAUTH, "LOGIN_FIELDS": []}
    assert labels() == ["Username", "Username"]
    assert asked() == "Enter your username as well"


def test_errors_name_what_people_type(client, db, settings):
    settings.FACEAUTH = {
        **settings.FACEAUTH,
        "LOGIN_FIELDS": ["email__iexact"],
        "FACE_ALONE": False,
    }
    page = client.post(LOGIN).text
    assert "Enter your email address as well." in page
    assert "Enter your email address, then look into the camera." in page


def test_links_to_set_up_renew_and_remove_a_face(client, obama, rf):
    def links(user):
        request = rf.get("/")
        request.user = user
        text = "{% load faceauth %}{% face_settings_link classes='btn' %}"
        page = engines["django"].from_string(text).render(request=request)
        return re.findall(r'class="faceauth-settings btn"\s+href="([^"]+)">([^<]+)<', page)

    assert links(AnonymousUser()) == []
    assert links(User(username="eve")) == [("/face/enrol/", "Set up face login")]
    renew, remove = ("/face/enrol/", "Renew your face"), ("/face/remove/", "Remove your face")
    assert links(obama) == [renew, remove]


def test_every_block_is_in_the_guide_and_nothing_else():
    told = set()
    for names, where in re.findall(r"^\| (`[^|]+`) \| ([^|]+) \| [^|]+ \|$", text(), re.MULTILINE):
        if files := re.findall(r"`([\w.]+\.html)`", where) or ["base.html"] * (
            where == "all pages"
        ):
            told |= {(file, name) for file in files for name in re.findall(r"`(\w+)`", names)}
    there = {
        ("base.html" if path.name == "page.html" else path.name, name)
        for path in (APP / "templates/faceauth").glob("*.html")
        for name in re.findall(r"{% block (\w+) %}", path.read_text())
    }
    of_all = {name for file, name in there if file == "base.html"}
    there = {each for each in there if each[0] == "base.html" or each[1] not in of_all}
    assert told == there


def test_every_custom_property_is_in_the_guide_and_nothing_else():
    style = (APP / "static/faceauth/capture.css").read_text()
    assert set(re.findall(r"--faceauth-[\w-]+", text())) == set(
        re.findall(r"^ +(--faceauth-[\w-]+):", style, re.MULTILINE)
    )


def test_every_event_is_in_the_guide_and_nothing_else():
    scripts = "".join(each.read_text() for each in (APP / "static/faceauth").glob("*.js"))
    documented = set(re.findall(r"^\| `faceauth:(\w+)`", text(), re.MULTILINE))
    assert documented == set(re.findall(r"\bemit\((?:this\.#)?root, \"(\w+)\"", scripts))


def test_a_view_of_their_own(ask, client, obama, templates, upload, settings):
    folder = templates()
    (folder / "mysite/login.html").write_text('{% extends "faceauth/login.html" %}')
    settings.ROOT_URLCONF = "mysite.urls"
    (folder / "faceauth/base.html").unlink()
    assert "mysite/login.html" in [each.name for each in client.get(LOGIN).templates]
    status, answer = ask(LOGIN, snapshot=upload("obama2"))
    assert (status, answer["message"], answer["next"]) == (200, "Good morning, obama.", "/")
    client.logout()
    obama.is_staff = True
    obama.save()
    assert ask(LOGIN, snapshot=upload("obama2"))[1]["next"] == "/desk/"


def test_a_backend_of_their_own_refuses_whom_it_likes(ask, client, obama, backend, upload):
    assert not [each for each in run_checks() if each.id.startswith("faceauth.E")]
    assert ask(LOGIN, snapshot=upload("obama2"))[0] == 200
    assert username_of(client) == "obama"
    assert client.get("/members/").status_code == 200

    obama.groups.add(Group.objects.create(name="Left"))
    assert client.get("/members/").status_code == 302
    client.logout()
    for name in ("", "obama"):
        status, answer = ask(LOGIN, username=name, snapshot=upload("obama2"))
        assert (status, answer["error"]["code"]) == (401, "not_recognised")
    assert {each.outcome for each in FaceEvent.objects.filter(kind="refused")} == {"inactive"}


def test_a_backend_of_their_own_answers_the_kiosk_as_well(ask, client, obama, backend, upload):
    log_in(client, "kiosk")
    question = {"username": "obama", "snapshot": upload("obama2")}
    assert ask("/face/verify/", **question)[1] == {"verified": True}
    obama.groups.add(Group.objects.create(name="Left"))
    question["snapshot"] = upload("obama2")
    assert ask("/face/verify/", **question)[1] == {"verified": False}


def test_a_backend_of_their_own_finds_members_by_their_numbers(
    ask, client, enrolled, project, settings, upload
):
    *others, _ours = settings.AUTHENTICATION_BACKENDS
    settings.AUTHENTICATION_BACKENDS = [*others, "mysite.member_names.MemberBackend"]
    enrolled("member7", "obama", "obama3")
    assert ask(LOGIN, username="member7", snapshot=upload("obama2"))[0] == 401
    assert ask(LOGIN, username="M-007", snapshot=upload("obama2"))[0] == 200
    assert username_of(client) == "member7"


def test_a_receiver_of_their_own(ask, obama, project, upload):
    module = importlib.import_module("mysite.receivers")
    try:
        ask(LOGIN, snapshot=upload("biden"))
        ask(LOGIN, username="obama", snapshot=upload("biden"))
    finally:
        face_login_failed.disconnect(module.note)
    assert module.refused == [(None, "too_far"), (obama, "too_far")]


def test_the_link_on_a_page_of_their_own(rf, templates):
    templates()
    link = render_to_string("mysite/welcome.html", request=rf.get("/?next=/desk/"))
    assert re.search(r'class="faceauth-login btn"\s+href="/face/login/\?next=%2Fdesk%2F"', link)
    assert "By face" in link


def text():
    return guides.page(GUIDE)
