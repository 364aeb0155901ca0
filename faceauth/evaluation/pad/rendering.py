"""What is held up to a webcam: sheets of paper, flat or bent, moved by a hand; and what the webcam
makes of it.

Lengths are in units of the face on the sheet, its box's height; axes as in pictures, x to the
right, y down, z away from the camera.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Series = NDArray[np.float64]

WIDTH, HEIGHT = 640, 480
FACE = 190  # pixels: the face of somebody who sits before a laptop
QUALITY = 90  # of JPEG: what the page sends
FEWEST, MOST = 8, 12  # frames

# A person's own left is the picture's right.
SIGNS = {"left": 1, "right": -1}


class Sheet(NamedTuple):
    """A picture uint8 (height, width, 3) with the middle and the size of the face in it, pixels."""

    image: Image
    middle: tuple[float, float]
    size: float


class Pose(NamedTuple):
    """How a sheet is held.

    rotation: float64 (3, 3), from the sheet's axes to the camera's.
    shift: of the face's middle, right and down.
    scale: how much larger than `FACE` the face is.
    """

    rotation: NDArray[np.float64]
    shift: tuple[float, float] = (0, 0)
    scale: float = 1


class Bend(NamedTuple):
    """A sheet around a cylinder.

    radius: the cylinder's.
    turn: around the cylinder's axis, radians.
    slant: of the axis against the face's own, radians.
    """

    radius: float
    turn: float
    slant: float = 0


def movement(turns: Sequence[str], count: int) -> Series:
    """From the middle to each side and back, in so many even steps: float64 (count,), 1 for as far
    to the left as it goes, -1 to the right. Both ends of each turn are among them.
    """
    time = np.linspace(0, len(turns), count)
    for instant in np.arange(0, len(turns) + 0.5, 0.5):
        time[np.abs(time - instant).argmin()] = instant
    side = np.array([SIGNS[turn] for turn in turns])[np.minimum(time, len(turns) - 1).astype(int)]
    return side * (1 - np.abs(2 * (time % 1) - 1))


def drawn_movement(turns: Sequence[str], random: np.random.Generator) -> Series:
    """A `movement` of so many frames as an attempt has."""
    return movement(turns, int(random.integers(FEWEST, MOST + 1)))


def sway(random: np.random.Generator, count: int, size: float) -> Series:
    """A hand that does not quite keep still: smooth noise of that deviation, float64 (count,)."""
    kernel = np.array([1.0, 2, 3, 2, 1])
    noise = np.convolve(random.normal(size=count + 4), kernel, "valid")
    return size * noise / np.sqrt((kernel**2).sum())


def about(axis: Sequence[float], radians: float) -> NDArray[np.float64]:
    """The rotation about an axis, float64 (3, 3)."""
    unit = np.array(axis, np.float64) / np.linalg.norm(axis)
    rotation, _ = cv2.Rodrigues(unit * radians)
    return np.asarray(rotation, np.float64)


class Hand:
    """Holds something for so many frames, and sways."""

    def __init__(self, random: np.random.Generator, count: int) -> None:
        self._x, self._y = sway(random, count, 0.02), sway(random, count, 0.02)
        self._roll, self._scale = sway(random, count, 0.015), sway(random, count, 0.01)
        self._tilts = sway(random, count, 0.03), sway(random, count, 0.03)

    def pose(
        self,
        n: int,
        turn: NDArray[np.float64] | None = None,
        roll: float = 0,
        shift: float = 0,
        scale: float = 1,
    ) -> Pose:
        """What frame `n` is to be, and what the hand adds."""
        wanted = about((0, 0, 1), roll + self._roll[n]) @ (np.eye(3) if turn is None else turn)
        swayed = about((1, 0, 0), self._tilts[0][n]) @ about((0, 1, 0), self._tilts[1][n])
        return Pose(
            swayed @ wanted,
            (shift + self._x[n], self._y[n]),
            scale * (1 + self._scale[n]),
        )


def maybe_room(random: np.random.Generator) -> Image | None:
    """A room, or nothing: half of what is held up fills the picture."""
    return room(random) if random.random() < 0.5 else None


def room(random: np.random.Generator) -> Image:
    """Something out of focus behind it all, uint8 (HEIGHT, WIDTH, 3)."""
    colours = random.uniform(40, 200) + random.normal(0, 25, (4, 5, 3))
    blurred = cv2.resize(colours.clip(0, 255), (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    return np.asarray(blurred.clip(0, 255), np.uint8)


def held(sheet: Sheet, pose: Pose, behind: Image | None, distance: float = 4) -> Image:
    """The sheet before a camera, uint8 (HEIGHT, WIDTH, 3).

    behind: what is seen around it. None: the sheet is so large that nothing is.
    distance: from the camera to the face's middle. Less makes a stronger perspective.
    """
    (x, y), size = sheet.middle, sheet.size
    units = np.array([[1 / size, 0, -x / size], [0, 1 / size, -y / size], [0, 0, 1]])
    placed = np.column_stack([pose.rotation[:, :2], [*pose.shift, distance]])
    focal = FACE * pose.scale * distance
    camera = np.array([[focal, 0, WIDTH / 2], [0, focal, HEIGHT / 2], [0, 0, 1]])
    matrix = camera @ placed @ units
    border = cv2.BORDER_REPLICATE if behind is None else cv2.BORDER_TRANSPARENT
    canvas = np.zeros((HEIGHT, WIDTH, 3), np.uint8) if behind is None else behind.copy()
    image = _shrunk_for(sheet, pose.scale)
    if image is not sheet.image:
        matrix = matrix @ np.diag([*np.divide(sheet.image.shape[1::-1], image.shape[1::-1]), 1])
    warped = cv2.warpPerspective(
        image, matrix, (WIDTH, HEIGHT), dst=canvas, flags=cv2.INTER_LINEAR, borderMode=border
    )
    return np.asarray(warped, np.uint8)


def bent(sheet: Sheet, bend: Bend, pose: Pose, behind: Image) -> Image:
    """The sheet around a cylinder, seen from afar, uint8 (HEIGHT, WIDTH, 3). Of the pose's rotation
    the part in the plane counts.
    """
    scale = FACE * pose.scale
    columns, rows = np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT))
    x = (columns - WIDTH / 2) / scale - pose.shift[0]
    y = (rows - HEIGHT / 2) / scale - pose.shift[1]
    x, y = _turned(x, y, -np.arctan2(pose.rotation[1, 0], pose.rotation[0, 0]) - bend.slant)
    # What is turned to the camera stays in the middle of the picture.
    sine = x / bend.radius + np.sin(bend.turn)
    around = bend.radius * (np.arcsin(sine.clip(-1, 1)) - bend.turn)
    across, down = _turned(around, y, bend.slant)
    height, width = sheet.image.shape[:2]
    source_x = (sheet.middle[0] + across * sheet.size).astype(np.float32)
    source_y = (sheet.middle[1] + down * sheet.size).astype(np.float32)
    seen = cv2.remap(sheet.image, source_x, source_y, cv2.INTER_LINEAR)
    on = (np.abs(sine) < 0.999) & (source_x > 0) & (source_x < width - 1)
    on &= (source_y > 0) & (source_y < height - 1)
    return np.where(on[..., None], seen, behind).astype(np.uint8)


def webcam(image: Image, random: np.random.Generator) -> Image:
    """The picture with a sensor's noise."""
    height, width = image.shape[:2]
    noise = _noise(height, width)
    top, left = random.integers((len(noise) - height, noise.shape[1] - width))
    own = noise[top : top + height, left : left + width] * np.float32(random.uniform(1, 2.5))
    return (image + own).clip(0, 255).astype(np.uint8)


