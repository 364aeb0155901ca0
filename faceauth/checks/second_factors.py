"""Check that the login page does not bypass the second factor that another app adds."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.core.checks import CheckMessage, Tags, Warning, register
from django.urls import NoReverseMatch

from faceauth import views

from .project import login_match
from .settings import Configs

# The apps that add a second factor, each with the condition for a user who has one, the import that
# it needs, and a name for the page that such users log in on. The first that is installed counts.
_OTP = "user_has_device(user)", "from django_otp import user_has_device"
_ALLAUTH = "is_mfa_enabled(user)", "from allauth.mfa.utils import is_mfa_enabled"
APPS = {
    "two_factor": (*_OTP, "two_factor:login"),
    "django_otp": (*_OTP, "your-login"),
    "allauth.mfa": (*_ALLAUTH, "account_login"),
}


@register(Tags.security)
def check_login_view(app_configs: Configs, **kwargs: Any) -> list[CheckMessage]:
    """Check that `LoginView.log_in` was overridden on a site with a second factor."""
    app = next((each for each in APPS if apps.is_installed(each)), None)
    if app is None or not _logs_in_at_once():
        return []
    condition, needed, page = APPS[app]
    message = (
        f"{app!r} adds a second factor, but faceauth.views.LoginView logs users in without it, by "
        "face and by password."
    )
    hint = f"""Send users who have a second factor to your own login page:

{needed}

class LoginView(faceauth.views.LoginView):
    def log_in(self, user):
        if {condition}:
            return redirect({page!r})
        return super().log_in(user)

Put its URL before the app's: see docs/customise.md."""
    if app == "allauth.mfa":
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
