"""Find the columns of users' faces: in the rows of the users, or in rows beside them.

A user model has the columns if it inherits from `models.FaceTemplateMixin`. If the user model can't
be changed, `faceauth.profiles` has them. In both cases, the primary keys of the rows are those of
the users.
"""

from __future__ import annotations

from contextlib import suppress
from copy import copy
from typing import Any

from django.apps import apps
from django.contrib.auth import get_backends, get_user_model
from django.core.exceptions import (
    ImproperlyConfigured,
    MultipleObjectsReturned,
    ObjectDoesNotExist,
    ValidationError,
)
from django.db.models import Prefetch, Q, QuerySet
from django.db.models.functions import Lower
from django.db.models.lookups import Exact
from django.http import HttpRequest

from .db import atomic
from .models import FaceTemplateMixin
from .signals import face_template_changed
from .users import login_fields

COLUMNS = frozenset(field.name for field in FaceTemplateMixin._meta.local_fields)

# The model that `faceauth.profiles` adds, and the relation from a user to their row of it.
PROFILE_MODEL = "faceauth_profiles.FaceProfile"
PROFILE = "face_profile"

NO_COLUMNS_HINT = (
    "Let it inherit from faceauth.models.FaceTemplateMixin and make a migration. If you can't "
    "change it, add 'faceauth.profiles' to INSTALLED_APPS and migrate."
)


def in_profiles() -> bool:
    """Return True if faces are stored in rows of their own, by `faceauth.profiles`."""
    return not issubclass(get_user_model(), FaceTemplateMixin)


def model() -> Any:
    """Return the model that has the columns.

    Raises:
        ImproperlyConfigured: No installed model has them.
    """
    if not in_profiles():
        return get_user_model()
    if not apps.is_installed("faceauth.profiles"):
        name = get_user_model()._meta.label
        raise ImproperlyConfigured(
            f"The user model {name} has no columns for a face. {NO_COLUMNS_HINT}"
        )
    return apps.get_model(PROFILE_MODEL)


def of(user: Any) -> Any:
    """Return the object that has the face columns of a user.

    Returns:
        The user, or their row in `faceauth.profiles`. If there is no such row yet, or no user, an
        unsaved object with empty columns.
    """
    if isinstance(user, FaceTemplateMixin):
        return user
    profile = model()
    if not isinstance(user, get_user_model()):
        return profile()
    with suppress(ObjectDoesNotExist):
        return getattr(user, PROFILE)
    return profile(user=user)


def ensure_row(user: Any) -> None:
    """Create the row for the face of a saved user. Do nothing if the user has been deleted."""
    if not of(user)._state.adding:
        return
    with atomic(get_user_model()):
        # Insert first: SQLite may refuse to upgrade a read transaction to a write.
        model()._base_manager.bulk_create([model()(pk=user.pk)], ignore_conflicts=True)
        # A process that deletes the user must wait here, and then deletes this row too: see
        # `receivers`.
        owner = get_user_model()._base_manager.select_for_update().filter(pk=user.pk)
        if owner.values_list("pk").first():
            model()._base_manager.get(pk=user.pk).user = user
        else:
            row(user).delete()


def rows() -> QuerySet:
    """Return all rows that have the columns."""
    return model()._default_manager.all()


def row(user: Any) -> QuerySet:
    """Return a queryset of the user's row, if there is one, to update or delete it."""
    return model()._base_manager.filter(pk=user.pk)


def write_template(user: Any, rows: QuerySet, columns: dict[str, Any]) -> bool:
    """Write a template and the columns that go with it to the user's row.

    The signal `face_template_changed` is sent in the same transaction, for receivers that store
    something derived from the template.

    Args:
        user: The owner of the face.
        rows: A queryset of the user's row. Further conditions in it must still hold.
        columns: The values to write, by column.

    Returns:
        True if the row was in `rows`, and was written.
    """
    with atomic(get_user_model()):
        if not rows.update(**columns):
            return False
        face_template_changed.send(type(user), user=user)
    return True


def set_columns(user: Any, columns: dict[str, Any]) -> None:
    """Set columns on the user's face in memory, after they were written to its row."""
    face = of(user)
    for name, value in columns.items():
        setattr(face, name, value)


def users() -> QuerySet:
    """Return all users, with their faces."""
    return with_faces(get_user_model()._default_manager.all())


def by_username(username: str, request: HttpRequest | None = None) -> Any:
    """Return the user whom a name finds, or None: the site's ``FaceBackend.find_user`` decides.

    Args:
        username: The name as it was entered.
        request: The request, if there is one.
    """
    for backend in get_backends():
        if find := getattr(backend, "find_user", None):
            return find(request, username)
    return by_login_fields(username)


def by_login_fields(username: str) -> Any:
    """Return the user whom a name finds where the site has no rule of its own, or None.

    It is the one with this natural key or, if there is none, the only one who has the name in one
    of ``LOGIN_FIELDS``. The work is the same whether or not there is such a user.
    """
    # The project's manager decides how a name is looked up, for example whether case matters.
    manager: Any = copy(get_user_model()._default_manager)
    manager.get_queryset = users
    # Some databases refuse to search for a NUL, and no name contains one.
    if "\x00" in username:
        return None
    found, several = None, False
    try:
        found = manager.get_by_natural_key(username)
    except MultipleObjectsReturned:
        several = True
    except (ObjectDoesNotExist, ValueError, ValidationError):
        pass  # If usernames are numbers or UUIDs, other text is not a valid one.
    condition = _login_condition(username)
    others = list(users().filter(condition)[:2]) if condition else []
    if found or several or len(others) != 1:
        return found
    return others[0]


def _login_condition(username: str) -> Q:
    """Return the condition for users who have this name in one of ``LOGIN_FIELDS``."""
    model, condition = get_user_model(), Q()
    for name, ignores_case in login_fields():
        if name == model.get_email_field_name() and "@" not in username:
            continue
        if ignores_case:
            condition |= Q(Exact(Lower(name), username.lower()))
            continue
        field: Any = model._meta.get_field(name)
        # If the values are numbers or UUIDs, other text is not a valid one.
        with suppress(ValidationError):
            condition |= Q(**{name: field.to_python(username)})
    return condition


def known_conditions(**conditions: Any) -> dict[str, Any]:
    """Return those conditions whose columns the project's user model has."""
    columns = {field.name for field in get_user_model()._meta.get_fields()}
    return {name: value for name, value in conditions.items() if name in columns}


def with_faces(users: QuerySet) -> QuerySet:
    """Join the faces to a queryset of users.

    With one query for everybody, the time it takes does not reveal who has a face.
    """
    return users.select_related(PROFILE) if in_profiles() else users


def defer_columns(columns: tuple[str, ...], users: QuerySet) -> QuerySet:
    """Leave some face columns out of a queryset of users.

    The other face columns take one more query at most.
    """
    if not in_profiles():
        return users.defer(*columns)
    return users.prefetch_related(Prefetch(PROFILE, rows().defer(*columns)))


def user_lookup(name: str) -> str:
    """Return the name that a face column, or a lookup of one, has in queries about users."""
    in_profile = in_profiles() and name.partition("__")[0] in COLUMNS
    return f"{PROFILE}__{name}" if in_profile else name


def user_condition(condition: Q) -> Q:
    """Return a condition on face columns as it is written in queries about users."""
    children: list[Any] = [
        user_condition(each) if isinstance(each, Q) else (user_lookup(each[0]), each[1])  # type: ignore[index]
        for each in condition.children
    ]
    return Q(*children, _connector=condition.connector, _negated=condition.negated)
