"""Report the accuracy measured on a folder or on a site's templates, as plain data and text."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from faceauth import conf
from faceauth.recognition import encoders, policy
from faceauth.vision.encoding import DlibEncoder

from .dataset import Encoded, Photo
from .identification import FIXED_DISTANCE, Identification, Trial
from .scores import Scores, measurable, plain_scores, score

# The key of face_recognition's distances, beside numbers of shots and frames.
PLAIN = (0, 0)
RATES = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
GALLERIES = (10, 100, 200, 1000, 10_000)

# Small galleries are drawn several times: at most this often, for this many people in all.
MAX_DRAWS, ENROLLED = 10, 500

# A rate is reported only if at least this many impostors lie below its distance.
MIN_IMPOSTORS = 10

VARIANTS = {
    "views": "10 views, as enrolled",
    "mirrored": "2: itself and mirrored",
    "plain": "1: face_recognition",
}

VERDICTS = {
    True: "the rate of {rate:.0e} holds",
    False: "the rate of {rate:.0e} DOES NOT HOLD",
    None: "too few people to tell whether the rate of {rate:.0e} holds",
}

# The heading of the numbers of shots and frames: at most 18 characters.
ENROLLED_SHOWN = "enrolled, shown"

ByCell = Mapping[tuple[int, int], Scores]


def photos(found: Sequence[Photo]) -> dict[str, int]:
    """Count the photos, their people, and the photos in which a face was found."""
    return {
        "photos": len(found),
        "people": len({photo.path.parent for photo in found}),
        "faces": sum(photo.encoded is not None for photo in found),
    }


def shortage(people: Sequence[Sequence[Encoded]]) -> str:
    """Return a sentence on the photos missing to measure error rates, or "" if there are enough."""
    if len(people) < 2:
        return "At least two people are needed: false matches are between people."
    if all(len(each) < 2 for each in people):
        return "At least two photos of one person are needed: false non-matches are between them."
    return ""


def scores(people: Sequence[Sequence[Encoded]]) -> dict[tuple[int, int], Scores]:
    """Return the distances for each number of shots and frames that there are photos for.

    With dlib's encoder, those of face_recognition are under `PLAIN`.
    """
    found = {PLAIN: plain_scores(people)} if _is_dlib() else {}
    return found | {cell: score(people, *cell) for cell in measurable(people)}


def curves(by_cell: ByCell) -> dict[str, Scores]:
    """Return the distances to plot, by their labels."""
    names = {
        (1, 1): "1 photo against 1",
        (3, 1): "3 against 1",
        (3, 3): "3 against 3",
        PLAIN: "face_recognition, 1 against 1",
    }
    return {name: by_cell[cell] for cell, name in names.items() if cell in by_cell}


def rates(people: Sequence[Sequence[Encoded]], by_cell: ByCell) -> dict[str, Any]:
    """Return error rates, those at the policy's distances, and those of identification.

    Args:
        people: The photos of each person.
        by_cell: From `scores`.
    """
    mirrored = [[photo._replace(views=photo.mirrored) for photo in each] for each in people]
    found: dict[str, Any] = {
        "one_against_one": {
            "views": _at(by_cell[1, 1]),
            "mirrored": _at(score(mirrored, 1, 1)),
        },
        "cells": [_cell(each) for cell, each in by_cell.items() if cell != PLAIN],
        "galleries": list(_galleries(people)),
        "people_needed": _people_needed(len(people), by_cell[1, 1]),
    }
    if plain := by_cell.get(PLAIN):
        found["one_against_one"]["plain"] = _at(plain)
        found["fixed"] = {
            "distance": FIXED_DISTANCE,
            "fmr": plain.fmr(FIXED_DISTANCE)._asdict(),
            "fnmr": plain.fnmr(FIXED_DISTANCE)._asdict(),
        }
    return found


def _people_needed(people: int, each: Scores) -> int:
    """Return how many people it takes to measure the site's rate, with as many photos of each.

    The number of impostors grows with the square of the number of people.
    """
    impostors = MIN_IMPOSTORS / conf.get().MAX_FALSE_MATCH_RATE
    return math.ceil(people * math.sqrt(impostors / len(each.impostors)))


def check_rates(people: Sequence[Sequence[Encoded]]) -> list[dict[str, Any]]:
    """Check that the site's false-match rate holds between these people.

    Returns:
        A dict for each number of shots and frames; ``holds`` is True, False, or None if there are
        too few people to tell.
    """
    cells = []
    for shots, frames in measurable(people):
        cell = _cell(score(people, shots, frames))
        rate, fmr = cell["policy"]["rate"], cell["policy"]["fmr"]
        holds = None
        if fmr["low"] > rate:
            holds = False
        elif fmr["high"] <= 2 * rate:
            holds = True
        cells.append({**cell, "holds": holds})
    return cells


def check_text(people: Sequence[Sequence[Encoded]], cells: Sequence[Mapping[str, Any]]) -> str:
    """Return the results of `check_rates` as text for people to read."""
    lines = [f"{len(people)} people enrolled", "", *_policy_lines(cells), ""]
    for cell in cells:
        verdict = VERDICTS[cell["holds"]].format(rate=cell["policy"]["rate"])
        lines.append(
            f"{cell['shots']} enrolled, {cell['frames']} shown: {verdict} "
            f"({cell['impostors']} impostors)"
        )
    lines.append("False non-matches are between shots of one enrolment: logins have more of them.")
    return "\n".join(lines)


def _cell(each: Scores) -> dict[str, Any]:
    limit = policy.limit(each.shots, each.frames, conf.get().MAX_FALSE_MATCH_RATE)
    return {
        "shots": each.shots,
        "frames": each.frames,
        "genuine": len(each.genuine),
        "impostors": len(each.impostors),
        "eer": each.eer(),
        "at": _at(each),
        "policy": {
            "rate": limit.rate,
            "distance": limit.distance,
            "supported": limit.supported,
            "fmr": each.fmr(limit.distance)._asdict(),
            "fnmr": each.fnmr(limit.distance)._asdict(),
        },
    }


def _at(each: Scores) -> list[dict[str, Any]]:
    """Return false non-match rates at the false-match rates with enough impostors."""
    total = len(each.impostors)
    limits = [(rate, each.limit(rate)) for rate in RATES if rate * total >= MIN_IMPOSTORS]
    return [
        {"fmr": rate, "distance": limit, "fnmr": each.fnmr(limit)._asdict()}
        for rate, limit in limits
    ]


def _galleries(people: Sequence[Sequence[Encoded]]) -> Iterator[dict[str, Any]]:
    for size in GALLERIES:
        # The result of a small gallery depends on the people in it, so several are drawn.
        draws = max(1, min(MAX_DRAWS, ENROLLED // size))
        for shots in (1, 3, 5):
            try:
                trials = [Trial(people, size, shots, seed) for seed in range(draws)]
            except ValueError:
                continue
            for frames in (1, 3):
                every = [trial.attempts(frames) for trial in trials]
                yield _gallery(shots, frames, every)
            if shots == 1 and _is_dlib():
                yield _gallery(0, 0, [trial.fixed() for trial in trials])


def _gallery(shots: int, frames: int, every: Sequence[Identification]) -> dict[str, Any]:
    people, *counts = zip(*every, strict=True)
    summed = dict(zip(Identification._fields[1:], map(sum, counts), strict=True))
    return {"shots": shots, "frames": frames, "people": people[0], "draws": len(every), **summed}


def _is_dlib() -> bool:
    """Return True if the encoder is dlib's, as in face_recognition."""
    return encoders.encoder().name == DlibEncoder.name


