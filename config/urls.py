from __future__ import annotations

from django.contrib import admin
from django.urls import include, path
from django.views.generic import TemplateView

from accounts.views import MembersView

handler500 = "faceauth.middleware.server_error"

urlpatterns = [
    path("", TemplateView.as_view(template_name="home.html"), name="home"),
    path("members/", MembersView.as_view(), name="members"),
    path("accounts/", include("accounts.urls")),
    path("face/", include("faceauth.urls")),
    path("admin/", admin.site.urls),
]
