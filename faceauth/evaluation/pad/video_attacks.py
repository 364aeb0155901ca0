"""Attacks by somebody who has a film of a head that turns: the right person's, or their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from .photo_attacks import Frames, Portrait
from .rendering import Image, screens, webcam
from .videos import Window, relit

# How near to the middle a head has to be to be taken for its person, of the way to the side.
NEAR = 0.45

FilmAttack = Callable[[Window, np.random.Generator], Frames]
MixedAttack = Callable[[Window, Portrait, np.random.Generator], Frames]


def as_it_is(film: Window, random: np.random.Generator) -> Frames:
    """Somebody who turns their head, in some light."""
    return relit(film.frames, random)


def on_screen(film: Window, random: np.random.Generator) -> Frames:
    """The film on a screen that is held up."""
    return [webcam(frame, random) for frame in screens(relit(film.frames, random), random)]


def wrong_order(film: Window, random: np.random.Generator) -> Frames:
    """The right frames shuffled, begun in the midst, or backwards."""
    frames = relit(film.frames, random)
    count = len(frames)
    order = random.permutation(count)
    way = random.integers(3)
    if way == 1:
        order = np.roll(np.arange(count), random.integers(count // 3, count - count // 3 + 1))
    # Backwards the same turns may be asked for.
    elif way == 2 and film.turns != film.turns[::-1]:
        order = np.arange(count)[::-1]
    return [frames[index] for index in order]


def swapped_in(film: Window, photo: Portrait, random: np.random.Generator) -> Frames:
    """The attacker's own head turns; where it looks straight ahead, the photo is shown: alone, or
    pasted over the head, in all such frames or in the first and the last.
    """
    frames = relit(film.frames, random)
    shares = (_aside(film) < NEAR).astype(np.float64)
    if random.random() < 0.3:
        shares[1:-1] = 0
    oval = random.random() < 0.7
    return _shown(film, frames, photo, shares, oval, random)


def by_turns(film: Window, photo: Portrait, random: np.random.Generator) -> Frames:
    """Every second frame, or one in three, shows the photo instead."""
    frames = relit(film.frames, random)
    shares = (np.arange(len(frames)) % random.integers(2, 4) == 0).astype(np.float64)
    return _shown(film, frames, photo, shares, bool(random.random() < 0.7), random)


def faded_in(film: Window, photo: Portrait, random: np.random.Generator) -> Frames:
    """The photo over the head, the fainter the more the head is turned."""
    frames = relit(film.frames, random)
    shares = (1.3 - 1.3 * _aside(film) / random.uniform(0.7, 1.1)).clip(0, 1)
    return _shown(film, frames, photo, shares, True, random)


def _aside(film: Window) -> NDArray[np.float64]:
    """How much of the way to the side the head is, frame by frame, float64 (n,) 0 to 1."""
    yaws = film.yaws
    away = np.abs(yaws - (yaws[0] + yaws[-1]) / 2)
    return away / away.max()


def _shown(
    film: Window,
    frames: Sequence[Image],
    photo: Portrait,
    shares: NDArray[np.float64],
    oval: bool,
    random: np.random.Generator,
) -> Frames:
    """The frames, in each so much of the photo."""
    shown = []
    for frame, place, share in zip(frames, film.places, shares, strict=True):
        if share:
            # Relit frames may be of another size than the film's.
            scale = frame.shape[1] / film.frames[0].shape[1]
            over, mask = _placed(photo, place * scale, frame, oval)
            mask = mask * share
            frame = webcam((over * mask + frame * (1 - mask)).astype(np.uint8), random)
        shown.append(frame)
    return shown


def _placed(
    photo: Portrait, place: NDArray[np.float64], frame: Image, oval: bool
) -> tuple[Image, NDArray[np.float32]]:
    """The photo with its face at `place` (x, y, size) and in the frame's colours, and where it
    covers the frame, float32 (height, width, 1).
    """
    height, width = frame.shape[:2]
    x, y, size = place
    (from_x, from_y), scale = photo.sheet.middle, size / photo.sheet.size
    matrix = np.array([[scale, 0, x - scale * from_x], [0, scale, y - scale * from_y]])
    over = cv2.warpAffine(photo.image, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    if not oval:
        return np.asarray(over, np.uint8), np.ones((height, width, 1), np.float32)
    mask = np.zeros((height, width), np.float32)
    axes = (round(0.45 * size), round(0.6 * size))
    cv2.ellipse(mask, (round(x), round(y)), axes, 0, 0, 360, 1.0, cv2.FILLED)
    inside = mask > 0
    gain = (frame[inside].mean(axis=0) + 1) / (over[inside].mean(axis=0) + 1)
    soft = np.asarray(cv2.GaussianBlur(mask, (0, 0), 0.08 * size), np.float32)
    return (over * gain).clip(0, 255).astype(np.uint8), soft[..., None]
