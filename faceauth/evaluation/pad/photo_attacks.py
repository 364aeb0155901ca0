"""Attacks on the liveness challenge by somebody who has photos of a person, and knows which turns
are asked for.

Each makes the frames of one attempt, uint8 (height, width, 3) RGB in order of time.
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
    about,
    bent,
    drawn_movement,
    held,
    maybe_room,
    room,
    screens,
    sway,
    webcam,
)

Frames = list[Image]


@dataclass(frozen=True)
class Portrait:
    """A photo of a person, of which the pixels are read when they are needed.

    face: the one in it, in the picture as it is read.
    encoding: the face's, float32 (128,).
    mirror: whether its mirror image is meant, of which the face is.
    """

    path: Path
    face: Face
    encoding: Encoding
    mirror: bool = False

    @property
    def image(self) -> Image:
        """The pixels, uint8 (height, width, 3)."""
        image = decode_image(self.path.read_bytes())
        return np.ascontiguousarray(image[:, ::-1]) if self.mirror else image

    @property
    def sheet(self) -> Sheet:
        """The photo as it is held up."""
        left, top, right, bottom = self.face.box
        return Sheet(self.image, ((left + right) / 2, (top + bottom) / 2), self.face.size)

    def mirrored(self) -> Portrait:
        """Its mirror image, which turns to the other side."""
        width = self.image.shape[1]
        left, top, right, bottom = self.face.box
        # The eyes' corners change places.
        landmarks = self.face.landmarks[[2, 3, 0, 1, 4]] * (-1, 1) + (width - 1, 0)
        face = Face((width - right, top, width - left, bottom), self.face.score, landmarks)
        return replace(self, face=face, mirror=not self.mirror)


class Piece(NamedTuple):
    """A part of a face.

    place: how far below the eyes, in units of the way to the nose.
    width, height: half of them, in units of the distance between the eyes.
    side: to which it goes when the head is to turn to the left; 1 is the picture's right.
    """

    place: float
    width: float
    height: float
    side: int


EYES, MOUTH, NOSE_AND_MOUTH = (
    Piece(0, 0.95, 0.33, -1),
    Piece(1.55, 0.6, 0.33, 1),
    Piece(1.2, 0.62, 0.62, 1),
)
PIECES = (EYES, MOUTH, NOSE_AND_MOUTH)


Attack = Callable[[Portrait, Sequence[str], np.random.Generator], Frames]


def still(photo: Portrait, turns: Sequence[str], random: np.random.Generator) -> Frames:
    """A photo on a stand."""
    shot = held(photo.sheet, Pose(np.eye(3)), maybe_room(random))
    return [webcam(shot, random) for _ in drawn_movement(turns, random)]


def moved(photo: Portrait, turns: Sequence[str], random: np.random.Generator) -> Frames:
    """A photo shifted, brought nearer and turned in the plane, each towards the side asked for."""
    steps = drawn_movement(turns, random)
    sheet, behind = photo.sheet, maybe_room(random)
    shift, roll, nearer = random.uniform((-0.5, -0.4, -0.2), (0.5, 0.4, 0.2))
    hand = Hand(random, len(steps))
    poses = [
        hand.pose(n, roll=roll * step, shift=shift * step, scale=1 + nearer * abs(step))
        for n, step in enumerate(steps)
    ]
    return [webcam(held(sheet, pose, behind), random) for pose in poses]


def tilted(low: float, high: float) -> Attack:
    """A flat photo turned in depth about an upright axis, by so many degrees at most."""

    def attack(photo: Portrait, turns: Sequence[str], random: np.random.Generator) -> Frames:
        lean = random.uniform(-10, 10)
        return _tilted(photo, drawn_movement(turns, random), (low, high), (lean, lean), random)

    return attack


def slanted(low: float, high: float) -> Attack:
    """A flat photo turned in depth about an axis half-way between upright and level. That shears
    it: the nose leaves the middle between the eyes. The axis leans to the side that draws the nose
    where it is asked to be.
    """

    def attack(photo: Portrait, turns: Sequence[str], random: np.random.Generator) -> Frames:
        lean = random.uniform(35, 55)
        return _tilted(photo, drawn_movement(turns, random), (low, high), (-lean, lean), random)

    return attack


def curved(photo: Portrait, turns: Sequence[str], random: np.random.Generator) -> Frames:
    """A photo around a cylinder, turned about its axis."""
    steps = drawn_movement(turns, random)
    sheet, behind = photo.sheet, room(random)
    # A head turns with its surface; a few try it the other way.
    most = np.deg2rad(random.uniform(20, 50)) * random.choice((-1, 1), p=(0.2, 0.8))
    slant = random.choice((0, random.uniform(-0.7, 0.7)))
    radii = random.uniform(0.5, 1.2) * (1 + sway(random, len(steps), 0.03))
    hand = Hand(random, len(steps))
    frames = []
    for n, (step, radius) in enumerate(zip(steps, radii, strict=True)):
        bend = Bend(radius, step * most, slant * np.sign(step))
        frames.append(webcam(bent(sheet, bend, hand.pose(n), behind), random))
    return frames


def cut(photo: Portrait, turns: Sequence[str], random: np.random.Generator) -> Frames:
    """A photo of which a piece with the eyes, the mouth, or the nose and the mouth is cut out and
    pushed to a side, over another print of it.
    """
    steps = drawn_movement(turns, random)
    sheet, behind = photo.sheet, maybe_room(random)
    size = sheet.image.shape[1::-1]
    piece = PIECES[random.integers(len(PIECES))]
    across, mask = _cut_out(photo.face.landmarks, piece, size)
    soft = random.choice((1, 3, 7))
    soft_mask = cv2.GaussianBlur(mask, (soft, soft), 0)
    reach = piece.side * random.uniform(0.2, 0.45) * across
    hand = Hand(random, len(steps))
    frames = []
    for n, (x, y) in enumerate(steps[:, None] * reach):
        push = np.array([[1, 0, x], [0, 1, y]])
        over = cv2.warpAffine(sheet.image, push, size, borderMode=cv2.BORDER_REPLICATE)
        share = cv2.warpAffine(soft_mask, push, size)[..., None]
        pasted = (over * share + sheet.image * (1 - share)).astype(np.uint8)
        frames.append(webcam(held(sheet._replace(image=pasted), hand.pose(n), behind), random))
    return frames


def _tilted(
    photo: Portrait,
    steps: Series,
    degrees: tuple[float, float],
    leans: tuple[float, float],
    random: np.random.Generator,
) -> Frames:
    """A flat photo turned in depth, and held so that the eyes stay level.

    degrees: the least and the most that it may go.
    leans: of the axis on the way to the right and to the left, degrees from upright.
    """
    sheet, behind = photo.sheet, room(random)
    most = np.deg2rad(random.uniform(*degrees)) * random.choice((-1, 1))
    distance = random.uniform(2.2, 6)
    hand = Hand(random, len(steps))
    frames = []
    for n, step in enumerate(steps):
        lean = np.deg2rad(leans[int(step > 0)])
        turn = about((np.sin(lean), np.cos(lean), 0), step * most)
        pose = hand.pose(n, turn, roll=-np.arctan2(turn[1, 0], turn[0, 0]))
        frames.append(webcam(held(sheet, pose, behind, distance), random))
    return frames


def _cut_out(
    landmarks: Landmarks, piece: Piece, size: tuple[int, int]
) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """The way from eye to eye, float64 (2,), and the piece's mask, float32 (height, width)."""
    eyes = landmarks[:4].mean(axis=0)
    across = landmarks[:2].mean(axis=0) - landmarks[2:4].mean(axis=0)
    x, y = eyes + piece.place * (landmarks[4] - eyes)
    width, height = np.hypot(*across) * 2 * np.array([piece.width, piece.height])
    angle = float(np.degrees(np.arctan2(across[1], across[0])))
    corners = cv2.boxPoints(((x, y), (width, height), angle)).round().astype(np.int32)
    mask = np.zeros(size[::-1], np.float32)
    cv2.fillConvexPoly(mask, corners, 1.0)
    return across, mask


