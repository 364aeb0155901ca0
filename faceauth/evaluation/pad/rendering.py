"""Render a photo held up to a webcam: a flat or bent sheet, or a screen, moved by a hand.

Lengths are in units of the height of the face box on the sheet. The axes are those of pictures: x
to the right, y down, z away from the camera.
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
FACE = 190  # pixels: the face of a person in front of a laptop
QUALITY = 90  # of the JPEG that the page sends

# Of a hand: to the right and down, in units of the face; in the plane, in radians; nearer, as a
# factor; and in depth, in radians.
SWAY = np.array([0.028, 0.028, 0.02, 0.014, 0.04, 0.04])


class Sheet(NamedTuple):
    """A printed picture.

    Attributes:
        image: RGB, uint8 (height, width, 3).
        centre: Of the face in it, (x, y) in pixels.
        size: Of the face in it, in pixels.
    """

    image: Image
    centre: tuple[float, float]
    size: float


class Pose(NamedTuple):
    """The position of a sheet in front of the camera.

    Attributes:
        rotation: From the sheet's axes to the camera's, float64 (3, 3).
        shift: Of the centre of the face, right and down.
        scale: The size of the face, as a multiple of `FACE`.
    """

    rotation: NDArray[np.float64]
    shift: tuple[float, float] = (0, 0)
    scale: float = 1


class Bend(NamedTuple):
    """The bend of a sheet around a cylinder.

    Attributes:
        radius: Of the cylinder.
        turn: Around the cylinder's axis, in radians.
        slant: Of that axis against the axis of the face, in radians.
    """

    radius: float
    turn: float
    slant: float = 0


def rotation_about(axis: Sequence[float], radians: float) -> NDArray[np.float64]:
    """Return the rotation about an axis, float64 (3, 3)."""
    unit = np.array(axis, np.float64) / np.linalg.norm(axis)
    rotation, _ = cv2.Rodrigues(unit * radians)
    return np.asarray(rotation, np.float64)


class Hand:
    """A hand that holds a sheet and sways a little, smoothly from frame to frame."""

    def __init__(self, random: np.random.Generator) -> None:
        self._rates = random.uniform(0.2, 0.6, len(SWAY))  # radians a frame
        self._phases = random.uniform(0, 2 * np.pi, len(SWAY))
        self._frame = 0

    def pose(
        self,
        turn: NDArray[np.float64] | None = None,
        roll: float = 0,
        shift: tuple[float, float] = (0, 0),
        scale: float = 1,
    ) -> Pose:
        """Return the sheet's pose in the next frame: the one asked for, and the hand's sway.

        Args:
            turn: A rotation in depth, float64 (3, 3).
            roll: A rotation in the plane, in radians.
            shift: To the right and down, in units of the face.
            scale: The size of the face, as a multiple of `FACE`.
        """
        self._frame += 1
        x, y, own_roll, nearer, *tilts = SWAY * np.sin(self._frame * self._rates + self._phases)
        rotation = rotation_about((0, 0, 1), roll + own_roll)
        rotation = rotation @ (np.eye(3) if turn is None else turn)
        tilt = rotation_about((1, 0, 0), tilts[0]) @ rotation_about((0, 1, 0), tilts[1])
        return Pose(tilt @ rotation, (shift[0] + x, shift[1] + y), scale * (1 + nearer))


def maybe_room(random: np.random.Generator) -> Image | None:
    """Return a room or None, evenly: half of the sheets fill the camera's picture."""
    return room(random) if random.random() < 0.5 else None


