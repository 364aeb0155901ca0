"""A photo of a face that moves as a head does: warped in three dimensions by the face mesh.

It is the strongest attack that one photo makes, and in tests it stands for an honest person.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from faceauth.capture import samples
from faceauth.vision import Engine
from faceauth.vision.head_pose import head_pose

from .rendering import HEIGHT, WIDTH, Image

FACE = 0.45  # the height of the face, as a share of the picture's
UNIT = FACE * HEIGHT  # pixels; lengths below are in this unit
COARSE = 4  # pixels of the picture for each point of the warp, which is smooth

DISTANCE = 4.0  # from the camera to the face
AXIS = 0.5  # of the turns, behind the middle of the face
SLOPE = 1.2  # how steeply the head falls back beyond the mesh
FADING = 0.12, 1.1  # beyond the mesh: where the movement begins to fade, and where it has faded

ROUNDS = 7  # of the search for the point of the photo that moves to a pixel

SMILE = 0.05  # how far the corners of the mouth go
CORNERS = 61, 291  # of the mouth, among the mesh's points
REACH = 0.12  # of a corner

TRIED = 15.0  # degrees, to see what the head pose makes of the puppet's turns
LEAST = 0.4  # degrees seen for one made

Grid = NDArray[np.float32]


class Puppet:
    """One photo of a person, as a head that moves.

    Args:
        image: RGB, uint8 (height, width, 3). Of several faces, the largest moves.
        engine: Finds the face. By default, that of the site.

    Attributes:
        held: How the photo holds the head: yaw and pitch, in degrees.

    Raises:
        ValueError: There is no face in it.
    """

    def __init__(self, image: Image, engine: Engine | None = None) -> None:
        engine = engine or samples.engine()
        faces = engine.find_faces(image)
        if not faces:
            raise ValueError("The photo shows no face.")
        points = engine.mesh(image, faces[0]).points.astype(np.float64)
        low, high = points.min(axis=0), points.max(axis=0)
        size, middle = high[1] - low[1], (low + high)[:2] / 2
        self._photo = _placed(image, middle, UNIT / size)
        self._points = (points - (*middle, points[:, 2].mean())) / size
        rows, columns = np.mgrid[: HEIGHT // COARSE, : WIDTH // COARSE].astype(np.float32)
        self._here = np.dstack([columns, rows])
        centre = np.array([WIDTH // COARSE - 1, HEIGHT // COARSE - 1]) / 2
        self._at = np.asarray((self._here - centre) * COARSE / UNIT, np.float32)
        self._corners = self._points[:, :2] * (UNIT / COARSE) + centre
        self._depth, self._share = self._shape()
        self._smile = self._smiling()
        self._turns = np.tile(np.eye(2), (2, 2, 1, 1))
        self._turns = self._measure(engine)

    def frame(
        self,
        yaw: float = 0,
        pitch: float = 0,
        *,
        nearer: float = 1,
        x: float = 0,
        y: float = 0,
        smile: float = 0,
    ) -> Image:
        """Return the head in front of a camera, RGB, uint8 (480, 640, 3).

        Args:
            yaw: From how the photo holds the head towards the right of the picture, the person's
                own left, in degrees as the head pose measures them.
            pitch: How far the chin is raised from how the photo holds it, in the same degrees.
            nearer: The size of the face, as a multiple of the one at rest.
            x: How far the face is to the right, as a share of the picture's width.
            y: How far it is down, as a share of the picture's height.
            smile: 1 draws the corners of the mouth apart and up.
        """
        turns = np.radians(self._turns[int(yaw > 0), int(pitch > 0)] @ (yaw, pitch))
        way = self._way(turns[0], turns[1], nearer) * self._share
        if smile:
            way += np.float32(smile) * self._smile
        way *= np.float32(UNIT / COARSE)
        way += np.array([x * WIDTH, y * HEIGHT], np.float32) / COARSE
        # Each pixel comes from the point of the photo whose way leads to it.
        source = self._here
        for _ in range(ROUNDS):
            source = self._here - _sampled(way, source, cv2.BORDER_REPLICATE)
        source = source * np.float32(COARSE) + np.float32((COARSE - 1) / 2)
        fine = cv2.resize(source, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)
        return np.asarray(_sampled(self._photo, fine, cv2.BORDER_REFLECT), np.uint8)

    def _way(self, yaw: float, pitch: float, nearer: float) -> Grid:
        """Return how far each point of the warp goes, float32 (rows, columns, 2)."""
        x, y, z = self._at[..., 0], self._at[..., 1], self._depth - np.float32(AXIS)
        sines = np.sin((yaw, pitch)).astype(np.float32)
        cosines = np.cos((yaw, pitch)).astype(np.float32)
        across = x * cosines[0] - z * sines[0]
        depth = x * sines[0] + z * cosines[0]
        down = y * cosines[1] + depth * sines[1]
        depth = depth * cosines[1] - y * sines[1]
        # The photo has the perspective of a head at rest.
        seen = (np.float32(DISTANCE + AXIS) + z) / (np.float32(DISTANCE / nearer + AXIS) + depth)
        return np.asarray(np.dstack([across * seen, down * seen]) - self._at, np.float32)

    def _shape(self) -> tuple[Grid, Grid]:
        """Return the depth of each point of the warp, and its share of the movement.

        Returns:
            Float32 (rows, columns), from the middle of the face, and (rows, columns, 1), 0 to 1.
        """
        shape = self._at.shape[:2]
        inside = np.zeros(shape, np.uint8)
        cv2.fillConvexPoly(inside, cv2.convexHull(self._corners.round().astype(np.int32)), 1)
        beyond = cv2.distanceTransform(1 - inside, cv2.DIST_L2, 5) * np.float32(COARSE / UNIT)
        total, count = np.zeros((2, *shape), np.float32)
        columns, rows = self._corners.round().astype(int).T
        np.add.at(total, (rows, columns), self._points[:, 2].astype(np.float32))
        np.add.at(count, (rows, columns), 1)
        # Between the points as the nearest ones have it, and farther off as all around have it.
        near, wide = (
            (cv2.GaussianBlur(total, (0, 0), sigma), cv2.GaussianBlur(count, (0, 0), sigma))
            for sigma in (1.5, 8)
        )
        depth = (near[0] + 0.01 * wide[0] / (wide[1] + 1e-9)) / (near[1] + 0.01)
        depth = np.minimum(depth + SLOPE * beyond, AXIS)
        fade = ((beyond - FADING[0]) / (FADING[1] - FADING[0])).clip(0, 1)
        share = 1 - fade * fade * (3 - 2 * fade)
        return depth.astype(np.float32), share[..., None].astype(np.float32)

    def _smiling(self) -> Grid:
        """Return how far a smile moves each point of the warp."""
        way = np.zeros_like(self._at)
        for side, corner in zip((-1, 1), CORNERS, strict=True):
            near = np.exp(-(((self._at - self._points[corner, :2]) / REACH) ** 2).sum(axis=2))
            way += near[..., None] * np.array([side, -0.6]) * SMILE
        return way

    def _measure(self, engine: Engine) -> NDArray[np.float64]:
        """Return the turns that look like one degree of yaw and of pitch to the head pose.

        The photo's depth is estimated, and so is that of a head that turns.

        Returns:
            Float64 (2, 2, 2, 2): the first axis is 1 if the head turns to its left, the second if
            the chin is raised.
        """
        points = self._points + (WIDTH / UNIT / 2, HEIGHT / UNIT / 2, 0)
        near = np.asarray(points * UNIT, np.float32)

        def seen(yaw: float = 0, pitch: float = 0) -> NDArray[np.float64]:
            pose = head_pose(engine.mesh(self.frame(yaw, pitch), near).points)
            return np.array([pose.yaw, pose.pitch])

        rest = self.held = seen()
        yaws = [(seen(yaw=side * TRIED) - rest) / (side * TRIED) for side in (-1, 1)]
        pitches = [(seen(pitch=side * TRIED) - rest) / (side * TRIED) for side in (-1, 1)]
        found = np.array([[np.column_stack([yaw, pitch]) for pitch in pitches] for yaw in yaws])
        # Of a face that is hardly seen, the measure says nothing.
        usable = min(found[..., 0, 0].min(), found[..., 1, 1].min()) > LEAST
        return np.linalg.inv(found) if usable else self._turns


def _sampled(image: Any, places: Any, border: int) -> NDArray[Any]:
    """Return the values of an image at these places, (rows, columns, 2): x and y in pixels."""
    x, y = cv2.split(places)
    return np.asarray(cv2.remap(image, x, y, cv2.INTER_LINEAR, borderMode=border))


def _placed(image: Image, middle: NDArray[np.float64], scale: float) -> Image:
    """Return the photo, enlarged so much, with this point of it in the middle of the picture.

    Beyond the photo's edges its colours go on, out of focus.
    """
    if scale < 0.5:
        image = np.asarray(
            cv2.resize(image, None, fx=2 * scale, fy=2 * scale, interpolation=cv2.INTER_AREA),
            np.uint8,
        )
        middle, scale = middle * 2 * scale, 0.5
    way = np.array([WIDTH - 1, HEIGHT - 1]) / 2 - scale * middle
    move = np.column_stack([np.eye(2) * scale, way])
    size = (WIDTH, HEIGHT)
    photo = cv2.warpAffine(image, move, size, borderMode=cv2.BORDER_REFLECT)
    around = cv2.warpAffine(image, move, size, borderMode=cv2.BORDER_REPLICATE)
    around = cv2.GaussianBlur(around, (0, 0), 25)
    within = cv2.warpAffine(np.ones(image.shape[:2], np.float32), move, size)
    within = cv2.erode(within, np.ones((17, 17), np.uint8))
    within = cv2.GaussianBlur(within, (0, 0), 5)[..., None]
    return (photo * within + around * (1 - within)).round().astype(np.uint8)