def animated(photo: Portrait, turns: Sequence[str], random: np.random.Generator) -> Frames:
    """A photo that a program moves as a head would: the middle of the face to the side, with the
    light on it. No print does that: its frames come from elsewhere than a camera.
    """
    steps = drawn_movement(turns, random)
    sheet, behind = photo.sheet, maybe_room(random)
    landmarks = photo.face.landmarks
    nose = landmarks[4]
    between = float(np.hypot(*(landmarks[:2].mean(axis=0) - landmarks[2:4].mean(axis=0))))
    most, shade = random.uniform(0.5, 0.8), random.uniform(0.5, 1)
    height, width = sheet.image.shape[:2]
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    aside, below = (columns - nose[0]) / between, (rows - nose[1]) / between
    share = np.exp(-(aside**2 + below**2) / 0.8**2)
    lit = aside * np.exp(-(aside**2 + below**2) / 1.5**2)
    hand = Hand(random, len(steps))
    frames = []
    for n, step in enumerate(steps * most):
        source = (columns - step * between * share).astype(np.float32)
        moved_on = cv2.remap(sheet.image, source, rows, cv2.INTER_LINEAR)
        image = (moved_on * (1 - shade * step * lit)[..., None]).clip(0, 255).astype(np.uint8)
        frames.append(webcam(held(sheet._replace(image=image), hand.pose(n), behind), random))
    return frames


def on_screen(attack: Attack) -> Attack:
    """The same on a screen that is held up."""

    def shown(photo: Portrait, turns: Sequence[str], random: np.random.Generator) -> Frames:
        frames = screens(attack(photo, turns, random), random)
        return [webcam(frame, random) for frame in frames]

    return shown
