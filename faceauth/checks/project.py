"""Check what the project does with the pages of the app: URLs, base template, user admin."""

from __future__ import annotations

import re
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser
from django.core.checks import CheckMessage, Error, Info, Tags, Warning, register
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.shortcuts import resolve_url
from django.template import TemplateDoesNotExist, TemplateSyntaxError
from django.template.loader import render_to_string
from django.urls import (
    NoReverseMatch,
    Resolver404,
    ResolverMatch,
    get_script_prefix,
    is_valid_path,
    resolve,
    reverse,
)
from django.utils.translation import get_language

from faceauth.forms import FaceLoginForm, PasswordForm
from faceauth.setup import below_prefix, own_host

from .settings import Configs, setting_errors

LOGIN = "faceauth:login"

# What the login page must contain. The names of files may have a hash.
PARTS = {
    "the camera": r'data-faceauth="login"',
    "its script": r'src="[^"]*faceauth/capture(\.\w+)?\.js"',
    "its styles": r'href="[^"]*faceauth/capture(\.\w+)?\.css"',
}


def login_match() -> ResolverMatch | None:
    """Return what the URL of the login page leads to; None if it leads nowhere.

    Raises:
        NoReverseMatch: The login page has no URL.
    """
    path = below_prefix(reverse(LOGIN))
    try:
        return resolve(path)
    except Resolver404:
        return None


@register(Tags.urls)
def check_login_url(app_configs: Configs, **kwargs: Any) -> list[CheckMessage]:
    """Check that the URL of the login page leads to it."""
    if not getattr(settings, "ROOT_URLCONF", None):
        return []
    try:
        match = login_match()
    except NoReverseMatch:
        message = "The URLs of faceauth are not included, so there is no login page."
        hint = (
            'Add path("face/", include("faceauth.urls")) to your URLs. If your project uses none '
            "of its pages, add 'faceauth.E020' to SILENCED_SYSTEM_CHECKS."
        )
        return [Error(message, hint=hint, id="faceauth.E020")]
    if match and (match.app_names[-1:], match.url_name) == (["faceauth"], "login"):
        return []
    other = f"{match.route!r}" if match else "no pattern"
    message = f"{reverse(LOGIN)} does not lead to the login page: {other} matches it first."
    hint = "Include the URLs of faceauth before a pattern that matches everything."
    return [Error(message, hint=hint, id="faceauth.E020")]


@register(Tags.urls)
def check_next_page(app_configs: Configs, **kwargs: Any) -> list[CheckMessage]:
    """Check that there is a page after the login, for people who asked for no other."""
    try:
        reverse(LOGIN)
    except (ImproperlyConfigured, NoReverseMatch):
        return []
    given = settings.LOGIN_REDIRECT_URL
    try:
        url = resolve_url(given)
    except NoReverseMatch:
        url = ""
    if url and _leads_somewhere(url):
        return []
    message = f"After a login, LOGIN_REDIRECT_URL leads to {str(given)!r}, where no page is."
    hint = (
        'Set it to a page of your site or, until there is one, to "faceauth:devices". If another '
        "server answers there, add 'faceauth.W030' to SILENCED_SYSTEM_CHECKS."
    )
    return [Warning(message, hint=hint, id="faceauth.W030")]


def _leads_somewhere(url: str) -> bool:
    """Return True if the URL is that of a page, also after a redirect by Django's middleware."""
    prefix, path = get_script_prefix(), re.split("[?#]", url)[0]
    if "//" in url or not path.startswith(prefix):
        return True  # on another site
    path = below_prefix(path)
    return any(map(is_valid_path, (path, f"{path}/", f"/{get_language()}{path}")))


@register(Tags.templates)
def check_login_template(app_configs: Configs, **kwargs: Any) -> list[CheckMessage]:
    """Check that the project's base template leaves in the login page what it needs."""
    try:
        match = None if setting_errors() else login_match()
        view = getattr(match and match.func, "view_class", None)
        name = getattr(view, "template_name", None)
        page = _login_page(name) if name else None
    except NoReverseMatch:
        return []
    except (TemplateDoesNotExist, TemplateSyntaxError) as error:
        message = f"The login page cannot be rendered: {type(error).__name__}: {error}"
        return [Warning(message, hint="See docs/customise.md.", id="faceauth.W029")]
    except Exception:
        # A base template may ask for more than there is here, such as for the database.
        return []
    missing = [] if page is None else [part for part in PARTS if not re.search(PARTS[part], page)]
    if not missing:
        return []
    message = f"{name} is rendered without {', '.join(missing)}."
    hint = "Your base template needs a block 'content': see docs/customise.md."
    return [Warning(message, hint=hint, id="faceauth.W029")]


@register(Tags.admin)
def check_user_admin(app_configs: Configs, **kwargs: Any) -> list[CheckMessage]:
    """Check that the admin shows the faces of users wherever it shows users."""
    if not apps.is_installed("django.contrib.admin"):
        return []
    # A project without the admin must not import it: its models would not be installed.
    from django.contrib.admin.sites import all_sites

    from faceauth.admin import FaceAdminMixin

    model = get_user_model()
    registered = [site.get_model_admin(model) for site in all_sites if site.is_registered(model)]
    found: list[CheckMessage] = []
    for each in registered:
        if not isinstance(each, FaceAdminMixin):
            name = type(each).__name__
            message = f"{type(each).__module__}.{name} does not show the faces of users."
            hint = f"To show them: class {name}(faceauth.admin.FaceAdminMixin, …)."
            found.append(Info(message, hint=hint, id="faceauth.I002"))
    return found


def _login_page(template: str) -> str:
    """Return the login page as a visitor sees it."""
    request: Any = HttpRequest()
    request.META = {"SERVER_NAME": own_host(), "SERVER_PORT": "80"}
    request.method, request.path = "GET", reverse(LOGIN)
    request.user, request.session = AnonymousUser(), {}
    form = FaceLoginForm(request)
    context = {
        "form": form,
        "password_form": PasswordForm(request),
        "unknown_devices": "code",
        "face_alone": True,
    }
    return render_to_string(template, context, request)
