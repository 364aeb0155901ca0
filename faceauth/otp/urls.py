"""The URLs to include instead of `faceauth.urls`."""

from __future__ import annotations

from django.urls import path

from faceauth import urls

from . import views

app_name = urls.app_name

# A URL and a name resolve to the first pattern, so the former login view is left out.
urlpatterns = [each for each in urls.urlpatterns if each.name != "login"]
urlpatterns.append(path("login/", views.LoginView.as_view(), name="login"))
