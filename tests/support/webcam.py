"""What Chromium's fake webcam shows: a video file, written from the pictures of real faces."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from threading import Event, Thread
from typing import Any

import cv2
import numpy as np
from playwright.sync_api import BrowserContext

from faceauth.vision import Engine
from tests.support.drawings import with_dark_glasses
from tests.support.faces import Faces
from tests.support.memo import SOURCES, stored
from tests.support.oracle import Oracle
from tests.support.person import TURN, Person

WIDTH, HEIGHT = 640, 480
FRAMES_PER_SECOND = 20
LITTLE = 14.0  # degrees that a person turns whom an enrolment asks for a little
# How much of the frame's height the face takes: about what it does when one sits at a laptop.
FACE_SHARE = 0.45


class Webcam:
    """The video file behind the fake camera: `webcam.show("obama", "obama2")`.

    Chromium reads it frame by frame, so that what is shown appears at once, also to a page that
    has the camera open.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.path.touch()
        self._sitter: Sitter | None = None
        self.show()

    def show(self, *names: str, seconds_each: float = 1.0) -> None:
        """Show these people one after another, over and over; nobody where no name is given."""
        frames = [frame(name) for name in names] or [empty_room()]
        repeat = round(FRAMES_PER_SECOND * seconds_each) if len(frames) > 1 else 1
        self._film([frame for frame in frames for _ in range(repeat)])

    def sit(self, name: str) -> None:
        """Show that person looking straight ahead."""
        self._film(filmed([frame(name)] * FRAMES_PER_SECOND))

    def wave(self, name: str) -> None:
        """Show a photograph of that person that is moved about and tilted, over and over."""
        steps = np.linspace(0, 2 * np.pi, 6 * FRAMES_PER_SECOND, endpoint=False)
        self._film(filmed([tilted(frame(name), step) for step in steps]))

    def follow(self, name: str, does: Mapping[str, str] | None = None, **habits: Any) -> None:
        """Show that person, who moves as the page asks: see `Person` for their `habits`.

        Args:
            name: The person.
            does: The steps that they make instead of those that are asked for.
            **habits: More arguments of `Person`.
        """
        self.leave()
        self._sitter = Sitter(self.path, Person(name, **habits), does or {})
        self._sitter.start()

    def watch(self, context: BrowserContext) -> None:
        """Let who follows see what the pages of that browser ask for."""
        context.expose_function("showStep", self.ask)
        context.expose_function("showPose", self.pose)
        context.add_init_script(FOLLOWED)

    def ask(self, step: str) -> None:
        """Ask for a step: the page shows it now. Nobody but who follows moves."""
        if self._sitter:
            self._sitter.ask(step)

    def pose(self, pose: str) -> None:
        """Ask for a pose of an enrolment: straight, left, right, up or smile."""
        if self._sitter:
            self._sitter.pose(pose)

    def leave(self) -> None:
        """Let the person who follows get up. What was seen last stays in the picture."""
        if self._sitter:
            self._sitter.leave()
        self._sitter = None

    def _film(self, frames: Sequence[Any]) -> None:
        self.leave()
        write_y4m(self.path, frames)


class Sitter(Thread):
    """A person who sits before the webcam and follows the page, frame by frame."""

    def __init__(self, path: Path, person: Person, does: Mapping[str, str]) -> None:
        super().__init__(daemon=True)
        self._path, self._person, self._does = path, person, does
        self._step, self._since = "", time.monotonic()
        self._left = Event()

    def ask(self, step: str) -> None:
        """Note what the page shows now."""
        self._person.turn, self._person.smile = TURN, 0.0
        self._step, self._since = self._does.get(step, step), time.monotonic()

    def pose(self, pose: str) -> None:
        """Note the pose that the page asks for now: a little of a step."""
        self.ask("" if pose in ("straight", "smile") else pose)
        self._person.turn, self._person.smile = LITTLE, float(pose == "smile")

    def leave(self) -> None:
        """Stop, and wait until the file is no longer written."""
        self._left.set()
        self.join()

    def run(self) -> None:
        while not self._left.wait(1 / FRAMES_PER_SECOND):
            picture = self._person.frame_for(self._step, time.monotonic() - self._since)
            write_y4m(self._path, [cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)])


# How far the nose moves, sideways and down, in units of the distance between the eyes.
POSES = {"left": (0.4, 0.0), "right": (-0.4, 0.0), "up": (0.0, -0.15)}
SMILE = (0.25, -0.15)  # the same of the mouth's corners, away from each other

# Tells the person before the webcam which step or pose the page shows.
FOLLOWED = """
    let told;
    addEventListener("faceauth:pose", ({ target, detail: { pose } }) => {
        const smile = /smile/.test(target.querySelector("[data-part=alert]").textContent);
        showPose(smile ? "smile" : pose);
    });
    addEventListener("faceauth:challenge", ({ detail: { step, done } }) => {
        if (told !== `${step} ${done}`) showStep(step === "look" ? "" : step);
        told = `${step} ${done}`;
    });
"""

# The sine of whole turns of the head, and how one goes: slowly at first and at its end.
TURNED = {"left": 0.42, "right": -0.42}
AWAY = (1 - np.cos(np.linspace(0, np.pi, 12))) / 2

SHADE = 1.0

NOISE = 2.0  # grey levels: no two frames of a camera are the same

# What an enrolment asks for, as names of frames go on.
ENROLMENT = ("", " left", " right", " up", " smile")


