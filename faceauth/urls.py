from __future__ import annotations

from django.urls import path

from . import views

app_name = "faceauth"

urlpatterns = [
    path("login/", views.LoginView.as_view(), name="login"),
    path("forget/", views.ForgetDeviceView.as_view(), name="forget"),
    path("preview/", views.PreviewView.as_view(), name="preview"),
    path("enrol/", views.EnrolView.as_view(), name="enrol"),
    path("remove/", views.RemoveView.as_view(), name="remove"),
]
