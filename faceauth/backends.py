"""The authentication backend: pictures of a face instead of a password."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np
from django.conf import settings
from django.contrib.auth import load_backend
from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest

from . import conf, devices, faces
from .audit import events
from .audit.events import EventDetails
from .capture import samples
from .encryption import crypto
from .enrolment import adaptation
from .errors import Busy, CameraNeeded, ChallengeExpired, FaceError, Replayed, UnknownDevice
from .gallery import gallery
from .liveness import challenge as challenges
from .liveness import replay
from .liveness.conversation import NotLiveError, Reason
from .liveness.takes import Take
from .lockout import attempts
from .models import FaceDevice, FaceEvent
from .recognition import encoders, policy
from .recognition.matching import distance, effective_frames
from .recognition.policy import Decision, Match, Outcome
from .step_up import sessions
from .vision.encoding import Encoding

ACCEPTED = Outcome.ACCEPTED.value
REPLAYED = str(NotLiveError(Reason.REPLAYED))


class Finding(NamedTuple):
    """The user to whom a probe is nearest, if there is one, and the decision about the match."""

    user: Any
    decision: Decision


class Result(NamedTuple):
    """The result of an attempt.

    Attributes:
        user: The user whose face was recognised, or None.
        counted: The attempt, which counts as a failure until it is told that it succeeded. None if
            the pictures could not be used.
        details: The details for the audit log.
        probe: The encodings of the face that was recognised, float32 (n, d).
        take: How the person moved, whoever it was; None if there was no challenge.
    """

    user: Any = None
    counted: attempts.Attempt | None = None
    details: EventDetails = EventDetails()
    probe: Encoding | None = None
    take: Take | None = None


class Probe(NamedTuple):
    """The encodings that an attempt compares, and the movement that came with them.

    Attributes:
        encodings: Of the person in front of the camera, float32 (n, d).
        take: How they moved; None if the site has no challenge.
    """

    encodings: Encoding
    take: Take | None = None


class _Claim(NamedTuple):
    """The user that a visitor claims to be, and what the claim comes with."""

    request: HttpRequest | None
    username: str | None
    device: FaceDevice | None
    people: Sequence[Any]

    @property
    def is_of_one(self) -> bool:
        """Return True if only one user can be meant."""
        return bool(self.username) or len(self.people) == 1

    def admit(self) -> attempts.Attempt:
        """Admit the attempt, and count it as a failure."""
        return attempts.admit(self.request, self.username, device=self.device, people=self.people)

    def details(self, decision: Decision, outcome: str) -> EventDetails:
        """Return the details for the audit log."""
        named = FaceEvent.Mode.USERNAME if self.is_of_one else FaceEvent.Mode.ALONE
        mode = FaceEvent.Mode.DEVICE if self.device else named
        label = str(self.device or "")
        return EventDetails.of_attempt(mode, decision, outcome)._replace(device=label)

    def count_unusable(self) -> None:
        """Count pictures that were analysed but can't be used."""
        attempts.count_unusable(self.request, None, self.device, self.people)

    def refuse_not_live(self, error: NotLiveError) -> None:
        """Count an attempt that failed its challenge. Its face is not compared."""
        details = self.details(Decision(Outcome.NOBODY), str(error))
        counted = self.admit()
        user = self.people[0] if len(self.people) == 1 else None
        if self.username and not self.people:
            user = faces.by_username(self.username, self.request)
        counted.failed(user, details)


def refuse_not_live(
    request: HttpRequest,
    error: NotLiveError,
    username: str | None = None,
    device: FaceDevice | None = None,
    people: Sequence[Any] = (),
) -> None:
    """Count a challenge that failed as an attempt that was refused.

    Args:
        request: The request with the frames that failed.
        error: The reason.
        username: The claimed username, or None.
        device: The trusted device that sends the request, if it is one.
        people: The users whom the visitor can be, if that is known: see `attempts.admit`.

    Raises:
        TooManyAttempts: The attempt must wait.
    """
    _Claim(request, username, device, people).refuse_not_live(error)


