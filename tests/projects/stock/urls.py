from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import include, path


def home(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"Hello, {request.user}.")


urlpatterns = [
    path("admin/", admin.site.urls),
    path("face/", include("faceauth.urls")),
    path("", home),
]
