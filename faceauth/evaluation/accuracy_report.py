"""All that is measured on a folder, as plain data and as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from faceauth import conf
from faceauth.recognition import encoders, policy
from faceauth.vision.encoding import DlibEncoder

from .dataset import Encoded, Photo
from .identification import FIXED_DISTANCE, Identification, Trial
from .scores import Scores, measurable, plain_scores, score

PLAIN = (0, 0)
RATES = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
GALLERIES = (10, 100, 200, 1000, 10_000)

MOST_DRAWS, ENROLLED = 10, 500

# Fewer impostors beyond a distance say little about its rate.
FEWEST = 10

VARIANTS = {
    "views": _("enrolled in 10 views"),
    "mirrored": _("2: itself and mirrored"),
    "plain": _("1: face_recognition"),
}

VERDICTS = {
    True: _(
        "%(shots)d enrolled, %(frames)d shown: the rate of %(rate)s holds (%(impostors)d impostors)"
    ),
    False: _(
        "%(shots)d enrolled, %(frames)d shown: the rate of %(rate)s DOES NOT HOLD "
        "(%(impostors)d impostors)"
    ),
    None: _(
        "%(shots)d enrolled, %(frames)d shown: too few people to tell whether the rate of %(rate)s "
        "holds (%(impostors)d impostors)"
    ),
}

# Heads the columns of how many shots there are on both sides: 18 characters at most.
ENROLLED_SHOWN = _("enrolled, shown")

ByCell = Mapping[tuple[int, int], Scores]


def photos(found: Sequence[Photo]) -> dict[str, int]:
    """How many there are, and in how many a face was found."""
    return {
        "photos": len(found),
        "people": len({photo.path.parent for photo in found}),
        "faces": sum(photo.encoded is not None for photo in found),
    }


def shortage(people: Sequence[Sequence[Encoded]]) -> str:
    """What is missing to measure error rates; nothing where nothing is."""
    if len(people) < 2:
        return gettext("Two people at least are needed: false matches are between people.")
    if all(len(each) < 2 for each in people):
        return gettext(
            "Two photos of one person at least are needed: false non-matches are between them."
        )
    return ""


def scores(people: Sequence[Sequence[Encoded]]) -> dict[tuple[int, int], Scores]:
    """The distances for each number of shots and frames that there are photos for; and under
    `PLAIN`, where the encoder is its own, those of face_recognition.
    """
    found = {PLAIN: plain_scores(people)} if _is_theirs() else {}
    return found | {cell: score(people, *cell) for cell in measurable(people)}


def curves(by_cell: ByCell) -> dict[str, Scores]:
    """The ones worth drawing, under their names."""
    names = {
        (1, 1): gettext("1 photo against 1"),
        (3, 1): gettext("3 against 1"),
        (3, 3): gettext("3 against 3"),
        PLAIN: gettext("face_recognition, 1 against 1"),
    }
    return {name: by_cell[cell] for cell, name in names.items() if cell in by_cell}


def rates(people: Sequence[Sequence[Encoded]], by_cell: ByCell) -> dict[str, Any]:
    """Error rates, whether those set hold, and one among many."""
    mirrored = [[photo._replace(views=photo.quick) for photo in each] for each in people]
    found: dict[str, Any] = {
        "one_against_one": {
            "views": _at(by_cell[1, 1]),
            "mirrored": _at(score(mirrored, 1, 1)),
        },
        "cells": [_cell(each) for cell, each in by_cell.items() if cell != PLAIN],
        "galleries": list(_galleries(people)),
    }
    if plain := by_cell.get(PLAIN):
        found["one_against_one"]["plain"] = _at(plain)
        found["fixed"] = {
            "distance": FIXED_DISTANCE,
            "fmr": plain.fmr(FIXED_DISTANCE)._asdict(),
            "fnmr": plain.fnmr(FIXED_DISTANCE)._asdict(),
        }
    return found


def calibrated(people: Sequence[Sequence[Encoded]]) -> list[dict[str, Any]]:
    """Whether the false-match rate that is set holds between these people: True, False, or None
    where there are too few of them to tell.
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


def calibrated_text(people: Sequence[Sequence[Encoded]], cells: Sequence[Mapping[str, Any]]) -> str:
    """The same for people to read."""
    enrolled = gettext("%(count)d people enrolled") % {"count": len(people)}
    lines = [enrolled, "", *_policy_lines(cells), ""]
    for cell in cells:
        values = {**cell, "rate": f"{cell['policy']['rate']:.0e}"}
        lines.append(VERDICTS[cell["holds"]] % values)
    lines.append(
        gettext("False non-matches are between shots of one enrolment: logins have more of them.")
    )
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
    """False non-match rates at the false-match rates that there are impostors enough for."""
    limits = [(rate, each.limit(rate)) for rate in RATES if rate * len(each.impostors) >= FEWEST]
    return [
        {"fmr": rate, "distance": limit, "fnmr": each.fnmr(limit)._asdict()}
        for rate, limit in limits
    ]