def room(random: np.random.Generator) -> Image:
    """Return a background out of focus, uint8 (HEIGHT, WIDTH, 3)."""
    colours = random.uniform(40, 200) + random.normal(0, 25, (4, 5, 3))
    blurred = cv2.resize(colours.clip(0, 255), (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    return np.asarray(blurred.clip(0, 255), np.uint8)


def render_flat(sheet: Sheet, pose: Pose, background: Image | None, distance: float = 4) -> Image:
    """Render a flat sheet in front of a camera.

    Args:
        sheet: The sheet.
        pose: Its position.
        background: The picture around the sheet. None if the sheet is too large to see any of it.
        distance: From the camera to the centre of the face. A smaller one gives a stronger
            perspective.

    Returns:
        RGB, uint8 (HEIGHT, WIDTH, 3).
    """
    (x, y), size = sheet.centre, sheet.size
    units = np.array([[1 / size, 0, -x / size], [0, 1 / size, -y / size], [0, 0, 1]])
    placed = np.column_stack([pose.rotation[:, :2], [*pose.shift, distance]])
    focal = FACE * pose.scale * distance
    camera = np.array([[focal, 0, WIDTH / 2], [0, focal, HEIGHT / 2], [0, 0, 1]])
    matrix = camera @ placed @ units
    border = cv2.BORDER_REPLICATE if background is None else cv2.BORDER_TRANSPARENT
    canvas = np.zeros((HEIGHT, WIDTH, 3), np.uint8) if background is None else background.copy()
    image = _downscaled(sheet, pose.scale)
    if image is not sheet.image:
        matrix = matrix @ np.diag([*np.divide(sheet.image.shape[1::-1], image.shape[1::-1]), 1])
    warped = cv2.warpPerspective(
        image, matrix, (WIDTH, HEIGHT), dst=canvas, flags=cv2.INTER_LINEAR, borderMode=border
    )
    return np.asarray(warped, np.uint8)


def render_bent(sheet: Sheet, bend: Bend, pose: Pose, background: Image) -> Image:
    """Render a sheet around a cylinder, seen from afar.

    Args:
        sheet: The sheet.
        bend: Its bend.
        pose: Its position; only the rotation in the plane counts.
        background: The picture around the sheet.

    Returns:
        RGB, uint8 (HEIGHT, WIDTH, 3).
    """
    scale = FACE * pose.scale
    columns, rows = np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT))
    x = (columns - WIDTH / 2) / scale - pose.shift[0]
    y = (rows - HEIGHT / 2) / scale - pose.shift[1]
    x, y = _rotated(x, y, -np.arctan2(pose.rotation[1, 0], pose.rotation[0, 0]) - bend.slant)
    # The part of the sheet that faces the camera stays in the centre of the picture.
    sine = x / bend.radius + np.sin(bend.turn)
    around = bend.radius * (np.arcsin(sine.clip(-1, 1)) - bend.turn)
    across, down = _rotated(around, y, bend.slant)
    height, width = sheet.image.shape[:2]
    source_x = (sheet.centre[0] + across * sheet.size).astype(np.float32)
    source_y = (sheet.centre[1] + down * sheet.size).astype(np.float32)
    seen = cv2.remap(sheet.image, source_x, source_y, cv2.INTER_LINEAR)
    on = (np.abs(sine) < 0.999) & (source_x > 0) & (source_x < width - 1)
    on &= (source_y > 0) & (source_y < height - 1)
    return np.where(on[..., None], seen, background).astype(np.uint8)


def add_noise(image: Image, random: np.random.Generator) -> Image:
    """Return the picture with the noise of a camera's sensor."""
    height, width = image.shape[:2]
    noise = _noise(height, width)
    top, left = random.integers((len(noise) - height, noise.shape[1] - width))
    own = noise[top : top + height, left : left + width] * np.float32(random.uniform(1, 2.5))
    return (image + own).clip(0, 255).astype(np.uint8)


def encode_jpeg(image: Image, quality: int = QUALITY) -> bytes:
    """Encode the picture as the page does."""
    _, data = cv2.imencode(
        ".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality]
    )
    return data.tobytes()


class Screen:
    """A screen before the camera: its gamma, its dark border, and the moiré of both pixels."""

    def __init__(self, random: np.random.Generator) -> None:
        gamma = random.uniform(0.7, 1.5)
        self._table = (255 * np.linspace(0, 1, 256) ** gamma).astype(np.float32)
        self._edge = random.uniform(0.02, 0.1)  # of the height
        self._strength, self._period = random.uniform(0.03, 0.1), random.uniform(3, 12)
        self._direction = random.uniform(0, np.pi)

    def show(self, image: Image) -> Image:
        """Return a picture, RGB, uint8 (height, width, 3), as the camera films it next."""
        height, width = image.shape[:2]
        # The hand hardly turns, but the moiré changes much with it.
        self._direction += 0.02
        angle = 2 * np.pi / self._period
        across = np.exp(1j * angle * np.cos(self._direction) * np.arange(width))
        down = np.exp(1j * angle * np.sin(self._direction) * np.arange(height))
        waves = np.outer(down, across).astype(np.complex64)
        # Red, green and blue lie side by side on a screen.
        stripes = np.dstack([(waves * np.exp(2j * np.pi / 3 * third)).real for third in range(3)])
        shown = self._table[image] * (1 + np.float32(self._strength) * stripes)
        edge = round(self._edge * height)
        inside = cv2.resize(shown, (width - 2 * edge, height - 2 * edge))
        framed = cv2.copyMakeBorder(
            inside, edge, edge, edge, edge, cv2.BORDER_CONSTANT, value=(12.0, 12.0, 12.0)
        )
        return framed.clip(0, 255).astype(np.uint8)


def film_screen(images: Sequence[Image], random: np.random.Generator) -> list[Image]:
    """Return pictures, all of one size, as a camera films them from a screen."""
    screen = Screen(random)
    return [screen.show(image) for image in images]


@cache
def _noise(height: int, width: int) -> NDArray[np.float32]:
    """Return noise of deviation 1, larger than a picture, so that each can take another part."""
    random = np.random.default_rng(0)
    return random.standard_normal((height + 64, width + 64, 3), np.float32)


def _downscaled(sheet: Sheet, scale: float) -> Image:
    """Return the sheet's picture, smaller if the camera sees less than half of its pixels."""
    factor = FACE * scale / sheet.size
    if factor > 0.5:
        return sheet.image
    return np.asarray(
        cv2.resize(sheet.image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8
    )


def _rotated(x: Any, y: Any, radians: float) -> tuple[Any, Any]:
    sine, cosine = np.sin(radians), np.cos(radians)
    return cosine * x - sine * y, sine * x + cosine * y
