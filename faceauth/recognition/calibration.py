"""Which distance goes with which rate: measured on people, shipped as a table."""

from __future__ import annotations

import json
import math
from bisect import bisect_left
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from django.core.exceptions import ImproperlyConfigured

from faceauth import conf
from faceauth.vision.encoding import DlibEncoder

from . import encoders


class Limit(NamedTuple):
    """A distance up to which two faces are one person.

    rate: the false-match rate that goes with it.
    fnmr: the false non-match rate that goes with it, for photos taken at different times.
    supported: whether the table has impostors enough behind it to say so; where not, the distance
        is stricter than the curve is likely to be.
    measured_to: the lowest rate that it has enough for; pairs: how many impostors that are.
    """

    distance: float
    rate: float
    fnmr: float
    supported: bool
    measured_to: float
    pairs: int


class Curve:
    """Distances and rates for one number of shots on each side.

    points: (rate, distance, fnmr), the lowest rate last.
    measured_to: the lowest rate that is supported.
    pairs: of how many impostors.
    """

    def __init__(
        self, points: Iterable[tuple[float, float, float]], measured_to: float, pairs: int
    ) -> None:
        self.measured_to, self.pairs = measured_to, pairs
        ascending = sorted((math.log10(rate), *others) for rate, *others in points)
        self._exponents, self._distances, self._fnmrs = zip(*ascending, strict=True)

    def at_rate(self, rate: float) -> Limit:
        """The distance for a false-match rate."""
        exponent = math.log10(rate)
        distance = _line(self._exponents, self._distances, exponent)
        return self._limit(distance, rate)

    def at_distance(self, distance: float) -> Limit:
        """The rate for a distance; 1 at most."""
        exponent = _line(self._distances, self._exponents, distance)
        rate = 10 ** min(exponent, 0)
        return self._limit(distance, rate)

    def _limit(self, distance: float, rate: float) -> Limit:
        supported = self._supports(rate)
        return Limit(distance, rate, self._fnmr(distance), supported, self.measured_to, self.pairs)

    def _supports(self, rate: float) -> bool:
        highest = 10 ** self._exponents[-1]
        return self.measured_to <= rate * (1 + 1e-6) and rate <= highest * (1 + 1e-6)

    def _fnmr(self, distance: float) -> float:
        fnmr = _line(self._distances, self._fnmrs, distance)
        return min(max(fnmr, 0.0), 1.0)


class Calibration:
    """Curves by the number of shots enrolled and of frames shown.

    For numbers between those measured the stricter neighbour holds, beyond them the last.

    encoder: the name of the one whose distances they are.
    scale: how far apart its encodings of one person lie, where those of dlib's lie 1 apart. What is
        known of distances between single encodings was measured on dlib's: times this it is taken
        for others.
    """

    def __init__(
        self,
        curves: dict[tuple[int, int], Curve],
        encoder: str = DlibEncoder.name,
        scale: float = 1.0,
    ) -> None:
        self.curves, self.encoder, self.scale = curves, encoder, scale
        self._shots = sorted({shots for shots, _ in curves})
        self._frames = sorted({frames for _, frames in curves})

    @classmethod
    def from_json(cls, table: dict[str, Any]) -> Calibration:
        """From what `evaluation.table` writes. What does not say whose it is, is dlib's."""
        curves = {
            (cell["shots"], cell["frames"]): Curve(
                cell["points"], cell["measured_to"], cell["pairs"]
            )
            for cell in table["cells"]
        }
        return cls(curves, table.get("encoder", DlibEncoder.name), float(table.get("scale", 1)))

    def limit(self, shots: int, frames: int, rate: float) -> Limit:
        """The distance for a false-match rate."""
        limits = [curve.at_rate(rate) for curve in self._around(shots, frames)]
        return min(limits, key=lambda limit: limit.distance)

    def at_distance(self, shots: int, frames: int, distance: float) -> Limit:
        """The false-match rate for a distance."""
        limits = [curve.at_distance(distance) for curve in self._around(shots, frames)]
        return max(limits, key=lambda limit: limit.rate)

    def _around(self, shots: int, frames: int) -> list[Curve]:
        return [
            self.curves[n, m]
            for n in _neighbours(self._shots, shots)
            for m in _neighbours(self._frames, frames)
        ]


def calibration() -> Calibration:
    """The table that ships with the app, or the owner's.

    Raises:
        ImproperlyConfigured: it is another encoder's.
    """
    folder = conf.get().CALIBRATION
    found, name = _calibration(folder), encoders.encoder().name
    if found.encoder != name:
        of = folder or "that ships with the app"
        raise ImproperlyConfigured(
            f"The calibration {of} is of the encoder {found.encoder!r}, and FACEAUTH['ENCODER'] "
            f"is {name!r}: their distances have nothing to do with each other."
        )
    return found


def data_file(folder: str | Path | None, name: str) -> Path:
    """A file of a calibration: the owner's in that folder, or the one that ships."""
    return Path(folder or Path(__file__).parent / "data") / name


@cache
def _calibration(folder: str | Path | None) -> Calibration:
    return Calibration.from_json(json.loads(data_file(folder, "calibration.json").read_text()))


def _neighbours(measured: list[int], count: int) -> set[int]:
    """The measured counts on both sides of one."""
    above = min(bisect_left(measured, count), len(measured) - 1)
    if measured[above] <= count or not above:
        return {measured[above]}
    return {measured[above - 1], measured[above]}


def _line(xs: Any, ys: Any, x: float) -> float:
    """On the polyline through ascending `xs`, which goes straight on beyond both ends."""
    right = min(max(bisect_left(xs, x), 1), len(xs) - 1)
    (x0, x1), (y0, y1) = xs[right - 1 : right + 1], ys[right - 1 : right + 1]
    share = (x - x0) / (x1 - x0)
    return float(y0 + share * (y1 - y0))
