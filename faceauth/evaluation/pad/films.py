"""Read films: animated GIFs, video files, folders of numbered pictures, and single pictures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image as Pictures

from .rendering import HEIGHT, WIDTH, Image

RATE = 10  # frames a second, as the page sends them
MAX_SECONDS = 60.0
PICTURES = {".jpg", ".jpeg", ".png", ".webp"}
NO_FILMS = {".txt", ".md"}


class Film(NamedTuple):
    """A film.

    Attributes:
        name: The file's name without its suffix.
        frames: RGB, uint8 (height, width, 3), the longer side as long as a webcam's: `RATE` of
            them are one second.
    """

    name: str
    frames: list[Image]


def paths(folder: Path) -> list[Path]:
    """Return the films in a folder. A folder in it with a film among its files is none itself.

    Raises:
        OSError: The folder cannot be read.
    """
    found: list[Path] = []
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.suffix.lower() in NO_FILMS:
            continue
        if path.is_dir() and not _is_numbered(path):
            found += paths(path)
        else:
            found.append(path)
    return found


def read(path: Path) -> Film:
    """Read one film; a picture is a film of one frame.

    Raises:
        ValueError: The film cannot be read.
    """
    found = list(_at_rate(timed(path)))
    if not found:
        raise ValueError(f"{path} is not a readable film.")
    return Film(path.stem, found)


def timed(path: Path) -> Iterator[tuple[float, Image]]:
    """Yield all frames of a film, as large as a webcam's, and their times in seconds.

    Raises:
        ValueError: The film cannot be read.
    """
    if path.is_dir() or path.suffix.lower() in PICTURES:
        frames = _pictures(path)
    elif path.suffix.lower() == ".gif":
        frames = _animation(path)
    else:
        frames = _video_file(path)
    for time, frame in frames:
        yield time, _scaled(frame, WIDTH / max(frame.shape))


def fitted(image: Image) -> Image:
    """Return a picture in the middle of a webcam's, RGB, uint8 (HEIGHT, WIDTH, 3)."""
    height, width = image.shape[:2]
    inside = _scaled(image, min(HEIGHT / height, WIDTH / width))
    canvas = np.full((HEIGHT, WIDTH, 3), 12, np.uint8)
    top, left = (HEIGHT - inside.shape[0]) // 2, (WIDTH - inside.shape[1]) // 2
    canvas[top : top + inside.shape[0], left : left + inside.shape[1]] = inside
    return canvas


def _is_numbered(folder: Path) -> bool:
    """Return True if a folder is a film: all of its files are pictures with numbers as names."""
    files = [each for each in folder.iterdir() if not each.name.startswith(".")]
    return all(each.stem.isdigit() and each.suffix.lower() in PICTURES for each in files)


def _at_rate(frames: Iterable[tuple[float, Image]]) -> Iterator[Image]:
    """Yield `RATE` frames a second of those that have a time, up to `MAX_SECONDS`."""
    due = 0.0
    for time, frame in frames:
        if time > MAX_SECONDS:
            return
        if time >= due - 1e-6:
            due = max(due + 1 / RATE, time)
            yield frame


def _scaled(image: Image, factor: float) -> Image:
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    scaled = cv2.resize(image, None, fx=factor, fy=factor, interpolation=method)
    return np.asarray(scaled, np.uint8)


def _animation(path: Path) -> Iterator[tuple[float, Image]]:
    time = 0.0
    try:
        with Pictures.open(path) as gif:
            for number in range(getattr(gif, "n_frames", 1)):
                gif.seek(number)
                yield time, np.array(gif.convert("RGB"))
                time += gif.info.get("duration", 100) / 1000
    except OSError as error:
        raise ValueError(f"{path}: {error}") from error


def _pictures(path: Path) -> Iterator[tuple[float, Image]]:
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    try:
        for number, file in enumerate(files):
            yield number / RATE, np.array(Pictures.open(file).convert("RGB"))
    except OSError as error:
        raise ValueError(f"{path}: {error}") from error


def _video_file(path: Path) -> Iterator[tuple[float, Image]]:
    capture = cv2.VideoCapture(str(path))
    rate = capture.get(cv2.CAP_PROP_FPS) or RATE
    number = 0
    while True:
        success, frame = capture.read()
        if not success:
            break
        yield number / rate, np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB), np.uint8)
        number += 1
    capture.release()
