"""What to tell somebody who is looking into the camera."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from .capture import Look

SMALLEST, LARGEST = 0.25, 0.85  # of the frame's height
CENTRE = (0.27, 0.73)  # of the frame's width and height
MOST_TURNED = 0.22  # `pose.yaw`: 5 % of people who look straight into a camera exceed 0.19


def advise(look: Look) -> dict[str, Any]:
    """The preview's answer: whether the frame is good, what to do, and where the face is.

    Places are shares of the frame's width and height.
    """
    code, message = _advice(look)
    face = None
    if look.quality:
        face = {
            "box": [round(each, 3) for each in _relative_box(look)],
            "brightness": round(look.quality.brightness, 2),
            "sharpness": round(look.quality.sharpness, 2),
            "yaw": round(look.faces[0].yaw, 2),
        }
    return {
        "ok": code == "ok",
        "code": code,
        "message": message,
        "faces": len(look.faces),
        "face": face,
    }


def _advice(look: Look) -> tuple[str, str]:
    """The first thing to mend: whether there is one face, then where it is, then the light."""
    problem = look.problem()
    if not look.faces or len(look.faces) > 1:
        assert problem
        return problem.default_code, problem.messages[0]
    left, top, right, bottom = _relative_box(look)
    if bottom - top < SMALLEST:
        return "too_small", _("Come closer.")
    if bottom - top > LARGEST:
        return "too_close", _("Go back a little.")
    x, y = (left + right) / 2, (top + bottom) / 2
    if not (CENTRE[0] < x < CENTRE[1] and CENTRE[0] < y < CENTRE[1]):
        return "off_centre", _("Move your face to the middle.")
    if problem:
        return problem.default_code, problem.messages[0]
    if abs(look.faces[0].yaw) > MOST_TURNED:
        return "turned", _("Look straight into the camera.")
    return "ok", _("Hold still.")


def _relative_box(look: Look) -> tuple[float, float, float, float]:
    height, width = look.image.shape[:2]
    left, top, right, bottom = look.faces[0].box
    return left / width, top / height, right / width, bottom / height
