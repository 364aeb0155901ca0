"""Sessions that a face began: they end at the next request once the face has changed.

The generation of the face is part of the hash that Django keeps in each session and compares at
each request. So no middleware is needed, and Django itself ends the session.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, update_session_auth_hash
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from faceauth import faces

from . import confirmation

_SALT = "faceauth.step_up.sessions"


def bind(user: Any) -> Any:
    """Bind a user's sessions to the generation of their face, and return the user.

    Only this object is changed, not the model: its session hash then depends on the face as well.
    `FaceBackend` binds the users that it returns, so sessions that another backend began stay.
    """
    user.get_session_auth_hash = partial(_session_hash, user)
    user.get_session_auth_fallback_hash = partial(_fallback_hashes, user)
    return user


def begin(request: HttpRequest | None, user: Any) -> None:
    """Bind the session that a login by face has just begun.

    A view may have logged in another object of the user than the one that `FaceBackend` returned.
    """
    session = getattr(request, "session", None)
    if session is not None and BACKEND_SESSION_KEY in session:
        session[HASH_SESSION_KEY] = bind(user).get_session_auth_hash()


def keep(request: HttpRequest | None, user: Any, generation: int) -> None:
    """Keep the session in which its owner has just changed their face; the others end.

    The session gets a new key. What it has seen of the user before still counts. Nothing happens
    if the request is somebody else's, such as a staff member's.

    Args:
        request: The request that changed the face, if there is one.
        user: The owner of the face.
        generation: The generation that the face had before.
    """
    current = getattr(request, "user", None)
    if request is None or current is None or not current.is_authenticated or current != user:
        return
    changed, face = faces.of(user), faces.of(current)
    face.face_generation, face.face_renewed_at = changed.face_generation, changed.face_renewed_at
    update_session_auth_hash(request, current)
    confirmation.carry_over(request, current, generation)


def _session_hash(user: Any) -> str:
    """Return the hash of the user's model, keyed with it and made of the generation."""
    plain = getattr(user.__class__, "get_session_auth_hash", None)
    return _with_generation(user, plain(user) if plain else "")


def _fallback_hashes(user: Any) -> Iterator[str]:
    """Yield the hashes that Django accepts as well, and replaces by the current one.

    They are those of ``SECRET_KEY_FALLBACKS``, and the model's own: a view that changes the
    password may have passed another object of the user to ``update_session_auth_hash``.
    """
    plain = getattr(user.__class__, "get_session_auth_hash", None)
    fallbacks = getattr(user.__class__, "get_session_auth_fallback_hash", None)
    for each in fallbacks(user) if fallbacks else ():
        yield _with_generation(user, each)
    if plain:
        yield plain(user)


def _with_generation(user: Any, plain: str) -> str:
    generation = str(faces.of(user).face_generation)
    # The model's hash is keyed with the site's secret, or with a former one.
    return salted_hmac(_SALT, generation, secret=plain or None, algorithm="sha256").hexdigest()
