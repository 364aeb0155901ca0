"""Measure what one frame of a challenge costs, with one thread."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Any, NamedTuple

import cv2
import numpy as np

from faceauth.capture import guidance, samples
from faceauth.vision import decode_image
from faceauth.vision.face_mesh import Crop
from faceauth.vision.head_pose import head_pose
from tests.support.webcam import filmed, turned

FRAMES = 24
ROUNDS = 3


class Cost(NamedTuple):
    """Medians in milliseconds of CPU time.

    Attributes:
        first: A frame in which the face is looked for everywhere.
        followed: A frame in which it is looked for where it was in the one before.
        beside: The same, with a look for other people.
        decode: Of `followed`: from the JPEG to pixels.
        track: The mesh and the five landmarks.
        run: One run of the mesh's network, of which `track` has one or two.
        pose: From the mesh to the pose of the head.
    """

    first: float
    followed: float
    beside: float
    decode: float
    track: float
    run: float
    pose: float


def measure() -> Cost:
    """Measure a film of a head that turns to both sides within three seconds."""
    places = 0.42 * np.sin(np.linspace(0, 2 * np.pi, FRAMES))
    film = filmed([turned("obama", float(each)) for each in places])
    frames = [cv2.imencode(".jpg", each)[1].tobytes() for each in film]
    times: list[list[float]] = [[] for _ in Cost._fields]
    for _ in range(ROUNDS):
        near = None
        for frame in frames:
            if near is not None:
                for taken, each in zip(times, _costs(frame, near), strict=True):
                    taken.append(each)
            near = guidance.relative_box(samples.analyse_frame(frame, near))
    return Cost(*map(median, times))


def _costs(frame: bytes, near: samples.Near) -> Cost:
    engine = samples.engine()
    image = decode_image(frame)
    height, width = image.shape[:2]
    left, top, right, bottom = near
    box = (round(left * width), round(top * height), round(right * width), round(bottom * height))
    found = engine.track(image, box)
    assert found, "the face is lost"
    points = found[1].points
    return Cost(
        first=_timed(lambda: samples.analyse_frame(frame).head),
        followed=_timed(lambda: samples.analyse_frame(frame, near).head),
        beside=_timed(lambda: samples.analyse_frame(frame, near, beside=True).head),
        decode=_timed(lambda: decode_image(frame)),
        track=_timed(lambda: engine.track(image, box)),
        run=_timed(lambda: engine.load().mesh.look(image, Crop.around_points(points))),
        pose=_timed(lambda: head_pose(points)),
    )


def _timed(work: Callable[[], Any]) -> float:
    start = time.thread_time()
    work()
    return (time.thread_time() - start) * 1000