class FaceBackend(BaseBackend):
    """Authenticate by face: on a device that the user trusts, or as the second of two factors.

    Put it beside ``ModelBackend``, which handles passwords and permissions. To change it, put a
    subclass in ``AUTHENTICATION_BACKENDS`` in its place. `find_user` decides whom a name finds,
    `user_can_authenticate` who may log in by face and stay logged in; `probe`, `verify`,
    `identify` and `outcome` are the steps of an attempt.
    """

    def authenticate(  # type: ignore[override]
        self,
        request: HttpRequest | None,
        snapshot: samples.Snapshot | None = None,
        username: str | None = None,
        challenge: str | None = None,
        device: FaceDevice | None = None,
        owner: Any = None,
        **options: Any,
    ) -> AbstractBaseUser | None:
        """Return the user whose face the pictures show.

        A face is public, so it is not enough: there must be a trusted `device` or a known `owner`
        as well, unless ``UNKNOWN_DEVICES`` is "allow".

        Args:
            request: The request, if there is one. Failures are counted for its address.
            snapshot: One picture or several of one person, as bytes or files. Only where
                ``CHALLENGE`` is None. Receivers of ``user_login_failed`` get `snapshot` as it is;
                pass an iterator, which is exhausted by then, to keep pictures from them.
            username: The username or email address, for a comparison with that user only (1:1).
                Without it, the face is compared with the people of the device or, without a
                device, with all templates (1:N).
            challenge: The challenge that the session has passed; it is used up.
            device: The trusted device, from ``devices.recognise``.
            owner: The user who is logged in, or has given the password: only their face counts.
            **options: ``staff=True`` refuses other users exactly as unknown faces are refused.
                Others are ignored.

        Returns:
            The user. None if no user is recognised, if a picture cannot be used, and for inactive
            users.

        Raises:
            Busy: No core was free to analyse the pictures.
            ChallengeExpired: The session has not passed this challenge, or it is too old.
            Replayed: A film of an earlier login was shown.
            TooManyAttempts: There were too many failures before.
            UnknownDevice: The face alone is not enough here.
        """
        if snapshot is None and challenge is None:
            return None
        if device is None and owner is None and conf.get().UNKNOWN_DEVICES != "allow":
            raise UnknownDevice()
        result = self.attempt(request, snapshot, username, challenge, device, owner, **options)
        if result.user is None or result.counted is None:
            return None
        accept(result.user, result.counted, result.details, result.take, device)
        events.remember(request, result.user, result.details)
        if (username or device or owner) and result.probe is not None:
            adaptation.adapt(result.user, result.probe[0])
        # The owner may be the user of a session that a password began.
        return result.user if owner else sessions.bind(result.user)

    def attempt(
        self,
        request: HttpRequest | None,
        snapshot: samples.Snapshot | None = None,
        username: str | None = None,
        challenge: str | None = None,
        device: FaceDevice | None = None,
        owner: Any = None,
        staff: bool = False,
        **kwargs: Any,
    ) -> Result:
        """Look for the user whose face the pictures show, wherever the request comes from.

        Nobody may be logged in because of it alone: it is for callers who ask for a second factor
        afterwards, and then call `accept`. The arguments and errors are those
        of `authenticate`.
        """
        people = [owner] if owner else devices.people_named(request, device, username)
        if device and not people:
            raise UnknownDevice()
        claim = _Claim(request, username, device, people)
        purpose = challenges.LOGIN
        if owner:
            logged_in = owner == getattr(request, "user", None)
            purpose = challenges.CONFIRM if logged_in else challenges.SECOND_STEP
        try:
            probe, take = self.probe(request, snapshot, challenge, purpose, device)
        except (Busy, ChallengeExpired, CameraNeeded):
            raise  # not about the face: the visitor has to come back, or to begin again
        except FaceError:
            claim.count_unusable()
            return Result()
        counted = claim.admit()
        if people:
            found = self.verify_among(probe, counted.people if device else people)
        else:
            user = self.find_user(request, username) if username else None
            found = self.verify(probe, user) if username else self.identify(probe)
        outcome = self.outcome(found, counted)
        if outcome == ACCEPTED and staff and not getattr(found.user, "is_staff", False):
            outcome = "not_staff"
        details = claim.details(found.decision, outcome)
        if outcome != ACCEPTED:
            # Without a username, an event must not name the user who is nearest to a stranger.
            known = claim.is_of_one or found.decision.accepted
            counted.failed(found.user if known else None, details)
            return Result(None, counted, details, take=take)
        return Result(found.user, counted, details, probe, take)

    def get_user(self, user_id: Any) -> Any:
        """Return the user of a session, or None if the user is gone or may not log in.

        The session ends if the face has changed since it began: see `step_up.sessions`.
        """
        user = faces.users().filter(pk=user_id).first()
        return sessions.bind(user) if user and self.user_can_authenticate(user) else None

    def find_user(self, request: HttpRequest | None, username: str) -> Any:
        """Return the user whom a name finds, or None: at logins, in limits, for devices, commands.

        By default, it is the one whom a login by password would find: by the natural key or, if
        there is none, by ``LOGIN_FIELDS``. Users who are known already are not looked for.

        In a subclass, do the same work whether or not there is such a user, and return one of
        `faces.users`, which have their faces with them. Otherwise the time of an answer tells who
        has an account.

        Args:
            request: The request, if there is one.
            username: The name as it was entered.
        """
        return faces.by_login_fields(username)

    def user_can_authenticate(self, user: AbstractBaseUser) -> bool:
        """Return False for inactive users, as ``ModelBackend`` does."""
        return bool(getattr(user, "is_active", True))

    def probe(
        self,
        request: HttpRequest | None,
        snapshot: samples.Snapshot | None,
        challenge: str | None,
        purpose: str,
        device: FaceDevice | None,
    ) -> Probe:
        """Return the encodings of the person in front of the camera, and how they moved.

        Raises:
            CameraNeeded: There are pictures, but no challenge.
            ChallengeExpired: The session has not passed this challenge, or it is too old.
            FaceError: A picture cannot be used.
        """
        if conf.get().CHALLENGE is None:
            return Probe(samples.probe_encodings(snapshot or ()))
        if request is None or not challenge:
            raise CameraNeeded()
        answer = challenges.redeem(request, challenge, purpose, device)
        return Probe(answer.encodings, answer.take)

    def outcome(self, found: Finding, attempt: attempts.Attempt) -> str:
        """Return the outcome of the attempt: the decision's, unless the user may not log in."""
        user, decision = found
        if decision.accepted and attempt.is_disabled(user):
            return "disabled"
        if decision.accepted and not self.user_can_authenticate(user):
            return "inactive"
        return decision.outcome.value

    def verify(self, probe: Encoding, user: Any) -> Finding:
        """Compare a probe, float32 (n, d), with one user (1:1), or with nobody if it is None."""
        # For nobody and for a user without a face, a made-up template takes the same time.
        match = _match(user, probe)
        return Finding(user, policy.verify(match, effective_frames(probe)))

    def verify_among(self, probe: Encoding, users: Sequence[Any]) -> Finding:
        """Compare a probe, float32 (n, d), with each of a few known users (1:1)."""
        people = {user.pk: user for user in users}
        only = users[0] if len(users) == 1 else None
        matches = sorted((_match(user, probe) for user in users), key=attrgetter("distance"))
        decision = policy.verify_among(matches, effective_frames(probe))
        return Finding(people.get(decision.match.key, only) if decision.match else None, decision)

    def identify(self, probe: Encoding) -> Finding:
        """Compare a probe, float32 (n, d), with everyone who is enrolled (1:N).

        Faces that are flagged as look-alikes are left out: neither do they log in, nor do they make
        the face of the user who enrolled first ambiguous.
        """
        while True:
            nearest = [match.key for match in gallery().nearest(probe)]
            users = faces.users().in_bulk(nearest)
            gone = [key for key in nearest if not _is_identified(users.get(key))]
            if not gone:
                break
            gallery().forget(gone)
        # The database decides, because the gallery in memory may be out of date.
        matches = sorted((_match(users[key], probe) for key in nearest), key=attrgetter("distance"))
        decision = policy.identify(matches, effective_frames(probe), len(gallery()))
        return Finding(users[decision.match.key] if decision.match else None, decision)


