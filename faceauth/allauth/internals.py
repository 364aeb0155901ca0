"""The only use of django-allauth's internals, which may change in any of its releases."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version

from django.core.exceptions import ImproperlyConfigured

# What allauth's records call a login by face.
METHOD = "face"

TESTED_VERSIONS = ">=65.10,<66"


def import_record_authentication() -> Callable[..., None]:
    """Return allauth's function that records in the session how a user authenticated.

    allauth has no public function for this; its own second factors and reauthentication read these
    records.

    Raises:
        ImproperlyConfigured: The installed version of allauth does not have the function.
    """
    try:
        from allauth.account.internal.flows.login import record_authentication
    except ImportError as error:
        raise ImproperlyConfigured(
            f"faceauth.allauth does not work with django-allauth {version('django-allauth')}: "
            f"{error}. It was tested with django-allauth{TESTED_VERSIONS}."
        ) from error
    return record_authentication
