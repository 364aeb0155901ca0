"""Video attacks: the attacker has a video of a head that turns, the person's or their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from .photo_attacks import Frames, Portrait
from .rendering import Image, add_noise, film_screen
from .videos import Excerpt, relight

# A head looks straight ahead below this share of its way to the side.
STRAIGHT = 0.45

VideoAttack = Callable[[Excerpt, np.random.Generator], Frames]
MixedAttack = Callable[[Excerpt, Portrait, np.random.Generator], Frames]


def unchanged(video: Excerpt, random: np.random.Generator) -> Frames:
    """Show the video, under random lighting."""
    return relight(video.frames, random)


def on_screen(video: Excerpt, random: np.random.Generator) -> Frames:
    """Show the video on a screen."""
    return [
        add_noise(frame, random) for frame in film_screen(relight(video.frames, random), random)
    ]


def wrong_order(video: Excerpt, random: np.random.Generator) -> Frames:
    """Show the right frames shuffled, from the middle on, or backwards."""
    frames = relight(video.frames, random)
    count = len(frames)
    order = random.permutation(count)
    way = random.integers(3)
    if way == 1:
        order = np.roll(np.arange(count), random.integers(count // 3, count - count // 3 + 1))
    # Backwards, the turns may be the same.
    elif way == 2 and video.turns != video.turns[::-1]:
        order = np.arange(count)[::-1]
    return [frames[index] for index in order]


def photo_when_straight(video: Excerpt, photo: Portrait, random: np.random.Generator) -> Frames:
    """Turn the attacker's head, but show the photo whenever it looks straight ahead.

    The photo is shown alone or pasted over the head, in all such frames or in the first and the
    last.
    """
    frames = relight(video.frames, random)
    shares = (_shares_of_turn(video) < STRAIGHT).astype(np.float64)
    if random.random() < 0.3:
        shares[1:-1] = 0
    oval = random.random() < 0.7
    return _shown(video, frames, photo, shares, oval, random)


def alternating(video: Excerpt, photo: Portrait, random: np.random.Generator) -> Frames:
    """Show the photo instead of the head in every second or every third frame."""
    frames = relight(video.frames, random)
    shares = (np.arange(len(frames)) % random.integers(2, 4) == 0).astype(np.float64)
    return _shown(video, frames, photo, shares, bool(random.random() < 0.7), random)


def faded_in(video: Excerpt, photo: Portrait, random: np.random.Generator) -> Frames:
    """Fade the photo into the head: the more the head is turned, the fainter the photo."""
    frames = relight(video.frames, random)
    shares = (1.3 - 1.3 * _shares_of_turn(video) / random.uniform(0.7, 1.1)).clip(0, 1)
    return _shown(video, frames, photo, shares, True, random)


def _shares_of_turn(video: Excerpt) -> NDArray[np.float64]:
    """Return the head's share of its way to the side in each frame, float64 (n,), 0 to 1."""
    yaws = video.yaws
    away = np.abs(yaws - (yaws[0] + yaws[-1]) / 2)
    return away / away.max()


def _shown(
    video: Excerpt,
    frames: Sequence[Image],
    photo: Portrait,
    shares: NDArray[np.float64],
    oval: bool,
    random: np.random.Generator,
) -> Frames:
    """Return the frames, each with its share of the photo."""
    shown = []
    for frame, place, share in zip(frames, video.places, shares, strict=True):
        if share:
            # Relit frames may differ in size from the video.
            scale = frame.shape[1] / video.frames[0].shape[1]
            over, mask = _placed(photo, place * scale, frame, oval)
            mask = mask * share
            frame = add_noise((over * mask + frame * (1 - mask)).astype(np.uint8), random)
        shown.append(frame)
    return shown


def _placed(
    photo: Portrait, place: NDArray[np.float64], frame: Image, oval: bool
) -> tuple[Image, NDArray[np.float32]]:
    """Return the photo placed over a frame, and the mask of the pixels that it covers.

    Args:
        photo: The photo.
        place: The centre (x, y) and the size of the face in the frame, in pixels.
        frame: RGB, uint8 (height, width, 3); its colours are taken over.
        oval: Cover only an oval around the face.

    Returns:
        RGB, uint8 (height, width, 3), and float32 (height, width, 1).
    """
    height, width = frame.shape[:2]
    x, y, size = place
    (from_x, from_y), scale = photo.sheet.centre, size / photo.sheet.size
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
