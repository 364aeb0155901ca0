"""Judge whether frames show a head that turns as asked, or only pictures of one.

Yaws are those of `vision.pose.yaw`, minus the person's own yaw when they look straight ahead. A
photo that is tilted by 45 degrees changes the yaw by 0.2 at most, and one that is bent by 0.24; a
head turns that far easily. `face_attack` prints which attacks these rules keep out.
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

# A person who looks straight into a camera has a yaw of STRAIGHT or less. Back in the middle, their
# yaw differs from where they began by MIDDLE or less. A turn reaches TURNED or more.
STRAIGHT = 0.25
MIDDLE = 0.12
TURNED = 0.17

# Between neighbouring frames of a head that turns quickly, the yaw changes by up to 0.35, the
# picture by up to 0.3, and the face in it by up to 0.6. Of pairs of photos of one person, 1 in 100
# differs by less than 0.35 in the picture; of pairs of cut-out faces on one background, 1 in 10
# differs by less than 0.5.
MAX_YAW_STEP = 0.4
MAX_CHANGE = 0.35
MAX_FACE_CHANGE = 0.6

# Encodings of neighbouring frames differ by up to 0.38, and those of turned frames differ from the
# mean of the straight ones by up to 0.32. If another person is faded in, these distances are at
# least 0.4 and 0.35.
SAME_PERSON_IN_MOVEMENT_WITHIN = 0.42
SAME_AS_STRAIGHT_WITHIN = 0.38

# How much of a real face is new after it has turned: one cheek disappears, the other appears. From
# looking straight ahead to a turn it is 0.25 or more, and between turns to both sides 0.73. For
# photos that are tilted by up to 60 degrees, it is below 0.16 and 0.55 in 19 of 20.
MIN_UNCOVERED = 0.2
MIN_UNCOVERED_BETWEEN_SIDES = 0.5

# Frames of a live camera differ, if only by noise; a picture does not differ from itself.
SAME_FRAME_WITHIN = 0.01

_WINDOW = 2.0  # times the size of the face: includes hair, neck and some of the room
_SIDE = 128  # pixels, the size to which the window is scaled
_SMOOTH = 1.5  # pixels, against noise and compression blocks
_FLAT = 4.0  # levels of lightness, below which there is no contrast


class Reason(Enum):
    """The reasons why frames are not accepted as a live head that turned as asked."""

    # Too few frames, or too many. The value is stored, so it keeps its first name.
    FRAME_COUNT = "too_few"
    NOT_STRAIGHT = "not_straight"
    NOT_TURNED = "not_turned"
    FLAT = "flat"
    JUMPED = "jumped"
    ANOTHER = "another"
    COPIED = "copied"


class NotLiveError(ValueError):
    """The frames do not show a live head that turned as asked.

    Attributes:
        reason: The first rule that they break. The error's text names it as well.
    """

    def __init__(self, reason: Reason) -> None:
        super().__init__(f"not_live:{reason.value}")
        self.reason = reason


class Frame(NamedTuple):
    """One picture of the movement.

    Attributes:
        image: RGB, uint8 (height, width, 3).
        box: The box of the face, in pixels.
        yaw: See `vision.pose.yaw`.
    """

    image: Image
    box: Box
    yaw: float


def check_turns(frames: Sequence[Frame], turns: Sequence[str]) -> list[int]:
    """Check that frames show a head that makes these turns.

    Args:
        frames: In order of time.
        turns: `LEFT` and `RIGHT`, the person's own, in the order they were asked for. Each turn
            begins and ends in the middle.

    Returns:
        The indices of the frames in which the person looks straight ahead.

    Raises:
        NotLiveError: The head does not make these turns, or does not move as a head does.
    """
    if not MIN_FRAMES <= len(frames) <= MAX_FRAMES:
        raise NotLiveError(Reason.FRAME_COUNT)
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
    """Check that all frames show the same person.

    Args:
        encodings: Shape (n, d), float32, each of length 1, in order of time.
        straight: The indices of the frames in which the person looks straight ahead.
        scale: See `recognition.calibration.Calibration`.

    Raises:
        NotLiveError: Neighbouring frames show different people, or a frame shows another person
            than the straight ones.
    """
    steps = np.linalg.norm(np.diff(encodings, axis=0), axis=1)
    from_straight = np.linalg.norm(encodings - template(encodings[list(straight)]), axis=1)
    near = SAME_PERSON_IN_MOVEMENT_WITHIN * scale, SAME_AS_STRAIGHT_WITHIN * scale
    if steps.max() > near[0] or from_straight.max() > near[1]:
        raise NotLiveError(Reason.ANOTHER)


def change(before: Frame, after: Frame) -> tuple[float, float]:
    """Measure how much of a frame is new, compared with a frame shortly before it.

    New is what no movement of the earlier picture explains. A picture that gets lighter or darker
    as a whole is not new: cameras adapt.

    Returns:
        The change in the whole window around the face, and in the face, in units of the contrast.
    """
    one, other = _window(before.image, before.box), _window(after.image, before.box)
    seen = _lab(one)
    difference = seen - _lab(_moved_back(one, other))
    return _relative(difference, seen, _EVERYWHERE), _relative(difference, seen, _FACE)


def _moved_back(one: Image, other: Image) -> Image:
    """Return the other window, with its content moved to where it was in the first."""
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(
        cv2.cvtColor(one, cv2.COLOR_RGB2GRAY),
        cv2.cvtColor(other, cv2.COLOR_RGB2GRAY),
        None,  # type: ignore[call-overload]
    )
    places = (_PLACES + flow).astype(np.float32)
    return cv2.remap(other, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]


def _turns(yaws: NDArray[np.float64]) -> list[tuple[str, int]]:
    """Return the turns that a head makes, with the index of the frame where each is farthest.

    A second turn to the same side counts if the head was back in the middle in between.
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
    """Return the face and its surroundings, scaled to uint8 (128, 128, 3)."""
    left, top, right, bottom = box
    scale = _SIDE / (_WINDOW * (bottom - top))
    across, down = _SIDE / 2 - scale * (left + right) / 2, _SIDE / 2 - scale * (top + bottom) / 2
    place = np.array([[scale, 0, across], [0, scale, down]])
    return cv2.warpAffine(  # type: ignore[return-value]
        image, place, (_SIDE, _SIDE), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE
    )


