"""Make webcam pictures from the test photos: 640x480, one face, JPEG."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from faceauth.vision import Engine, decode_image
from tests.support.faces import Faces

WIDTH, HEIGHT = 640, 480
PEOPLE = {
    "astronaut": ("astronaut",),
    "biden": ("biden",),
    "obama": ("obama", "obama2", "obama3"),
}
FACE_HEIGHTS = (120, 160, 200, 240, 280, 320)


def webcam_pictures() -> dict[str, list[bytes]]:
    """Return 30 JPEGs by person: five photos, faces 120 to 320 pixels tall at random places."""
    return {person: list(_pictures(photos)) for person, photos in PEOPLE.items()}


def _pictures(names: tuple[str, ...]) -> Iterator[bytes]:
    engine, photos, random = Engine(), Faces(), np.random.default_rng(1)
    for name in names:
        photo = decode_image(photos[name])
        box = engine.find_faces(photo)[0].box
        for height in FACE_HEIGHTS:
            scale = height / (box[3] - box[1])
            # The centre of the face is anywhere that leaves the whole face in the picture.
            x = random.integers(height // 2, WIDTH - height // 2)
            y = random.integers(height // 2, HEIGHT - height // 2)
            centre = (scale * (box[0] + box[2]) / 2, scale * (box[1] + box[3]) / 2)
            move = np.array([[scale, 0, x - centre[0]], [0, scale, y - centre[1]]])
            frame = cv2.warpAffine(
                photo, move, (WIDTH, HEIGHT), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE
            )
            ok, data = cv2.imencode(".jpg", frame[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])
            assert ok
            yield data.tobytes()
