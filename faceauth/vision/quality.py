"""Measure the quality of a picture of a face. The caller decides what is good enough."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from . import pose
from .alignment import Box, Landmarks

_SIDE = 64  # pixels: faces are scaled to this, so that near and far ones give like values
_NOISE = 8  # grey levels that do not count as contrast


class Quality(NamedTuple):
    """Measures of one face, named as in ISO/IEC 29794-5 where it defines them.

    Attributes:
        head_size: The height of the face box in pixels.
        inter_eye_distance: In pixels.
        luminance_mean: Of the face, 0 to 1.
        sharpness: The standard deviation of the Laplacian, divided by that of the luminance. On 200
            photos of LFW the median is 0.34 and the 1st percentile 0.17; blurring by 3 % of the
            face's size gives 0.08.
        head_pose_yaw: From `pose.yaw`, in units of the distance between the eyes.
        head_pose_pitch: From `pose.pitch`, in the same units.
    """

    head_size: int
    inter_eye_distance: float
    luminance_mean: float
    sharpness: float
    head_pose_yaw: float
    head_pose_pitch: float


def measure(image: NDArray[np.uint8], box: Box, landmarks: Landmarks) -> Quality:
    """Measure the quality of one face.

    Args:
        image: RGB, uint8 (height, width, 3).
        box: (left, top, right, bottom) in pixels; may reach over the edge of the image.
        landmarks: From `alignment.Aligner.landmarks`.
    """
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
