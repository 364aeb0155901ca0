"""The site's URLs, and a sign-up with the face."""

from __future__ import annotations

from django.urls import path

from config.urls import *  # noqa: F403
from config.urls import urlpatterns as site

from .signup import SignUpView

urlpatterns = [*site, path("signup/", SignUpView.as_view(), name="sign_up_with_face")]
