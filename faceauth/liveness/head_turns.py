"""Whether frames show a head that turns as it was asked to, or only pictures of one.

Yaws are those of `pose.yaw`, each less the person's own when they look straight ahead: a photo
tilted by 45 degrees changes it by 0.2 at most, bent by 0.24, and a head gets there easily.
`face_attack` prints what all of this keeps out.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from itertools import pairwise
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from faceauth.vision.alignment import Box
from faceauth.vision.encoding import Encoding, template

Image = NDArray[np.uint8]

LEFT, RIGHT = "left", "right"

MIN_FRAMES, MAX_FRAMES = 5, 12  # frames

# Who looks straight into a camera is turned no further, and nearer than MIDDLE to where they
# began when they are back; a turn goes at least as far as TURNED.
STRAIGHT = 0.25
MIDDLE = 0.12
TURNED = 0.17

# Between neighbouring frames of a head that turns quickly the yaw changes by up to 0.35, what is
# seen by up to 0.3 and what is seen of the face by up to 0.6; of two photos of one person 1 in 100
# differ by less than 0.35 in what is seen, and of two cut-out faces on one background 1 in 10 by
# less than 0.5.
MAX_YAW_STEP = 0.4
MAX_CHANGE = 0.35
MAX_FACE_CHANGE = 0.6

# Encodings of neighbouring frames lie up to 0.38 apart, and of turned ones up to 0.32 from the mean
# of those that look straight ahead; where somebody else is faded in, 0.4 and 0.35 at least.
SAME_PERSON_WITHIN = 0.42
SAME_AS_STRAIGHT_WITHIN = 0.38

# What of a real face is new when it has turned: the far cheek goes, the near one comes. Between
# looking straight ahead and a turn 0.25 or more, between turns to both sides 0.73; of photos tilted
# by up to 60 degrees 0.16 and 0.55 in 19 of 20.
MIN_UNCOVERED = 0.2
MIN_UNCOVERED_BETWEEN_SIDES = 0.5

# Frames of a live camera differ by their noise alone, a picture from itself by nothing.
SAME_FRAME_WITHIN = 0.01

_WINDOW = 2.0  # of the face's size: hair, neck and some of the room
_SIDE = 128  # pixels that the window is brought to
_SMOOTH = 1.5  # pixels, against noise and blocks of compression
_FLAT = 4.0  # levels of lightness that are no contrast


class Reason(Enum):
    """Why frames do not show a live head that did as it was asked."""

    TOO_FEW = "too_few"
    NOT_STRAIGHT = "not_straight"
    NOT_TURNED = "not_turned"
    FLAT = "flat"
    JUMPED = "jumped"
    ANOTHER = "another"
    COPIED = "copied"


class NotLiveError(ValueError):
    """The frames do not show it; `reason` says what is missing, and so does its text."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(f"not_live:{reason.value}")
        self.reason = reason


class Frame(NamedTuple):
    """One picture of the movement.

    image: RGB uint8 (height, width, 3).
    box: the face's, in pixels.
    yaw: see `pose.yaw`.
    """

    image: Image
    box: Box
    yaw: float


def check_turns(frames: Sequence[Frame], turns: Sequence[str]) -> list[int]:
    """Which of the frames, in order of time, show the person looking straight ahead.

    turns: `LEFT` and `RIGHT`, the person's own, as they were asked for. Each begins and ends in
        the middle.

    Raises:
        NotLiveError: the head does not turn so, or does not move as a head does.
    """
    if not MIN_FRAMES <= len(frames) <= MAX_FRAMES:
        raise NotLiveError(Reason.TOO_FEW)
    yaws = np.array([frame.yaw for frame in frames])
    own = (yaws[0] + yaws[-1]) / 2
    if abs(own) > STRAIGHT or abs(yaws[0] - yaws[-1]) > 2 * MIDDLE:
        raise NotLiveError(Reason.NOT_STRAIGHT)
    made = _turns(yaws - own)
    if [side for side, _ in made] != list(turns):
        raise NotLiveError(Reason.NOT_TURNED)
    _check_depth(frames[0], [frames[farthest] for _, farthest in made])
    if np.abs(np.diff(yaws)).max() > MAX_YAW_STEP:
        raise NotLiveError(Reason.JUMPED)
    for before, after in pairwise(frames):
        _check_step(before, after)
    return [int(index) for index in np.flatnonzero(np.abs(yaws - own) <= MIDDLE)]


