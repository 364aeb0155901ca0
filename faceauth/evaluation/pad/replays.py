"""Replays: answers cut out of films of real heads, and the same answers shown again, altered.

`report` shows how near a film of an answer comes to it, and how near two answers of one head come
to each other: what `liveness.takes` has to tell apart.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from io import BytesIO
from itertools import permutations
from pathlib import Path
from typing import NamedTuple

import numpy as np

from faceauth.liveness import challenge, looking, steps
from faceauth.liveness.conversation import Conversation, Look, NotLiveError
from faceauth.liveness.replay import WITHIN
from faceauth.liveness.sightings import Sighting
from faceauth.liveness.takes import Take, distances
from faceauth.recognition.calibration import calibration
from faceauth.vision import decode_image

from . import alterations as alter
from .alterations import Alteration, Random
from .films import timed
from .rendering import encode_jpeg, film_screen

RATE = 8  # frames per second that the page sends
SECONDS = 60.0  # of a film that are used
LONGEST = 4.0  # seconds of an answer, from its first frame
BEFORE, AFTER = 0.12, 0.12  # seconds that a film of an answer begins earlier and ends later

# Two answers of one head are two logins if there are so many seconds between them.
APART = 2.0


class Timing(NamedTuple):
    """How a film is shown: the speed, and the shares of frames that are lost and shown twice."""

    speed: float = 1.0
    dropped: float = 0.0
    repeated: float = 0.0


class Film(NamedTuple):
    """A film of a head: its frames as JPEG, and their times in seconds."""

    head: str
    frames: list[bytes]
    times: list[float]


class Filmed(NamedTuple):
    """An answer in a film: when it begins and ends, what was asked, and what would be kept."""

    film: Film
    begin: float
    end: float
    step: str
    take: Take


class Replay(NamedTuple):
    """A film of an answer that was shown: the kind of alteration, and what the site made of it.

    Attributes:
        kind: One of `KINDS`.
        head: The head.
        take: What would be kept; None if the film did not pass the challenge.
        original: The answer that was filmed.
    """

    kind: str
    head: str
    take: Take | None
    original: Take


def report(paths: Iterable[Path], count: int = 3, seed: int = 0) -> Iterator[str]:
    """Yield the lines of two tables: the pairs of answers of each head, and the kinds of replays.

    Args:
        paths: Of films, one head each.
        count: The number of answers of each head that are shown again.
        seed: Of the random numbers.

    Raises:
        OSError: A film can't be read.
        ValueError: A file is no film.
    """
    random, replays = np.random.default_rng(seed), list[Replay]()
    yield f"A login is taken for a film of another one if it is nearer than {WITHIN:g}."
    yield ""
    heads = f"{'answers':>9}{'pairs':>8}{'films':>8}{'nearest':>9}{'1 %':>7}"
    yield f"{'Two logins of one head':44}{heads}"
    for path in paths:
        film = read(path)
        found = answers(film)
        live = [_distance(one.take, other.take) for one, other in pairs(found)]
        if live:
            taken = sum(distance < WITHIN for distance in live)
            low = np.percentile(live, (0, 1))
            numbers = f"{len(found):9}{len(live):8}{taken:8}{low[0]:9.2f}{low[1]:7.2f}"
            yield f"{film.head[-43:]:44}{numbers}"
        for each in spread(found, count, random):
            replays += [shown_again(each, kind, random) for kind in KINDS]
    yield ""
    yield (
        f"{'A login shown again':44}{'films':>9}{'live':>8}{'missed':>8}{'heads':>8}{'median':>9}"
        f"{'farthest':>10}"
    )
    for kind in KINDS:
        shown = [each for each in replays if each.kind == kind]
        passed = [each for each in shown if each.take is not None]
        away = [_distance(each.take, each.original) for each in passed if each.take]
        missed = {each.head for each, far in zip(passed, away, strict=True) if far >= WITHIN}
        count_missed = sum(far >= WITHIN for far in away)
        ends = f"{np.median(away):9.2f}{max(away):10.2f}" if away else ""
        yield f"{kind:44}{len(shown):9}{len(passed):8}{count_missed:8}{len(missed):8}{ends}"
    yield ""
    yield "live: the film passed the challenge. missed: it was also taken for another login."


def read(path: Path) -> Film:
    """Read a film: an animated GIF, or a file that OpenCV reads.

    Raises:
        ValueError: It is no film.
    """
    film = Film(path.stem, [], [])
    for time, picture in timed(path):
        if time > SECONDS:
            break
        film.frames.append(encode_jpeg(picture, 95))
        film.times.append(time)
    if not film.frames:
        raise ValueError(f"{path} is not a readable video.")
    return film


def answers(film: Film) -> list[Filmed]:
    """Return all answers to a challenge of one direction in a film, at `RATE` frames per second.

    Of answers that end with the same frame, the longest counts.
    """
    found: dict[float, Filmed] = {}
    for phase in (0, 0.5 / RATE):
        looks = [_once(each) for each in _looks(film, _at_rate(film.times, phase))]
        for index in range(1, len(looks)):
            part = _until(looks[index - 1 :], LONGEST)
            for step in _steps_of([each.sighting for each in part]):
                if (talk := _answered(part, step)) is not None:
                    begin, end = talk.seen[0].at, talk.seen[-1].at
                    take = Take.of(talk.seen, np.stack(talk.ahead))
                    found.setdefault(end, Filmed(film, begin, end, step, take))
    return list(found.values())


def shown_again(filmed: Filmed, kind: str, random: Random) -> Replay:
    """Show the film of an answer to the same challenge.

    Args:
        filmed: The answer.
        kind: One of `KINDS`.
        random: The random numbers.
    """
    timing, changes = KINDS[kind]
    film = filmed.film
    begin, end = max(filmed.begin - BEFORE, 0.0), filmed.end + AFTER
    step = timing.speed / RATE
    wanted = np.arange(begin + random.uniform(0, step), end, step)
    indices = [int(np.abs(np.subtract(film.times, time)).argmin()) for time in wanted]
    kept = [index for index in indices if random.random() >= timing.dropped]
    kept = [index for index in kept for _ in range(1 + (random.random() < timing.repeated))]
    frames = [decode_image(film.frames[index]) for index in kept]
    for change in changes:
        frames = change(frames, random)
    if timing.repeated:
        times = [number / RATE for number in range(len(kept))]
    else:
        times = [(film.times[index] - begin) / timing.speed for index in kept]
    copy = Film(film.head, [encode_jpeg(frame, 85) for frame in frames], times)
    # A mirrored film of one step is a film of another.
    mirrored = steps.mirrored(filmed.step) if alter.MIRRORED in changes else None
    talk = _answered(_looks(copy, range(len(kept))), mirrored or filmed.step)
    take = Take.of(talk.seen, np.stack(talk.ahead)) if talk else None
    return Replay(kind, film.head, take, filmed.take)


def pairs(found: Sequence[Filmed]) -> Iterator[tuple[Filmed, Filmed]]:
    """Yield the pairs of answers of one film that are two logins with the same or a near step."""
    for one, other in permutations(found, 2):
        apart = max(other.begin - one.end, one.begin - other.end)
        if apart >= APART and _angle(one.step, other.step) <= 45:
            yield one, other


def spread(found: Sequence[Filmed], count: int, random: Random) -> list[Filmed]:
    """Return at most `count` answers that do not end at the same moment."""
    chosen: list[Filmed] = []
    for index in random.permutation(len(found)):
        if len(chosen) < count and all(abs(found[index].end - each.end) > 0.4 for each in chosen):
            chosen.append(found[index])
    return chosen


def _steps_of(seen: Sequence[Sighting]) -> list[str]:
    """Return the directions that a head which is at rest at first goes to, if it goes anywhere."""
    rest = steps.at_rest(seen[:2])
    if rest is not None:
        for each in seen[2:]:
            away = each.yaw - rest.yaw, each.pitch - rest.pitch
            if (far := math.hypot(*away)) >= steps.TURNED:
                limit = far * math.cos(math.radians(steps.WITHIN))
                return [
                    name
                    for name, (x, y) in steps.DIRECTIONS.items()
                    if away[0] * x + away[1] * y > limit
                ]
    return []


def _distance(new: Take, old: Take) -> float:
    """Return how far a take is from another one, or infinity if it is farther than anything."""
    return float(distances(new, [old], calibration().scale, np.inf)[0])


def _answered(looks: Iterable[Look], step: str) -> Conversation | None:
    """Return the conversation in which the looks answer a challenge; None if they do not."""
    talk = Conversation(challenge.SHORT, [step])
    for look in looks:
        try:
            talk.see(look)
        except NotLiveError:
            return None
        if talk.made:
            return talk
        talk.show(look.sighting.at)
    return None


def _looks(film: Film, indices: Iterable[int]) -> Iterator[Look]:
    """Look at frames of a film as the site does."""
    talk = Conversation(challenge.SHORT, ["left"])
    visit = challenge.Challenge("", challenge.LOGIN, 0, 0.0, None, talk)
    for index in indices:
        visit.opened = challenge.now() - film.times[index]
        look = looking.look(visit, BytesIO(film.frames[index]), [])
        if look is not None:
            yield look._replace(sighting=look.sighting._replace(at=film.times[index]))
            # From now on the face is looked for where it was.
            talk.rest = look.sighting


def _once(look: Look) -> Look:
    """Return the look; its face is encoded once at most in each way."""
    return look._replace(encode=cache(look.encode), glance=cache(look.glance))


def _until(looks: Sequence[Look], seconds: float) -> list[Look]:
    return [each for each in looks if each.sighting.at - looks[0].sighting.at <= seconds]


def _at_rate(times: Sequence[float], phase: float) -> list[int]:
    moments = np.arange(times[0] + phase, times[-1], 1 / RATE)
    return sorted({int(np.abs(np.subtract(times, moment)).argmin()) for moment in moments})


def _angle(one: str, other: str) -> float:
    (x, y), (u, v) = steps.DIRECTIONS[one], steps.DIRECTIONS[other]
    return math.degrees(math.acos(max(-1.0, min(1.0, x * u + y * v))))


_PLAIN = Timing()

KINDS: dict[str, tuple[Timing, tuple[Alteration, ...]]] = {
    "other frames, one pixel by one level": (_PLAIN, (alter.each(alter.one_level),)),
    "a quarter of the frames lost": (Timing(dropped=0.25), ()),
    "a quarter of the frames twice": (Timing(repeated=0.25), ()),
    "slower, 0.8 times": (Timing(speed=0.8), ()),
    "faster, 1.25 times": (Timing(speed=1.25), ()),
    "JPEG, quality 60": (_PLAIN, (alter.jpeg(60),)),
    "cropped": (_PLAIN, (alter.cropped,)),
    "smaller, 0.7 times": (_PLAIN, (alter.SMALLER,)),
    "larger, 1.25 times": (_PLAIN, (alter.LARGER,)),
    "lighter, gamma 0.6": (_PLAIN, (alter.light(0.6, 1),)),
    "darker, gamma 1.6": (_PLAIN, (alter.light(1.6, 1),)),
    "gain 0.6": (_PLAIN, (alter.light(1, 0.6),)),
    "gain 1.4": (_PLAIN, (alter.light(1, 1.4),)),
    "light from one side": (_PLAIN, (alter.from_the_side,)),
    "noise": (_PLAIN, (alter.noisy, alter.noisy)),
    "blurred": (_PLAIN, (alter.BLURRED,)),
    "rotated and shifted": (_PLAIN, (alter.moved(8, 0.08),)),
    "mirrored": (_PLAIN, (alter.MIRRORED,)),
    "cropped, relit, noise, JPEG 60": (
        _PLAIN,
        (alter.cropped, alter.relit, alter.noisy, alter.jpeg(60)),
    ),
    "on a screen": (_PLAIN, (alter.relit, film_screen, alter.noisy)),
    "on a screen in a hand": (_PLAIN, (alter.held(0.0), alter.noisy)),
    "on a screen in a hand, tilted": (_PLAIN, (alter.held(0.35), alter.noisy)),
}
