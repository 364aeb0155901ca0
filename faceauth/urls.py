"""The app's URLs; include them under a prefix such as ``face/``."""

from __future__ import annotations

from django.urls import path

from . import api, device_views, frames_view, privacy_views, views
from .operations import health

app_name = "faceauth"

urlpatterns = [
    path("login/", views.LoginView.as_view(), name="login"),
    path("logout/", views.LogoutView.as_view(), name="logout"),
    path("devices/", device_views.DevicesView.as_view(), name="devices"),
    path("devices/trust/", device_views.TrustView.as_view(), name="trust_device"),
    path("devices/<int:pk>/rename/", device_views.RenameView.as_view(), name="rename_device"),
    path("devices/<int:pk>/revoke/", device_views.RevokeView.as_view(), name="revoke_device"),
    path(
        "devices/revoke/<str:token>/",
        device_views.RevokeByMailView.as_view(),
        name="revoke_by_mail",
    ),
    path("frames/", frames_view.FramesView.as_view(), name="frames"),
    path("confirm/", views.ConfirmView.as_view(), name="confirm"),
    path("whoami/", api.WhoAmIView.as_view(), name="whoami"),
    path("verify/", api.VerifyView.as_view(), name="verify"),
    path("enrol/", views.EnrolView.as_view(), name="enrol"),
    path("notice/", privacy_views.NoticeView.as_view(), name="notice"),
    path("export/", privacy_views.ExportView.as_view(), name="export"),
    path("remove/", privacy_views.RemoveView.as_view(), name="remove"),
    path(
        "remove/by-email/",
        privacy_views.RemoveByEmailView.as_view(),
        name="remove_by_email",
    ),
    path(
        "remove/by-email/<str:token>/",
        privacy_views.PlanRemovalView.as_view(),
        name="plan_removal",
    ),
    path("remove/cancel/", privacy_views.CancelRemovalView.as_view(), name="cancel_removal"),
    path(
        "remove/cancel/<str:token>/",
        privacy_views.CancelByMailView.as_view(),
        name="cancel_by_mail",
    ),
    path("health/", health.live, name="health"),
    path("health/ready/", health.ready, name="ready"),
]
