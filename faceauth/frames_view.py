"""The view that takes the frames of the camera pages: the challenge, and the guidance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, JsonResponse

from . import backends, conf, devices, errors, users
from .capture import guidance, samples, turns
from .http import rate_limit, uploads
from .http.responses import error_response
from .liveness import challenge as challenges
from .liveness import looking, prompts
from .liveness.challenge import Challenge
from .liveness.conversation import Conversation, NotLiveError, Reason
from .lockout import attempts, budget
from .models import FaceDevice
from .step_up import second_step
from .views import PostOnlyView

MAX_FRAMES = 3  # in one request

_USERNAME = forms.CharField(required=False, max_length=254, strip=False)


class FramesView(PostOnlyView):
    """Take frames: go on with the visitor's challenge, or say what to do for a picture.

    Of the frames of a challenge the site keeps what they show, until the challenge is used; of
    those for a picture, which have a ``pose``, nothing.
    """

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        uploads.expect_frames(request, MAX_FRAMES, budget.check)

    def post(self, request: HttpRequest) -> HttpResponse:
        details: dict[str, Any] = {}
        try:
            with budget.spending(request):
                return JsonResponse(self._answer(details))
        except errors.FaceError as error:
            if isinstance(error, errors.FramesOutOfOrder):
                details["number"] = error.number
            return error_response(request, error, **details)

    def _answer(self, details: dict[str, Any]) -> dict[str, Any]:
        """Return the answer to the frames. An error has the `details` besides."""
        frames = self.request.FILES.getlist("frame")
        if not frames:
            raise errors.MissingSnapshot()
        if len(frames) > MAX_FRAMES:
            raise errors.TooLarge()
        if "pose" in self.request.POST:
            with turns.of(budget.line(self.request), turns.GUIDANCE):
                return self._guide(frames[-1])
        if conf.get().CHALLENGE is None:
            raise errors.ChallengeExpired()
        return _Conversation(self.request, details).take(frames)

    def _guide(self, frame: Any) -> dict[str, Any]:
        """Return where the face is in a frame, and what to do for a good picture."""
        post = self.request.POST
        level = _number(post.get("level"))
        name = post.get("pose", guidance.STRAIGHT.name)
        pose = guidance.Pose(name, level if math.isfinite(level) else None)
        near = _box(post.get("near", ""))
        sample = (
            samples.analyse_small(frame)
            if name == guidance.PHOTO
            else samples.analyse_frame(frame, near)
        )
        return guidance.advise(sample, pose)


class _Conversation:
    """One request with frames of a challenge.

    Attributes:
        notes: What the answer has to tell besides, whether it is an error or not.
    """

    def __init__(self, request: HttpRequest, notes: dict[str, Any]) -> None:
        self.request = request
        self.post = request.POST
        self.notes = notes
        self.device: FaceDevice | None = None
        self.people: Sequence[Any] = ()

    def take(self, frames: Sequence[Any]) -> dict[str, Any]:
        """Look at the frames, and return the answer for the page.

        Raises:
            FaceError: The frames are not the next ones, or the challenge has ended.
        """
        challenge = self._challenge()
        if challenge.passed:  # the answer that said so was lost
            return self._answer(challenge, None)
        with turns.of(budget.line(self.request), _rank(challenge)):
            return self._see(challenge, frames)

    def _see(self, challenge: Challenge, frames: Sequence[Any]) -> dict[str, Any]:
        seen: list[samples.Sample] = []
        looks = [partial(looking.look, challenge, frame, seen) for frame in frames]
        try:
            if marks := challenge.conversation.again:
                challenge.compare(looking.look_again(marks, frames))
            else:
                challenge.advance(looks)
        except NotLiveError as error:
            self._refuse(challenge, error)
            raise errors.ChallengeFailed(prompts.REASONS[error.reason]) from error
        return self._answer(challenge, seen[-1] if seen else None)

    def _challenge(self) -> Challenge:
        """Return the challenge that the frames belong to.

        Raises:
            ChallengeExpired: It is not one of this session, or too old.
            FramesOutOfOrder: Other frames were expected.
        """
        if token := self.post.get("challenge"):
            challenge = challenges.resume(self.request, token)
            expected = challenge.number + 1
            if not challenge.passed and _number(self.post.get("number")) != expected:
                raise errors.FramesOutOfOrder(challenge.number)
            return challenge
        return self._open()

    def _open(self) -> Challenge:
        """Return the challenge of the session, or a new one.

        Raises:
            FaceError: No attempt would be admitted now, or a face is not enough here.
        """
        purpose = self.post.get("purpose", challenges.LOGIN)
        if purpose not in challenges.PURPOSES:
            raise errors.FaceError()
        username = self._claim(purpose)
        if nonce := devices.nonce_for(self.request):
            self.notes["device_nonce"] = nonce
        elif purpose == challenges.LOGIN and self.device is None:
            _check_login_alone(username)
        if purpose == challenges.ENROL:
            attempts.check_enrolment(self.request)
        elif purpose != challenges.VERIFY:
            attempts.check(self.request, username, device=self.device, people=self.people)
        kind = challenges.kind(purpose, trusted=self.device is not None)
        if (challenge := challenges.current(self.request, purpose, kind, username)) is not None:
            return challenge
        rate_limit.enforce_challenge(self.request)
        if failures := challenges.take_given_up(self.request, self.device):
            for _failure in range(failures):
                attempts.count_unusable(self.request, None, self.device, self.people)
            attempts.check(self.request, username, device=self.device, people=self.people)
        return challenges.open_new(self.request, purpose, kind, self.device, username)

    def _claim(self, purpose: str) -> str | None:
        """Return the username that is claimed, and note whom the visitor can be, if that is known.

        Raises:
            LoginRequired: Somebody who is not logged in has nothing to confirm.
            NotAllowed: Only some members of staff verify others.
            FaceError: It can be nobody's username.
        """
        user: Any = self.request.user
        if purpose in (challenges.CONFIRM, challenges.SECOND_STEP):
            self.people = self._owner(purpose)
            if not self.people:
                raise errors.LoginRequired()
            return None
        if purpose == challenges.VERIFY and not user.has_perm("faceauth.verify_face"):
            raise errors.NotAllowed() if user.is_authenticated else errors.LoginRequired()
        try:
            username = _USERNAME.clean(self.post.get("username")) or None
        except forms.ValidationError as error:
            raise errors.FaceError(error.messages[0]) from error
        if purpose == challenges.LOGIN:
            proof = [self.post.get(name, "") for name in ("device_nonce", "device_signature")]
            device = devices.recognise_early(self.request, *proof)
            people = devices.people_named(self.request, device, username)
            self.device, self.people = (device, people) if people else (None, [])
        return username

    def _refuse(self, challenge: Challenge, error: NotLiveError) -> None:
        """Count a challenge that failed. One that took too long counts as given up instead."""
        challenges.note_rest(self.request, challenge)
        purpose = challenge.purpose
        if error.reason is Reason.LATE or purpose == challenges.VERIFY:
            return
        if purpose == challenges.ENROL:
            attempts.count_enrolment(self.request)
            return
        username, device = challenges.claimed_username(self.request), challenge.device
        people = devices.people_named(self.request, device, username)
        device = device if people else None
        if purpose != challenges.LOGIN:
            people = self._owner(purpose)
        backends.refuse_not_live(self.request, error, username, device, people)

    def _owner(self, purpose: str) -> list[Any]:
        """Return the user who is to be confirmed, as a list; [] if nobody is.

        The second step is that of the user who has entered the password, whoever is logged in.
        Otherwise, one user's failures could be counted for another one.
        """
        request = self.request
        second = purpose == challenges.SECOND_STEP
        owner: Any = second_step.pending_user(request) if second else request.user
        return [owner] if owner is not None and owner.is_authenticated else []

    def _answer(self, challenge: Challenge, sample: samples.Sample | None) -> dict[str, Any]:
        conversation = challenge.conversation
        step = conversation.step
        nobody: dict[str, Any] = {"faces": 0, "face": None}
        # Whoever moves already reads no hints.
        advice = guidance.advise(sample, hints=not step) if sample else nobody
        if conversation.made:
            advice.update(ok=True, code="passed", message=str(prompts.PASSED))
        elif step and sample is not None and len(sample.faces) == 1:
            advice.update(ok=True, code="step", message=str(prompts.STEPS[step]))
        head = sample.head if sample else None
        if head is not None and advice.get("face"):
            advice["face"].update(yaw=round(head.yaw, 1), pitch=round(head.pitch, 1))
        shown = {
            "name": step,
            "done": conversation.done,
            "total": len(conversation.steps),
            "share": round(conversation.share, 2),
        }
        return {
            "challenge": challenge.id,
            "number": challenge.number,
            "state": _state(conversation),
            "step": shown if step else None,
            **({"again": [mark[:2] for mark in marks]} if (marks := conversation.again) else {}),
            **self.notes,
            **advice,
        }


def _rank(challenge: Challenge) -> int:
    """Return how far along the visitor is; on a trusted device, as far as at the first step."""
    conversation = challenge.conversation
    shown = conversation.made or conversation.step or challenge.device_id
    return turns.ANSWERING + conversation.done if shown else turns.BEGINNING


def _state(conversation: Conversation) -> str:
    if conversation.made:
        return "again" if conversation.again else "passed"
    return "step" if conversation.step else "look"


def _check_login_alone(username: str | None) -> None:
    """Tell visitors whom no face could log in on this device, before they move.

    Raises:
        UnknownDevice: Only a password helps here.
        UsernameNeeded: A face is not looked for among all users.
    """
    if conf.get().UNKNOWN_DEVICES == "refuse":
        raise errors.UnknownDevice()
    if not username and not conf.get().FACE_ALONE:
        raise errors.UsernameNeeded(users.login_name())


def _number(text: str | None) -> float:
    try:
        return float(text or "nan")
    except ValueError:
        return math.nan


def _box(text: str) -> tuple[float, float, float, float] | None:
    """Return a box, as shares of the frame: left, top, right, bottom. None if it is none."""
    numbers = [_number(each) for each in text.split(",", 4)]
    if len(numbers) != 4 or not all(-1 <= each <= 2 for each in numbers):
        return None
    left, top, right, bottom = numbers
    return (left, top, right, bottom) if left < right and top < bottom else None
