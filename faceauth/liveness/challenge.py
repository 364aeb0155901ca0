"""The liveness challenge: opened for one session, answered frame by frame, and used once.

The steps are in the database, encrypted, and shown one by one. One conditional update for each
request with frames lets several processes agree, and nobody can go back.
"""

from __future__ import annotations

import hmac
import math
import secrets
import struct
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

import numpy as np
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac

from faceauth import conf
from faceauth.encryption import records
from faceauth.encryption.crypto import DecryptionError
from faceauth.errors import ChallengeExpired, FaceError, FramesOutOfOrder
from faceauth.http import client_ip
from faceauth.models import FaceChallenge, FaceDevice
from faceauth.recognition.calibration import calibration
from faceauth.vision.encoding import Encoding
from faceauth.vision.relief import Still

from .conversation import Conversation, Look, NotLiveError, Reason
from .takes import Take

SHORT, FULL = "short", "full"
LOGIN, CONFIRM, ENROL, VERIFY = "login", "confirm", "enrol", "verify"
# The face of a user who has entered the password and is not logged in yet.
SECOND_STEP = "second_step"
PURPOSES = (LOGIN, CONFIRM, SECOND_STEP, ENROL, VERIFY)

# For how long a page may send no frames before the first step, and for how long a challenge that
# was passed can be used.
WAITING = timedelta(minutes=2)
USABLE = timedelta(minutes=1)
# An enrolment may have pictures to replace first.
USABLE_TO_ENROL = timedelta(minutes=10)

# Challenges that were given up are remembered for a day; so many count as a failure.
KEEP = timedelta(days=1)
GIVEN_UP = 3

_SESSION_KEY = "faceauth_challenge"

# Of the state: when it was opened, and where the face was last.
_HEAD = struct.Struct("<d4f")


class Answer(NamedTuple):
    """The answer to a challenge that was passed.

    Attributes:
        encodings: Of the frames that look ahead, float32 (n, d).
        conversation: How the head moved.
    """

    encodings: Encoding
    conversation: Conversation

    @property
    def take(self) -> Take:
        """How the head moved, to be kept: see `replay`."""
        return Take.of(self.conversation.seen, self.encodings)


@dataclass
class Challenge:
    """A challenge of the visitor's session.

    Attributes:
        id: What the page names it by.
        purpose: What it is for, one of `PURPOSES`.
        number: The number of the last request with frames that was accepted.
        opened: When it was opened, in seconds since the epoch.
        place: Where the face was last, as shares of the frame: left, top, right, bottom; or None.
        conversation: What was seen of the answer so far.
        device_id: The trusted device that it was opened on, if any.
        revealed: Whether the first step was shown.
    """

    id: str
    purpose: str
    number: int
    opened: float
    place: tuple[float, float, float, float] | None
    conversation: Conversation
    device_id: int | None = None
    revealed: bool = False

    @property
    def device(self) -> FaceDevice | None:
        """The trusted device that it was opened on, or None."""
        return FaceDevice.objects.filter(pk=self.device_id).first() if self.device_id else None

    @property
    def key(self) -> str:
        """The primary key of its row."""
        return _key(self.id, self.purpose)

    @property
    def now(self) -> float:
        """How many seconds ago it was opened."""
        return now() - self.opened

    @property
    def passed(self) -> bool:
        """True once all steps were seen."""
        return self.conversation.passed

    def is_given_up(self) -> bool:
        """Return True if its step is too old. The challenge has then ended."""
        try:
            self.conversation.check_time(self.now)
        except NotLiveError as error:
            self._end(error.reason)
            return True
        return False

    def advance(self, looks: Iterable[Callable[[], Look | None]]) -> None:
        """Take the frames of one request, and keep what they show.

        Args:
            looks: Functions that look at one frame each, in order of time. None if a frame shows
                no face. No frame after the one that ends the challenge is looked at.

        Raises:
            ChallengeExpired: Another request has ended the challenge.
            FramesOutOfOrder: Another request was quicker.
            NotLiveError: The head does not move as asked. The challenge has ended.
        """
        conversation, step = self.conversation, self.conversation.done
        try:
            conversation.check_time(self.now)
            for look in looks:
                if (found := look()) is not None:
                    conversation.see(found)
                if conversation.done > step:
                    break
        except NotLiveError as error:
            self._end(error.reason)
            raise
        conversation.show(self.now)
        self._save()

    def compare(self, stills: Sequence[Still]) -> None:
        """Take the frames that the conversation asks for again.

        Args:
            stills: The face in each of them.

        Raises:
            ChallengeExpired: Another request has ended the challenge.
            FramesOutOfOrder: Another request was quicker.
            NotLiveError: The face is flat. The challenge has ended.
        """
        try:
            self.conversation.compare(stills)
        except NotLiveError as error:
            self._end(error.reason)
            raise
        self._save()

    def _save(self) -> None:
        conversation, moment = self.conversation, timezone.now()
        changes = {
            "number": self.number + 1,
            "state": _seal(self),
            "passed": conversation.passed,
            "revealed": conversation.rest is not None,
        }
        if conversation.passed:
            usable = USABLE_TO_ENROL if self.purpose == ENROL else USABLE
            changes["expires_at"] = moment + usable
        elif conversation.rest is None:
            changes["expires_at"] = moment + WAITING
        elif not self.revealed:
            changes["expires_at"] = moment + timedelta(seconds=conf.get().CHALLENGE_SECONDS)
        if not self._rows.update(**changes):
            raise self._lost()
        self.number, self.revealed = self.number + 1, conversation.rest is not None

    def _end(self, reason: Reason) -> None:
        """End the challenge. One that took too long counts as given up."""
        if reason is Reason.LATE:
            ended = self._rows.update(number=self.number + 1, expires_at=timezone.now(), state=b"")
        else:
            ended, _by_model = self._rows.delete()
        if not ended:
            raise self._lost()

    @property
    def _rows(self) -> QuerySet[FaceChallenge]:
        """Its row, unless another request was quicker."""
        return FaceChallenge.objects.filter(key=self.key, number=self.number, passed=False)

    def _lost(self) -> FaceError:
        """Return the error for a request with frames that was not the first with its number."""
        row = FaceChallenge.objects.filter(key=self.key, expires_at__gt=timezone.now()).first()
        return FramesOutOfOrder(row.number) if row else ChallengeExpired()


