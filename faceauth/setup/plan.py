"""Compare a project with what the face login needs, and name the lines that it lacks."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.urls import NoReverseMatch, reverse

from . import project
from .second_factors import find_second_factor
from .source import find_home

DEFAULT_BACKEND = "django.contrib.auth.backends.ModelBackend"
BACKEND = "faceauth.backends.FaceBackend"
PREFIXES = ("face/", "faceauth/", "face-login/")
MIDDLEWARE = "SessionMiddleware", "AuthenticationMiddleware"


class Change(NamedTuple):
    """Lines for one file.

    Attributes:
        path: The file, which is new unless it exists. None if it was not found: a person has to
            say where the lines go.
        lines: What to add at its end.
        what: What the file is: "settings", "URLs" or the name of a module or template.
    """

    path: Path | None
    lines: str
    what: str


class Plan(NamedTuple):
    """What a project lacks.

    Attributes:
        about: What was found out about the project, as a sentence.
        changes: Lines that have to be added.
        by_hand: What a person has to do in other places, each as a paragraph.
    """

    about: str
    changes: list[Change]
    by_hand: list[str]


def plan() -> Plan:
    """Return what this project lacks."""
    login = project.find_page("LOGIN_URL")
    changes = [*_settings(login), *_urls(login), *_template()]
    return Plan(_about(login), changes, _by_hand(login))


def _uses_allauth() -> bool:
    return apps.is_installed("allauth.account")


def _about(login: str) -> str:
    factor = find_second_factor()
    where = f"they log in at {login}" if login else "there is no login page"
    more = f", with a second factor ({factor.app})" if factor else ""
    users = get_user_model()._meta.label
    return f"{settings.SETTINGS_MODULE}: the users are {users}; {where}{more}."


# The settings


def _settings(login: str) -> list[Change]:
    """Return the lines for the settings, by file."""
    wanted = [
        (name, line)
        for name, line in (
            ("INSTALLED_APPS", _apps()),
            ("AUTHENTICATION_BACKENDS", _backends()),
            ("INSTALLED_APPS", _pages(login)),
            ("DEBUG", _mails()),
        )
        if line
    ]
    by_file: dict[Path | None, list[str]] = {}
    for name, line in wanted:
        home = find_home(settings.SETTINGS_MODULE, name)
        if home is None and not project.is_set(name):
            home = find_home(settings.SETTINGS_MODULE, "INSTALLED_APPS")
        by_file.setdefault(home, []).append(line)
    return [Change(home, "\n".join(lines), "settings") for home, lines in by_file.items()]


def _apps() -> str:
    first = ["faceauth.allauth"] if _uses_allauth() else []
    last = ["faceauth"] if project.has_faces() else ["faceauth", "faceauth.profiles"]
    first, last = ([name for name in each if not apps.is_installed(name)] for each in (first, last))
    return _extend("INSTALLED_APPS", settings.INSTALLED_APPS, last, first) if first or last else ""


def _backends() -> str:
    if project.has_face_backend():
        return ""
    if project.is_set("AUTHENTICATION_BACKENDS"):
        given = settings.AUTHENTICATION_BACKENDS
        return _extend("AUTHENTICATION_BACKENDS", given, [BACKEND])
    return f'AUTHENTICATION_BACKENDS = [\n    "{DEFAULT_BACKEND}",\n    "{BACKEND}",\n]'


def _extend(name: str, given: Any, last: Sequence[str], first: Sequence[str] = ()) -> str:
    """Return the line that adds to a list, or to a tuple, which then stays one."""
    items = [*(f'"{each}"' for each in first), f"*{name}", *(f'"{each}"' for each in last)]
    inside = ", ".join(items)
    return f"{name} = ({inside})" if isinstance(given, tuple) else f"{name} = [{inside}]"


def _pages(login: str) -> str:
    """Return the lines of a project whose ``LOGIN_URL`` leads nowhere."""
    if login or find_second_factor():
        return ""
    lines = ['LOGIN_URL = "faceauth:login"']
    if not project.find_page("LOGIN_REDIRECT_URL"):
        lines.append('LOGIN_REDIRECT_URL = "faceauth:devices"  # Replace it with a page of yours.')
    return "\n".join(lines)


def _mails() -> str:
    """Return the lines with which a project that says nothing of emails prints them."""
    given = any(project.is_set(each) for each in ("EMAIL_BACKEND", "EMAIL_HOST", "MAILERS"))
    if given or not settings.DEBUG or not find_home(settings.SETTINGS_MODULE, "DEBUG"):
        return ""
    return f"if DEBUG:  # Emails are printed where the site runs.\n    {project.PRINT_MAILS}"


# The URLs


def _urls(login: str) -> list[Change]:
    """Return the line for the URLs."""
    if _included():
        return []
    root = settings.ROOT_URLCONF
    home = find_home(root, "urlpatterns")
    second_factor = find_second_factor()
    module = second_factor.urls if second_factor else "faceauth.urls"
    if _uses_allauth():
        module = "faceauth.allauth.urls"
    prefix = next(each for each in PREFIXES if not project.find_view(f"/{each}login/"))
    entry = f'path("{prefix}", include("{module}"))'
    imports = ["include", "path"]
    locale = project.find_locale_prefix(login)
    if locale:
        imports.append("i18n_patterns")
        without = "" if locale.prefix_default_language else ", prefix_default_language=False"
        entry = f"*i18n_patterns({entry}{without})"
    # First, because another pattern may match everything.
    line = f"urlpatterns = [{entry}, *urlpatterns]"
    return [Change(home, f"{_imports(root, imports)}{line}", "URLs")]


def _imports(module: str, names: Sequence[str]) -> str:
    """Return the imports of those names that the module lacks."""
    given = vars(import_module(module))
    sources = {"django.conf.urls.i18n": ["i18n_patterns"], "django.urls": ["include", "path"]}
    lines = []
    for source, offered in sources.items():
        own = vars(import_module(source))
        lacking = [each for each in offered if each in names and given.get(each) is not own[each]]
        if lacking:
            lines.append(f"from {source} import {', '.join(lacking)}\n")
    return "".join([*lines, "\n"]) if lines else ""


def _included() -> bool:
    try:
        reverse("faceauth:login")
    except NoReverseMatch:
        return False
    return True


# The template


def _template() -> list[Change]:
    """Return the template that puts the pages into the project's own base template."""
    base = project.find_base_template()
    path = base.parent / "faceauth/base.html" if base else None
    if path is None or path.exists():
        return []
    return [Change(path, '{% extends "base.html" %}', "faceauth/base.html")]


