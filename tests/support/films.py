"""Films of heads that turn, as folders of numbered pictures."""

from __future__ import annotations

from pathlib import Path

from tests.support.heads import filmed
from tests.support.webcam import AWAY, TURNED, turned

STRAIGHT = 3  # frames


def turning(folder: Path, name: str, *turns: str) -> None:
    """Write that person turning their head to these sides, each from the middle and back."""
    places = [0.0] * STRAIGHT
    for turn in turns:
        away = [float(TURNED[turn] * share) for share in AWAY]
        places += [*away, *away[::-1], *[0.0] * STRAIGHT]
    folder.mkdir()
    for number, data in enumerate(filmed([turned(name, place) for place in places])):
        (folder / f"{number:03}.jpg").write_bytes(data)