def kind(purpose: str, *, trusted: bool) -> str:
    """Return which kind of challenge is needed at least, `SHORT` or `FULL`.

    Args:
        purpose: One of `PURPOSES`.
        trusted: Whether the request comes from a device that the user trusts.
    """
    setting = conf.get().CHALLENGE
    if setting in (SHORT, FULL):
        return setting
    return SHORT if purpose == LOGIN and trusted else FULL


def now() -> float:
    """Return the time of the server's clock, in seconds since the epoch."""
    return time.time()


def resume(request: HttpRequest, challenge_id: str) -> Challenge:
    """Return the challenge of the visitor's session that has this id, whether it is passed or not.

    Raises:
        ChallengeExpired: It is too old, was used, or is another session's.
    """
    noted = request.session.get(_SESSION_KEY) or {}
    if not hmac.compare_digest(noted.get("id", "").encode(), challenge_id.encode()):
        raise ChallengeExpired()
    challenge = _load(noted["id"], noted["purpose"])
    if challenge is None:
        raise ChallengeExpired()
    return challenge


def current(
    request: HttpRequest, purpose: str, kind: str, username: str | None
) -> Challenge | None:
    """Return the challenge that the visitor's session has open for this purpose, if any.

    One whose step is too old is given up.
    """
    noted = request.session.get(_SESSION_KEY) or {}
    if noted.get("purpose") != purpose:
        return None
    challenge = _load(noted["id"], purpose)
    if challenge is None or challenge.conversation.kind != kind:
        return None
    # A page that opens it now has none of the frames that must be sent again.
    if challenge.conversation.made or challenge.is_given_up():
        note_rest(request, challenge)
        return None
    if noted.get("username") != username:
        request.session[_SESSION_KEY] = {**noted, "username": username}
    return challenge


def claimed_username(request: HttpRequest) -> str | None:
    """Return the username that was given when the session's challenge was opened, or None."""
    noted = request.session.get(_SESSION_KEY) or {}
    return noted.get("username")


def open_new(
    request: HttpRequest,
    purpose: str,
    kind: str,
    device: FaceDevice | None,
    username: str | None,
) -> Challenge:
    """Open a challenge for the visitor's session, in place of any other.

    Args:
        request: The request.
        purpose: One of `PURPOSES`.
        kind: `SHORT` or `FULL`.
        device: The trusted device that the request comes from, or None.
        username: The username that was given, or None.
    """
    moment = timezone.now()
    FaceChallenge.objects.filter(forget_at__lt=moment).delete()
    noted = request.session.get(_SESSION_KEY) or {}
    conversation = Conversation.draw(
        kind, calibration().scale, noted.get("rested"), conf.get().CHALLENGE_STEP_SECONDS
    )
    name, device_id = secrets.token_urlsafe(16), device.pk if device else None
    challenge = Challenge(name, purpose, 0, now(), None, conversation, device_id)
    request.session[_SESSION_KEY] = {"id": name, "purpose": purpose, "username": username}
    FaceChallenge.objects.create(
        key=challenge.key,
        state=_seal(challenge),
        device=device,
        address=_address(request),
        expires_at=moment + WAITING,
        forget_at=moment + KEEP,
    )
    return challenge