def jpeg(image: Image, quality: int = QUALITY) -> bytes:
    """The picture as the page sends it."""
    _, data = cv2.imencode(
        ".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality]
    )
    return data.tobytes()


def screens(images: Sequence[Image], random: np.random.Generator) -> list[Image]:
    """The pictures, all of one size, on a screen that is filmed: its gamma, its dark border, and
    the moire between its pixels and the camera's.
    """
    height, width = images[0].shape[:2]
    table = (255 * np.linspace(0, 1, 256) ** random.uniform(0.7, 1.5)).astype(np.float32)
    edge = round(random.uniform(0.02, 0.1) * height)
    inside = (slice(edge, -edge), slice(edge, -edge))
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    strength, period = random.uniform(0.03, 0.1), random.uniform(3, 12)
    direction = random.uniform(0, np.pi)
    # Red, green and blue lie side by side on it.
    thirds = (2 * np.pi / 3 * np.arange(3)).astype(np.float32)
    seen = []
    for number, image in enumerate(images):
        # The hand hardly turns; the moire makes much of it.
        angle = direction + 0.02 * number
        across, down = 2 * np.pi / period * np.array([np.cos(angle), np.sin(angle)], np.float32)
        stripes = np.cos((across * columns + down * rows)[..., None] + thirds)
        shown = table[image] * (1 + np.float32(strength) * stripes)
        framed = np.full(image.shape, 12, np.float32)
        framed[inside] = cv2.resize(shown, (width - 2 * edge, height - 2 * edge))
        seen.append(framed.clip(0, 255).astype(np.uint8))
    return seen


@cache
def _noise(height: int, width: int) -> NDArray[np.float32]:
    """Noise of deviation 1, larger than a picture of that size: each takes a part of its own."""
    random = np.random.default_rng(0)
    return random.standard_normal((height + 64, width + 64, 3), np.float32)


def _shrunk_for(sheet: Sheet, scale: float) -> Image:
    """The sheet's picture, smaller where the camera sees far fewer pixels than it has."""
    factor = FACE * scale / sheet.size
    if factor > 0.5:
        return sheet.image
    return np.asarray(
        cv2.resize(sheet.image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8
    )


def _turned(x: Any, y: Any, radians: float) -> tuple[Any, Any]:
    sine, cosine = np.sin(radians), np.cos(radians)
    return cosine * x - sine * y, sine * x + cosine * y
