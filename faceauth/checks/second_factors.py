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
    hint = f"""Send users who have a second factor to your own login page:

{found.needed}

class LoginView(faceauth.views.LoginView):
    def log_in(self, user):
        if {found.condition}:
            return redirect({found.page!r})
        return super().log_in(user)

Put its URL before the app's: see docs/customise.md."""
    if found.app == "allauth.mfa":
        hint = f"Include faceauth.allauth.urls instead of faceauth.urls. Or else: {hint}"
    return [Warning(message, hint=hint, id="faceauth.W026")]


def _logs_in_at_once() -> bool:
    """Return True if the login page is the app's own, which starts the session itself."""
    try:
        match = login_match()
    except NoReverseMatch:
        return False
    view = getattr(match and match.func, "view_class", None)
    return getattr(view, "log_in", None) is views.LoginView.log_in