@cache
@stored(SOURCES, Path(__file__))
def frame(name: str) -> Any:
    """Return one webcam frame (BGR) with that person's face in its middle: "obama", or
    "obama left" for the face as it looks when the person turns to their left.
    """
    name, _, pose = name.partition(" ")
    if pose == "smile":
        return smiling(frame(name))
    if pose == "glasses":
        return with_dark_glasses(frame(name))
    if pose:
        return posed(frame(name), *POSES[pose])
    image: Any = cv2.imdecode(np.frombuffer(Faces()[name], np.uint8), cv2.IMREAD_COLOR)
    found = Oracle.face_locations(cv2.cvtColor(image, cv2.COLOR_BGR2RGB))
    top, right, bottom, left = max(found, key=lambda box: box[2] - box[0])
    scale = FACE_SHARE * HEIGHT / (bottom - top)
    size = round(image.shape[1] * scale), round(image.shape[0] * scale)
    image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    # Move the face to the middle; what lies beyond the photograph's edges continues them.
    across = WIDTH / 2 - scale * (left + right) / 2
    down = HEIGHT / 2 - scale * (top + bottom) / 2
    move = np.array([[1, 0, across], [0, 1, down]])
    return cv2.warpAffine(image, move, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE)


@cache
@stored(SOURCES, Path(__file__))
def turned(name: str, sine: float) -> Any:
    """Return the frame of a person whose head is turned by that angle: the photograph on a round
    head with a nose, in light from the front, for want of free films of heads that turn.
    """
    picture = frame(name)
    eyes, nose, between = features(picture)
    rows, columns = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    x, y = (columns - eyes[0]) / between, (rows - nose[1]) / between
    head = np.exp(-((abs(x) / 1.5) ** 4) - (abs(y + 0.3) / 1.9) ** 4)
    # Where each point of the turned head was before: the deeper, the farther it goes.
    source = x
    for _ in range(6):
        depth = head_depth(source, y) - head_depth(np.float32(0.5), np.float32(-0.9))
        source = x - head * (source * (np.sqrt(1 - sine**2) - 1) + depth * sine)
    moved = cv2.remap(
        picture,
        (eyes[0] + source * between).astype(np.float32),
        rows,
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    light = 1 - SHADE * sine * x.clip(-1.3, 1.3) * head
    return np.clip(moved * light[..., None], 0, 255).astype(np.uint8)


def head_depth(x: Any, y: Any) -> Any:
    """Return how far in front of its axis a head's surface is, in units of the distance between the
    eyes, `x` beside and `y` below the nose.
    """
    return np.sqrt(np.maximum(1.35**2 - x**2, 0.05)) + 0.9 * np.exp(-(x**2 + y**2) / 0.55**2)


def posed(picture: Any, across: float, down: float) -> Any:
    """Return the picture with the nose moved and the face around it moved along, as a turn of the
    head does, for want of free pictures of one person in several poses.
    """
    _, nose, between = features(picture)
    return pulled(picture, nose, (across * between, down * between), 0.8 * between)


def tilted(picture: Any, step: float) -> Any:
    """Return the picture as a photograph in a hand that moves from side to side, turning it away
    and back.
    """
    across, depth = 30 * np.sin(step), 0.35 * np.sin(2 * step)
    corners = np.array([[0, 0], [WIDTH, 0], [WIDTH, HEIGHT], [0, HEIGHT]], np.float32)
    # The nearer edge is taller, and both are nearer to each other.
    offset = corners - (WIDTH / 2, HEIGHT / 2)
    scale = 1 / (1 + depth * offset[:, :1] / WIDTH)
    seen = offset * scale * (1 - abs(depth) / 4, 1) + (WIDTH / 2 + across, HEIGHT / 2)
    move = cv2.getPerspectiveTransform(corners, seen.astype(np.float32))
    return cv2.warpPerspective(picture, move, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE)


def filmed(pictures: Sequence[Any]) -> list[Any]:
    """Return the pictures with the noise of a camera, each time another."""
    random = np.random.default_rng()
    noise = random.normal(0, NOISE, (HEIGHT, WIDTH, 3)).astype(np.int16)
    noisy = [each + np.roll(noise, random.integers(HEIGHT, size=2), (0, 1)) for each in pictures]
    return [np.clip(each, 0, 255).astype(np.uint8) for each in noisy]


def smiling(picture: Any) -> Any:
    """Return the picture with the corners of the mouth drawn apart and up."""
    eyes, nose, between = features(picture)
    mouth = nose + 0.55 * (nose - eyes)
    across, down = np.array(SMILE) * between
    for side in (-1, 1):
        corner = mouth + np.array([side * 0.4 * between, 0])
        picture = pulled(picture, corner, (side * across, down), 0.3 * between)
    return picture


def features(picture: Any) -> tuple[Any, Any, float]:
    """Return the middle of the eyes, the nose, and the distance between the eyes."""
    (face,) = Engine().find_faces(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))
    left, right = face.landmarks[:2].mean(0), face.landmarks[2:4].mean(0)
    return (left + right) / 2, face.landmarks[4], float(np.linalg.norm(left - right))


def pulled(picture: Any, place: Any, by: tuple[float, float], reach: float) -> Any:
    """Return the picture with what is at that place moved, and what is around it moved along."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    distance = np.hypot(columns - place[0], rows - place[1])
    share = np.exp(-((distance / reach) ** 2))
    columns, rows = columns - by[0] * share, rows - by[1] * share
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
    with path.open("r+b") as file:  # never shorter than it was while it is read
        file.write(header.encode())
        for picture in frames:
            file.write(b"FRAME\n")
            file.write(cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420).tobytes())
        file.truncate()
