"""Heads that turn before a webcam, as the frames that a page sends of them."""

from __future__ import annotations

from functools import cache
from typing import Any

import cv2
import numpy as np

from tests.support.webcam import HEIGHT, NOISE, TURNED, WIDTH, frame, turned


def turning(name: str, *turns: str, seed: int = 0) -> list[bytes]:
    """Frames, as JPEG files, of that person making these turns of the head, each from the middle
    and back to it: five for one turn, nine for two, and so on.
    """
    return [*_turning(name, turns, seed)]


@cache
def _turning(name: str, turns: tuple[str, ...], seed: int) -> list[bytes]:
    places = [0.0]
    for turn in turns:
        places += [TURNED[turn] / 2, TURNED[turn], TURNED[turn] / 2, 0.0]
    return filmed([turned(name, place) for place in places], seed)


def still(name: str, count: int = 9, seed: int = 0) -> list[bytes]:
    """The same of a photo of that person that is moved about a little."""
    random = np.random.default_rng(seed)
    moves = random.normal(0, 6, (count, 2)).cumsum(axis=0)
    pictures = [
        cv2.warpAffine(
            frame(name),
            np.array([[1, 0, across], [0, 1, down]]),
            (WIDTH, HEIGHT),
            borderMode=cv2.BORDER_REPLICATE,
        )
        for across, down in moves
    ]
    return filmed(pictures, seed)


def filmed(pictures: list[Any], seed: int = 0) -> list[bytes]:
    """These pictures (BGR) as a webcam gives them: JPEG files, with its noise."""
    random = np.random.default_rng(seed)
    files = []
    for picture in pictures:
        noisy = np.clip(picture + random.normal(0, NOISE, picture.shape), 0, 255)
        _, data = cv2.imencode(".jpg", noisy.astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 90])
        files.append(data.tobytes())
    return files
