"""What Chromium's fake webcam shows: a video file, written from the pictures of real faces."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from faceauth.vision import Engine
from tests.support import oracle
from tests.support.faces import Faces

WIDTH, HEIGHT = 640, 480
FRAMES_PER_SECOND = 10
# How much of the frame's height the face takes: about what it does when one sits at a laptop.
FACE_SHARE = 0.45


class Webcam:
    """The video file behind the fake camera: `webcam.show("obama", "obama2")`.

    The camera reads it when a page opens it, and what is shown later appears only to the next page
    that does: Chromium keeps a file as long as any page has the camera open.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.show()

    def show(self, *names: str, seconds_each: float = 1.0) -> None:
        """Show these people one after another, over and over; nobody where no name is given."""
        frames = [frame(name) for name in names] or [empty_room()]
        repeat = round(FRAMES_PER_SECOND * seconds_each) if len(frames) > 1 else 1
        unfinished = self.path.with_suffix(".part")
        write_y4m(unfinished, [frame for frame in frames for _ in range(repeat)])
        unfinished.replace(self.path)


# How far the nose moves, sideways and down, in units of the distance between the eyes.
POSES = {"left": (0.4, 0.0), "right": (-0.4, 0.0), "up": (0.0, -0.15)}


@cache
def frame(name: str) -> Any:
    """Return one webcam frame (BGR) with that person's face in its middle: "obama", or
    "obama left" for the face as it looks when the person turns to their left.
    """
    name, _, pose = name.partition(" ")
    if pose:
        return posed(frame(name), *POSES[pose])
    image: Any = cv2.imdecode(np.frombuffer(Faces()[name], np.uint8), cv2.IMREAD_COLOR)
    found = oracle.load().face_locations(cv2.cvtColor(image, cv2.COLOR_BGR2RGB))
    top, right, bottom, left = max(found, key=lambda box: box[2] - box[0])
    scale = FACE_SHARE * HEIGHT / (bottom - top)
    size = round(image.shape[1] * scale), round(image.shape[0] * scale)
    image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    # Move the face to the middle; what lies beyond the photograph's edges continues them.
    across = WIDTH / 2 - scale * (left + right) / 2
    down = HEIGHT / 2 - scale * (top + bottom) / 2
    move = np.array([[1, 0, across], [0, 1, down]])
    return cv2.warpAffine(image, move, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE)


def posed(picture: Any, across: float, down: float) -> Any:
    """Return the picture with the nose moved and the face around it moved along, as a turn of the
    head does, for want of free pictures of one person in several poses.
    """
    (face,) = Engine().find_faces(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))
    eyes, nose = face.landmarks[:4], face.landmarks[4]
    between = float(np.linalg.norm(eyes[:2].mean(0) - eyes[2:].mean(0)))
    rows, columns = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    distance = np.hypot(columns - nose[0], (rows - nose[1])) / between
    share = np.exp(-((distance / 0.45) ** 2)) * between
    columns, rows = columns - across * share, rows - down * share
    return cv2.remap(picture, columns.astype(np.float32), rows.astype(np.float32), cv2.INTER_LINEAR)


def snapshot(name: str) -> bytes:
    """Return that frame as a JPEG file, as a page would send it."""
    _, data = cv2.imencode(".jpg", frame(name), [cv2.IMWRITE_JPEG_QUALITY, 92])
    return data.tobytes()


def empty_room() -> Any:
    """Return a frame with nobody in it: a wall, lighter at the top."""
    column = np.linspace(190, 120, HEIGHT).astype(np.uint8)
    return np.repeat(column[:, None, None], WIDTH, axis=1).repeat(3, axis=2)


def write_y4m(path: Path, frames: Sequence[Any]) -> None:
    """Write the frames as uncompressed video, the one format whose colours Chromium keeps."""
    header = f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F{FRAMES_PER_SECOND}:1 Ip A1:1 C420jpeg\n"
    with path.open("wb") as file:
        file.write(header.encode())
        for picture in frames:
            file.write(b"FRAME\n")
            file.write(cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420).tobytes())