def text(results: Mapping[str, Any]) -> str:
    """Return the results as text for people to read."""
    return "\n".join(_lines(results))


def _lines(results: Mapping[str, Any]) -> Iterator[str]:
    found = results["photos"]
    share = f"{found['faces'] / found['photos']:.2%}"
    yield f"{found['photos']} photos of {found['people']} people"
    yield f"a face found in {found['faces']} of them: {share}"
    if pairs := results.get("pairs"):
        yield ""
        yield (
            f"{pairs['pairs']} pairs, one photo against one in 10 views: {pairs['folds']:.2%} ± "
            f"{pairs['error']:.2%} correct in ten folds, {pairs['best']:.2%} at the best distance "
            f"({pairs['distance']:.3f}); {pairs['undetected']} with an undetected face"
        )
    if "cells" not in results:
        return
    yield ""
    yield "False non-match rate at a false-match rate, in per cent, with 95 % intervals"
    yield f"{ENROLLED_SHOWN:18}{'EER':>8}" + "".join(f"{rate:>20.0e}" for rate in RATES)
    for cell in results["cells"]:
        yield f"{cell['shots']}, {cell['frames']:<15}{cell['eer'] * 100:8.2f}{_columns(cell['at'])}"
    if results["people_needed"] > found["people"]:
        yield (
            f"-: too few people. MAX_FALSE_MATCH_RATE, here {conf.get().MAX_FALSE_MATCH_RATE:.0e}, "
            f"takes about {results['people_needed']:,} people with as many photos of each."
        )
    yield ""
    yield "One photo against one, by the pictures encoded of each"
    for variant, label in VARIANTS.items():
        if variant in results["one_against_one"]:
            yield f"{label:26}{_columns(results['one_against_one'][variant])}"
    if fixed := results.get("fixed"):
        yield (
            f"face_recognition, one photo against one at {fixed['distance']}: "
            f"FMR {fixed['fmr']['value']:.1e}, FNMR {fixed['fnmr']['value']:.2%}"
        )
    yield ""
    yield from _policy_lines(results["cells"])
    yield ""
    if not results["galleries"]:
        yield f"Without a username, one among many: at least {GALLERIES[0]} people are needed."
        return
    yield "Without a username, one among many"
    yield (
        f"{'people':>8} {ENROLLED_SHOWN:18}{'strangers accepted':>24}{'members accepted':>24}"
        f"{'as others':>11}"
    )
    for row in results["galleries"]:
        name = f"{row['shots']}, {row['frames']}" if row["shots"] else "face_recognition"
        strangers = _counted(row["let_in"], row["strangers"])
        members = _counted(row["recognised"], row["members"])
        yield f"{row['people']:8} {name:18}{strangers:>24}{members:>24}{row['mistaken']:11}"


