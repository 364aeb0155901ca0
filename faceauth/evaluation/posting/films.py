"""Films for a script to post: photos of a person, animated until the judge accepts them.

The judge is open and deterministic, so an attacker runs it at home and posts only what passes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from faceauth import enrolment
from faceauth.capture import samples
from faceauth.errors import FaceError
from faceauth.evaluation.pad import photo_attacks, test_cases
from faceauth.evaluation.pad.photo_attacks import Portrait
from faceauth.evaluation.pad.rendering import encode_jpeg
from faceauth.liveness import challenge
from faceauth.liveness.head_turns import NotLiveError
from faceauth.vision import decode_image

# How many photos of a person the owner enrols, and how many others an attacker looks at.
SHOTS, MAX_PHOTOS = 5, 4

# How many films an attacker makes of one photo before trying the next one.
FILMS_PER_PHOTO = 12

# How many different films an attacker makes of one person.
FILMS = 2


class Film(NamedTuple):
    """The answer to a challenge.

    Attributes:
        turns: The turns that it shows. The attacker asks for challenges until one fits.
        frames: JPEG files.
        passes: The judge accepts it.
    """

    turns: tuple[str, ...]
    frames: list[bytes]
    passes: bool


@dataclass
class Target:
    """A person to attack.

    Attributes:
        name: The name of the person's folder.
        encodings: The encodings that are enrolled, each a list of numbers.
        still: Films of public photos that do not move.
        animated: Films of public photos that move, at least one; those that pass come first.
        enrolled: The same of the pictures that were enrolled. Empty if they are unknown.
        username: The name to log in with.
    """

    name: str
    encodings: list[list[float]] = field(default_factory=list)
    still: list[Film] = field(default_factory=list)
    animated: list[Film] = field(default_factory=list)
    enrolled: list[Film] = field(default_factory=list)
    username: str = ""


class Task(NamedTuple):
    """A person whose films are to be made.

    Attributes:
        photos: All photos of the person.
        enrol: The first `SHOTS` usable photos are enrolled, and the others are public.
        turns: The number of turns in a challenge.
        seed: Of the random numbers.
    """

    photos: Sequence[Path]
    enrol: bool
    turns: int
    seed: tuple[int, ...]


def tasks(paths: Sequence[Path], *, enrol: bool, turns: int, seed: int) -> list[Task]:
    """Return a task for each person who has enough photos, in random order."""
    people: dict[Path, list[Path]] = {}
    for path in paths:
        people.setdefault(path.parent, []).append(path)
    enough = sorted(each for each in people if len(people[each]) > SHOTS * enrol)
    order = np.random.default_rng(seed).permutation(len(enough))
    return [
        Task(people[enough[index]], enrol, turns, (seed, number))
        for number, index in enumerate(order)
    ]


def prepare(task: Task) -> Target | None:
    """Make the films of a person. Return None if too few of the photos can be used."""
    portraits = [each for path in task.photos if (each := _usable(path))]
    shots = portraits[:SHOTS] if task.enrol else []
    public = portraits[len(shots) :]
    if not public or (task.enrol and not _can_be_enrolled(shots)):
        return None
    # The attacker begins with the photos that look straight ahead.
    public = sorted(public, key=lambda each: abs(each.face.yaw))[:MAX_PHOTOS]
    random = np.random.default_rng(task.seed)
    target = Target(task.photos[0].parent.name, [each.encoding.tolist() for each in shots])
    target.still = [
        _film(photo_attacks.still, public[number % len(public)], task.turns, random)
        for number in range(FILMS)
    ]
    target.animated = _films_that_pass(public, task.turns, random)
    shots.sort(key=lambda each: abs(each.face.yaw))
    target.enrolled = _films_that_pass(shots, task.turns, random) if shots else []
    return target


def changed(film: Film, number: int) -> Film:
    """Return the film with one pixel of each frame changed by one level.

    Args:
        film: The film.
        number: Another number changes another pixel.
    """
    return film._replace(frames=[_changed(decode_image(each), number) for each in film.frames])


def _changed(frame: NDArray[np.uint8], number: int) -> bytes:
    pixels = frame.reshape(-1)
    place = number % len(pixels)
    pixels[place] = pixels[place] - 1 if pixels[place] else 1
    options = [cv2.IMWRITE_PNG_COMPRESSION, 1]
    return cv2.imencode(".png", cv2.cvtColor(frame, cv2.COLOR_RGB2BGR), options)[1].tobytes()


def _usable(path: Path) -> Portrait | None:
    """Return a photo that could be enrolled, or None."""
    try:
        samples.analyse(path.read_bytes())
    except (FaceError, OSError):
        return None
    return test_cases.read_portrait(path)


def _can_be_enrolled(shots: Sequence[Portrait]) -> bool:
    """Return True if these are enough different pictures of one person."""
    if len(shots) < SHOTS:
        return False
    encodings = np.stack([each.encoding for each in shots])
    try:
        enrolment.check_same_person(encodings)
        enrolment.check_no_copies(encodings)
    except FaceError:
        return False
    return True


def _films_that_pass(
    photos: Sequence[Portrait], turns: int, random: np.random.Generator
) -> list[Film]:
    """Return `FILMS` films that pass, or all that were found, or one that does not pass."""
    found: list[Film] = []
    film = None
    for film in _candidates(photos, turns, random):
        if film.passes:
            found.append(film)
        if len(found) == FILMS:
            break
    assert film is not None
    return found or [film]


def _candidates(
    photos: Sequence[Portrait], turns: int, random: np.random.Generator
) -> Iterator[Film]:
    for photo in photos:
        for _film_of_photo in range(FILMS_PER_PHOTO):
            film = _film(photo_attacks.animated, photo, turns, random)
            yield film
            if film.passes:
                break


def _film(
    attack: Callable[..., photo_attacks.Frames],
    photo: Portrait,
    count: int,
    random: np.random.Generator,
) -> Film:
    turns = challenge.draw_turns(count)
    frames = [encode_jpeg(each) for each in attack(photo, turns, random)]
    return Film(tuple(turns), frames, _passes(frames, turns))


def _passes(frames: Sequence[bytes], turns: Sequence[str]) -> bool:
    """Return True if the challenge's judge takes the frames for a live head."""
    try:
        straight = challenge.check_movement(samples.analyse_movement(frames), turns)
    except (FaceError, NotLiveError):
        return False
    return any(not each.problem() for each in straight)
