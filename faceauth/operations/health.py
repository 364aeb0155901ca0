"""Whether the site can do its work: for machines that watch it, where ``HEALTH`` is on.

Not django-health-check: its releases that go with this Django are old, and it knows neither
networks nor keys.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

import numpy as np
from django.contrib.auth import get_user_model
from django.contrib.auth.decorators import login_not_required
from django.db import connections, transaction
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from faceauth import conf
from faceauth.capture import samples
from faceauth.encryption import crypto
from faceauth.recognition import encoders

logger = logging.getLogger("faceauth")


@login_not_required
@never_cache
@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """The process answers. That another one is needed in its place is all that a no can mean."""
    _only_where_on()
    return JsonResponse({"status": "ok"})


@login_not_required
@never_cache
@require_safe
@transaction.non_atomic_requests
def ready(request: HttpRequest) -> HttpResponse:
    """It can log people in."""
    _only_where_on()
    found = {part: _state(part) for part in PARTS}
    fine = set(found.values()) == {"ok"}
    told = {"status": "ok" if fine else "failing", "checks": found}
    return JsonResponse(told, status=200 if fine else 503)


def reach_database() -> None:
    """Ask the users' database for something."""
    connection = connections[get_user_model()._default_manager.db]
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def load_networks() -> None:
    """Load what is not loaded yet.

    Raises:
        ModelError: a network's file is missing or damaged.
    """
    samples.engine().load()


def turn_keys() -> None:
    """Encrypt something and decrypt it again.

    Raises:
        ImproperlyConfigured: a key in the settings is malformed.
        ValueError: it is not what it was.
    """
    secret, binding = np.eye(3, 8, dtype=np.float32), b"health"
    sealed = crypto.seal(secret, binding, encoders.encoder().name)
    _name, opened = crypto.unseal(sealed, binding)
    if not np.allclose(opened, secret, atol=1e-5):
        raise ValueError("What was encrypted is not what is decrypted.")


PARTS: dict[str, Callable[[], None]] = {
    "database": reach_database,
    "networks": load_networks,
    "keys": turn_keys,
}


def _state(part: str) -> str:
    try:
        PARTS[part]()
    except Exception as error:
        # Why is for the log alone, and there without what may stand in its text.
        logger.error("Not ready: %s: %s", part, type(error).__name__)
        return "failing"
    return "ok"


def _only_where_on() -> None:
    if not conf.get().HEALTH:
        raise Http404