def accept(
    user: Any,
    attempt: attempts.Attempt,
    details: EventDetails,
    take: Take | None,
    device: FaceDevice | None = None,
) -> None:
    """Let an attempt whose face was recognised succeed, unless it was a film of an earlier one.

    Args:
        user: The user whose face it was.
        attempt: The attempt, as it was admitted.
        details: The details for the audit log.
        take: How the person moved; None if there was no challenge.
        device: The trusted device that sent the request, or None.

    Raises:
        Replayed: It was a film.
    """
    if take is not None and not replay.admit(user, device, take):
        attempt.failed(user, details._replace(outcome=REPLAYED))
        raise Replayed()
    attempt.succeeded(user)


def configured() -> FaceBackend:
    """Return the site's face backend, which may be of a class of its own."""
    return configured_with_path()[0]


def configured_with_path() -> tuple[FaceBackend, str]:
    """Return the site's face backend, and its dotted path as the settings have it."""
    for path in settings.AUTHENTICATION_BACKENDS:
        backend = load_backend(path)
        if isinstance(backend, FaceBackend):
            return backend, path
    return FaceBackend(), f"{FaceBackend.__module__}.{FaceBackend.__qualname__}"


def _is_identified(user: Any) -> bool:
    """Return True if a face without a username is compared with this user's."""
    face = faces.of(user)
    return bool(face.has_face) and face.face_flagged_at is None


def _match(user: Any, probe: Encoding) -> Match:
    """Return the match of a user and a probe; the distance is infinite if there is no template."""
    face = faces.of(user)
    enrolled = face.has_face
    encodings = face.face_encodings if enrolled else _made_up_template()
    found = distance(encodings, probe)
    return Match(user.pk if enrolled else 0, found if enrolled else math.inf, len(encodings))


def _made_up_template() -> Encoding:
    """Decrypt a template of nobody, so that the time does not reveal who has a face."""
    encoder, shots = encoders.encoder(), conf.get().ENROLMENT_SHOTS
    sealed = _sealed_template(crypto.current_header(), encoder.name, (shots, encoder.size))
    return _encodings_field().open(0, sealed)


@lru_cache(maxsize=8)
def _sealed_template(header: bytes, encoder: str, shape: tuple[int, int]) -> bytes:
    """Encrypt a template of nobody, once for each key, encoder and shape."""
    return _encodings_field().seal(0, np.ones(shape, np.float32))


def _encodings_field() -> Any:
    return faces.model()._meta.get_field("face_encodings")
