"""The authentication backend: a picture instead of a password."""

from __future__ import annotations

import math
from operator import attrgetter
from typing import Any

import numpy as np
from django.contrib.auth import get_user_model
from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest

from . import capture, policy
from .errors import Busy, FaceError
from .gallery import gallery
from .matching import distance, frames
from .policy import Match
from .vision.encoding import Encoding


class FaceBackend(BaseBackend):
    """Authenticates by face: face alone, or username and face.

    Stands beside ``ModelBackend``, to which it leaves passwords and permissions.
    """

    def authenticate(  # type: ignore[override]
        self,
        request: HttpRequest | None,
        snapshot: capture.Snapshot | None = None,
        username: str | None = None,
        **kwargs: Any,
    ) -> AbstractBaseUser | None:
        """The user in `snapshot`, one or several pictures of one person as bytes or files.

        None where nobody is recognised, where a picture cannot be used, and for inactive users.

        Raises:
            Busy: no core was free to look at the pictures.
        """
        if snapshot is None:
            return None
        try:
            probe = capture.probe_encodings(snapshot)
        except Busy:
            raise  # says nothing about the face: the visitor is to come back
        except FaceError:
            return None
        user = self.verify(probe, username) if username else self.identify(probe)
        return user if user and self.user_can_authenticate(user) else None

    def get_user(self, user_id: Any) -> Any:
        """The user of a session; None where they are gone or inactive."""
        user = get_user_model()._default_manager.filter(pk=user_id).first()
        return user if user and self.user_can_authenticate(user) else None

    def user_can_authenticate(self, user: AbstractBaseUser) -> bool:
        """As ``ModelBackend``: inactive users may not."""
        return bool(getattr(user, "is_active", True))

    def verify(self, probe: Encoding, username: str) -> AbstractBaseUser | None:
        """The user of that name if the probe, encodings float32 (n, 128), shows them (1:1)."""
        users = get_user_model()._default_manager
        user = users.filter(**{get_user_model().USERNAME_FIELD: username}).first()
        # A name that nobody has costs the same comparison: its time must not tell.
        decision = policy.verify(_match(user, probe), frames(probe))
        return user if decision.accepted else None

    def identify(self, probe: Encoding) -> AbstractBaseUser | None:
        """Whom the probe, encodings float32 (n, 128), shows, of all who are enrolled (1:N)."""
        while True:
            nearest = [match.key for match in gallery().nearest(probe)]
            users = get_user_model()._default_manager.in_bulk(nearest)
            gone = [key for key in nearest if not getattr(users.get(key), "has_face", False)]
            if not gone:
                break
            gallery().forget(gone)
        # Decided by what the database holds now, not by what the gallery remembers.
        matches = sorted((_match(users[key], probe) for key in nearest), key=attrgetter("distance"))
        best = policy.identify(matches, frames(probe), len(gallery())).accepted
        return users[best.key] if best else None


def _match(user: Any, probe: Encoding) -> Match:
    """The user set against the probe; infinitely far where there is no template."""
    enrolled = user is not None and user.has_face
    encodings = user.face_encodings if enrolled else np.ones((3, probe.shape[1]), np.float32)
    apart = distance(encodings, probe)
    return Match(user.pk if enrolled else 0, apart if enrolled else math.inf, len(encodings))
