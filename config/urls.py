from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import include, path
from django.views.generic import TemplateView

from accounts.views import MembersView


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's own reads what was sent there, and fails over what cannot be read."""
    return render(request, "404.html", status=404)


handler404 = page_not_found
handler500 = "faceauth.middleware.server_error"

urlpatterns = [
    path("", TemplateView.as_view(template_name="home.html"), name="home"),
    path("members/", MembersView.as_view(), name="members"),
    path("accounts/", include("accounts.urls")),
    path("face/", include("faceauth.urls")),
    path("admin/", admin.site.urls),
]
