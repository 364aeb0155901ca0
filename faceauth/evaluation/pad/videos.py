"""True attempts: parts of films of real heads that answer a challenge."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from django.utils.translation import gettext as _
from numpy.typing import NDArray
from PIL import Image as Pictures

from faceauth.vision import Engine, Face, decode_image
from faceauth.vision.encoding import Encoding

from .rendering import SIGNS, Image, jpeg, webcam

SIDE = 640  # pixels: the longest side that the page sends
MOST_FRAMES = 12
RATES = (5, 10)  # frames a second

# How long somebody looks straight ahead before and after, and how long all may take: seconds.
IDLE, LONGEST = 0.5, 30.0

STILL_RATE = 10  # frames a second of a film that is a folder of pictures
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}


class Asked(NamedTuple):
    """What the page asks for: yaws, from the head's own middle, from which it is turned, and up to
    which it is back.
    """

    turned: float
    middle: float


class Clip(NamedTuple):
    """A film.

    frames: uint8 (height, width, 3), the longer side `SIDE` pixels.
    times: of the frames, seconds, float64 (n,).
    """

    name: str
    frames: list[Image]
    times: NDArray[np.float64]


@dataclass(frozen=True)
class Traced:
    """A film and the head in it; None where there is none, or several.

    faces: one a frame, or None.
    """

    clip: Clip
    faces: list[Face | None]

    def face(self, index: int) -> Face:
        """The one in a frame where there is one."""
        face = self.faces[index]
        assert face is not None
        return face

    @cached_property
    def straight(self) -> float:
        """The yaw of looking straight ahead: what is seen most."""
        return float(np.median([face.yaw for face in self.faces if face]))

    def template(self, engine: Engine, shots: int) -> Encoding:
        """The encodings, float32 (shots, 128), of some of its frames that are nearest to looking
        straight ahead: what its person may have enrolled.
        """
        known = [(abs(face.yaw - self.straight), n) for n, face in enumerate(self.faces) if face]
        best = [n for _, n in sorted(known)[:shots]]
        views = [engine.encode_views(self.clip.frames[n], self.face(n)) for n in best]
        return np.stack(views)

    def mirrored(self, engine: Engine) -> Traced:
        """Its mirror image."""
        frames = [np.ascontiguousarray(frame[:, ::-1]) for frame in self.clip.frames]
        return trace(engine, self.clip._replace(name=f"{self.clip.name}, mirrored", frames=frames))


class Window(NamedTuple):
    """A part of a film that answers a challenge: the frames that the page would send.

    rate: how many frames a second the page saw.
    turns: what they answer.
    yaws: of the head in them, float64 (n,).
    places: the head's middle and size in them, pixels, float64 (n, 3).
    """

    film: str
    rate: int
    turns: tuple[str, ...]
    frames: list[Image]
    yaws: NDArray[np.float64]
    places: NDArray[np.float64]

    @classmethod
    def of(cls, film: Traced, rate: int, turns: Sequence[str], chosen: Sequence[int]) -> Window:
        faces = [film.face(index) for index in chosen]
        boxes = np.array([face.box for face in faces], np.float64)
        middles = (boxes[:, :2] + boxes[:, 2:]) / 2
        return cls(
            film.clip.name,
            rate,
            tuple(turns),
            [film.clip.frames[index] for index in chosen],
            np.array([face.yaw for face in faces]),
            np.column_stack([middles, boxes[:, 3] - boxes[:, 1]]),
        )


def read_all(folder: Path) -> Iterator[Clip]:
    """The films in a folder: animated GIFs, folders of numbered pictures, what OpenCV reads.

    Raises:
        ValueError: one cannot be read.
    """
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.suffix in {".txt", ".md"}:
            continue
        yield read(path)


def read(path: Path) -> Clip:
    """One film.

    Raises:
        ValueError: it cannot be read.
    """
    if path.is_dir():
        frames, times = _pictures(path)
    elif path.suffix.lower() == ".gif":
        frames, times = _animation(path)
    else:
        frames, times = _video(path)
    if not frames:
        raise ValueError(_("%(file)s is no film that can be read.") % {"file": path})
    return Clip(path.stem, [_sized(frame) for frame in frames], np.array(times, np.float64))


def trace(engine: Engine, clip: Clip) -> Traced:
    """Find the head in each frame."""
    found = (engine.find_faces(frame) for frame in clip.frames)
    return Traced(clip, [faces[0] if len(faces) == 1 else None for faces in found])


def windows(film: Traced, count: int, asked: Asked) -> list[Window]:
    """All parts that answer a challenge of so many turns, at each of `RATES`."""
    found = {}
    for rate in RATES:
        for start, face in enumerate(film.faces):
            if face and abs(face.yaw - film.straight) <= asked.middle:
                for turns, chosen in _from(film, start, count, rate, asked):
                    found[rate, *chosen] = Window.of(film, rate, turns, chosen)
    return list(found.values())


def follow(yaws: Sequence[float], asked: Asked) -> tuple[list[str], list[int], bool]:
    """The turns that a head makes, its middle being where it starts; the places at which it is back
    from each; whether it is back now, and was a frame before: not just on the way through.
    """
    turns: list[str] = []
    ends: list[int] = []
    for place, yaw in enumerate(np.subtract(yaws, yaws[0])):
        if abs(yaw) <= asked.middle and len(ends) < len(turns):
            ends.append(place)
        elif abs(yaw) >= asked.turned:
            side = next(side for side, sign in SIGNS.items() if sign * yaw > 0)
            if len(ends) == len(turns):
                turns.append(side)
            elif side != turns[-1]:
                # Past the middle in one step: the page has not seen it there.
                return turns, ends, False
    last = np.subtract(yaws[-2:], yaws[0])
    return turns, ends, bool(turns) and float(np.abs(last).max()) <= asked.middle


def choose(yaws: Sequence[float], turns: Sequence[str], ends: Sequence[int]) -> list[int]:
    """Places of the frames that the page would send: straight ahead before, between and after the
    turns, turned furthest in each, and the others in steps as equal as can be.
    """
    away = np.subtract(yaws, yaws[0])
    furthest = [
        start + int((SIGNS[turn] * away[start : end + 1]).argmax())
        for turn, start, end in zip(turns, [0, *ends], ends, strict=False)
    ]
    straight = [
        start + int(np.abs(away[start : end + 1]).argmin())
        for start, end in pairwise([0, *furthest, len(yaws) - 1])
    ]
    return _spread(np.array(yaws), sorted({*furthest, *straight}))


def relit(frames: Sequence[Image], random: np.random.Generator) -> list[Image]:
    """The frames in another light, at another size and through another codec: one for all."""
    gamma, gain = random.uniform(0.65, 1.5), random.uniform(0.75, 1.2)
    colours = random.uniform(0.92, 1.08, 3)
    side, strength = random.uniform(-1, 1), random.uniform(0, 0.45)
    factor, quality = random.uniform(0.85, 1.15), int(random.integers(55, 95))
    levels = 255 * np.linspace(0, 1, 256)[:, None] ** gamma * gain * colours
    table = levels.astype(np.float32)
    width = frames[0].shape[1]
    light = 1 + np.float32(strength * side) * np.linspace(-1, 1, width, dtype=np.float32)[:, None]
    changed = []
    for frame in frames:
        bright = table[frame, np.arange(3)] * light
        image = bright.clip(0, 255).astype(np.uint8)
        image = decode_image(jpeg(_scaled(image, factor), quality))
        changed.append(webcam(image, random))
    return changed


def _from(
    film: Traced, start: int, count: int, rate: int, asked: Asked
) -> Iterator[tuple[list[str], list[int]]]:
    """The turns of the parts that start there and the frames that would be sent: the shortest, and
    some that end a little later.
    """
    picks = _at_rate(film.clip.times, start, rate)
    yaws: list[float] = []
    left = ended = None
    for index in picks:
        face = film.faces[index]
        time = film.clip.times[index] - film.clip.times[start]
        if face is None or time > LONGEST or (ended is not None and time > ended + IDLE):
            return
        yaws.append(face.yaw)
        if left is None and abs(face.yaw - yaws[0]) > asked.middle:
            left = time
            if time > IDLE + 1 / rate:
                return
        turns, ends, back = follow(yaws, asked)
        if len(turns) > count:
            return
        if len(turns) == len(ends) == count and back:
            ended = time if ended is None else ended
            yield turns, [picks[place] for place in choose(yaws, turns, ends)]


def _spread(yaws: NDArray[np.float64], anchors: Sequence[int]) -> list[int]:
    """Places among which the anchors are, at most `MOST_FRAMES`."""
    way = np.concatenate([[0], np.cumsum(np.abs(np.diff(yaws)))])
    parts = list(pairwise(anchors))
    steps = [1] * len(parts)
    for _more in range(MOST_FRAMES - len(anchors)):
        # What one more frame would shorten most, where there is one.
        lengths = [
            (way[to] - way[start]) / each if each < to - start else 0
            for (start, to), each in zip(parts, steps, strict=True)
        ]
        if max(lengths) > 0:
            steps[int(np.argmax(lengths))] += 1
    chosen = set(anchors)
    for (start, to), each in zip(parts, steps, strict=True):
        for place in np.linspace(way[start], way[to], each + 1)[1:-1]:
            chosen.add(start + 1 + int(np.abs(way[start + 1 : to] - place).argmin()))
    return sorted(chosen)


def _at_rate(times: NDArray[np.float64], start: int, rate: int) -> list[int]:
    """The frames nearest to so many instants a second, from one frame on."""
    instants = np.arange(times[start], times[-1] + 0.5 / rate, 1 / rate)
    nearest = np.abs(times[None] - instants[:, None]).argmin(axis=1)
    return sorted(set(nearest.tolist()))


def _sized(image: Image) -> Image:
    return _scaled(image, SIDE / max(image.shape))


def _scaled(image: Image, factor: float) -> Image:
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, None, fx=factor, fy=factor, interpolation=how), np.uint8)


def _animation(path: Path) -> tuple[list[Image], list[float]]:
    frames, times, time = [], [], 0.0
    try:
        with Pictures.open(path) as film:
            for number in range(getattr(film, "n_frames", 1)):
                film.seek(number)
                frames.append(np.array(film.convert("RGB")))
                times.append(time)
                time += film.info.get("duration", 100) / 1000
    except OSError as error:
        raise ValueError(f"{path}: {error}") from error
    return frames, times


def _pictures(folder: Path) -> tuple[list[Image], list[float]]:
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    try:
        frames = [np.array(Pictures.open(path).convert("RGB")) for path in paths]
    except OSError as error:
        raise ValueError(f"{folder}: {error}") from error
    return frames, [number / STILL_RATE for number in range(len(frames))]


def _video(path: Path) -> tuple[list[Image], list[float]]:
    film = cv2.VideoCapture(str(path))
    rate = film.get(cv2.CAP_PROP_FPS) or STILL_RATE
    frames: list[Image] = []
    while True:
        read, frame = film.read()
        if not read:
            break
        frames.append(np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB), np.uint8))
    film.release()
    return frames, [number / rate for number in range(len(frames))]