def _policy_lines(cells: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield "Error rates at the policy's distances"
    yield (
        f"{ENROLLED_SHOWN:18}{'rate set':>9}{'distance':>10}{'FMR':>10}{'95 %':>20}{'FNMR %':>20}"
    )
    for cell in cells:
        own = cell["policy"]
        fmr = own["fmr"]
        name = f"{cell['shots']}, {cell['frames']}" + ("" if own["supported"] else " *")
        yield (
            f"{name:18}{own['rate']:9.0e}{own['distance']:10.3f}{fmr['value']:10.1e}"
            f"{fmr['low']:11.1e}-{fmr['high']:.1e} {_interval(own['fnmr']):>19}"
        )
    if not all(cell["policy"]["supported"] for cell in cells):
        yield "* the calibration has too few impostors for this rate: the distance is a strict one"


def _columns(at: Sequence[Mapping[str, Any]]) -> str:
    columns = [_interval(each["fnmr"]) for each in at]
    columns += ["-"] * (len(RATES) - len(columns))
    return "".join(f"{each:>20}" for each in columns)


def _interval(rate: Mapping[str, float]) -> str:
    value, low, high = (rate[name] * 100 for name in ("value", "low", "high"))
    return f"{value:.2f} ({low:.2f}-{high:.2f})"


def _counted(count: int, of: int) -> str:
    return f"{count} of {of} ({count / of:.2%})" if of else "-"
