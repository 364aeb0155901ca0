"""What attempts at the liveness challenge are made of: photos of people, and films of heads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import TypeVar

import numpy as np

from faceauth.capture import samples
from faceauth.liveness import head_turns
from faceauth.liveness.head_turns import LEFT, RIGHT
from faceauth.vision import ImageError, decode_image
from faceauth.vision.encoding import Encoding

from .multi_photo_attacks import Album
from .photo_attacks import Portrait
from .scenarios import ROWS, Case, Kind, Random, Row
from .videos import Window

STRAIGHT = 0.15  # of yaw: whoever has but one photo takes one that looks straight ahead
SHOTS = 5  # of a template

# So many people are tried with several photos, those who have most, with so many photos.
MOST_ALBUMS, MOST_PHOTOS, FEWEST_PHOTOS = 120, 30, 4

Thing = TypeVar("Thing")


def read(path: Path) -> Portrait | None:
    """A photo of one person; None where it shows nobody or several people, or is none."""
    try:
        image = decode_image(path.read_bytes())
    except (ImageError, OSError):
        return None
    engine = samples.engine()
    match engine.find_faces(image):
        case [face]:
            return Portrait(path, face, engine.encode_views(image, face))
    return None


def picked(paths: Sequence[Path], people: int, seed: int) -> list[Path]:
    """Photos of so many people at random, and of those who have most."""
    by_person: dict[str, list[Path]] = {}
    for path in paths:
        by_person.setdefault(path.parent.name, []).append(path)
    names = np.random.default_rng(seed).permutation(sorted(by_person)).tolist()
    counts = dict.fromkeys(names[:people], SHOTS + 1)
    most_first = sorted(by_person, key=lambda name: -len(by_person[name]))
    counts.update(
        (name, MOST_PHOTOS)
        for name in most_first[:MOST_ALBUMS]
        if len(by_person[name]) >= FEWEST_PHOTOS
    )
    return [path for name, count in sorted(counts.items()) for path in by_person[name][:count]]


class Supply:
    """Photos and films, and the attempts that they are enough for.

    films: parts that answer a challenge.
    templates: of the people in them, by the films' names.
    turns: how many a challenge asks for.
    """

    def __init__(
        self,
        portraits: Iterable[Portrait],
        films: Sequence[Window],
        templates: Mapping[str, Encoding],
        turns: int,
    ) -> None:
        self.people: dict[str, list[Portrait]] = {}
        for portrait in portraits:
            self.people.setdefault(portrait.path.parent.name, []).append(portrait)
        everybody = [photo for photos in self.people.values() for photo in photos]
        self.straight = [photo for photo in everybody if abs(photo.face.yaw) <= STRAIGHT]
        self.albums = [
            photos
            for photos in self.people.values()
            if len(photos) >= FEWEST_PHOTOS and Album(photos).reach >= head_turns.TURNED
        ]
        self.films = films
        self._templates = templates
        # As `challenge.draw_turns`: to both sides, where there are two turns.
        every = product((LEFT, RIGHT), repeat=turns)
        self._challenges = [each for each in every if len(set(each)) == min(turns, 2)]

    def cases(self, count: int, seed: int) -> Iterator[Case]:
        """So many attempts of each kind that there is something for."""
        for place, row in enumerate(ROWS):
            if self._serves(row):
                for number in range(count):
                    yield self._case(place, (seed, place, number))

    def _serves(self, row: Row) -> bool:
        if row.kind is Kind.PHOTO:
            return bool(self.straight)
        if row.kind is Kind.ALBUM:
            return bool(self.albums)
        if row.kind is Kind.MIXED:
            return bool(self.straight and self.films)
        return bool(self._films(row))

    def _films(self, row: Row) -> list[Window]:
        return [film for film in self.films if row.rate in (None, film.rate)]

    def _case(self, place: int, seed: tuple[int, ...]) -> Case:
        row, random = ROWS[place], np.random.default_rng((*seed, 1))
        turns = _any(self._challenges, random)
        if row.kind is Kind.PHOTO:
            photo = _any(self.straight, random)
            return Case(place, seed, turns, self._template(photo), (photo,))
        if row.kind is Kind.ALBUM:
            photos = _any(self.albums, random)
            return Case(place, seed, turns, self._template(Album(photos).frontal), tuple(photos))
        film = _any(self._films(row), random)
        if row.kind is Kind.MIXED:
            photo = _any(self.straight, random)
            return Case(place, seed, film.turns, self._template(photo), (photo,), (film,))
        turns = film.turns
        if not row.fits:
            turns = _any([each for each in self._challenges if each != turns], random)
        return Case(place, seed, turns, self._templates[film.film], (), (film,))

    def _template(self, shown: Portrait) -> Encoding:
        """Of other photos of the person, where there are any: straight ones, as are enrolled."""
        person = self.people[shown.path.parent.name]
        others = [photo for photo in person if photo.path != shown.path] or [shown]
        others.sort(key=lambda photo: abs(photo.face.yaw))
        return np.stack([photo.encoding for photo in others[:SHOTS]])


def _any(things: Sequence[Thing], random: Random) -> Thing:
    return things[int(random.integers(len(things)))]
