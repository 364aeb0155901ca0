"""Convert between false-match rates and distances, by a table measured on many people."""

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
    """The largest distance at which two faces are taken for one person.

    Attributes:
        distance: The limit.
        rate: The false-match rate at this distance.
        fnmr: The false non-match rate at this distance, for photos taken at different times.
        supported: True if the table is based on enough impostors to state the rate. If not, the
            distance is stricter than the curve is likely to be.
        measured_to: The lowest rate for which the table has enough impostors.
        pairs: The number of impostor pairs behind the table.
    """

    distance: float
    rate: float
    fnmr: float
    supported: bool
    measured_to: float
    pairs: int


class Curve:
    """The distances and rates for one number of shots and one number of frames.

    Args:
        points: Tuples of (rate, distance, fnmr), in any order.
        measured_to: The lowest rate that is supported.
        pairs: The number of impostor pairs that were compared.
    """

    def __init__(
        self, points: Iterable[tuple[float, float, float]], measured_to: float, pairs: int
    ) -> None:
        self.measured_to, self.pairs = measured_to, pairs
        ascending = sorted((math.log10(rate), *others) for rate, *others in points)
        self._exponents, self._distances, self._fnmrs = zip(*ascending, strict=True)

    def at_rate(self, rate: float) -> Limit:
        """Return the limit with this false-match rate, and the distance that belongs to it."""
        exponent = math.log10(rate)
        distance = _interpolate(self._exponents, self._distances, exponent)
        return self._limit(distance, rate)

    def at_distance(self, distance: float) -> Limit:
        """Return the limit with this distance, and the rate that belongs to it, 1 or lower."""
        exponent = _interpolate(self._distances, self._exponents, distance)
        rate = 10 ** min(exponent, 0)
        return self._limit(distance, rate)

    def _limit(self, distance: float, rate: float) -> Limit:
        supported = self._supports(rate)
        return Limit(distance, rate, self._fnmr(distance), supported, self.measured_to, self.pairs)

    def _supports(self, rate: float) -> bool:
        highest = 10 ** self._exponents[-1]
        return self.measured_to <= rate * (1 + 1e-6) and rate <= highest * (1 + 1e-6)

    def _fnmr(self, distance: float) -> float:
        fnmr = _interpolate(self._distances, self._fnmrs, distance)
        return min(max(fnmr, 0.0), 1.0)


class Calibration:
    """The curves of one encoder, by the number of shots enrolled and of frames shown.

    For a number between two measured ones, the stricter of the two holds; for a larger number,
    the largest measured one.

    Args:
        curves: The curves, by (shots, frames).
        encoder: The name of the encoder whose distances these are.
        scale: How far apart the encoder's encodings of one person lie, in relation to dlib's.
            Limits between single encodings were measured with dlib's encoder; for other encoders
            they are multiplied by this.
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
        """Read a table that `evaluation.calibrate` wrote. One without an encoder is dlib's."""
        curves = {
            (cell["shots"], cell["frames"]): Curve(
                cell["points"], cell["measured_to"], cell["pairs"]
            )
            for cell in table["cells"]
        }
        return cls(curves, table.get("encoder", DlibEncoder.name), float(table.get("scale", 1)))

    def at_rate(self, shots: int, frames: int, rate: float) -> Limit:
        """Return the limit with this false-match rate, and the smallest distance of the curves."""
        limits = [curve.at_rate(rate) for curve in self._around(shots, frames)]
        return min(limits, key=lambda limit: limit.distance)

    def at_distance(self, shots: int, frames: int, distance: float) -> Limit:
        """Return the limit with this distance, and the highest false-match rate of the curves."""
        limits = [curve.at_distance(distance) for curve in self._around(shots, frames)]
        return max(limits, key=lambda limit: limit.rate)

    def _around(self, shots: int, frames: int) -> list[Curve]:
        return [
            self.curves[n, m]
            for n in _neighbours(self._shots, shots)
            for m in _neighbours(self._frames, frames)
        ]


def calibration() -> Calibration:
    """Return the calibration of the setting ``CALIBRATION``, or the one that ships with the app.

    Raises:
        ImproperlyConfigured: The calibration belongs to another encoder than the site's.
    """
    folder = conf.get().CALIBRATION
    found, name = _calibration(folder), encoders.encoder().name
    if found.encoder != name:
        source = folder or "that ships with the app"
        raise ImproperlyConfigured(
            f"The calibration {source} belongs to the encoder {found.encoder!r}, but "
            f"FACEAUTH['ENCODER'] is {name!r}: distances of different encoders can't be compared."
        )
    return found


def data_file(folder: str | Path | None, name: str) -> Path:
    """Return the path of a calibration's file, in this folder or by default the app's."""
    return Path(folder or Path(__file__).parent / "data") / name


@cache
def _calibration(folder: str | Path | None) -> Calibration:
    return Calibration.from_json(json.loads(data_file(folder, "calibration.json").read_text()))


def _neighbours(measured: list[int], count: int) -> set[int]:
    """Return the measured counts on both sides of a count; one if it was measured itself."""
    above = min(bisect_left(measured, count), len(measured) - 1)
    if measured[above] <= count or not above:
        return {measured[above]}
    return {measured[above - 1], measured[above]}


def _interpolate(xs: Any, ys: Any, x: float) -> float:
    """Interpolate linearly between points with ascending `xs`, and extrapolate beyond both ends."""
    right = min(max(bisect_left(xs, x), 1), len(xs) - 1)
    (x0, x1), (y0, y1) = xs[right - 1 : right + 1], ys[right - 1 : right + 1]
    share = (x - x0) / (x1 - x0)
    return float(y0 + share * (y1 - y0))
