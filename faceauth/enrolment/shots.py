"""What is kept of each picture that a template was made from: when and how it was taken, and how
good it was. Never the picture.

Notes are as JSON has them: `note` makes one, and a user has a list of them, oldest first. Those of
pictures that adaptation has put in the place of others come after all that were enrolled.
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

# The capture page's name for what it took itself: `submission.js`.
TAKEN = "picture.jpg"

# Where more adds nothing. The network is shown 150 pixels; the middle photo of LFW has this
# sharpness; and a face between these is neither dim nor glaring.
LARGE_ENOUGH, SHARP_ENOUGH = 150, 0.34
DIM, GLARING = 0.25, 0.75

# Units of `vision.pose`: less is not seen.
ASIDE = 0.1

# What a template has to be good for: below it, better pictures are worth asking for.
GOOD = 0.6


class Source(TextChoices):
    """How a picture came."""

    WEBCAM = "webcam", _("webcam")
    FILE = "file", _("file")
    LOGIN = "login", _("login")  # adapted to
    ELSEWHERE = "elsewhere", _("computed elsewhere")


class Measures(NamedTuple):
    """How large, sharp and well lit a face is, each from 0 to 1."""

    size: float
    sharpness: float
    light: float


class Shot(NamedTuple):
    """A note to be read; where an encoding came alone, nothing is known of its picture."""

    at: datetime | None
    source: str
    measures: Measures | None
    looks: str


def note(source: str, quality: Quality | None = None) -> Note:
    """A note on a picture that came now."""
    measured = quality._asdict() if quality else {}
    kept = ("head_size", "luminance_mean", "sharpness", "head_pose_yaw")
    return {
        "at": timezone.now().isoformat(timespec="seconds"),
        "source": str(source),
        **{name: round(measured[name], 3) for name in kept if measured},
    }


def notes(source: str, qualities: Iterable[Quality | None]) -> list[Note]:
    """A note on each picture of an enrolment."""
    return [note(source, each) for each in qualities]


def source_of(names: Iterable[str | None]) -> Source:
    """How pictures came that were sent under these names."""
    return Source.WEBCAM if all(name == TAKEN for name in names) else Source.FILE


def current(kept: Sequence[Note] | None) -> list[Note]:
    """Of the pictures that the template is made of now."""
    enrolled, adapted = _parted(kept)
    first = _anchors(enrolled)
    return [*enrolled[:first], *[*enrolled, *adapted][first:][len(adapted) :]]


def adapted(kept: Sequence[Note] | None, new: Note) -> list[Note] | None:
    """With one of a picture that takes the place of the stalest; None where none are known."""
    enrolled, later = _parted(kept)
    if not enrolled:
        return None
    replaceable = len(enrolled) - _anchors(enrolled)
    return [*enrolled, *[*later, new][-replaceable:]]


def as_enrolled(kept: Sequence[Note] | None) -> list[Note] | None:
    """Without those of adaptation."""
    return _parted(kept)[0] or None


def quality(kept: Sequence[Note] | None) -> float | None:
    """How good the template's pictures are in the mean, 0 to 1; None where it is not known.

    A picture is as good as what is worst about it.
    """
    worst = [min(found) for found in map(measures, current(kept)) if found]
    return round(sum(worst) / len(worst), 3) if worst else None


def measures(note: Note) -> Measures | None:
    """How good the picture was, where it is known."""
    if "head_size" not in note:
        return None
    light = note["luminance_mean"]
    return Measures(
        size=_share(note["head_size"] / LARGE_ENOUGH),
        sharpness=_share(note["sharpness"] / SHARP_ENOUGH),
        light=_share(min(light / DIM, (1 - light) / (1 - GLARING))),
    )


def read(note: Note) -> Shot:
    """The note as a page shows it."""
    source = note.get("source", "")
    label = Source(source).label if source in Source.values else source
    at = parse_datetime(note.get("at", ""))
    return Shot(at, str(label), measures(note), _looks(note.get("head_pose_yaw")))


def _parted(kept: Sequence[Note] | None) -> tuple[list[Note], list[Note]]:
    """Those enrolled, and those adapted to."""
    every = kept or []
    later = [each for each in every if each.get("source") == Source.LOGIN]
    return [each for each in every if each.get("source") != Source.LOGIN], later


def _anchors(enrolled: Sequence[Note]) -> int:
    """How many of the first shots stay for ever: see `adaptation`."""
    return (len(enrolled) + 1) // 2


def _looks(yaw: float | None) -> str:
    """Where to, as the person themselves would say."""
    if yaw is None:
        return ""
    if abs(yaw) < ASIDE:
        return gettext("straight ahead")
    return gettext("to their left") if yaw > 0 else gettext("to their right")


def _share(value: float) -> float:
    return min(max(value, 0.0), 1.0)
