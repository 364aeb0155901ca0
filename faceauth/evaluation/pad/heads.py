"""Genuine attempts: the movements of real heads in films, judged as the steps of a challenge.

The people in films follow no prompt. So each clear movement of a head that was at rest counts as an
attempt at the step in whose direction it goes, made 0.35 seconds after the step was shown. The
share of true movements that are refused (the BPCER of ISO/IEC 30107-3) is reported head by head: a
hundred movements of one head are one head.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from faceauth.liveness import steps
from faceauth.liveness.sightings import Sighting
from faceauth.liveness.steps import CLOSER, DIRECTIONS, Verdict
from faceauth.vision import Engine
from faceauth.vision.face_mesh import PRESENT
from faceauth.vision.head_pose import head_pose
from faceauth.vision.relief import Relief, Still, relief, still

from .films import timed

RATE = 8  # frames a second that the page sends
SPEEDS = (0.7, 1.0, 1.5)  # at which a film is played
PHASES = (0.0, 1 / 3, 2 / 3)  # of the page's frames against the movement, in frames
REACTION = 0.35  # seconds from the step to the movement

# A head at rest, for so many seconds: degrees, a factor.
HELD, HELD_DEGREES, HELD_SIZE = 0.25, 2.5, 1.05

# A clear movement: degrees, times the size, and the seconds in which it is made.
CLEAR_TURN, CLEAR_NEARER, CLEAR_WITHIN = 12.0, 1.22, 1.5
# Of a head that has come this far, the direction stays within half a right angle of the step's.
STRAIGHT_FROM, STRAIGHT = 8.0, 45.0
ENDED = 0.7  # of the farthest turn: the movement is over

# A head that looks ahead and talks, for as long as a step lasts.
QUIET_DEGREES = 6.0
NEW_START = 0.5  # seconds
SOON = 0.5  # seconds in which a head that looks ahead is found at rest
FILM_SUFFIXES = {".gif", ".mp4", ".mpg", ".mpeg", ".webm", ".mov", ".avi", ".mkv"}


class Film(NamedTuple):
    """A head in a film.

    Attributes:
        name: The file's name without its suffix.
        seen: The head in each frame that shows it, in order of time.
        stills: The face in each of them, to look for its relief; empty to leave that out.
    """

    name: str
    seen: list[Sighting]
    stills: Sequence[Still] = ()


class Attempt(NamedTuple):
    """A true attempt at a step.

    Attributes:
        step: The step in whose direction the head moves.
        movement: The number of the movement among those of the film.
        rest: The head at rest.
        seen: The frames that the page would send, from the one that shows the head at rest on.
        frames: Their numbers in the film.
    """

    step: str
    movement: int
    rest: Sighting
    seen: list[Sighting]
    frames: list[int]


@dataclass
class Head:
    """What became of the attempts of one person.

    Attributes:
        person: The name.
        movements: The number of clear movements, at the speed at which most are clear.
        attempts: The number of attempts: the movements at each speed and phase.
        refused: The number of attempts that were refused.
        flat: The number of attempts in which the face shows no relief of a head, see
            `vision.relief`.
        starts: The number of moments at which a head that looks ahead and is held still, or talks,
            is waited for.
        late: Those at which it is not found at rest within `SOON`.
        asked: The number of steps that are asked of a head that goes on looking ahead.
        wrong: Those after which it is said to move the wrong way.
    """

    person: str
    movements: int = 0
    attempts: int = 0
    refused: int = 0
    flat: int = 0
    starts: int = 0
    late: int = 0
    asked: int = 0
    wrong: int = 0
    films: list[str] = field(default_factory=list)

    @property
    def bpcer(self) -> float | None:
        """The share of attempts that were refused, 0 to 1; None without an attempt."""
        return self.refused / self.attempts if self.attempts else None

    def add(self, film: Film) -> None:
        """Judge a film of this person."""
        self.films.append(film.name)
        played = [list(attempts(film.seen, speed)) for speed in SPEEDS]
        self.movements += max(len({attempt.movement for attempt in found}) for found in played)
        for found in played:
            self.attempts += len(found)
            self.refused += sum(not passes(attempt) for attempt in found)
            reliefs = [relief_of(film, attempt) for attempt in found]
            self.flat += sum(each is not None and not each.is_head for each in reliefs)
        for seen in quiet(film.seen):
            self._wait(seen)

    def _wait(self, seen: Sequence[Sighting]) -> None:
        self.starts += 1
        begin = next((n for n in range(2, len(seen)) if steps.at_rest(seen[:n])), None)
        if begin is None or seen[begin - 1].at - seen[0].at > SOON:
            self.late += 1
        if begin is None:
            return
        rest = seen[begin - 1]
        for step in (*DIRECTIONS, CLOSER):
            self.asked += 1
            self.wrong += _verdict(step, rest, seen[begin - 1 :], rest.at) is Verdict.WRONG


def measure(engine: Engine, folder: Path, *, mirrored: bool = True) -> list[Head]:
    """Judge the films in a folder, person by person.

    Args:
        engine: Finds the heads.
        folder: Films, each of a person of its own, and folders of films, each of one person.
        mirrored: Judge the mirror images of the films as well, as films of the same people.

    Raises:
        OSError: The folder cannot be read.
        ValueError: A film cannot be read.
    """
    heads = []
    for place in sorted(folder.iterdir()):
        films = sorted(place.iterdir()) if place.is_dir() else [place]
        head = Head(place.name if place.is_dir() else place.stem)
        for path in films:
            if path.suffix.lower() in FILM_SUFFIXES:
                for mirror in (False, True) if mirrored else (False,):
                    head.add(watch(engine, path, mirror=mirror))
        if head.films:
            heads.append(head)
    return heads


def lines(heads: Sequence[Head]) -> Iterator[str]:
    """Yield the report: a line for each head, the worst first, and the summary."""
    yield "Movements of real heads, judged as steps: BPCER by head (ISO/IEC 30107-3)"
    yield f"{'head':28} movements  attempts  refused   BPCER  [95 %]           flat"
    moving = sorted(
        (head for head in heads if head.attempts),
        key=lambda head: (-(head.bpcer or 0), -head.attempts),
    )
    for head in moving:
        low, high = _interval(head.bpcer or 0, head.movements)
        interval = f"[{low:.1%}, {high:.1%}]"
        yield (
            f"{head.person[:28]:28} {head.movements:9}  {head.attempts:8}  {head.refused:7}  "
            f"{head.bpcer or 0:6.1%}  {interval:16} {head.flat / head.attempts:6.1%}"
        )
    if moving:
        worst, tenth = moving[0], moving[-10] if len(moving) >= 10 else None
        yield f"Worst of {len(moving)} heads: {worst.bpcer or 0:.1%}"
        if tenth:
            yield f"Tenth best of {len(moving)} heads: {tenth.bpcer or 0:.1%}"
    starts, asked = sum(head.starts for head in heads), sum(head.asked for head in heads)
    if starts:
        late = sum(head.late for head in heads)
        yield (
            f"{sum(bool(head.starts) for head in heads)} heads that look ahead or talk, {starts} "
            f"starts: {late / starts:.1%} not at rest within {SOON} s"
        )
    if asked:
        wrong = sum(head.wrong for head in heads)
        yield f"{asked} steps that they did not answer: {wrong / asked:.1%} refused as wrong"


def watch(engine: Engine, path: Path, *, mirror: bool = False) -> Film:
    """Follow the head in a film.

    Args:
        engine: Finds the head.
        path: An animated GIF or a video file.
        mirror: Follow it in the film's mirror image.

    Raises:
        ValueError: The film cannot be read.
    """
    seen: list[Sighting] = []
    stills: list[Still] = []
    points: NDArray[np.float32] | None = None
    read = False
    for at, frame in timed(path):
        read = True
        image = np.ascontiguousarray(frame[:, ::-1]) if mirror else frame
        mesh = None if points is None else engine.mesh(image, points)
        if mesh is None or mesh.presence < PRESENT:
            faces = engine.find_faces(image, quickly=True)
            mesh = engine.mesh(image, faces[0]) if faces else None
        if mesh is None or mesh.presence < PRESENT:
            points = None
            continue
        points, head = mesh.points, head_pose(mesh.points)
        stills.append(still(image, points))
        seen.append(Sighting.of(head, image.shape, at))
    if not read:
        raise ValueError(f"{path} is not a readable film.")
    return Film(f"{path.stem}, mirrored" if mirror else path.stem, seen, stills)


def attempts(seen: Sequence[Sighting], speed: float = 1.0) -> Iterator[Attempt]:
    """Yield the attempts that a film shows: its clear movements, at each of `PHASES`.

    Args:
        seen: The head in the film.
        speed: At which the film is played.
    """
    film = [each._replace(at=each.at / speed) for each in seen]
    for number, (begin, hold, step) in enumerate(_movements(film)):
        for phase in PHASES:
            yield Attempt(step, number, film[begin], *_sent(film, begin, hold, phase))


def passes(attempt: Attempt) -> bool:
    """Return True if a true attempt is accepted."""
    shown = attempt.rest.at
    return _verdict(attempt.step, attempt.rest, attempt.seen, shown) is Verdict.DONE


def relief_of(film: Film, attempt: Attempt) -> Relief | None:
    """Return the relief of the face when the step was made; None for no turn and without stills."""
    shown = attempt.rest.at
    if attempt.step == CLOSER or not film.stills:
        return None
    for count in range(2, len(attempt.seen) + 1):
        progress = steps.judge(attempt.step, attempt.rest, attempt.seen[:count], shown)
        if progress.verdict is Verdict.DONE:
            last = attempt.seen[count - 1]
            turn = last.yaw - attempt.rest.yaw, last.pitch - attempt.rest.pitch
            begin, end = attempt.frames[0], attempt.frames[count - 1]
            return relief(film.stills[begin], film.stills[end], turn)
    return None


def quiet(seen: Sequence[Sighting]) -> Iterator[list[Sighting]]:
    """Yield parts of a film, as frames that the page would send, in which a head looks ahead."""
    if not seen:
        return
    lasts = SOON + steps.LONGEST + 0.25
    times = np.array([each.at for each in seen])
    for start in np.arange(times[0], times[-1] - lasts, NEW_START):
        picked = _at_rate(times, start, start + lasts)
        part = [seen[n] for n in picked]
        if len(part) < 0.9 * RATE * lasts:
            continue
        yaw, pitch = (np.array([each[n] for each in part]) for n in (1, 2))
        away = np.hypot(yaw - np.median(yaw), pitch - np.median(pitch)).max()
        ahead = abs(np.median(yaw)) < steps.AHEAD_YAW and abs(np.median(pitch)) < steps.AHEAD_PITCH
        if ahead and away <= QUIET_DEGREES:
            yield part


def _verdict(step: str, rest: Sighting, seen: Sequence[Sighting], shown: float) -> Verdict:
    """Return the first verdict but "on"."""
    for count in range(2, len(seen) + 1):
        verdict = steps.judge(step, rest, seen[:count], shown).verdict
        if verdict is not Verdict.ON:
            return verdict
    return Verdict.LATE


def _movements(film: Sequence[Sighting]) -> Iterator[tuple[int, int, str]]:
    """Yield the last frame at rest before each clear movement, the first one, and the step."""
    times = np.array([each.at for each in film])
    path = np.array([(each.yaw, each.pitch) for each in film]).reshape(-1, 2)
    sizes = np.log([each.size for each in film])
    over = -math.inf
    held = [_held(times, path, sizes, n) for n in range(len(film))]
    for begin, hold in enumerate(held):
        moves_on = begin + 1 < len(film) and held[begin + 1] is None
        if hold is None or not moves_on or times[begin] <= over:
            continue
        end = int(np.searchsorted(times, times[begin] + CLEAR_WITHIN))
        way = path[begin:end] - np.median(path[hold : begin + 1], axis=0)
        nearer = np.exp(sizes[begin:end] - np.median(sizes[hold : begin + 1]))
        far = np.hypot(*way.T)
        turned, closer = far >= CLEAR_TURN, nearer >= CLEAR_NEARER
        if not (turned.any() or closer.any()):
            continue
        if closer.any() and not (turned.any() and turned.argmax() < closer.argmax()):
            over = times[begin + int(closer.argmax())]
            yield begin, hold, CLOSER
            continue
        peak = _peak(far, int(turned.argmax()))
        over = times[begin + peak]
        step = _nearest(way[peak])
        if _off(way[: peak + 1][far[: peak + 1] >= STRAIGHT_FROM], step) <= STRAIGHT:
            yield begin, hold, step


def _held(
    times: NDArray[np.float64],
    path: NDArray[np.float64],
    sizes: NDArray[np.float64],
    index: int,
) -> int | None:
    """Return the first of the frames for which a head has been held still; None if it was not."""
    begin = int(np.searchsorted(times, times[index] - HELD))
    part = slice(begin, index + 1)
    if begin == 0 or index - begin < 1 or times[index] - times[begin] < HELD / 2:
        return None
    yaw, pitch = np.median(path[part], axis=0)
    if abs(yaw) > steps.AHEAD_YAW or abs(pitch) > steps.AHEAD_PITCH:
        return None
    still = math.hypot(*np.ptp(path[part], axis=0)) <= HELD_DEGREES
    return begin if still and np.ptp(sizes[part]) <= math.log(HELD_SIZE) else None


def _peak(far: NDArray[np.float64], begin: int) -> int:
    """Return where a movement is farthest from rest before it ends."""
    best = begin
    for index in range(begin, len(far)):
        if far[index] > far[best]:
            best = index
        if far[index] < ENDED * far[best]:
            break
    return best


def _nearest(way: Iterable[float]) -> str:
    yaw, pitch = way
    return max(DIRECTIONS, key=lambda name: float(np.dot(DIRECTIONS[name], (yaw, pitch))))


def _off(ways: NDArray[np.float64], step: str) -> float:
    """Return how far a path goes off a direction, in degrees."""
    along = ways @ np.array(DIRECTIONS[step]) / np.hypot(*ways.T)
    return float(np.degrees(np.arccos(along.clip(-1, 1))).max(initial=0.0))


def _sent(
    film: Sequence[Sighting], begin: int, hold: int, phase: float
) -> tuple[list[Sighting], list[int]]:
    """Return the frames that the page would send if the step was shown before a movement.

    Returns:
        What they show, and their numbers in the film.
    """
    times = np.array([each.at for each in film])
    shown = film[begin].at
    sent, frames = [film[begin]], [begin]
    for count in range(1, math.ceil(RATE * (steps.LONGEST + 0.25))):
        since = (count - 1 + phase) / RATE + 1e-6
        instant = film[begin].at + since - REACTION
        if instant > times[-1] + 1 / RATE:
            break
        nearest = max(hold, int(np.abs(times - instant).argmin()))
        if abs(times[nearest] - instant) < 1 / RATE or nearest == hold:
            sent.append(film[nearest]._replace(at=shown + since))
            frames.append(nearest)
    return sent, frames


def _at_rate(times: NDArray[np.float64], begin: float, end: float) -> list[int]:
    instants = np.arange(begin, end, 1 / RATE)
    nearest = np.abs(times[None] - instants[:, None]).argmin(axis=1)
    return sorted(
        {int(n) for n, at in zip(nearest, instants, strict=True) if abs(times[n] - at) < 0.1}
    )


def _interval(value: float, count: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval; the movements count, not the times each is played."""
    square = 1.96**2
    count = max(1, count)
    centre = (value + square / (2 * count)) / (1 + square / count)
    reach = 1.96 * math.sqrt(value * (1 - value) / count + square / (4 * count**2))
    reach /= 1 + square / count
    return max(0.0, centre - reach), min(1.0, centre + reach)