def take_given_up(request: HttpRequest, device: FaceDevice | None) -> int:
    """Return as how many failures the challenges count that were given up here.

    Those are then forgotten. A challenge counts if its first step was shown, wherever the session
    has gone: on a trusted device those of the device, elsewhere those of the address. A device has
    one challenge at a time, so the one that is being answered is given up now. Otherwise, whoever
    begins many sessions with its cookie could see many steps, and answer the one that suits.
    """
    now = timezone.now()
    here = {"device": device} if device else {"device": None, "address": _address(request)}
    rows = FaceChallenge.objects.filter(**here, passed=False)
    if device:
        open_rows = rows.filter(expires_at__gt=now)
        open_rows.update(number=F("number") + 1, expires_at=now, state=b"")
    over = rows.filter(revealed=True, expires_at__lte=now).order_by("expires_at")
    keys = list(over.values_list("key", flat=True))
    counted = keys[: len(keys) // GIVEN_UP * GIVEN_UP]
    deleted, _rows = FaceChallenge.objects.filter(key__in=counted).delete()
    return deleted // GIVEN_UP


def note_rest(request: HttpRequest, challenge: Challenge) -> None:
    """Note how the head was held at rest, because the next challenge begins with it turned."""
    noted, rest = request.session.get(_SESSION_KEY) or {}, challenge.conversation.rest
    if rest is not None and noted.get("id") == challenge.id:
        request.session[_SESSION_KEY] = {**noted, "rested": (rest.yaw, rest.pitch)}


def require_passed(request: HttpRequest, challenge_id: str, purpose: str) -> Challenge:
    """Return the challenge of the visitor's session that was passed for a purpose, and keep it.

    Raises:
        ChallengeExpired: The challenge was not passed, is too old, was used, or another session's.
    """
    challenge = resume(request, challenge_id)
    if challenge.purpose != purpose or not challenge.passed:
        raise ChallengeExpired()
    return challenge


def redeem(
    request: HttpRequest, challenge_id: str, purpose: str, device: FaceDevice | None = None
) -> Answer:
    """Use up a challenge that was passed, and return its answer.

    Args:
        request: The request of the session that passed it.
        challenge_id: The challenge.
        purpose: What it must have been opened for.
        device: The trusted device that sends the request, or None.

    Raises:
        ChallengeExpired: The challenge was not passed, is too old, was used before, is another
            session's or another device's, or a short one where a full one is needed.
    """
    challenge = require_passed(request, challenge_id, purpose)
    del request.session[_SESSION_KEY]
    # The database decides which request was first.
    deleted, _rows = FaceChallenge.objects.filter(key=challenge.key).delete()
    conversation, needed = challenge.conversation, kind(purpose, trusted=device is not None)
    if not deleted or (needed == FULL and conversation.kind != FULL):
        raise ChallengeExpired()
    if device is not None:
        # What failed before has counted where it was opened: here, unless its key did not sign.
        places = (device.pk, None) if device.has_key else (device.pk,)
        if challenge.device_id not in places:
            raise ChallengeExpired()
    return Answer(np.stack(conversation.ahead), conversation)


def _load(challenge_id: str, purpose: str) -> Challenge | None:
    rows = FaceChallenge.objects.filter(expires_at__gt=timezone.now())
    row = rows.filter(key=_key(challenge_id, purpose)).first()
    if row is None:
        return None
    try:
        return _unseal(challenge_id, purpose, row)
    except DecryptionError:
        return None


def _seal(challenge: Challenge) -> bytes:
    place = challenge.place or [math.nan] * 4
    head = _HEAD.pack(challenge.opened, *place)
    return records.seal(head + challenge.conversation.pack(), challenge.key.encode())


def _unseal(challenge_id: str, purpose: str, row: FaceChallenge) -> Challenge:
    data = records.unseal(bytes(row.state), row.key.encode())
    opened, left, top, right, bottom = _HEAD.unpack_from(data)
    return Challenge(
        challenge_id,
        purpose,
        row.number,
        opened,
        None if math.isnan(left) else (left, top, right, bottom),
        Conversation.unpack(data[_HEAD.size :]),
        row.device_id,
        row.revealed,
    )


def _key(challenge_id: str, purpose: str) -> str:
    name = f"{purpose}:{challenge_id}"
    return salted_hmac("faceauth.challenge", name, algorithm="sha256").hexdigest()


def _address(request: HttpRequest) -> str:
    name = client_ip.rate_limit_key(request)
    return salted_hmac("faceauth.challenge.address", name, algorithm="sha256").hexdigest()
