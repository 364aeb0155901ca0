"""The site's URLs."""

from __future__ import annotations

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.forms import AdminAuthenticationForm
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import include, path
from django.views.generic import TemplateView

from accounts.views import MembersView
from faceauth.forms import PasswordLimitMixin
from faceauth.middleware import session_not_saved

from . import dev_mail


class AdminPasswordForm(PasswordLimitMixin, AdminAuthenticationForm):
    """Log in staff by password, with the limit on wrong ones that the login page has."""


# `FaceAdminSite` has such a form; Django's own admin has no limit.
admin.site.login_form = admin.site.login_form or AdminPasswordForm


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Return the error page without reading the request, or 503 if the database is down.

    Django's own view reads the request again, and fails on one that cannot be parsed.
    """
    unavailable = session_not_saved(request, exception)
    return unavailable or HttpResponseBadRequest(render_to_string("400.html"))


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Return the error page. Django's own view reads the request, as for `bad_request`."""
    return render(request, "404.html", status=404)


handler400 = bad_request
handler404 = page_not_found
handler500 = "faceauth.middleware.server_error"

urlpatterns = [
    path("", TemplateView.as_view(template_name="home.html"), name="home"),
    path("members/", MembersView.as_view(), name="members"),
    path("accounts/", include("accounts.urls")),
    path("face/", include("faceauth.urls")),
    path("admin/", admin.site.urls),
]
if settings.DEV_MAIL:
    urlpatterns.append(path("dev/mail/", dev_mail.mails, name="dev_mail"))
