"""What the checks say of a project's URLs, base template and user admin."""

from __future__ import annotations

import pytest
from django.conf.urls.i18n import i18n_patterns
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import User
from django.contrib.staticfiles.storage import StaticFilesStorage
from django.core.checks import run_checks
from django.http import HttpResponse
from django.urls import include, path, re_path, set_script_prefix

from faceauth import checks
from faceauth.admin import FaceAdminMixin
from faceauth.urls import app_name
from faceauth.urls import urlpatterns as faces
from faceauth.views import LoginView


def page(request, **parts):
    return HttpResponse("A page.")


FACES = path("face/", include("faceauth.urls"))
EVERYTHING = re_path(r"^(?P<page>.*)$", page)
OWN = path("login/", LoginView.as_view(template_name="mysite/login.html"), name="login")


def ids():
    return {each.id for each in run_checks()}


@pytest.mark.parametrize(
    "patterns",
    [
        (FACES, EVERYTHING),
        (path("face/", page), FACES),
        (path("face/", include(([OWN, *faces], app_name))),),
        (path("face/", include((faces, app_name), namespace="mine")),),
        tuple(i18n_patterns(FACES)),
    ],
)
def test_login_page_that_is_reached_is_passed_over(settings, patterns):
    settings.ROOT_URLCONF = patterns
    assert checks.check_login_url(None) == []


def test_site_below_a_prefix_is_passed_over():
    set_script_prefix("/portal/")
    try:
        assert checks.check_login_url(None) == []
        assert checks.check_login_template(None) == []
    finally:
        set_script_prefix("/")


@pytest.mark.parametrize(
    ("patterns", "by"),
    [
        ((EVERYTHING, FACES), "'^(?P<page>.*)$' matches it first"),
        ((path("face/<slug:name>/", page), FACES), "'face/<slug:name>/' matches it first"),
        ((path("", include([EVERYTHING])), FACES), "matches it first"),
    ],
)
def test_login_page_behind_another_pattern_is_an_error(settings, patterns, by):
    settings.ROOT_URLCONF = patterns
    (error,) = checks.check_login_url(None)
    assert error.id == "faceauth.E020"
    assert "/face/login/ does not lead to the login page" in error.msg
    assert by in error.msg
    assert "before a pattern that matches everything" in error.hint
    # There is no page of ours to look at.
    assert checks.check_login_template(None) == []


def test_urls_that_are_left_out_are_an_error(settings):
    settings.ROOT_URLCONF = (EVERYTHING,)
    (error,) = checks.check_login_url(None)
    assert error.id == "faceauth.E020"
    assert 'include("faceauth.urls")' in error.hint
    assert checks.check_login_template(None) == []


@pytest.mark.parametrize("given", ["/accounts/profile/", "profile"])
def test_login_that_leads_to_no_page_is_a_warning(settings, given):
    """A new project has neither Django's default page nor a setting."""
    settings.LOGIN_REDIRECT_URL = given
    (warning,) = checks.check_next_page(None)
    assert warning.id == "faceauth.W030"
    assert f"leads to {given!r}, where no page is" in warning.msg
    assert '"faceauth:devices"' in warning.hint
    # There is no login page to lead on from.
    settings.ROOT_URLCONF = (EVERYTHING,)
    assert checks.check_next_page(None) == []


@pytest.mark.parametrize(
    "given",
    ["/", "/admin?from=login", "faceauth:devices", "https://example.com/", "//example.com/home"],
)
def test_login_that_leads_to_a_page_is_passed_over(settings, given):
    settings.LOGIN_REDIRECT_URL = given
    assert checks.check_next_page(None) == []


def test_page_below_a_language_is_passed_over(settings):
    settings.ROOT_URLCONF = (FACES, *i18n_patterns(path("home/", page)))
    settings.LOGIN_REDIRECT_URL = "/home/"
    assert checks.check_next_page(None) == []


HEAD = "{% block head %}{% endblock %}"
CONTENT = "{% block content %}{% endblock %}"


@pytest.fixture
def base(settings):
    """Put the pages into a base template of the project."""

    def use(text, faces='{% extends "base.html" %}'):
        (now,) = settings.TEMPLATES
        files = {"base.html": text, "faceauth/base.html": faces}
        loaders = [
            ("django.template.loaders.locmem.Loader", files),
            "django.template.loaders.app_directories.Loader",
        ]
        options = {**now["OPTIONS"], "loaders": loaders}
        settings.TEMPLATES = [{**now, "APP_DIRS": False, "OPTIONS": options}]
        return checks.check_login_template(None)

    return use


@pytest.mark.parametrize("head", [HEAD, ""])
def test_base_template_with_all_that_the_pages_need_is_passed_over(base, client, db, head):
    assert base(head + CONTENT) == []
    assert "faceauth/capture.js" in client.get("/face/login/").text


@pytest.mark.parametrize(
    ("text", "missing"),
    [(HEAD, "the camera, its script"), ("Nothing.", "the camera, its script, its styles")],
)
def test_base_template_that_leaves_something_out_is_a_warning(base, db, text, missing):
    (warning,) = base(text)
    assert warning.id == "faceauth.W029"
    assert warning.msg == f"faceauth/login.html is rendered without {missing}."
    assert "a block 'content'" in warning.hint
    assert "faceauth.W029" in ids()


@pytest.mark.parametrize("faces", ['{% extends "gone.html" %}', "{% block content %}"])
def test_base_template_that_cannot_be_rendered_is_a_warning(base, faces):
    (warning,) = base("", faces)
    assert warning.id == "faceauth.W029"
    assert "The login page cannot be rendered: Template" in warning.msg


def test_base_template_that_asks_the_database_is_passed_over(base):
    """Without a database there is no page to judge by."""
    assert base("{% load admin_list log %}{% get_admin_log 1 as log %}{{ log.0 }}") == []


class Hashed(StaticFilesStorage):
    def url(self, name):
        return super().url(name.replace(".", ".1a2b3c4d5e6f.", 1))


def test_names_of_files_with_a_hash_are_known(settings):
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": f"{__name__}.Hashed"}}
    assert checks.check_login_template(None) == []


def test_user_admin_of_the_project_without_faces_is_told(monkeypatch):
    assert checks.check_user_admin(None) == []  # Django's own has them

    class StaffAdmin(UserAdmin):
        pass

    monkeypatch.setitem(admin.site._registry, User, StaffAdmin(User, admin.site))
    (info,) = checks.check_user_admin(None)
    assert info.id == "faceauth.I002"
    assert "StaffAdmin does not show the faces of users." in info.msg
    assert "class StaffAdmin(faceauth.admin.FaceAdminMixin" in info.hint

    class FaceStaffAdmin(FaceAdminMixin, UserAdmin):
        pass

    monkeypatch.setitem(admin.site._registry, User, FaceStaffAdmin(User, admin.site))
    assert checks.check_user_admin(None) == []


def test_project_without_the_admin_is_passed_over(settings):
    settings.INSTALLED_APPS = [
        each for each in settings.INSTALLED_APPS if each != "django.contrib.admin"
    ]
    assert checks.check_user_admin(None) == []


def test_nothing_of_this_is_wrong_with_the_project(db):
    assert not ids() & {"faceauth.E020", "faceauth.W029", "faceauth.I002"}
