"""The authentication backend: a picture instead of a password."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np
from django.contrib.auth import get_backends
from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest

from . import conf, faces
from .audit.events import EventDetails
from .capture import samples
from .encryption import crypto
from .errors import Busy, ChallengeFailed, FaceError
from .gallery import gallery
from .liveness import challenge
from .liveness.head_turns import NotLiveError
from .lockout import attempts
from .recognition import encoders, policy
from .recognition.matching import distance, effective_frames
from .recognition.policy import Decision, Match, Outcome
from .vision.encoding import Encoding


class Finding(NamedTuple):
    """Whom a probe was found nearest to, if anybody, and whether that is near enough."""

    user: Any
    decision: Decision


class FaceBackend(BaseBackend):
    """Authenticates by face: face alone, or username and face.

    Stands beside ``ModelBackend``, to which it leaves passwords and permissions. A subclass in its
    place in ``AUTHENTICATION_BACKENDS`` says by `user_can_authenticate` who may log in by face and
    stay logged in, and by `probe`, `verify`, `identify` and `outcome` how it is found out.
    """

    def authenticate(  # type: ignore[override]
        self,
        request: HttpRequest | None,
        snapshot: samples.Snapshot | None = None,
        username: str | None = None,
        turns: Sequence[str] | None = None,
        staff: bool = False,
        **kwargs: Any,
    ) -> AbstractBaseUser | None:
        """The user in `snapshot`, one or several pictures of one person as bytes or files; where
        the site has a challenge, its answer's frames in order of time, and in `turns` what
        ``challenge.redeem`` says that they have to show.

        staff: whether anybody else is refused, as somebody is whom nobody knows.

        None where nobody is recognised, where a picture cannot be used, and for inactive users.
        The user has ``face_facts``, which are no matter of theirs: see `events`.

        Receivers of ``user_login_failed`` are handed `snapshot` as it is. An iterator is used up
        by then and holds no pictures any more.

        Raises:
            Busy: no core was free to look at the pictures.
            ChallengeFailed: they do not show somebody who is there.
            TooManyAttempts: there were too many failures before.
        """
        if snapshot is None:
            return None
        try:
            probe = self.probe(snapshot, turns)
        except Busy:
            raise  # says nothing about the face: the visitor is to come back
        except FaceError:
            return None
        except NotLiveError as error:
            # No less an attempt, and not compared with anybody.
            details = EventDetails.of_attempt(
                request, username, Decision(Outcome.NOBODY), str(error)
            )
            attempt = attempts.admit(request, username)
            attempt.failed(faces.by_username(username) if username else None, details)
            raise ChallengeFailed() from error
        attempt = attempts.admit(request, username)
        found = self.verify(probe, username) if username else self.identify(probe)
        user, decision = found
        outcome = self.outcome(found, attempt)
        if outcome == Outcome.ACCEPTED.value and staff and not getattr(user, "is_staff", False):
            outcome = "not_staff"
        details = EventDetails.of_attempt(request, username, decision, outcome)
        if outcome != Outcome.ACCEPTED.value:
            # Without a username, who is nearest to a stranger has nothing to do with them.
            attempt.failed(user if username or decision.accepted else None, details)
            return None
        attempt.succeeded(user)
        user.face_facts = details
        return user

    def get_user(self, user_id: Any) -> Any:
        """The user of a session; None where they are gone or inactive."""
        user = faces.users().filter(pk=user_id).first()
        return user if user and self.user_can_authenticate(user) else None

    def user_can_authenticate(self, user: AbstractBaseUser) -> bool:
        """As ``ModelBackend``: inactive users may not."""
        return bool(getattr(user, "is_active", True))

    def probe(self, snapshot: samples.Snapshot, turns: Sequence[str] | None) -> Encoding:
        """The encodings, float32 (n, 128), of whoever is there.

        Raises:
            FaceError: a picture cannot be used.
            NotLiveError: they do not show a head that turned as it was asked to.
        """
        if conf.get().CHALLENGE is None:
            return samples.probe_encodings(snapshot)
        analysed = challenge.check_answer(samples.analyse_movement(snapshot), turns or ())
        return samples.probe_encodings([sample for sample in analysed if not sample.problem()])

    def outcome(self, found: Finding, attempt: attempts.Attempt) -> str:
        """What became of the attempt: the decision's outcome, unless the user may not log in."""
        user, decision = found
        if decision.accepted and attempt.is_disabled(user):
            return "disabled"
        if decision.accepted and not self.user_can_authenticate(user):
            return "inactive"
        return decision.outcome.value

    def verify(self, probe: Encoding, username: str) -> Finding:
        """The user of that name, if any, and whether the probe, encodings float32 (n, 128), shows
        them (1:1).
        """
        user = faces.by_username(username)
        # Whoever is not there is made up, which takes as long as to read somebody.
        match = _match(user, probe)
        return Finding(user, policy.verify(match, effective_frames(probe)))

    def identify(self, probe: Encoding) -> Finding:
        """Whom the probe, encodings float32 (n, 128), shows, of all who are enrolled (1:N)."""
        while True:
            nearest = [match.key for match in gallery().nearest(probe)]
            users = faces.users().in_bulk(nearest)
            gone = [key for key in nearest if not faces.of(users.get(key)).has_face]
            if not gone:
                break
            gallery().forget(gone)
        # Decided by what the database holds now, not by what the gallery remembers.
        matches = sorted((_match(users[key], probe) for key in nearest), key=attrgetter("distance"))
        decision = policy.identify(matches, effective_frames(probe), len(gallery()))
        return Finding(users[decision.match.key] if decision.match else None, decision)


def configured() -> FaceBackend:
    """The site's, which may be of a class of its own."""
    return next((each for each in get_backends() if isinstance(each, FaceBackend)), FaceBackend())


def _match(user: Any, probe: Encoding) -> Match:
    """The user set against the probe; infinitely far where there is no template."""
    face = faces.of(user)
    enrolled = face.has_face
    encodings = face.face_encodings if enrolled else _nobodys()
    apart = distance(encodings, probe)
    return Match(user.pk if enrolled else 0, apart if enrolled else math.inf, len(encodings))


def _nobodys() -> Encoding:
    """Encodings to open and compare in place of those that are not there: its time must not tell
    who has a face.
    """
    encoder, shots = encoders.encoder(), conf.get().ENROLMENT_SHOTS
    return _face().open(0, _sealed(crypto.current_header(), encoder.name, (shots, encoder.size)))


@lru_cache(maxsize=8)
def _sealed(head: bytes, encoder: str, shape: tuple[int, int]) -> bytes:
    """Encodings of nobody, sealed with that head as an encoder's."""
    return _face().seal(0, np.ones(shape, np.float32))


def _face() -> Any:
    return faces.model()._meta.get_field("face_encodings")
