"""Health checks for monitoring, if ``HEALTH`` is on.

django-health-check is not used: its releases for this version of Django are old, and it checks
neither networks nor keys.
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
    """Answer with status 200 if the process works; without an answer, it must be replaced."""
    _require_setting()
    return JsonResponse({"status": "ok"})


@login_not_required
@never_cache
@require_safe
@transaction.non_atomic_requests
def ready(request: HttpRequest) -> HttpResponse:
    """Answer with status 200 if this process can log people in, and with 503 if not."""
    _require_setting()
    states = {part: _state(part) for part in PARTS}
    ok = set(states.values()) == {"ok"}
    payload = {"status": "ok" if ok else "failing", "checks": states}
    return JsonResponse(payload, status=200 if ok else 503)


def check_database() -> None:
    """Send a query to the users' database."""
    connection = connections[get_user_model()._default_manager.db]
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def load_networks() -> None:
    """Load the networks that are not loaded yet.

    Raises:
        ModelError: The file of a network is missing or damaged.
    """
    samples.engine().load()


def check_keys() -> None:
    """Encrypt an encoding and decrypt it again.

    Raises:
        ImproperlyConfigured: A key in the settings is malformed.
        ValueError: The decrypted encoding differs.
    """
    secret, binding = np.eye(3, 8, dtype=np.float32), b"health"
    sealed = crypto.seal(secret, binding, encoders.encoder().name)
    _name, opened = crypto.unseal(sealed, binding)
    if not np.allclose(opened, secret, atol=1e-5):
        raise ValueError("The decrypted encoding differs from the encrypted one.")


PARTS: dict[str, Callable[[], None]] = {
    "database": check_database,
    "networks": load_networks,
    "keys": check_keys,
}


def _state(part: str) -> str:
    try:
        PARTS[part]()
    except Exception as error:
        # Only the log has the reason, without the error's text, which may contain secrets.
        logger.error("Not ready: %s: %s", part, type(error).__name__)
        return "failing"
    return "ok"


def _require_setting() -> None:
    if not conf.get().HEALTH:
        raise Http404
