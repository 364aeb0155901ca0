"""Attempts at the liveness challenge, and what the site makes of them."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import NamedTuple

import numpy as np
from django.contrib.sessions.backends.signed_cookies import SessionStore
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext_noop

from faceauth.capture import samples
from faceauth.errors import FaceError
from faceauth.liveness import challenge
from faceauth.liveness.head_turns import NotLiveError
from faceauth.recognition import matching, policy
from faceauth.vision.encoding import Encoding

from . import multi_photo_attacks, photo_attacks, video_attacks
from .photo_attacks import Frames, Portrait
from .rendering import jpeg
from .videos import RATES, Window

Random = np.random.Generator
Attack = Callable[["Case", Random], Frames]


class Kind(Enum):
    """What an attempt is made of."""

    PHOTO = "photo"
    ALBUM = "album"
    FILM = "film"
    MIXED = "photo and film"


class Row(NamedTuple):
    """A kind of attempt.

    most: the share of attempts that may get through, or, of true ones, be refused. None where
        nothing is promised.
    true: whether it is one that should get through.
    fits: whether the film answers the challenge.
    rate: the film's, frames a second; None for any.
    again: whether what is tried is to send an answer a second time.
    """

    name: str
    kind: Kind
    attack: Attack
    most: float | None
    true: bool = False
    fits: bool = True
    rate: int | None = None
    again: bool = False


class Case(NamedTuple):
    """One attempt.

    row: its place in `ROWS`.
    seed: of all chance in it.
    turns: what the challenge asks for.
    template: of the person that it claims to be, float32 (n, 128).
    photos: what there is of them, or the photo that is shown.
    films: the one that is shown, if any.
    """

    row: int
    seed: tuple[int, ...]
    turns: tuple[str, ...]
    template: Encoding
    photos: tuple[Portrait, ...] = ()
    films: tuple[Window, ...] = ()

    def frames(self) -> Frames:
        """What it shows."""
        return ROWS[self.row].attack(self, np.random.default_rng(self.seed))


class Verdict(NamedTuple):
    """What became of an attempt.

    live: whether it was taken for a live person.
    reason: why it was refused; "" where it got through.
    """

    live: bool
    reason: str = ""


def judge(case: Case) -> Verdict:
    """Whether the attempt logs in as the person that it claims to be."""
    try:
        analysed = samples.analyse_movement([jpeg(frame) for frame in case.frames()])
        straight = challenge.check_movement(analysed, case.turns)
        probe = samples.probe_encodings([sample for sample in straight if not sample.problem()])
    except FaceError as error:
        return Verdict(False, str(error.code))
    except NotLiveError as error:
        return Verdict(False, error.reason.value)
    match = policy.Match("", matching.distance(case.template, probe), len(case.template))
    decision = policy.verify(match, matching.effective_frames(probe))
    return Verdict(True, "" if decision.accepted else decision.outcome.value)


def judge_again(case: Case) -> Verdict:
    """What becomes of the attempt's frames when they are sent a second time: with the challenge
    that they answered, with that in another session, or with a new one that asks for the same.
    The database is left as it was.
    """
    visitor, stranger = _visitor(), _visitor()
    first, second = (challenge.issue(visitor)["challenge"] for _ in range(2))
    challenge.issue(stranger)
    again = [(visitor, first), (stranger, first), (visitor, second)]
    turn = "at first: "
    with transaction.atomic():
        try:
            analysed = samples.analyse_movement([jpeg(frame) for frame in case.frames()])
            challenge.redeem(visitor, first)
            challenge.check_answer(analysed, case.turns)
            turn = ""
            challenge.redeem(*again[case.seed[-1] % len(again)])
            challenge.check_answer(analysed, case.turns)
        except FaceError as error:
            return Verdict(False, f"{turn}{error.code}")
        except NotLiveError as error:
            return Verdict(False, f"{turn}{error.reason.value}")
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


def _film(attack: video_attacks.FilmAttack) -> Attack:
    return lambda case, random: attack(case.films[0], random)


def _mixed(attack: video_attacks.MixedAttack) -> Attack:
    return lambda case, random: attack(case.films[0], case.photos[0], random)


FLAT, FAR, NEVER = 0.02, 0.05, 0.0

_STILL, _MOVED = _photo(photo_attacks.still), _photo(photo_attacks.moved)
_SCREEN = _photo(photo_attacks.on_screen(photo_attacks.moved))
_TILTED_SCREEN = _photo(photo_attacks.on_screen(photo_attacks.tilted(20, 60)))
_UPRIGHT = {degrees: _photo(photo_attacks.tilted(degrees - 20, degrees)) for degrees in (45, 60)}
_SLANTING = {degrees: _photo(photo_attacks.slanted(degrees - 20, degrees)) for degrees in (45, 60)}

TRUE = {5: gettext_noop("true, 5 a second"), 10: gettext_noop("true, 10 a second")}

ROWS = (
    Row(gettext_noop("photo, still"), Kind.PHOTO, _STILL, FLAT),
    Row(gettext_noop("photo shifted, scaled, turned in the plane"), Kind.PHOTO, _MOVED, FLAT),
    Row(gettext_noop("photo tilted up to 45 degrees"), Kind.PHOTO, _UPRIGHT[45], FLAT),
    Row(gettext_noop("photo tilted up to 45 degrees, slanting"), Kind.PHOTO, _SLANTING[45], FLAT),
    Row(gettext_noop("photo tilted up to 60 degrees"), Kind.PHOTO, _UPRIGHT[60], FAR),
    Row(gettext_noop("photo tilted up to 60 degrees, slanting"), Kind.PHOTO, _SLANTING[60], FAR),
    Row(gettext_noop("photo bent"), Kind.PHOTO, _photo(photo_attacks.curved), FLAT),
    Row(
        gettext_noop("photo with eyes or mouth cut and moved"),
        Kind.PHOTO,
        _photo(photo_attacks.cut),
        FLAT,
    ),
    Row(gettext_noop("photo on a screen, moved"), Kind.PHOTO, _SCREEN, FLAT),
    Row(
        gettext_noop("photo on a screen, tilted up to 60 degrees"), Kind.PHOTO, _TILTED_SCREEN, FAR
    ),
    Row(
        gettext_noop("photo animated by a program"),
        Kind.PHOTO,
        _photo(photo_attacks.animated),
        None,
    ),
    Row(
        gettext_noop("several photos, swapped"),
        Kind.ALBUM,
        _album(multi_photo_attacks.swapped),
        FAR,
    ),
    Row(gettext_noop("several photos, fading"), Kind.ALBUM, _album(multi_photo_attacks.faded), FAR),
    Row(
        gettext_noop("several photos, step by step"),
        Kind.ALBUM,
        _album(multi_photo_attacks.leafed),
        FAR,
    ),
    Row(
        gettext_noop("the right frames in the wrong order"),
        Kind.FILM,
        _film(video_attacks.wrong_order),
        NEVER,
    ),
    Row(
        gettext_noop("two people, one looking straight"),
        Kind.MIXED,
        _mixed(video_attacks.swapped_in),
        NEVER,
    ),
    Row(gettext_noop("two people by turns"), Kind.MIXED, _mixed(video_attacks.by_turns), NEVER),
    Row(
        gettext_noop("two people, one fading into the other"),
        Kind.MIXED,
        _mixed(video_attacks.faded_in),
        None,
    ),
    Row(
        gettext_noop("an answer to another challenge"),
        Kind.FILM,
        _film(video_attacks.as_it_is),
        NEVER,
        fits=False,
    ),
    Row(
        gettext_noop("an answer sent twice"),
        Kind.FILM,
        _film(video_attacks.as_it_is),
        NEVER,
        again=True,
    ),
    Row(
        gettext_noop("a film that happens to fit, on a screen"),
        Kind.FILM,
        _film(video_attacks.on_screen),
        None,
    ),
    *(
        Row(TRUE[rate], Kind.FILM, _film(video_attacks.as_it_is), FAR, true=True, rate=rate)
        for rate in reversed(RATES)
    ),
)
