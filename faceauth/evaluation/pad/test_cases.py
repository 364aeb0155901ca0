"""Make attempts at the liveness challenge from photos of people and videos of heads."""

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
from .scenarios import SCENARIOS, Case, Kind, Random, Scenario
from .videos import Excerpt

STRAIGHT = 0.15  # largest yaw of the photo that an attacker with a single one would choose
SHOTS = 5  # of a template

# Multi-photo attacks use the people with the most photos: at most this many people, and the largest
# and smallest number of photos of each.
MAX_ALBUMS, MAX_PHOTOS, MIN_PHOTOS = 120, 30, 4

Item = TypeVar("Item")


def read_portrait(path: Path) -> Portrait | None:
    """Read a photo of one person. Return None if it is unreadable, or shows nobody or several."""
    try:
        image = decode_image(path.read_bytes())
    except (ImageError, OSError):
        return None
    engine = samples.engine()
    match engine.find_faces(image):
        case [face]:
            return Portrait(path, face, engine.encode_views(image, face))
    return None


def select_photos(paths: Sequence[Path], people: int, seed: int) -> list[Path]:
    """Return photos of `people` people at random, and of the people with the most photos."""
    by_person: dict[str, list[Path]] = {}
    for path in paths:
        by_person.setdefault(path.parent.name, []).append(path)
    names = np.random.default_rng(seed).permutation(sorted(by_person)).tolist()
    counts = dict.fromkeys(names[:people], SHOTS + 1)
    most_first = sorted(by_person, key=lambda name: -len(by_person[name]))
    counts.update(
        (name, MAX_PHOTOS) for name in most_first[:MAX_ALBUMS] if len(by_person[name]) >= MIN_PHOTOS
    )
    return [path for name, count in sorted(counts.items()) for path in by_person[name][:count]]


class Material:
    """Photos and videos, and the attempts that can be made from them.

    Args:
        portraits: Photos of people.
        videos: Excerpts that answer a challenge.
        templates: Of the people in them, by the videos' names.
        turns: The number of turns in a challenge.

    Attributes:
        people: All photos by person.
        straight: The photos that look straight ahead.
        albums: The photos of each person who has enough, turned far enough.
        videos: The excerpts.
    """

    def __init__(
        self,
        portraits: Iterable[Portrait],
        videos: Sequence[Excerpt],
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
            if len(photos) >= MIN_PHOTOS and Album(photos).reach >= head_turns.TURNED
        ]
        self.videos = videos
        self._templates = templates
        # As in `challenge.draw_turns`: to both sides if there are two turns or more.
        every = product((LEFT, RIGHT), repeat=turns)
        self._challenges = [each for each in every if len(set(each)) == min(turns, 2)]

    def cases(self, count: int, seed: int) -> Iterator[Case]:
        """Yield `count` attempts of each scenario that there is material for."""
        for index, scenario in enumerate(SCENARIOS):
            if self._suffices(scenario):
                for number in range(count):
                    yield self._case(index, (seed, index, number))

    def _suffices(self, scenario: Scenario) -> bool:
        if scenario.kind is Kind.PHOTO:
            return bool(self.straight)
        if scenario.kind is Kind.ALBUM:
            return bool(self.albums)
        if scenario.kind is Kind.MIXED:
            return bool(self.straight and self.videos)
        return bool(self._videos(scenario))

    def _videos(self, scenario: Scenario) -> list[Excerpt]:
        return [video for video in self.videos if scenario.rate in (None, video.rate)]

    def _case(self, index: int, seed: tuple[int, ...]) -> Case:
        scenario, random = SCENARIOS[index], np.random.default_rng((*seed, 1))
        turns = _choose(self._challenges, random)
        if scenario.kind is Kind.PHOTO:
            photo = _choose(self.straight, random)
            return Case(index, seed, turns, self._template(photo), (photo,))
        if scenario.kind is Kind.ALBUM:
            photos = _choose(self.albums, random)
            return Case(index, seed, turns, self._template(Album(photos).frontal), tuple(photos))
        video = _choose(self._videos(scenario), random)
        if scenario.kind is Kind.MIXED:
            photo = _choose(self.straight, random)
            return Case(index, seed, video.turns, self._template(photo), (photo,), (video,))
        turns = video.turns
        if not scenario.matches:
            turns = _choose([each for each in self._challenges if each != turns], random)
        return Case(index, seed, turns, self._templates[video.video], (), (video,))

    def _template(self, shown: Portrait) -> Encoding:
        """Return a template from the person's other photos, if any: straight ones, as enrolled."""
        person = self.people[shown.path.parent.name]
        others = [photo for photo in person if photo.path != shown.path] or [shown]
        others.sort(key=lambda photo: abs(photo.face.yaw))
        return np.stack([photo.encoding for photo in others[:SHOTS]])


def _choose(items: Sequence[Item], random: Random) -> Item:
    return items[int(random.integers(len(items)))]