def _galleries(people: Sequence[Sequence[Encoded]]) -> Iterator[dict[str, Any]]:
    for size in GALLERIES:
        # Who happens to be in a small gallery decides much: several are drawn.
        draws = max(1, min(MOST_DRAWS, ENROLLED // size))
        for shots in (1, 3, 5):
            try:
                trials = [Trial(people, size, shots, seed) for seed in range(draws)]
            except ValueError:
                continue
            for frames in (1, 3):
                every = [trial.attempts(frames) for trial in trials]
                yield _gallery(shots, frames, every)
            if shots == 1 and _is_theirs():
                yield _gallery(0, 0, [trial.fixed() for trial in trials])


def _gallery(shots: int, frames: int, every: Sequence[Identification]) -> dict[str, Any]:
    people, *counts = zip(*every, strict=True)
    summed = dict(zip(Identification._fields[1:], map(sum, counts), strict=True))
    return {"shots": shots, "frames": frames, "people": people[0], "draws": len(every), **summed}


def _is_theirs() -> bool:
    """Whether the encoder is the one that face_recognition has."""
    return encoders.encoder().name == DlibEncoder.name


def text(results: Mapping[str, Any]) -> str:
    """All of it for people to read."""
    return "\n".join(_lines(results))


def _lines(results: Mapping[str, Any]) -> Iterator[str]:
    found = results["photos"]
    share = f"{found['faces'] / found['photos']:.2%}"
    yield gettext("%(photos)d photos of %(people)d people") % found
    yield gettext("a face found in %(faces)d of them: %(share)s") % {**found, "share": share}
    if pairs := results.get("pairs"):
        yield ""
        shares = {name: f"{pairs[name]:.2%}" for name in ("folds", "error", "best")}
        yield gettext(
            "%(pairs)d pairs, one photo against one in 10 views: %(folds)s ± %(error)s right in "
            "ten folds, %(best)s at the best distance (%(distance).3f); %(undetected)d with a face "
            "undetected"
        ) % {**pairs, **shares}
    if "cells" not in results:
        return
    yield ""
    yield gettext(
        "False non-match rate at a false-match rate, in per cent, with %(level)s intervals"
    ) % {"level": "95 %"}
    yield f"{ENROLLED_SHOWN!s:18}{'EER':>8}" + "".join(f"{rate:>20.0e}" for rate in RATES)
    for cell in results["cells"]:
        yield f"{cell['shots']}, {cell['frames']:<15}{cell['eer'] * 100:8.2f}{_columns(cell['at'])}"
    yield ""
    yield gettext("One photo against one, by what is encoded of them")
    for variant, label in VARIANTS.items():
        if variant in results["one_against_one"]:
            yield f"{label!s:26}{_columns(results['one_against_one'][variant])}"
    if fixed := results.get("fixed"):
        yield gettext(
            "face_recognition, one photo against one at %(distance)s: FMR %(fmr)s, FNMR %(fnmr)s"
        ) % {
            "distance": fixed["distance"],
            "fmr": f"{fixed['fmr']['value']:.1e}",
            "fnmr": f"{fixed['fnmr']['value']:.2%}",
        }
    yield ""
    yield from _policy_lines(results["cells"])
    yield ""
    yield gettext("Face alone, one among many")
    people, strangers, members = (
        gettext("people"),
        gettext("strangers let in"),
        gettext("members in"),
    )
    others = gettext("as others")
    yield f"{people:>8} {ENROLLED_SHOWN!s:18}{strangers:>24}{members:>22}{others:>11}"
    for row in results["galleries"]:
        name = f"{row['shots']}, {row['frames']}" if row["shots"] else "face_recognition"
        strangers = _counted(row["let_in"], row["strangers"])
        members = _counted(row["recognised"], row["members"])
        yield f"{row['people']:8} {name:18}{strangers:>24}{members:>22}{row['mistaken']:11}"


def _policy_lines(cells: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield gettext("What the policy's distances come to here")
    rate, distance = gettext("rate set"), gettext("distance")
    yield f"{ENROLLED_SHOWN!s:18}{rate:>9}{distance:>10}{'FMR':>10}{'95 %':>20}{'FNMR %':>20}"
    for cell in cells:
        own = cell["policy"]
        fmr = own["fmr"]
        name = f"{cell['shots']}, {cell['frames']}" + ("" if own["supported"] else " *")
        yield (
            f"{name:18}{own['rate']:9.0e}{own['distance']:10.3f}{fmr['value']:10.1e}"
            f"{fmr['low']:11.1e}-{fmr['high']:.1e} {_interval(own['fnmr']):>19}"
        )
    if not all(cell["policy"]["supported"] for cell in cells):
        yield gettext(
            "* too few impostors in the calibration for this rate: the distance is a strict one"
        )


def _columns(at: Sequence[Mapping[str, Any]]) -> str:
    columns = [_interval(each["fnmr"]) for each in at]
    columns += [gettext("too few impostors")] * (len(RATES) - len(columns))
    return "".join(f"{each:>20}" for each in columns)


def _interval(rate: Mapping[str, float]) -> str:
    value, low, high = (rate[name] * 100 for name in ("value", "low", "high"))
    return f"{value:.2f} ({low:.2f}-{high:.2f})"


def _counted(count: int, of: int) -> str:
    values = {"count": count, "of": of, "share": f"{count / of:.2%}" if of else ""}
    return gettext("%(count)d of %(of)d (%(share)s)") % values if of else "-"
