"""The URLs of accounts."""

from __future__ import annotations

from django.contrib.auth import views as auth_views
from django.urls import path

from faceauth.views import LogoutView

from . import leaving, views

app_name = "accounts"

urlpatterns = [
    path("signup/", views.SignUpView.as_view(), name="signup"),
    path("signup/code/", views.SignUpCodeView.as_view(), name="signup_code"),
    path("profile/", views.ProfileView.as_view(), name="profile"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("logout-everywhere/", leaving.LogOutEverywhereView.as_view(), name="log_out_everywhere"),
    path("delete/", leaving.DeleteAccountView.as_view(), name="delete"),
    path("password-change/", views.PasswordChangeView.as_view(), name="password_change"),
    path("password-reset/", views.PasswordResetView.as_view(), name="password_reset"),
    path(
        "password-reset/done/",
        auth_views.PasswordResetDoneView.as_view(template_name="accounts/password_reset_done.html"),
        name="password_reset_done",
    ),
    path(
        "password-reset/<uidb64>/<token>/",
        views.PasswordResetConfirmView.as_view(),
        name="password_reset_confirm",
    ),
    path(
        "password-reset/complete/",
        auth_views.PasswordResetCompleteView.as_view(
            template_name="accounts/password_reset_complete.html"
        ),
        name="password_reset_complete",
    ),
]
