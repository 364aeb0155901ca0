"""The view that takes the frames of the camera pages: the challenge, and the guidance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse

from . import backends, conf, devices, errors, faces, users
from .capture import guidance, samples
from .http import client_ip, rate_limit
from .http.responses import error_response
from .liveness import challenge as challenges
from .liveness import looking, prompts
from .liveness.challenge import Challenge
from .liveness.conversation import NotLiveError, Reason
from .lockout import attempts
from .models import FaceDevice
from .step_up import second_step
from .views import PostOnlyView

MAX_FRAMES = 3  # in one request
MAX_USERNAME = 254  # characters, as in the form


class FramesView(PostOnlyView):
    """Take frames: go on with the visitor's challenge, or say what to do for a picture.

    Of the frames of a challenge the site keeps what they show, until the challenge is used; of
    those for a picture, which have a ``pose``, nothing.
    """

    def post(self, request: HttpRequest) -> HttpResponse:
        client, limit = client_ip.rate_limit_key(request), conf.get().FRAMES_PER_MINUTE
        details: dict[str, Any] = {}
        try:
            rate_limit.enforce("frames", client, limit, rate_limit.MINUTE)
            frames = request.FILES.getlist("frame")
            if not frames:
                raise errors.MissingSnapshot()
            if len(frames) > MAX_FRAMES:
                raise errors.TooLarge()
            if "pose" in request.POST:
                return JsonResponse(self._guide(frames[-1]))
            if conf.get().CHALLENGE is None:
                raise errors.ChallengeExpired()
            return JsonResponse(_Conversation(request).take(frames))
        except errors.FramesOutOfOrder as error:
            details["number"] = error.number
            return error_response(request, error, **details)
        except errors.FaceError as error:
            return error_response(request, error)

    def _guide(self, frame: Any) -> dict[str, Any]:
        """Return where the face is in a frame, and what to do for a good picture."""
        post = self.request.POST
        level = _number(post.get("level"))
        name = post.get("pose", guidance.STRAIGHT.name)
        pose = guidance.Pose(name, level if math.isfinite(level) else None)
        near = _box(post.get("near", ""))
        sample = (
            samples.analyse_picture(frame)
            if name == guidance.PHOTO
            else samples.analyse_frame(frame, near)
        )
        return guidance.advise(sample, pose)


class _Conversation:
    """One request with frames of a challenge."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        self.post = request.POST
        self.nonce = ""
        self.device: FaceDevice | None = None
        self.people: Sequence[Any] = ()

    def take(self, frames: Sequence[Any]) -> dict[str, Any]:
        """Look at the frames, and return the answer for the page.

        Raises:
            FaceError: The frames are not the next ones, or the challenge has ended.
        """
        challenge = self._challenge()
        seen: list[samples.Sample] = []
        looks = [partial(looking.look, challenge, frame, seen) for frame in frames]
        try:
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
            if _number(self.post.get("number")) != challenge.number + 1:
                raise errors.FramesOutOfOrder(challenge.number)
            return challenge
        return self._open()

    def _open(self) -> Challenge:
        """Return the challenge of the session, or a new one.

        Raises:
            TooManyAttempts: No attempt would be admitted now.
        """
        purpose = self.post.get("purpose", challenges.LOGIN)
        if purpose not in challenges.PURPOSES:
            raise errors.FaceError()
        username = self._claim(purpose)
        self.nonce = devices.nonce_for(self.request)
        if purpose in (challenges.LOGIN, challenges.CONFIRM):
            attempts.check(self.request, username, device=self.device, people=self.people)
        kind = challenges.kind(purpose, trusted=self.device is not None)
        if (challenge := challenges.current(self.request, purpose, kind, username)) is not None:
            return challenge
        client, limit = client_ip.rate_limit_key(self.request), conf.get().CHALLENGES_PER_MINUTE
        rate_limit.enforce("challenge", client, limit, rate_limit.MINUTE)
        if challenges.take_given_up(self.request, self.device):
            attempts.count_unusable(self.request, None, self.device, self.people)
            attempts.check(self.request, username, device=self.device, people=self.people)
        return challenges.open_new(self.request, purpose, kind, self.device, username)

    def _claim(self, purpose: str) -> str | None:
        """Return the username that is claimed, and note the device if it is trusted by that user.

        Raises:
            LoginRequired: Somebody who is not logged in has nothing to confirm.
        """
        if purpose == challenges.CONFIRM:
            owner: Any = second_step.pending_user(self.request) or self.request.user
            if not owner.is_authenticated:
                raise errors.LoginRequired()
            return users.username(owner)
        username = self.post.get("username", "")[:MAX_USERNAME] or None
        if purpose == challenges.LOGIN:
            proof = [self.post.get(name, "") for name in ("device_nonce", "device_signature")]
            device = devices.recognise_early(self.request, *proof)
            people = devices.people(device) if device else []
            if device and username:
                named = faces.by_username(username)
                people = [user for user in people if user == named]
            self.device, self.people = (device, people) if people else (None, [])
        return username

    def _refuse(self, challenge: Challenge, error: NotLiveError) -> None:
        """Count a challenge that failed. One that took too long counts as given up instead."""
        if error.reason is Reason.LATE or challenge.purpose in (
            challenges.ENROL,
            challenges.VERIFY,
        ):
            return
        username = challenges.claimed_username(self.request)
        device = challenge.device
        people = devices.people(device) if device else []
        backends.refuse_not_live(self.request, error, username, device if people else None, people)

    def _answer(self, challenge: Challenge, sample: samples.Sample | None) -> dict[str, Any]:
        conversation = challenge.conversation
        step = conversation.step
        advice = guidance.advise(sample) if sample else {}
        if conversation.passed:
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
            "state": "passed" if conversation.passed else "step" if step else "look",
            "step": shown if step else None,
            **({"device_nonce": self.nonce} if self.nonce else {}),
            **advice,
        }


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
