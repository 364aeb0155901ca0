"""Where the columns of users' faces are: in the users' own rows, or in rows beside them.

The user model has them by `models.FaceTemplateMixin`; beside one that may not be changed,
`faceauth.profiles` keeps them. Either way their rows go by the users' primary keys.
"""

from __future__ import annotations

from contextlib import suppress
from copy import copy
from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.core.exceptions import (
    ImproperlyConfigured,
    MultipleObjectsReturned,
    ObjectDoesNotExist,
    ValidationError,
)
from django.db.models import Prefetch, Q, QuerySet

from .db import atomic
from .models import FaceTemplateMixin
from .signals import face_template_changed

COLUMNS = frozenset(field.name for field in FaceTemplateMixin._meta.local_fields)

# From a user to their row in `faceauth.profiles`.
PROFILE = "face_profile"

NO_COLUMNS_HINT = (
    "Let it inherit from faceauth.models.FaceTemplateMixin and make a migration; or, where it may "
    "not be changed, add 'faceauth.profiles' to INSTALLED_APPS and migrate."
)


def in_profiles() -> bool:
    """Whether faces are in rows of their own."""
    return not issubclass(get_user_model(), FaceTemplateMixin)


def model() -> Any:
    """The model that has the columns.

    Raises:
        ImproperlyConfigured: none has.
    """
    if not in_profiles():
        return get_user_model()
    if not apps.is_installed("faceauth.profiles"):
        name = get_user_model()._meta.label
        raise ImproperlyConfigured(
            f"The user model {name} has no columns for a face. {NO_COLUMNS_HINT}"
        )
    from .profiles.models import FaceProfile

    return FaceProfile


def of(user: Any) -> Any:
    """What has the columns of the user's face: the user, or what stands beside them. Empty ones
    where there is none yet, or no user.
    """
    if isinstance(user, FaceTemplateMixin):
        return user
    beside = model()
    if not isinstance(user, get_user_model()):
        return beside()
    with suppress(ObjectDoesNotExist):
        return getattr(user, PROFILE)
    return beside(user=user)


def ensure_row(user: Any) -> None:
    """Have a row for the face of a user who is saved; there is none where they are gone."""
    if not of(user)._state.adding:
        return
    with atomic(get_user_model()):
        # First, because on SQLite who begins by reading may not come to write any more.
        model()._base_manager.bulk_create([model()(pk=user.pk)], ignore_conflicts=True)
        # Who deletes the user has to wait, and then takes this row along: see `receivers`.
        owner = get_user_model()._base_manager.select_for_update().filter(pk=user.pk)
        if owner.values_list("pk").first():
            model()._base_manager.get(pk=user.pk).user = user
        else:
            row(user).delete()


def rows() -> QuerySet:
    """All rows that have the columns."""
    return model()._default_manager.all()


def row(user: Any) -> QuerySet:
    """The user's row, if there is one, for what is written to it."""
    return model()._base_manager.filter(pk=user.pk)


def write_template(user: Any, rows: QuerySet, columns: dict[str, Any]) -> bool:
    """Write a template and what goes with it to the user's row, if that is among these; whether it
    is. Who keeps something that was made of the one before hears of it in the same transaction.
    """
    with atomic(get_user_model()):
        if not rows.update(**columns):
            return False
        face_template_changed.send(type(user), user=user)
    return True


def set_columns(user: Any, columns: dict[str, Any]) -> None:
    """Set these columns on the user's face in memory, after they were written to its row."""
    face = of(user)
    for name, value in columns.items():
        setattr(face, name, value)


def users() -> QuerySet:
    """All users, with their faces."""
    return with_faces(get_user_model()._default_manager.all())


def by_username(username: str, among: QuerySet | None = None) -> Any:
    """The user whom that name finds for a password as well, among these or, with their faces, all;
    None where there is none.
    """
    # How a name is looked up, whether by its capitals for one, the project's manager decides.
    manager: Any = copy(get_user_model()._default_manager)
    manager.get_queryset = lambda: users() if among is None else among
    # Some databases refuse to look for the one, and no name has it. And where names are numbers,
    # not everything is one.
    with suppress(ObjectDoesNotExist, MultipleObjectsReturned, ValueError, ValidationError):
        return None if "\x00" in username else manager.get_by_natural_key(username)
    return None


def known_conditions(**conditions: Any) -> dict[str, Any]:
    """Those conditions about users whose columns the project's model has."""
    columns = {field.name for field in get_user_model()._meta.get_fields()}
    return {name: value for name, value in conditions.items() if name in columns}


def with_faces(users: QuerySet) -> QuerySet:
    """These users, whose faces come in the same query: nothing tells who has one."""
    return users.select_related(PROFILE) if in_profiles() else users


def defer_columns(columns: tuple[str, ...], users: QuerySet) -> QuerySet:
    """These users without some columns of their faces, the others of which come in one query more
    at most.
    """
    if not in_profiles():
        return users.defer(*columns)
    return users.prefetch_related(Prefetch(PROFILE, rows().defer(*columns)))


def user_lookup(name: str) -> str:
    """A column, or a look-up of one, as queries about users have it."""
    beside = in_profiles() and name.partition("__")[0] in COLUMNS
    return f"{PROFILE}__{name}" if beside else name


def user_condition(which: Q) -> Q:
    """A condition on the columns as queries about users have it."""
    children: list[Any] = [
        user_condition(each) if isinstance(each, Q) else (user_lookup(each[0]), each[1])  # type: ignore[index]
        for each in which.children
    ]
    return Q(*children, _connector=which.connector, _negated=which.negated)