def check_person(encodings: Encoding, straight: Sequence[int], scale: float = 1) -> None:
    """Let pass frames, unit-length float32 (n, 128) in order of time, of one person throughout.

    straight: which of them look straight ahead.
    scale: how far apart the encoder's encodings lie, those of dlib's being 1.

    Raises:
        NotLiveError: neighbours show different people, or one shows another than is seen from the
            front.
    """
    apart = np.linalg.norm(np.diff(encodings, axis=0), axis=1)
    from_straight = np.linalg.norm(encodings - template(encodings[list(straight)]), axis=1)
    near = SAME_PERSON_WITHIN * scale, SAME_AS_STRAIGHT_WITHIN * scale
    if apart.max() > near[0] or from_straight.max() > near[1]:
        raise NotLiveError(Reason.ANOTHER)


def change(before: Frame, after: Frame) -> tuple[float, float]:
    """What is new in a frame after one shortly before it: what no movement of what was seen there
    explains, in units of the contrast. In all of the window around the face, and in the face.

    Lighter or darker as a whole is no change: cameras adapt.
    """
    one, other = _window(before.image, before.box), _window(after.image, before.box)
    seen = _lab(one)
    apart = seen - _lab(_moved_back(one, other))
    return _relative(apart, seen, _EVERYWHERE), _relative(apart, seen, _FACE)


def _moved_back(one: Image, other: Image) -> Image:
    """The other window with everything in it where it was in the first, as far as it was there."""
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(
        cv2.cvtColor(one, cv2.COLOR_RGB2GRAY),
        cv2.cvtColor(other, cv2.COLOR_RGB2GRAY),
        None,  # type: ignore[call-overload]
    )
    places = (_PLACES + flow).astype(np.float32)
    return cv2.remap(other, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]


def _turns(yaws: NDArray[np.float64]) -> list[tuple[str, int]]:
    """The turns that a head makes from the middle and back to it, and in which frame it is turned
    the farthest. A turn to the same side counts again once the head was back in the middle.
    """
    made: list[tuple[str, int]] = []
    side = ""
    for index, yaw in enumerate(yaws):
        if abs(yaw) <= MIDDLE:
            side = ""
        elif abs(yaw) >= TURNED:
            before, side = side, LEFT if yaw > 0 else RIGHT
            if side != before:
                made.append((side, index))
            elif abs(yaw) > abs(yaws[made[-1][1]]):
                made[-1] = side, index
    return made


def _check_depth(straight: Frame, turned: Sequence[Frame]) -> None:
    if any(change(straight, each)[1] < MIN_UNCOVERED for each in turned):
        raise NotLiveError(Reason.FLAT)
    for one, other in pairwise(turned):
        to_other_side = (one.yaw - straight.yaw) * (other.yaw - straight.yaw) < 0
        between = min(change(one, other)[1], change(other, one)[1])
        if to_other_side and between < MIN_UNCOVERED_BETWEEN_SIDES:
            raise NotLiveError(Reason.FLAT)


def _check_step(before: Frame, after: Frame) -> None:
    everywhere, face = change(before, after)
    if face < SAME_FRAME_WITHIN and everywhere < SAME_FRAME_WITHIN:
        raise NotLiveError(Reason.COPIED)
    if everywhere > MAX_CHANGE or face > MAX_FACE_CHANGE:
        raise NotLiveError(Reason.JUMPED)


def _window(image: Image, box: Box) -> Image:
    """What is seen in and around the box, uint8 (128, 128, 3)."""
    left, top, right, bottom = box
    scale = _SIDE / (_WINDOW * (bottom - top))
    across, down = _SIDE / 2 - scale * (left + right) / 2, _SIDE / 2 - scale * (top + bottom) / 2
    place = np.array([[scale, 0, across], [0, scale, down]])
    return cv2.warpAffine(  # type: ignore[return-value]
        image, place, (_SIDE, _SIDE), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE
    )


def _lab(window: Image) -> NDArray[np.float32]:
    """Lightness and colour, CIE Lab float32 (128, 128, 3), smoothed."""
    smooth = cv2.GaussianBlur(window, (0, 0), _SMOOTH).astype(np.float32) / 255
    return cv2.cvtColor(smooth, cv2.COLOR_RGB2LAB)  # type: ignore[return-value]


def _relative(
    apart: NDArray[np.float32], seen: NDArray[np.float32], where: NDArray[np.bool_]
) -> float:
    difference = apart[where]
    difference[:, 0] -= difference[:, 0].mean()
    return float(np.linalg.norm(difference, axis=1).mean() / (seen[where][:, 0].std() + _FLAT))


def _ellipse() -> NDArray[np.bool_]:
    """Where in the window the face is."""
    rows, columns = (np.mgrid[:_SIDE, :_SIDE] - _SIDE / 2) / (_SIDE / _WINDOW)
    ellipse: NDArray[np.bool_] = (columns / 0.42) ** 2 + (rows / 0.5) ** 2 < 1
    return ellipse


_PLACES = np.mgrid[:_SIDE, :_SIDE][::-1].transpose(1, 2, 0).astype(np.float32)
_EVERYWHERE = np.ones((_SIDE, _SIDE), np.bool_)
_FACE = _ellipse()
