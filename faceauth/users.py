"""The names of users.

A user model needs no name but the one to log in with, which can be of any type.
"""

from __future__ import annotations

import re
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib import auth
from django.contrib.auth import get_user_model
from django.contrib.auth.backends import ModelBackend
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from . import conf

IGNORING_CASE = "__iexact"

# Numbers, UUIDs and their beginnings, and letters mixed with digits, as programs make names.
FOR_MACHINES = re.compile(
    r"^\d+$|^(?=[^g-z]*\d)[0-9a-f]{8}|^(?=.{8})(.*?(\d(?=[a-z])|[a-z](?=\d))){3}", re.IGNORECASE
)


def username(user: Any) -> str:
    """Return the name that the site shows of the user, by which they may not be found."""
    return str(user.get_username())


def short_name(user: Any) -> str:
    """Return the name to greet the user by; "" if all their names are for machines.

    It is the first that reads as a person's of the short name, the full name, the username and the
    address, each up to an @.
    """
    given = [getattr(user, f"get_{each}_name", str)() for each in ("short", "full")]
    address = getattr(user, user.get_email_field_name(), "")
    names = (
        str(each or "").partition("@")[0].strip() for each in (*given, username(user), address)
    )
    return next((each for each in names if each and not FOR_MACHINES.search(each)), "")


def any_name(user: Any) -> str:
    """Return the user's short name or, if all their names are for machines, the username."""
    return short_name(user) or username(user)


def greeting(user: Any) -> str:
    """Return what the site says to a user who has logged in."""
    name = short_name(user)
    return _("Welcome back, %(name)s.") % {"name": name} if name else _("Welcome back.")


def log_in_by_email() -> bool:
    """Return True if people log in with their email address, and with no other name."""
    model = get_user_model()
    email = model.get_email_field_name()
    named = conf.get().LOGIN_FIELDS is not None and {name for name, _case in login_fields()}
    methods = set(getattr(settings, "ACCOUNT_LOGIN_METHODS", ()))  # allauth's
    return email == model.USERNAME_FIELD or named == {email} or methods == {"email"}


def login_name() -> Any:
    """Return what the name is called that people log in with, as within a sentence."""
    model: Any = get_user_model()
    email = model.get_email_field_name()
    if log_in_by_email():
        return model._meta.get_field(email).verbose_name
    if email in {name for name, _case in login_fields()}:
        return gettext_lazy("username or email")
    return model._meta.get_field(model.USERNAME_FIELD).verbose_name


def has_own_backend() -> bool:
    """Return True if a backend of the site's own finds users by something else than Django's."""
    return any(
        isinstance(each, ModelBackend) and type(each).authenticate != ModelBackend.authenticate
        for each in auth.get_backends()
    )


def login_fields() -> list[tuple[str, bool]]:
    """Return the fields whose values are names to log in with, each with True to ignore case.

    They are those of ``LOGIN_FIELDS``.
    """
    named = conf.get().LOGIN_FIELDS
    if named is None:
        model = get_user_model()
        email = model.get_email_field_name()
        # Django's backend looks for the natural key alone; allauth ignores the case of usernames.
        fields = {model.USERNAME_FIELD} if apps.is_installed("allauth.account") else set()
        fields |= {email} & {field.name for field in model._meta.get_fields()}
        named = [f"{name}{IGNORING_CASE}" for name in sorted(fields)]
    return [(each.removesuffix(IGNORING_CASE), each.endswith(IGNORING_CASE)) for each in named]


def login_names(user: Any) -> set[str]:
    """Return the names that find this user."""
    fields = [get_user_model().USERNAME_FIELD, *[name for name, _ignoring in login_fields()]]
    return {username(user), *[str(getattr(user, name) or "") for name in fields]} - {""}
