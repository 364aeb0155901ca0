"""Takes: what is kept of an answer to notice a film of it, and how near one take is to another.

Nobody moves twice in quite the same way, nor in quite the same light. A film that is shown again
does, whatever its size, its quality or its speed. What is kept are the angles and the size of the
head in each frame, and the encodings of up to three frames.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from faceauth.vision.encoding import Encoding, template

from .sightings import Sighting

Series = NDArray[np.float32]

# About how much a film differs from what it was filmed of: in degrees, in the logarithm of the
# size, and in the distance of encodings.
_NOISE = np.array([1.2, 1.2, 1.0, 0.02], np.float32)
_ENCODING_NOISE = 0.12

# The roll and the size depend on how a film is shown as well: they count less, and only how they
# change.
_WEIGHTS = np.array([2, 2, 1, 1], np.float32) / 6
_MIRROR = np.array([-1, 1, -1, 1], np.float32)

_LARGEST = 5.0  # times the noise: a larger difference counts as this one
# Of the frames, those that fit best: the last one often goes beyond what was filmed.
_COUNTED = 0.8

_STEP = 1 / 32  # seconds between the moments of an old take with which frames are compared
_FASTER = 2.2  # times as fast as it was filmed: a film may be shown up to this speed
_NOWHERE = 1e6

MAX_FRAMES, MAX_ENCODINGS = 100, 3
_VERSION = 1
_HEADER = struct.Struct("<BBHH")


class Take(NamedTuple):
    """An answer to a challenge, as it is kept.

    Attributes:
        times: Of the frames, in seconds from the first, float32 (n,).
        path: The yaw, pitch and roll of the head in degrees, and the logarithm of its size, float32
            (n, 4).
        encodings: Of frames that look ahead, of length 1, float32 (e, d).
    """

    times: Series
    path: Series
    encodings: Series

    @classmethod
    def of(cls, seen: Sequence[Sighting], encodings: Encoding) -> Take:
        """Return the take of an answer.

        Args:
            seen: The head in each frame.
            encodings: Of frames that look ahead, float32 (e, d).
        """
        some = np.linspace(0, len(seen) - 1, min(len(seen), MAX_FRAMES)).round().astype(int)
        frames = [seen[index] for index in some]
        path = [(each.yaw, each.pitch, each.roll, np.log(each.size)) for each in frames]
        return cls(
            np.array([each.at - frames[0].at for each in frames], np.float32),
            np.array(path, np.float32),
            np.stack([template(each[None]) for each in encodings[:MAX_ENCODINGS]]),
        )

    def pack(self) -> bytes:
        """Return the take as bytes: 16 for a frame, and two for each number of an encoding."""
        head = _HEADER.pack(_VERSION, len(self.encodings), self.encodings.shape[1], len(self.times))
        path = np.column_stack([self.times, self.path]).astype("<f4")
        return head + path.tobytes() + self.encodings.astype("<f2").tobytes()

    @classmethod
    def unpack(cls, data: bytes) -> Take | None:
        """Return the take that `pack` returned as bytes; None if another version did."""
        if len(data) < _HEADER.size or data[0] != _VERSION:
            return None
        _version, encodings, size, frames = _HEADER.unpack_from(data)
        width = 1 + len(_NOISE)
        path = np.frombuffer(data, "<f4", frames * width, _HEADER.size).reshape(frames, width)
        rest = np.frombuffer(data, "<f2", encodings * size, _HEADER.size + path.nbytes)
        rows = rest.reshape(encodings, size).astype(np.float32)
        return cls(path[:, 0].copy(), path[:, 1:].copy(), rows)

    def mirrored(self) -> Take:
        """Return the take of the mirror image. Encodings of a mirror image hardly differ."""
        return self._replace(path=self.path * _MIRROR)


def distances(new: Take, old: Sequence[Take], scale: float, within: float) -> NDArray[np.float64]:
    """Return how far a take is from each of others: near 0.8 if it is a film of one.

    Each frame of the new take is laid along the path of the old one, in order of time, where they
    are nearest. The distance is what is then between them, over what is between a film and its
    original, and the distance of the nearest encodings over the same. The mirror image of the new
    take is compared as well.

    Args:
        new: The take.
        old: The others.
        scale: See `recognition.calibration.Calibration`.
        within: Larger distances need not be computed.

    Returns:
        Float64 (len(old),); infinite if the distance is larger than `within`.
    """
    found = np.array([_encoding_distance(new, each) for each in old], np.float64)
    found /= _ENCODING_NOISE * scale
    near = np.flatnonzero(found < within)
    found[found >= within] = np.inf
    if len(near):
        tracks = [_track(old[int(index)]) for index in near]
        found[near] += np.minimum(
            *(_path_distances(each, tracks) for each in (new, new.mirrored()))
        )
    return found


def _encoding_distance(one: Take, other: Take) -> float:
    """Return the distance of the two nearest encodings, or infinity if there are none."""
    if one.encodings.shape[1] != other.encodings.shape[1]:
        return np.inf  # another encoder's
    off = np.linalg.norm(one.encodings[:, None] - other.encodings, axis=-1)
    return float(off.min(initial=np.inf))


def _track(take: Take) -> Series:
    """Return the path of a take in steps of `_STEP`, over its noise."""
    moments = np.arange(0, take.times[-1] + _STEP / 2, _STEP)
    values = [np.interp(moments, take.times, each) for each in (take.path / _NOISE).T]
    return np.stack(values, axis=1).astype(np.float32)


def _path_distances(new: Take, tracks: Sequence[Series]) -> NDArray[np.float64]:
    # (takes, moments, 4): the moments after the end of a take are far from everything.
    old = np.full((len(tracks), max(map(len, tracks)), len(_NOISE)), _NOWHERE, np.float32)
    for row, track in zip(old, tracks, strict=True):
        row[: len(track)] = track
    path = new.path / _NOISE
    turns = np.abs(path[:, None, None, :2] - old[..., :2]).clip(max=_LARGEST)
    places = _lay(np.sqrt((turns**2).mean(axis=-1)), np.diff(new.times) / _STEP)
    off = path[:, None] - old[np.arange(len(tracks)), places]
    off[..., 2:] -= np.median(off[..., 2:], axis=0)
    squares = np.sort(off.clip(-_LARGEST, _LARGEST) ** 2 @ _WEIGHTS, axis=0)
    counted = max(3, int(_COUNTED * len(path)))
    return np.sqrt(squares[:counted].mean(axis=0))


def _lay(costs: Series, gaps: Series) -> NDArray[np.intp]:
    """Return where along old takes the frames of a new one fit best: dynamic time warping.

    Args:
        costs: Of each frame at each moment of each take, (frames, takes, moments).
        gaps: The times between the frames, in steps.

    Returns:
        The moments, (frames, takes).
    """
    frames, takes, moments = costs.shape
    total, came = costs[0], np.zeros(costs.shape, np.int16)
    for frame in range(1, frames):
        best = total.copy()
        for back in range(1, min(int(gaps[frame - 1] * _FASTER) + 2, moments)):
            before = total[:, :-back]
            better = before < best[:, back:]
            best[:, back:][better] = before[better]
            came[frame][:, back:][better] = back
        total = best + costs[frame]
    places = np.empty((frames, takes), np.intp)
    places[-1] = total.argmin(axis=1)
    for frame in range(frames - 1, 0, -1):
        places[frame - 1] = places[frame] - came[frame][np.arange(takes), places[frame]]
    return places
