"""The app's URLs; include them under a prefix such as ``face/``."""

from __future__ import annotations

from django.urls import path

from . import api, views
from .operations import health

app_name = "faceauth"

urlpatterns = [
    path("login/", views.LoginView.as_view(), name="login"),
    path("forget/", views.ForgetDeviceView.as_view(), name="forget"),
    path("challenge/", views.ChallengeView.as_view(), name="challenge"),
    path("preview/", views.PreviewView.as_view(), name="preview"),
    path("confirm/", views.ConfirmView.as_view(), name="confirm"),
    path("whoami/", api.WhoAmIView.as_view(), name="whoami"),
    path("verify/", api.VerifyView.as_view(), name="verify"),
    path("enrol/", views.EnrolView.as_view(), name="enrol"),
    path("notice/", views.NoticeView.as_view(), name="notice"),
    path("export/", views.ExportView.as_view(), name="export"),
    path("remove/", views.RemoveView.as_view(), name="remove"),
    path("health/", health.live, name="health"),
    path("health/ready/", health.ready, name="ready"),
]
