"""In place of `faceauth.urls`."""

from __future__ import annotations

from django.urls import path

from faceauth import urls

from . import views

app_name = urls.app_name

# What comes first is found first, in both directions.
urlpatterns = [each for each in urls.urlpatterns if each.name != "login"]
urlpatterns.append(path("login/", views.LoginView.as_view(), name="login"))
