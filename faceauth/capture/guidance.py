"""Instructions for a user in front of the camera, computed for each preview frame."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from faceauth import errors
from faceauth.vision.quality import Quality
from faceauth.vision.visibility import is_backlit

from .samples import Sample

MIN_HEIGHT, MAX_HEIGHT = 0.25, 0.85  # of the frame's height
CENTRE = (0.27, 0.73)  # of the frame's width and height

# In units of `vision.pose`. Of people who look straight into a camera, 5 % exceed a yaw of 0.19.
MAX_YAW = 0.22
MIN_TURN, MAX_TURN = 0.1, 0.45
MIN_LIFT, MAX_LIFT = 0.05, 0.3
STILL_LIFTED = 0.08  # for a person who is to look straight again


class Pose(NamedTuple):
    """The pose of the head that the page asks for.

    Attributes:
        name: ``straight``, ``left`` or ``right`` (the person's own), ``up``, ``any``, or ``photo``
            for a photo, whose pose can't be changed.
        level: The person's pitch when they look straight ahead, from which the lift of the chin is
            measured; None if it is unknown.
    """

    name: str
    level: float | None = None


STRAIGHT = Pose("straight")
PHOTO = "photo"


# Below this mean, in grey levels, a frame without a face is black.
BLACK = 12


def advise(sample: Sample, pose: Pose = STRAIGHT, *, hints: bool = True) -> dict[str, Any]:
    """Return the page's guidance: if the frame is good, what to do, and where the face is.

    A good frame can have a ``hint``: a person who wears dark glasses, for example, is told to take
    them off, but may go on. Positions are fractions of the frame's width and height.

    Args:
        sample: The frame.
        pose: The pose that is asked for.
        hints: False to look for no hints, which take a fifth of the time of a frame.
    """
    hint = None
    if pose.name == PHOTO:
        code, message = _photo_advice(sample)
    else:
        code, message = _advice(sample, pose)
        if hints and code == "ok" and pose.name == STRAIGHT.name and (found := _hint(sample)):
            hint, message = found
    face = None
    if sample.quality:
        face = {
            "box": [round(each, 3) for each in relative_box(sample)],
            **{name: round(each, 3) for name, each in sample.quality._asdict().items()},
        }
    return {
        "ok": code == "ok",
        "code": code,
        "message": message,
        "hint": hint,
        "faces": len(sample.faces),
        "face": face,
    }


def _advice(sample: Sample, pose: Pose) -> tuple[str, str]:
    """Return the first thing to change: one face, then its position, then light, then the pose."""
    problem = sample.problem()
    if not sample.faces:
        if sample.is_far:
            return "too_small", _("Come closer.")
        if sample.image.mean() < BLACK:
            return "black", _("The picture is black. Is something in front of your camera?")
    if problem and len(sample.faces) != 1:
        return problem.default_code, problem.messages[0]
    left, top, right, bottom = relative_box(sample)
    if bottom - top < MIN_HEIGHT:
        return "too_small", _("Come closer.")
    if bottom - top > MAX_HEIGHT:
        return "too_close", _("Move back a little.")
    x, y = (left + right) / 2, (top + bottom) / 2
    if not (CENTRE[0] < x < CENTRE[1] and CENTRE[0] < y < CENTRE[1]):
        return "off_centre", _("Move your face to the middle.")
    if isinstance(problem, errors.TooDark) and is_backlit(sample.image, sample.faces[0].box):
        return problem.default_code, _("The light is behind you. Turn towards the light.")
    if problem:
        return problem.default_code, problem.messages[0]
    assert sample.quality
    return _pose_advice(sample.quality, pose) or ("ok", _("Hold still."))


def _hint(sample: Sample) -> tuple[str, str] | None:
    """Return what would make a good frame better, or None."""
    seen = sample.visibility
    if seen is None:
        return None
    if seen.covered:
        return "covered", _("Something covers your face. If you wear a mask, take it off.")
    if seen.dark_lenses:
        return "dark_glasses", _("Take off your sunglasses.")
    if seen.backlit:
        return "backlit", _("The light is behind you. Turn towards the light.")
    return None


def _photo_advice(sample: Sample) -> tuple[str, str]:
    """Return the problem of a photo, or that it is good."""
    problem = sample.problem()
    return (problem.default_code, problem.messages[0]) if problem else ("ok", _("Good."))


def _pose_advice(quality: Quality, pose: Pose) -> tuple[str, str] | None:
    """Return how to move the head, or None if it is in the pose that was asked for."""
    # The picture is not mirrored: a person who turns to their left looks towards its right.
    yaw = quality.head_pose_yaw
    match pose.name:
        case "any":
            return None
        case "left" | "right":
            aside = yaw if pose.name == "left" else -yaw
            if aside > MAX_TURN:
                return "turned_too_far", _("Turn back a little.")
            if aside >= MIN_TURN:
                return None
            if pose.name == "left":
                return "turn_left", _("Turn your head a little to your left.")
            return "turn_right", _("Turn your head a little to your right.")
        case "up":
            lifted = (pose.level or quality.head_pose_pitch) - quality.head_pose_pitch
            if abs(yaw) > MAX_YAW:
                return "turned", _("Look straight into the camera.")
            if lifted > MAX_LIFT:
                return "turned_too_far", _("Lower your chin a little.")
            if pose.level is not None and lifted < MIN_LIFT:
                return "lift", _("Lift your chin a little.")
            return None
        case _:
            lifted = (pose.level or quality.head_pose_pitch) - quality.head_pose_pitch
            if abs(yaw) > MAX_YAW or lifted > STILL_LIFTED:
                return "turned", _("Look straight into the camera.")
            return None


def relative_box(sample: Sample) -> tuple[float, float, float, float]:
    """Return the box of the largest face as shares of the frame: left, top, right, bottom."""
    height, width = sample.image.shape[:2]
    left, top, right, bottom = sample.faces[0].box
    return left / width, top / height, right / width, bottom / height
