"""Read a Django project: its URLs, its login page, its user model."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.contrib.auth import get_user_model
from django.http import HttpResponseBase
from django.shortcuts import resolve_url
from django.template import TemplateDoesNotExist, TemplateSyntaxError
from django.template.loader import get_template
from django.template.loader_tags import BlockNode
from django.test import Client
from django.urls import (
    LocalePrefixPattern,
    NoReverseMatch,
    Resolver404,
    ResolverMatch,
    get_resolver,
    get_script_prefix,
    resolve,
)
from django.utils.module_loading import import_string

from .source import is_changeable

# The line of settings with which Django prints emails instead of sending them.
CONSOLE = "django.core.mail.backends.console.EmailBackend"
PRINT_MAILS = (
    f'EMAIL_BACKEND = "{CONSOLE}"'
    if django.VERSION < (6, 1)
    else f'MAILERS = {{"default": {{"BACKEND": "{CONSOLE}"}}}}'
)

# No project has a page there, so only a pattern that matches everything does.
NOWHERE = "/faceauth-6d1c0f4b/"


def find_view(path: str) -> ResolverMatch | None:
    """Return the view of a path, or None if only a pattern that matches everything leads there."""
    try:
        found = resolve(below_prefix(path.partition("?")[0]))
    except Resolver404:
        return None
    return None if found.func == catch_all() else found


def below_prefix(path: str) -> str:
    """Return the path without the prefix of the whole site, as URL patterns see it."""
    prefix = get_script_prefix()
    return f"/{path.removeprefix(prefix)}" if path.startswith(prefix) else path


def catch_all() -> Any:
    """Return the view of a pattern that matches every path, or None if there is no such pattern."""
    try:
        return resolve(NOWHERE).func
    except Resolver404:
        return None


def find_page(setting: str) -> str:
    """Return the path or URL that a setting such as ``LOGIN_URL`` leads to, or "" if nowhere."""
    try:
        url = resolve_url(getattr(settings, setting))
    except NoReverseMatch:
        return ""
    return url if "//" in url or find_view(url) else ""


def is_set(setting: str) -> bool:
    """Return True if the project sets it, False if the value is Django's default."""
    given: Any = settings
    return bool(given.is_overridden(setting))


def find_locale_prefix(path: str) -> LocalePrefixPattern | None:
    """Return the pattern of the ``i18n_patterns`` that the path is in, or None if it is in none."""
    for each in get_resolver().url_patterns:
        if isinstance(each.pattern, LocalePrefixPattern):
            try:
                each.resolve(below_prefix(path)[1:])
            except Resolver404:
                continue
            return each.pattern
    return None


def has_faces() -> bool:
    """Return True if the user model itself holds the faces."""
    return "face_encodings" in {each.name for each in get_user_model()._meta.get_fields()}


def has_face_backend() -> bool:
    """Return True if one of the authentication backends is faceauth's, or one made from it."""
    return any(
        each.startswith("faceauth.") or _is_from_faceauth(import_string(each))
        for each in settings.AUTHENTICATION_BACKENDS
    )


def _is_from_faceauth(backend: type) -> bool:
    return any(each.__module__ == "faceauth.backends" for each in backend.__mro__)


def find_base_template() -> Path | None:
    """Return the project's own ``base.html`` if pages can be put into its block ``content``."""
    try:
        template: Any = get_template("base.html")
        path = Path(template.origin.name)
        blocks = template.template.nodelist.get_nodes_by_type(BlockNode)
    except (TemplateDoesNotExist, TemplateSyntaxError, AttributeError):
        return None
    found = "content" in {each.name for each in blocks}
    return path if found and is_changeable(path) else None


def own_host() -> str:
    """Return a host that the site answers for."""
    host = next((each for each in settings.ALLOWED_HOSTS if each != "*"), "localhost")
    return str(host).lstrip(".")


def visit(path: str) -> HttpResponseBase:
    """Return this process's answer to an HTTPS request that passes the site's middleware.

    Raises:
        Exception: The error that the answer would be status 500 for.
    """
    before = logging.root.manager.disable
    logging.disable()
    try:
        return Client(SERVER_NAME=own_host()).get(below_prefix(path), secure=True)
    finally:
        logging.disable(before)
