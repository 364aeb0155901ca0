"""How good a picture of a face is. Measures only: what is good enough is the caller's to say."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from . import pose
from .alignment import Box, Landmarks

_SIDE = 64  # pixels: what a face is brought to, so that near and far ones measure alike
_NOISE = 8  # grey levels that are no contrast


class Quality(NamedTuple):
    """Measures of one face, under the names of ISO/IEC 29794-5 where it has one.

    head_size: the face box's height in pixels.
    inter_eye_distance: in pixels.
    luminance_mean: of the face, 0 to 1.
    sharpness: deviation of the Laplacian over that of the luminance. On 200 photos of LFW 0.34
        in the median and 0.17 at the 1st percentile; blurred by 3 % of the face's size, 0.08.
    head_pose_yaw, head_pose_pitch: see `pose`.
    """

    head_size: int
    inter_eye_distance: float
    luminance_mean: float
    sharpness: float
    head_pose_yaw: float
    head_pose_pitch: float


def measure(image: NDArray[np.uint8], box: Box, landmarks: Landmarks) -> Quality:
    """The quality of the face in `box` of an RGB image uint8 (height, width, 3)."""
    left, top, right, bottom = box
    face = image[max(top, 0) : max(bottom, 1), max(left, 0) : max(right, 1)]
    grey = cv2.cvtColor(face, cv2.COLOR_RGB2GRAY)
    grey = cv2.resize(grey, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    laplacian = cv2.Laplacian(grey, cv2.CV_32F)
    return Quality(
        head_size=bottom - top,
        inter_eye_distance=pose.inter_eye_distance(landmarks),
        luminance_mean=float(grey.mean()) / 255,
        sharpness=float(laplacian.std() / (grey.std() + _NOISE)),
        head_pose_yaw=pose.yaw(landmarks),
        head_pose_pitch=pose.pitch(landmarks),
    )
