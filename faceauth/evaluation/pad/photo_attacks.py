"""Photo attacks: the attacker has one photo of the person and knows the turns that are asked for.

Each attack returns the frames of one attempt in order of time: RGB, uint8 (height, width, 3).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from faceauth.vision import Face, decode_image
from faceauth.vision.alignment import Landmarks
from faceauth.vision.encoding import Encoding

from .rendering import (
    Bend,
    Hand,
    Image,
    Pose,
    Series,
    Sheet,
    add_noise,
    film_screen,
    maybe_room,
    random_movement,
    render_bent,
    render_flat,
    room,
    rotation_about,
    sway,
)

Frames = list[Image]


@dataclass(frozen=True)
class Portrait:
    """A photo of a person, whose pixels are read only when needed.

    Attributes:
        path: The file.
        face: The face in `image`.
        encoding: Of the face, float32 (d,).
        mirror: `image` is the mirror image of the file.
    """

    path: Path
    face: Face
    encoding: Encoding
    mirror: bool = False

    @property
    def image(self) -> Image:
        """The pixels, RGB, uint8 (height, width, 3)."""
        image = decode_image(self.path.read_bytes())
        return np.ascontiguousarray(image[:, ::-1]) if self.mirror else image

    @property
    def sheet(self) -> Sheet:
        """The photo as a sheet to hold up."""
        left, top, right, bottom = self.face.box
        return Sheet(self.image, ((left + right) / 2, (top + bottom) / 2), self.face.size)

    def mirrored(self) -> Portrait:
        """Return the mirror image, in which the head turns to the other side."""
        width = self.image.shape[1]
        left, top, right, bottom = self.face.box
        # The eyes change places, and so do their corners.
        landmarks = self.face.landmarks[[2, 3, 0, 1, 4]] * (-1, 1) + (width - 1, 0)
        face = Face((width - right, top, width - left, bottom), self.face.score, landmarks)
        return replace(self, face=face, mirror=not self.mirror)


class Piece(NamedTuple):
    """A part of a face that is cut out and moved.

    Attributes:
        below: The distance of its centre below the eyes, in units of the way from eyes to nose.
        half_width: In units of the distance between the eyes.
        half_height: In the same units.
        side: The side it moves to for a turn to the left; 1 is the right of the picture.
    """

    below: float
    half_width: float
    half_height: float
    side: int


EYES, MOUTH, NOSE_AND_MOUTH = (
    Piece(0, 0.95, 0.33, -1),
    Piece(1.55, 0.6, 0.33, 1),
    Piece(1.2, 0.62, 0.62, 1),
)
PIECES = (EYES, MOUTH, NOSE_AND_MOUTH)


Attack = Callable[[Portrait, Sequence[str], np.random.Generator], Frames]


def still(photo: Portrait, turns: Sequence[str], random: np.random.Generator) -> Frames:
    """Show a photo on a stand."""
    shot = render_flat(photo.sheet, Pose(np.eye(3)), maybe_room(random))
    return [add_noise(shot, random) for _ in random_movement(turns, random)]


def moved(photo: Portrait, turns: Sequence[str], random: np.random.Generator) -> Frames:
    """Shift a photo, bring it nearer and rotate it in the plane, towards the side asked for."""
    steps = random_movement(turns, random)
    sheet, background = photo.sheet, maybe_room(random)
    shift, roll, nearer = random.uniform((-0.5, -0.4, -0.2), (0.5, 0.4, 0.2))
    hand = Hand(random, len(steps))
    poses = [
        hand.pose(n, roll=roll * step, shift=shift * step, scale=1 + nearer * abs(step))
        for n, step in enumerate(steps)
    ]
    return [add_noise(render_flat(sheet, pose, background), random) for pose in poses]


def tilted(low: float, high: float) -> Attack:
    """Rotate a flat photo in depth about an upright axis, by at most `low` to `high` degrees."""

    def attack(photo: Portrait, turns: Sequence[str], random: np.random.Generator) -> Frames:
        lean = random.uniform(-10, 10)
        return _tilted(photo, random_movement(turns, random), (low, high), (lean, lean), random)

    return attack


def slanted(low: float, high: float) -> Attack:
    """Rotate a flat photo in depth about an axis halfway between upright and level.

    This shears the face, so that the nose leaves the midpoint between the eyes. The axis leans to
    the side that moves the nose in the direction asked for.
    """

    def attack(photo: Portrait, turns: Sequence[str], random: np.random.Generator) -> Frames:
        lean = random.uniform(35, 55)
        return _tilted(photo, random_movement(turns, random), (low, high), (-lean, lean), random)

    return attack


def bent(photo: Portrait, turns: Sequence[str], random: np.random.Generator) -> Frames:
    """Bend a photo around a cylinder, and turn it about the cylinder's axis."""
    steps = random_movement(turns, random)
    sheet, background = photo.sheet, room(random)
    # A head turns with its surface; one in five attempts turns the other way.
    angle = np.deg2rad(random.uniform(20, 50)) * random.choice((-1, 1), p=(0.2, 0.8))
    slant = random.choice((0, random.uniform(-0.7, 0.7)))
    radii = random.uniform(0.5, 1.2) * (1 + sway(random, len(steps), 0.03))
    hand = Hand(random, len(steps))
    frames = []
    for n, (step, radius) in enumerate(zip(steps, radii, strict=True)):
        bend = Bend(radius, step * angle, slant * np.sign(step))
        frames.append(add_noise(render_bent(sheet, bend, hand.pose(n), background), random))
    return frames


