"""Genuine attempts: excerpts of videos of real heads that answer a challenge."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pictures

from faceauth.vision import Engine, Face, decode_image
from faceauth.vision.encoding import Encoding

from .rendering import SIGNS, Image, add_noise, encode_jpeg

SIDE = 640  # pixels: the longer side of the frames that the page sends
MAX_FRAMES = 12
RATES = (5, 10)  # frames per second

# The maximum time before the first turn and after the last one, and of an excerpt: seconds.
MAX_IDLE, MAX_DURATION = 0.5, 30.0

STILL_RATE = 10  # frames per second of a video that is a folder of pictures
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}


class TurnLimits(NamedTuple):
    """The yaws that the page asks for, from the head's own middle.

    Attributes:
        turned: The head is turned from this yaw on.
        middle: The head is back in the middle up to this yaw.
    """

    turned: float
    middle: float


class Video(NamedTuple):
    """A video.

    Attributes:
        name: The file's name without its suffix.
        frames: RGB, uint8 (height, width, 3), the longer side `SIDE` pixels.
        times: Of the frames, in seconds, float64 (n,).
    """

    name: str
    frames: list[Image]
    times: NDArray[np.float64]


@dataclass(frozen=True)
class TrackedVideo:
    """A video and the head in it.

    Attributes:
        video: The video.
        faces: The face in each frame; None for a frame with none or several.
    """

    video: Video
    faces: list[Face | None]

    def face(self, index: int) -> Face:
        """Return the face in a frame that has one."""
        face = self.faces[index]
        assert face is not None
        return face

    @cached_property
    def straight(self) -> float:
        """The yaw of looking straight ahead: the median over the video."""
        return float(np.median([face.yaw for face in self.faces if face]))

    def template(self, engine: Engine, shots: int) -> Encoding:
        """Return a template of the person in the video.

        Args:
            engine: Encodes the faces.
            shots: The number of frames to use, those that look most nearly straight ahead.

        Returns:
            Float32 (shots, 128).
        """
        known = [(abs(face.yaw - self.straight), n) for n, face in enumerate(self.faces) if face]
        best = [n for _, n in sorted(known)[:shots]]
        views = [engine.encode_views(self.video.frames[n], self.face(n)) for n in best]
        return np.stack(views)

    def mirrored(self, engine: Engine) -> TrackedVideo:
        """Return the video's mirror image."""
        video = self.video
        frames = [np.ascontiguousarray(frame[:, ::-1]) for frame in video.frames]
        return track(engine, video._replace(name=f"{video.name}, mirrored", frames=frames))


class Excerpt(NamedTuple):
    """A part of a video that answers a challenge: the frames that the page would send.

    Attributes:
        video: The name of the video.
        rate: The frames per second that the page saw.
        turns: The turns that the head makes.
        frames: RGB, uint8 (height, width, 3).
        yaws: Of the head in the frames, float64 (n,).
        places: The centre (x, y) and the size of the head in the frames, pixels, float64 (n, 3).
    """

    video: str
    rate: int
    turns: tuple[str, ...]
    frames: list[Image]
    yaws: NDArray[np.float64]
    places: NDArray[np.float64]

    @classmethod
    def from_frames(
        cls, tracked: TrackedVideo, rate: int, turns: Sequence[str], chosen: Sequence[int]
    ) -> Excerpt:
        """Return the excerpt that consists of the `chosen` frames of a video."""
        faces = [tracked.face(index) for index in chosen]
        boxes = np.array([face.box for face in faces], np.float64)
        centres = (boxes[:, :2] + boxes[:, 2:]) / 2
        return cls(
            tracked.video.name,
            rate,
            tuple(turns),
            [tracked.video.frames[index] for index in chosen],
            np.array([face.yaw for face in faces]),
            np.column_stack([centres, boxes[:, 3] - boxes[:, 1]]),
        )


def read_all(folder: Path) -> Iterator[Video]:
    """Read the videos in a folder: animated GIFs, folders of numbered pictures, and video files.

    Raises:
        OSError: The folder cannot be read.
        ValueError: A video cannot be read.
    """
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.suffix in {".txt", ".md"}:
            continue
        yield read(path)


def read(path: Path) -> Video:
    """Read one video: an animated GIF, a folder of numbered pictures, or a file that OpenCV reads.

    Raises:
        ValueError: The video cannot be read.
    """
    if path.is_dir():
        frames, times = _pictures(path)
    elif path.suffix.lower() == ".gif":
        frames, times = _animation(path)
    else:
        frames, times = _video_file(path)
    if not frames:
        raise ValueError(f"{path} is not a readable video.")
    return Video(path.stem, [_resized(frame) for frame in frames], np.array(times, np.float64))


def track(engine: Engine, video: Video) -> TrackedVideo:
    """Find the head in each frame."""
    found = (engine.find_faces(frame) for frame in video.frames)
    return TrackedVideo(video, [faces[0] if len(faces) == 1 else None for faces in found])


def excerpts(tracked: TrackedVideo, count: int, limits: TurnLimits) -> list[Excerpt]:
    """Return all parts of a video that answer a challenge of `count` turns, at each of `RATES`."""
    found = {}
    for rate in RATES:
        for start, face in enumerate(tracked.faces):
            if face and abs(face.yaw - tracked.straight) <= limits.middle:
                for turns, chosen in _excerpts_from(tracked, start, count, rate, limits):
                    found[rate, *chosen] = Excerpt.from_frames(tracked, rate, turns, chosen)
    return list(found.values())


