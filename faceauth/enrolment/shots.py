"""Notes on the pictures that a template was made from: time, source and quality, never pixels.

A note is a dict that JSON can store, made by `note`. A user has a list of them, oldest first; the
notes on pictures that adaptation added come after those on all enrolled pictures.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import TextChoices
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from faceauth.vision.quality import Quality

Note = dict[str, Any]

# The file name that the capture page gives to pictures from the camera: `submission.js`.
CAMERA_FILE_NAME = "picture.jpg"

# The values beyond which a picture gets no better. The network's input has 150 pixels; the median
# photo of LFW has this sharpness; and a face between these luminances is neither dim nor glaring.
LARGE_ENOUGH, SHARP_ENOUGH = 150, 0.34
DIM, GLARING = 0.25, 0.75

# In the units of `vision.pose`. A smaller yaw is not visible.
ASIDE = 0.1

# The minimum quality of a good template. Below it, ask the user for better pictures.
GOOD = 0.6


class Source(TextChoices):
    """The source of a picture."""

    WEBCAM = "webcam", _("webcam")
    FILE = "file", _("file")
    LOGIN = "login", _("login")  # added by adaptation
    ELSEWHERE = "elsewhere", _("computed elsewhere")


class Measures(NamedTuple):
    """The size, sharpness and light of a face, each from 0 (poor) to 1 (good)."""

    size: float
    sharpness: float
    light: float


class Shot(NamedTuple):
    """A note in a form to display.

    Attributes:
        at: The time of the picture.
        source: The label of its source.
        measures: Its quality; None if the encoding was computed elsewhere.
        direction: Where the person looks, in words; "" if that is unknown.
    """

    at: datetime | None
    source: str
    measures: Measures | None
    direction: str


def note(source: str, quality: Quality | None = None) -> Note:
    """Return a note on a picture that was sent now."""
    measured = quality._asdict() if quality else {}
    kept = ("head_size", "luminance_mean", "sharpness", "head_pose_yaw")
    return {
        "at": timezone.now().isoformat(timespec="seconds"),
        "source": str(source),
        **{name: round(measured[name], 3) for name in kept if measured},
    }


def notes(source: str, qualities: Iterable[Quality | None]) -> list[Note]:
    """Return the notes on the pictures of an enrolment."""
    return [note(source, each) for each in qualities]


def source_of(names: Iterable[str | None]) -> Source:
    """Return the source of pictures with these file names."""
    return Source.WEBCAM if all(name == CAMERA_FILE_NAME for name in names) else Source.FILE


def current(kept: Sequence[Note] | None) -> list[Note]:
    """Return the notes on the pictures that the template consists of now."""
    enrolled, adapted = _split(kept)
    first = _anchors(enrolled)
    return [*enrolled[:first], *[*enrolled, *adapted][first:][len(adapted) :]]


def adapted(kept: Sequence[Note] | None, new: Note) -> list[Note] | None:
    """Return the notes after a new picture has replaced the oldest; None if there are none."""
    enrolled, later = _split(kept)
    if not enrolled:
        return None
    replaceable = len(enrolled) - _anchors(enrolled)
    return [*enrolled, *[*later, new][-replaceable:]]


def as_enrolled(kept: Sequence[Note] | None) -> list[Note] | None:
    """Return the notes on the enrolled pictures, without those that adaptation added."""
    return _split(kept)[0] or None


def quality(kept: Sequence[Note] | None) -> float | None:
    """Return the mean quality of the template's pictures, 0 to 1; None if it is unknown.

    The quality of a picture is the lowest of its measures.
    """
    worst = [min(found) for found in map(measures, current(kept)) if found]
    return round(sum(worst) / len(worst), 3) if worst else None


def measures(note: Note) -> Measures | None:
    """Return the quality of the picture, or None if it is unknown."""
    if "head_size" not in note:
        return None
    light = note["luminance_mean"]
    return Measures(
        size=_share(note["head_size"] / LARGE_ENOUGH),
        sharpness=_share(note["sharpness"] / SHARP_ENOUGH),
        light=_share(min(light / DIM, (1 - light) / (1 - GLARING))),
    )


def read(note: Note) -> Shot:
    """Return the note in a form to display."""
    source = note.get("source", "")
    label = Source(source).label if source in Source.values else source
    at = parse_datetime(note.get("at", ""))
    return Shot(at, str(label), measures(note), _direction(note.get("head_pose_yaw")))


def _split(kept: Sequence[Note] | None) -> tuple[list[Note], list[Note]]:
    """Return the notes on enrolled pictures, and those that adaptation added."""
    every = kept or []
    later = [each for each in every if each.get("source") == Source.LOGIN]
    return [each for each in every if each.get("source") != Source.LOGIN], later


def _anchors(enrolled: Sequence[Note]) -> int:
    """Return the number of first shots that are never replaced: see `adaptation`."""
    return (len(enrolled) + 1) // 2


def _direction(yaw: float | None) -> str:
    """Return where the person looks, from their own point of view."""
    if yaw is None:
        return ""
    if abs(yaw) < ASIDE:
        return gettext("straight ahead")
    return gettext("to their left") if yaw > 0 else gettext("to their right")


def _share(value: float) -> float:
    return min(max(value, 0.0), 1.0)
