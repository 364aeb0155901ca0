"""The species of attacks: what an attacker shows or posts, and how often it may succeed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from faceauth.liveness.challenge import FULL, SHORT
from faceauth.liveness.steps import CLOSER, DIRECTIONS
from faceauth.vision import decode_image

from . import film_attacks, films, photo_attacks, puppet_attacks
from .following import Attacker, OnScreen
from .portraits import Portrait
from .puppet import Puppet
from .targets import ANIMATED, HEADS, REPLAYED, Target

Random = np.random.Generator

SEVERAL = "several photos"
PHOTO = "photo"
REPLAY = "replay"

# The share of attempts that may log in as the person, at most, by the kind of the challenge.
Limits = Mapping[str, float]
FLAT: Limits = {SHORT: 0.01, FULL: 0.0}
FIXED: Limits = {SHORT: 0.12, FULL: 0.02}
NEVER: Limits = {SHORT: 0.0, FULL: 0.0}
AIM: Limits = {SHORT: 0.1, FULL: 0.1}
NO_LIMIT: Limits = {}


class Species(NamedTuple):
    """A species of attacks, one row of the report.

    Attributes:
        name: Its name in the report.
        needs: `PHOTO`, `SEVERAL` photos, a film's role, or `REPLAY`.
        make: Returns the attacker of one attempt, from the person, another person's photo and the
            random numbers. Replays are made by `trial`.
        limits: How many attempts may succeed.
    """

    name: str
    needs: str
    make: Callable[[Target, Portrait | None, Random], Attacker]
    limits: Limits

    @property
    def alone(self) -> bool:
        """Return True if no other person's photo is needed."""
        return self.make is not _two_heads

    def suits(self, target: Target) -> bool:
        """Return True if the attacker has what it takes to attack this person."""
        if self.needs in (PHOTO, REPLAY):
            return bool(target.photos)
        if self.needs == SEVERAL:
            return len(target.photos) > 1
        return target.role == self.needs


def puppet_of(portrait: Portrait) -> Puppet:
    """Return a photo as a head that moves."""
    return _puppet(portrait.path)


@lru_cache(maxsize=4)
def _puppet(path: Path) -> Puppet:
    return Puppet(decode_image(path.read_bytes()))


@lru_cache(maxsize=2)
def _film(path: Path) -> films.Film:
    return films.read(path)


def _flat(name: str, make: Callable[[Portrait, Random], Attacker], limits: Limits) -> Species:
    return Species(name, PHOTO, lambda target, other, random: make(target.photo, random), limits)


def _both(species: Species, screen: Limits) -> Iterator[Species]:
    """Yield an attack by software, posted and on a screen."""

    def shown(target: Target, other: Portrait | None, random: Random) -> Attacker:
        return OnScreen(species.make(target, other, random), random)

    yield species._replace(name=f"{species.name}, posted")
    yield species._replace(name=f"{species.name}, on a screen", make=shown, limits=screen)


def _on_screen(target: Target, other: Portrait | None, random: Random) -> Attacker:
    hold = photo_attacks.Moved if random.random() < 0.5 else photo_attacks.Tilted
    return OnScreen(hold(target.photo, random), random)


def _to_all_sides(target: Target, other: Portrait | None, random: Random) -> Attacker:
    order = random.permutation([*DIRECTIONS, CLOSER]).tolist()
    return OnScreen(film_attacks.Recorded(puppet_of(target.photo), order, random), random)


def _coming_closer(target: Target, other: Portrait | None, random: Random) -> Attacker:
    return OnScreen(film_attacks.Recorded(puppet_of(target.photo), [CLOSER], random), random)


def _cut(target: Target, other: Portrait | None, random: Random) -> Attacker:
    return film_attacks.Cut(puppet_of(target.photo), random)


def _warped(target: Target, other: Portrait | None, random: Random) -> Attacker:
    return puppet_attacks.Actor(puppet_of(target.photo), random)


def _animated(target: Target, other: Portrait | None, random: Random) -> Attacker:
    return photo_attacks.Animated(target.photo, random)


def _two_heads(target: Target, other: Portrait | None, random: Random) -> Attacker:
    assert other is not None
    return puppet_attacks.TwoHeads(puppet_of(other), puppet_of(target.photo), random)


def _album(target: Target, other: Portrait | None, random: Random) -> Attacker:
    return puppet_attacks.Album(target.photos, random)


def _played(target: Target, other: Portrait | None, random: Random) -> Attacker:
    assert target.film is not None
    return film_attacks.Played(_film(target.film), random)


def _all() -> Iterator[Species]:
    yield _flat("flat photo, still", photo_attacks.Still, FLAT)
    yield _flat("flat photo, moved", photo_attacks.Moved, FLAT)
    yield _flat("flat photo, tilted", photo_attacks.Tilted, FLAT)
    yield _flat("flat photo, bent", photo_attacks.Bent, FLAT)
    yield _flat("flat photo, cut", photo_attacks.Cut, FLAT)
    yield Species("flat photo, on a screen", PHOTO, _on_screen, FLAT)
    yield Species("picture of a print or of a screen", REPLAYED, _played, FLAT)
    yield Species("film to all sides, on a screen", PHOTO, _to_all_sides, FIXED)
    yield Species("film that comes closer, on a screen", PHOTO, _coming_closer, FIXED)
    yield from _both(Species("real film as it is", HEADS, _played, FIXED), FIXED)
    yield from _both(Species("photo animated by a network", ANIMATED, _played, FIXED), FIXED)
    yield Species("the same answer again, altered", REPLAY, _played, NEVER)
    yield from _both(Species("film cut live", PHOTO, _cut, NO_LIMIT), AIM)
    yield from _both(Species("photo warped in 3-D live", PHOTO, _warped, NO_LIMIT), AIM)
    yield from _both(Species("photo animated in the plane", PHOTO, _animated, NO_LIMIT), AIM)
    yield from _both(Species("several photos", SEVERAL, _album, NO_LIMIT), AIM)
    yield Species("another head turns, posted", PHOTO, _two_heads, NO_LIMIT)


SPECIES = tuple(_all())
