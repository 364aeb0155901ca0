"""Users whom a page sends to the login although they are logged in."""

from __future__ import annotations

import pytest
from django.contrib.auth.decorators import login_required, permission_required
from django.contrib.auth.models import Permission
from django.http import HttpResponse
from django.urls import clear_url_caches, include, path

from faceauth.urls import app_name
from faceauth.urls import urlpatterns as faces
from faceauth.views import LoginView
from tests.projects.stock.urls import urlpatterns as stock
from tests.support.accounts import PASSWORD, account, logged_in

LOGIN, REPORTS = "/face/login/", "/reports/"
NO_ACCESS = "but this account has no access to that page"


def reports(request):
    return HttpResponse(f"Reports for {request.user}.")


pages = [
    path("reports/", permission_required("auth.view_user")(reports)),
    path("mine/", login_required(reports)),
    *stock,
]
urlpatterns = [*pages]


@pytest.fixture(autouse=True)
def project(settings):
    settings.ROOT_URLCONF = __name__


@pytest.fixture
def bob(db):
    return account("bob")


@pytest.fixture
def auditor(enrolled):
    user = enrolled("auditor", "obama", "obama3", password=PASSWORD)
    user.user_permissions.add(Permission.objects.get(codename="view_user"))
    return user


def test_user_without_the_permission_sees_the_page_and_why(client, bob):
    client.force_login(bob, "django.contrib.auth.backends.ModelBackend")
    page = client.get(REPORTS, follow=True)
    assert page.redirect_chain == [(f"{LOGIN}?next={REPORTS}", 302)]
    assert page.status_code == 200
    assert f"You are logged in as <b>bob</b>, {NO_ACCESS}." in page.text
    assert f'<a href="{REPORTS}">try again</a>' in page.text
    # A camera that goes on would log the same user in, and lead round in circles.
    assert "data-on-request" in page.text


@pytest.mark.parametrize("by_face", [True, False])
def test_another_account_goes_on_to_the_page(client, bob, auditor, upload, by_face):
    client.force_login(bob, "django.contrib.auth.backends.ModelBackend")
    form = {"username": "auditor", "next": REPORTS}
    form |= {"snapshot": upload("obama2")} if by_face else {"password": PASSWORD}
    page = client.post(LOGIN, form, follow=True)
    assert page.redirect_chain == [(REPORTS, 302)]
    assert page.text == "Reports for auditor."


def test_user_who_came_by_themselves_can_go_on(client, bob):
    client.force_login(bob, "django.contrib.auth.backends.ModelBackend")
    page = client.get(LOGIN).text
    assert "You are logged in as <b>bob</b>. Log in" in page
    assert '<a href="/">continue</a>' in page
    assert NO_ACCESS not in page


def test_visitor_is_told_nothing_of_accounts(client, db):
    page = client.get(REPORTS, follow=True).text
    assert "You are logged in as" not in page
    assert "data-on-request" not in page


def test_link_to_another_site_is_not_offered(client, bob):
    client.force_login(bob, "django.contrib.auth.backends.ModelBackend")
    assert "evil.example" not in client.get(f"{LOGIN}?next=https://evil.example/").text


@pytest.fixture
def redirecting():
    """A project that redirects those who are logged in, as the attribute of Django's view does."""
    view = LoginView.as_view(redirect_authenticated_user=True)
    own = [path("login/", view, name="login"), *faces]
    urlpatterns[:] = [path("face/", include((own, app_name))), *pages]
    clear_url_caches()
    yield
    urlpatterns[:] = pages
    clear_url_caches()


def test_project_can_redirect_them_as_with_djangos_view(client, bob, redirecting):
    client.force_login(bob, "django.contrib.auth.backends.ModelBackend")
    assert client.get(f"{LOGIN}?next=/mine/", follow=True).text == "Reports for bob."
    assert client.get(LOGIN)["Location"] == "/"
    client.logout()
    assert client.get(LOGIN).status_code == 200
    assert logged_in(client) is None
