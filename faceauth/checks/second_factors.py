"""Check that the login page does not bypass the second factor that another app adds."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, Tags, Warning, register
from django.urls import NoReverseMatch

from faceauth import views
from faceauth.setup import find_second_factor

from .project import login_match
from .settings import Configs


@register(Tags.security)
def check_login_view(app_configs: Configs, **kwargs: Any) -> list[CheckMessage]:
    """Check that `LoginView.log_in` was overridden on a site with a second factor."""
    found = find_second_factor()
    if found is None or not _logs_in_at_once():
        return []
    message = (
        f"{found.app!r} adds a second factor, but faceauth.views.LoginView logs users in without "
        "it, by face and by password."
    )
    hint = (
        f"Include {found.urls} instead of faceauth.urls; LOGIN_URL has to be the page that asks "
        "for it. If your LoginView is your own, override log_in: see docs/customise.md."
    )
    return [Warning(message, hint=hint, id="faceauth.W026")]


def _logs_in_at_once() -> bool:
    """Return True if the login page is the app's own, which starts the session itself."""
    try:
        match = login_match()
    except NoReverseMatch:
        return False
    view = getattr(match and match.func, "view_class", None)
    return getattr(view, "log_in", None) is views.LoginView.log_in
