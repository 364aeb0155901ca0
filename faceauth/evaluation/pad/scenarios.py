"""The kinds of attempts at the liveness challenge, and the site's verdict on each attempt."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import Enum
from typing import NamedTuple

import numpy as np
from django.contrib.sessions.backends.signed_cookies import SessionStore
from django.db import transaction
from django.http import HttpRequest

from faceauth.capture import samples
from faceauth.errors import FaceError
from faceauth.liveness import challenge
from faceauth.liveness.head_turns import NotLiveError
from faceauth.recognition import matching, policy
from faceauth.vision.encoding import Encoding

from . import multi_photo_attacks, photo_attacks, video_attacks
from .photo_attacks import Frames, Portrait
from .rendering import encode_jpeg
from .videos import RATES, Excerpt

Random = np.random.Generator
Attack = Callable[["Case", Random], Frames]


class Kind(Enum):
    """The material that an attempt needs."""

    PHOTO = "photo"
    ALBUM = "album"
    VIDEO = "video"
    MIXED = "photo and video"


class Scenario(NamedTuple):
    """A kind of attempt, one row of the report.

    Attributes:
        name: Its name in the report.
        kind: The material that it needs.
        attack: Makes the frames of one attempt.
        limit: The largest share of attacks that may succeed or, of genuine attempts, that may be
            refused. None if nothing is promised.
        genuine: The attempt should succeed.
        matches: The video makes the turns that the challenge asks for.
        rate: Of the video, frames per second; None for any.
        replayed: The attempt sends an answer a second time.
    """

    name: str
    kind: Kind
    attack: Attack
    limit: float | None
    genuine: bool = False
    matches: bool = True
    rate: int | None = None
    replayed: bool = False


class Case(NamedTuple):
    """One attempt.

    Attributes:
        scenario: Its index in `SCENARIOS`.
        seed: Of all random numbers in it.
        turns: The turns that the challenge asks for.
        template: Of the person that it claims to be, float32 (n, 128).
        photos: The person's photos, or the one that is shown.
        videos: The excerpt that is shown, if any.
    """

    scenario: int
    seed: tuple[int, ...]
    turns: tuple[str, ...]
    template: Encoding
    photos: tuple[Portrait, ...] = ()
    videos: tuple[Excerpt, ...] = ()

    def frames(self) -> Frames:
        """Return the frames that the attempt shows, RGB, uint8 (height, width, 3)."""
        return SCENARIOS[self.scenario].attack(self, np.random.default_rng(self.seed))


class Verdict(NamedTuple):
    """The site's verdict on an attempt.

    Attributes:
        live: The attempt was taken for a live person.
        reason: The reason for the refusal; "" if the attempt succeeded.
    """

    live: bool
    reason: str = ""


def judge(case: Case) -> Verdict:
    """Judge whether the attempt logs in as the person that it claims to be."""
    try:
        analysed = samples.analyse_movement([encode_jpeg(frame) for frame in case.frames()])
        straight = challenge.check_movement(analysed, case.turns)
        probe = samples.probe_encodings([sample for sample in straight if not sample.problem()])
    except FaceError as error:
        return Verdict(False, str(error.code))
    except NotLiveError as error:
        return Verdict(False, error.reason.value)
    match = policy.Match("", matching.distance(case.template, probe), len(case.template))
    decision = policy.verify(match, matching.effective_frames(probe))
    return Verdict(True, "" if decision.accepted else decision.outcome.value)


def judge_replay(case: Case) -> Verdict:
    """Judge the attempt's frames when they are sent a second time.

    The second time they answer the same challenge, the same one in another session, or a new
    challenge that asks for the same turns. The database is left unchanged.
    """
    visitor, stranger = _visitor(), _visitor()
    first, second = (challenge.issue(visitor)["challenge"] for _ in range(2))
    challenge.issue(stranger)
    replays = [(visitor, first), (stranger, first), (visitor, second)]
    prefix = "at first: "
    with transaction.atomic():
        try:
            analysed = samples.analyse_movement([encode_jpeg(frame) for frame in case.frames()])
            challenge.redeem(visitor, first)
            challenge.check_answer(analysed, case.turns)
            prefix = ""
            challenge.redeem(*replays[case.seed[-1] % len(replays)])
            challenge.check_answer(analysed, case.turns)
        except FaceError as error:
            return Verdict(False, f"{prefix}{error.code}")
        except NotLiveError as error:
            return Verdict(False, f"{prefix}{error.reason.value}")
        finally:
            transaction.set_rollback(True)
    return Verdict(True)


def _visitor() -> HttpRequest:
    request = HttpRequest()
    request.session = SessionStore()
    return request


def _photo(attack: photo_attacks.Attack) -> Attack:
    return lambda case, random: attack(case.photos[0], case.turns, random)


def _album(attack: multi_photo_attacks.AlbumAttack) -> Attack:
    return lambda case, random: attack(multi_photo_attacks.Album(case.photos), case.turns, random)


def _video(attack: video_attacks.VideoAttack) -> Attack:
    return lambda case, random: attack(case.videos[0], random)


def _mixed(attack: video_attacks.MixedAttack) -> Attack:
    return lambda case, random: attack(case.videos[0], case.photos[0], random)


# The promised limits: for simple attacks, for strong ones and for genuine attempts, and for attacks
# that must never succeed.
SIMPLE, STRONG, NEVER = 0.02, 0.05, 0.0

_MOVED_SCREEN = photo_attacks.on_screen(photo_attacks.moved)
_TILTED_SCREEN = photo_attacks.on_screen(photo_attacks.tilted(20, 60))


def _photo_scenarios() -> Iterator[Scenario]:
    """Yield the attacks with one photo."""

    def scenario(name: str, attack: photo_attacks.Attack, limit: float | None) -> Scenario:
        return Scenario(name, Kind.PHOTO, _photo(attack), limit)

    yield scenario("photo, still", photo_attacks.still, SIMPLE)
    yield scenario("photo, shifted, scaled and rotated", photo_attacks.moved, SIMPLE)
    for degrees, limit in ((45, SIMPLE), (60, STRONG)):
        tilted = photo_attacks.tilted(degrees - 20, degrees)
        slanted = photo_attacks.slanted(degrees - 20, degrees)
        yield scenario(f"photo, tilted up to {degrees} degrees", tilted, limit)
        yield scenario(f"photo, tilted up to {degrees} degrees, slanted axis", slanted, limit)
    yield scenario("photo, bent", photo_attacks.bent, SIMPLE)
    yield scenario("photo, eyes or mouth cut out and moved", photo_attacks.cut_out, SIMPLE)
    yield scenario("photo on a screen, moved", _MOVED_SCREEN, SIMPLE)
    yield scenario("photo on a screen, tilted up to 60 degrees", _TILTED_SCREEN, STRONG)
    yield scenario("photo, animated by software", photo_attacks.animated, None)


def _album_scenarios() -> Iterator[Scenario]:
    """Yield the attacks with several photos of one person."""
    for name, attack in (
        ("several photos, swapped", multi_photo_attacks.swapped),
        ("several photos, fading into each other", multi_photo_attacks.faded),
        ("several photos, swapped step by step", multi_photo_attacks.stepwise),
    ):
        yield Scenario(name, Kind.ALBUM, _album(attack), STRONG)


def _video_scenarios() -> Iterator[Scenario]:
    """Yield the attacks with a video, of the person or of somebody else."""
    unchanged = _video(video_attacks.unchanged)
    yield Scenario(
        "video, its frames in the wrong order",
        Kind.VIDEO,
        _video(video_attacks.wrong_order),
        NEVER,
    )
    for name, attack, limit in (
        ("two people, one only looking straight ahead", video_attacks.photo_when_straight, NEVER),
        ("two people in turn", video_attacks.alternating, NEVER),
        ("two people, one fading into the other", video_attacks.faded_in, None),
    ):
        yield Scenario(name, Kind.MIXED, _mixed(attack), limit)
    yield Scenario("an answer to another challenge", Kind.VIDEO, unchanged, NEVER, matches=False)
    yield Scenario("an answer sent twice", Kind.VIDEO, unchanged, NEVER, replayed=True)
    yield Scenario(
        "video that happens to fit, on a screen", Kind.VIDEO, _video(video_attacks.on_screen), None
    )


def _genuine_scenarios() -> Iterator[Scenario]:
    """Yield the genuine attempts."""
    for rate in reversed(RATES):
        name = f"genuine, {rate} frames a second"
        attempt = _video(video_attacks.unchanged)
        yield Scenario(name, Kind.VIDEO, attempt, STRONG, genuine=True, rate=rate)


SCENARIOS = (
    *_photo_scenarios(),
    *_album_scenarios(),
    *_video_scenarios(),
    *_genuine_scenarios(),
)