def follow(yaws: Sequence[float], limits: TurnLimits) -> tuple[list[str], list[int], bool]:
    """Follow the turns of a head, as the page does.

    Args:
        yaws: Of the head in each frame; the first is its middle.
        limits: The yaws that count as turned and as back.

    Returns:
        The turns; the frame in which the head is back from each of them; and True if the head is
        back in both of the last two frames, not just passing the middle.
    """
    turns: list[str] = []
    ends: list[int] = []
    for place, yaw in enumerate(np.subtract(yaws, yaws[0])):
        if abs(yaw) <= limits.middle and len(ends) < len(turns):
            ends.append(place)
        elif abs(yaw) >= limits.turned:
            side = next(side for side, sign in SIGNS.items() if sign * yaw > 0)
            if len(ends) == len(turns):
                turns.append(side)
            elif side != turns[-1]:
                # The head passed the middle in one step: the page did not see it there.
                return turns, ends, False
    last = np.subtract(yaws[-2:], yaws[0])
    return turns, ends, bool(turns) and float(np.abs(last).max()) <= limits.middle


def choose(yaws: Sequence[float], turns: Sequence[str], ends: Sequence[int]) -> list[int]:
    """Return the indices of the frames that the page would send.

    They are the frames that look straight ahead before, between and after the turns, the frame that
    is turned furthest in each turn, and others in between, in steps as equal as possible.

    Args:
        yaws: Of the head in each frame.
        turns: From `follow`.
        ends: From `follow`.
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


def relight(frames: Sequence[Image], random: np.random.Generator) -> list[Image]:
    """Return the frames in a random light, at a random size and JPEG quality, the same for all."""
    gamma, gain = random.uniform(0.65, 1.5), random.uniform(0.75, 1.2)
    colours = random.uniform(0.92, 1.08, 3)
    side, strength = random.uniform(-1, 1), random.uniform(0, 0.45)
    factor, quality = random.uniform(0.85, 1.15), int(random.integers(55, 95))
    levels = 255 * np.linspace(0, 1, 256)[:, None] ** gamma * gain * colours
    table = levels.astype(np.float32)
    width = frames[0].shape[1]
    light = 1 + np.float32(strength * side) * np.linspace(-1, 1, width, dtype=np.float32)[:, None]
    relit = []
    for frame in frames:
        bright = table[frame, np.arange(3)] * light
        image = bright.clip(0, 255).astype(np.uint8)
        image = decode_image(encode_jpeg(_scaled(image, factor), quality))
        relit.append(add_noise(image, random))
    return relit


def _excerpts_from(
    tracked: TrackedVideo, start: int, count: int, rate: int, limits: TurnLimits
) -> Iterator[tuple[list[str], list[int]]]:
    """Yield the turns and the frames of the excerpts that start at one frame.

    These are the shortest excerpt, and some that end a little later.
    """
    times = tracked.video.times
    picks = _at_rate(times, start, rate)
    yaws: list[float] = []
    left = ended = None
    for index in picks:
        face = tracked.faces[index]
        time = times[index] - times[start]
        if face is None or time > MAX_DURATION or (ended is not None and time > ended + MAX_IDLE):
            return
        yaws.append(face.yaw)
        if left is None and abs(face.yaw - yaws[0]) > limits.middle:
            left = time
            if time > MAX_IDLE + 1 / rate:
                return
        turns, ends, back = follow(yaws, limits)
        if len(turns) > count:
            return
        if len(turns) == len(ends) == count and back:
            ended = time if ended is None else ended
            yield turns, [picks[place] for place in choose(yaws, turns, ends)]


def _spread(yaws: NDArray[np.float64], anchors: Sequence[int]) -> list[int]:
    """Return the anchors and frames between them, `MAX_FRAMES` in all."""
    way = np.concatenate([[0], np.cumsum(np.abs(np.diff(yaws)))])
    parts = list(pairwise(anchors))
    steps = [1] * len(parts)
    for _more in range(MAX_FRAMES - len(anchors)):
        # One more frame goes where the steps are longest, if there is a frame left.
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
    """Return the frames nearest to `rate` instants per second, from one frame on."""
    instants = np.arange(times[start], times[-1] + 0.5 / rate, 1 / rate)
    nearest = np.abs(times[None] - instants[:, None]).argmin(axis=1)
    return sorted(set(nearest.tolist()))


def _resized(image: Image) -> Image:
    return _scaled(image, SIDE / max(image.shape))


def _scaled(image: Image, factor: float) -> Image:
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    scaled = cv2.resize(image, None, fx=factor, fy=factor, interpolation=method)
    return np.asarray(scaled, np.uint8)


def _animation(path: Path) -> tuple[list[Image], list[float]]:
    frames, times, time = [], [], 0.0
    try:
        with Pictures.open(path) as gif:
            for number in range(getattr(gif, "n_frames", 1)):
                gif.seek(number)
                frames.append(np.array(gif.convert("RGB")))
                times.append(time)
                time += gif.info.get("duration", 100) / 1000
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


def _video_file(path: Path) -> tuple[list[Image], list[float]]:
    capture = cv2.VideoCapture(str(path))
    rate = capture.get(cv2.CAP_PROP_FPS) or STILL_RATE
    frames: list[Image] = []
    while True:
        success, frame = capture.read()
        if not success:
            break
        frames.append(np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB), np.uint8))
    capture.release()
    return frames, [number / rate for number in range(len(frames))]