def _lab(window: Image) -> NDArray[np.float32]:
    """Return lightness and colour, smoothed, as CIE Lab float32 (128, 128, 3)."""
    smooth = cv2.GaussianBlur(window, (0, 0), _SMOOTH).astype(np.float32) / 255
    return cv2.cvtColor(smooth, cv2.COLOR_RGB2LAB)  # type: ignore[return-value]


def _relative(
    difference: NDArray[np.float32], seen: NDArray[np.float32], mask: NDArray[np.bool_]
) -> float:
    """Return the mean difference within the mask, in units of the contrast there."""
    inside = difference[mask]
    inside[:, 0] -= inside[:, 0].mean()
    return float(np.linalg.norm(inside, axis=1).mean() / (seen[mask][:, 0].std() + _FLAT))


def _ellipse() -> NDArray[np.bool_]:
    """Return the mask of the face in the window."""
    rows, columns = (np.mgrid[:_SIDE, :_SIDE] - _SIDE / 2) / (_SIDE / _WINDOW)
    ellipse: NDArray[np.bool_] = (columns / 0.42) ** 2 + (rows / 0.5) ** 2 < 1
    return ellipse


_PLACES = np.mgrid[:_SIDE, :_SIDE][::-1].transpose(1, 2, 0).astype(np.float32)
_EVERYWHERE = np.ones((_SIDE, _SIDE), np.bool_)
_FACE = _ellipse()