def cut_out(photo: Portrait, turns: Sequence[str], random: np.random.Generator) -> Frames:
    """Cut a piece out of a photo and push it to a side, over another print of the photo.

    The piece contains the eyes, the mouth, or the nose and the mouth.
    """
    steps = random_movement(turns, random)
    sheet, background = photo.sheet, maybe_room(random)
    size = sheet.image.shape[1::-1]
    piece = PIECES[random.integers(len(PIECES))]
    across, mask = _piece_mask(photo.face.landmarks, piece, size)
    blur = random.choice((1, 3, 7))
    soft_mask = cv2.GaussianBlur(mask, (blur, blur), 0)
    reach = piece.side * random.uniform(0.2, 0.45) * across
    hand = Hand(random, len(steps))
    frames = []
    for n, (x, y) in enumerate(steps[:, None] * reach):
        push = np.array([[1, 0, x], [0, 1, y]])
        over = cv2.warpAffine(sheet.image, push, size, borderMode=cv2.BORDER_REPLICATE)
        share = cv2.warpAffine(soft_mask, push, size)[..., None]
        pasted = (over * share + sheet.image * (1 - share)).astype(np.uint8)
        frames.append(
            add_noise(render_flat(sheet._replace(image=pasted), hand.pose(n), background), random)
        )
    return frames


def _tilted(
    photo: Portrait,
    steps: Series,
    degrees: tuple[float, float],
    leans: tuple[float, float],
    random: np.random.Generator,
) -> Frames:
    """Rotate a flat photo in depth, and hold it so that the eyes stay level.

    Args:
        photo: The photo.
        steps: The movement.
        degrees: The range of the largest angle.
        leans: The axis's angle from upright in degrees, for turns to the right and to the left.
        random: The random numbers.
    """
    sheet, background = photo.sheet, room(random)
    angle = np.deg2rad(random.uniform(*degrees)) * random.choice((-1, 1))
    distance = random.uniform(2.2, 6)
    hand = Hand(random, len(steps))
    frames = []
    for n, step in enumerate(steps):
        lean = np.deg2rad(leans[int(step > 0)])
        turn = rotation_about((np.sin(lean), np.cos(lean), 0), step * angle)
        pose = hand.pose(n, turn, roll=-np.arctan2(turn[1, 0], turn[0, 0]))
        frames.append(add_noise(render_flat(sheet, pose, background, distance), random))
    return frames


def _piece_mask(
    landmarks: Landmarks, piece: Piece, size: tuple[int, int]
) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Return the vector from eye to eye, float64 (2,), and a mask, float32 (height, width)."""
    eyes = landmarks[:4].mean(axis=0)
    across = landmarks[:2].mean(axis=0) - landmarks[2:4].mean(axis=0)
    x, y = eyes + piece.below * (landmarks[4] - eyes)
    width, height = np.hypot(*across) * 2 * np.array([piece.half_width, piece.half_height])
    angle = float(np.degrees(np.arctan2(across[1], across[0])))
    corners = cv2.boxPoints(((x, y), (width, height), angle)).round().astype(np.int32)
    mask = np.zeros(size[::-1], np.float32)
    cv2.fillConvexPoly(mask, corners, 1.0)
    return across, mask


def animated(photo: Portrait, turns: Sequence[str], random: np.random.Generator) -> Frames:
    """Animate a photo by software: move the middle of the face to the side, and its shading.

    This is impossible with a printed photo. The frames do not come from a camera.
    """
    steps = random_movement(turns, random)
    sheet, background = photo.sheet, maybe_room(random)
    landmarks = photo.face.landmarks
    nose = landmarks[4]
    between = float(np.hypot(*(landmarks[:2].mean(axis=0) - landmarks[2:4].mean(axis=0))))
    reach, shade = random.uniform(0.5, 0.8), random.uniform(0.5, 1)
    height, width = sheet.image.shape[:2]
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    aside, below = (columns - nose[0]) / between, (rows - nose[1]) / between
    share = np.exp(-(aside**2 + below**2) / 0.8**2)
    lit = aside * np.exp(-(aside**2 + below**2) / 1.5**2)
    hand = Hand(random, len(steps))
    frames = []
    for n, step in enumerate(steps * reach):
        source = (columns - step * between * share).astype(np.float32)
        moved_on = cv2.remap(sheet.image, source, rows, cv2.INTER_LINEAR)
        image = (moved_on * (1 - shade * step * lit)[..., None]).clip(0, 255).astype(np.uint8)
        frames.append(
            add_noise(render_flat(sheet._replace(image=image), hand.pose(n), background), random)
        )
    return frames


def on_screen(attack: Attack) -> Attack:
    """Return the attack with its frames shown on a screen."""

    def filmed(photo: Portrait, turns: Sequence[str], random: np.random.Generator) -> Frames:
        frames = film_screen(attack(photo, turns, random), random)
        return [add_noise(frame, random) for frame in frames]

    return filmed