# What no line at the end of a file does


def _by_hand(login: str) -> list[str]:
    on_site = login if "//" not in login else ""
    try:
        answer = project.visit(on_site or project.NOWHERE)
    except Exception:  # a project that is half configured can fail in any way
        answer = None
    found = [_middleware(), _token_page(login), _button(on_site, answer), _policy(answer)]
    return [each for each in found if each]


def _middleware() -> str:
    names = [each.rpartition(".")[2] for each in settings.MIDDLEWARE]
    missing = [each for each in MIDDLEWARE if not any(name.endswith(each) for name in names)]
    return f"MIDDLEWARE lacks {' and '.join(missing)}, which logins need." if missing else ""


def _token_page(login: str) -> str:
    """Return what to do if there is a second factor and no page that asks for it."""
    if login or not find_second_factor():
        return ""
    return "Set LOGIN_URL to your login page, which asks for the second factor: it leads nowhere."


def _button(login: str, answer: Any) -> str:
    """Return how to link to the face login on the project's own login page."""
    if not login or _uses_allauth():
        return ""
    if _included():
        target = reverse("faceauth:login")
        if login == target or f'href="{target}' in getattr(answer, "text", ""):
            return ""
    return (
        f"In the template of your login page ({login}), below the form, add the link to the face "
        "login:\n\n    {% load faceauth %}\n    {% face_login_button %}\n\n"
        "On a page for logged-in users, {% face_settings_link %} leads to setting up a face."
    )


def _policy(answer: Any) -> str:
    """Return what the Content-Security-Policy lacks."""
    policy = answer.headers.get("Content-Security-Policy", "") if answer else ""
    directives = {
        name: values for name, *values in (each.split() for each in policy.split(";") if each)
    }
    images = directives.get("img-src", directives.get("default-src", ["blob:"]))
    if "blob:" in images:
        return ""
    return "Your Content-Security-Policy hides the pictures of an enrolment: add blob: to img-src."
