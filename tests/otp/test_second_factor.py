"""Where another app adds a second factor, a check and other URLs keep the login from it."""

from __future__ import annotations

import pytest
from django.core.checks import run_checks
from django.http import HttpResponse
from django.urls import clear_url_caches, include, path
from django_otp.decorators import otp_required
from django_otp.plugins.otp_static.models import StaticDevice

from faceauth import checks
from faceauth.urls import app_name
from faceauth.urls import urlpatterns as faces
from tests.projects.otp.urls import urlpatterns as pages
from tests.support import guides
from tests.support.accounts import PASSWORD, logged_in

LOGIN = "/face/login/"


def login_page(request):
    return HttpResponse("Your password and your token, please.")


urlpatterns = [*pages]


@pytest.fixture(autouse=True)
def on_any_device(settings):
    """Let faces log in where their owners have not trusted the browser."""
    settings.FACEAUTH = {**settings.FACEAUTH, "UNKNOWN_DEVICES": "allow"}


@pytest.fixture(params=["page", "faceauth.otp"])
def hooked(request, settings):
    """The view of docs/customise.md in the place of ours, or the URLs that the hint names."""
    if request.param == "page":
        names = {"__name__": "mysite.views"}
        (block,) = [
            each for each in guides.blocks("customise.md") if each.path.endswith("second_factor.py")
        ]
        exec(block.text, names)  # it is ours
        view = names["LoginView"].as_view()
        included = [path("login/", view, name="login"), *faces], app_name
    else:
        (warning,) = checks.check_login_view(None)
        assert "faceauth.otp.urls" in warning.hint
        included = "faceauth.otp.urls"
    urlpatterns[:] = [
        path("face/", include(included)),
        path("two/", include(([path("login/", login_page, name="login")], "two_factor"))),
        *pages,
    ]
    settings.LOGIN_URL = "two_factor:login"
    clear_url_caches()
    settings.ROOT_URLCONF = __name__
    yield
    urlpatterns[:] = pages


@pytest.fixture
def protected(obama):
    """Obama, who has a device for tokens."""
    StaticDevice.objects.create(user=obama, name="paper")
    return obama


def test_login_page_of_ours_is_a_warning(settings):
    settings.SILENCED_SYSTEM_CHECKS = []
    (warning,) = checks.check_login_view(None)
    assert warning.id == "faceauth.W026"
    assert "'django_otp'" in warning.msg
    assert warning in run_checks()


def test_nothing_else_is_wrong_with_the_project():
    told = {each.id for each in run_checks() if not each.is_silenced()}
    assert told <= {"faceauth.W007", "faceauth.W009", "faceauth.W014"}


def test_without_the_lines_the_token_is_bypassed(client, protected, ask, upload):
    assert ask(LOGIN, snapshot=upload("obama2"))[0] == 200
    assert logged_in(client) == "obama"


def test_with_them_nobody_who_has_a_token_comes_in_without_it(
    client, hooked, protected, ask, upload
):
    assert checks.check_login_view(None) == []
    for data in {"snapshot": upload("obama2")}, {"username": "obama", "password": PASSWORD}:
        status, answer = ask(LOGIN, **data)
        assert (status, client.get(answer["next"]).status_code) == (200, 200)
        assert answer["next"].partition("?")[0] == "/two/login/"
        assert logged_in(client) is None
        assert "Welcome" not in answer["message"]


def test_with_them_everybody_else_comes_in(client, hooked, obama, ask, upload):
    assert ask(LOGIN, snapshot=upload("obama2"))[0] == 200
    assert logged_in(client) == "obama"


def test_user_without_a_token_is_not_led_round_in_circles(client, settings, obama):
    secret = path("secret/", otp_required(login_page))
    urlpatterns[:] = [secret, *pages]
    clear_url_caches()
    settings.ROOT_URLCONF = __name__
    client.force_login(obama, "django.contrib.auth.backends.ModelBackend")
    page = client.get("/secret/", follow=True)
    urlpatterns[:] = pages
    assert page.redirect_chain == [(f"{LOGIN}?next=/secret/", 302)]
    assert "this account has no access to that page" in page.text


def test_project_without_our_login_page_is_passed_over(settings):
    settings.ROOT_URLCONF = "django.contrib.auth.urls"
    assert checks.check_login_view(None) == []
