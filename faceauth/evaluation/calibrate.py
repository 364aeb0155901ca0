"""Make a calibration, such as the one that ships with the app: the cohort, and the distances."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from faceauth.enrolment import SAME_PERSON_WITHIN
from faceauth.recognition import encoders
from faceauth.vision.encoding import DlibEncoder, Encoding, template

from .dataset import Encoded
from .scores import CELLS, PROBES, Scores, score

# Each member of the cohort is the mean of this many people who look alike.
BLEND = 5
COHORT = 512

# A rate counts as measured if this many impostors passed: its standard error is then about a
# quarter.
EVENTS = 20
STEPS = 4  # points per decade

# Below the lowest measured rate, the distance falls by this much per decade, down to this many
# decades: steeper, and so stricter, than any of the curves in its last measured decade on LFW
# (0.024 to 0.044). The value is for dlib's encodings, see `Calibration.scale`.
SLOPE = 0.045
DECADES = 10

# The share of people who make the cohort: those with the fewest photos. The others make the table,
# so that nobody is compared with blends that contain their own face.
COHORT_SHARE = 0.35

# The distance for a rate is the one measured for this share of it, so that the rate also holds for
# people who are not in the table.
CAUTION = 0.8

# The shares of pairs by which `SAME_PERSON_WITHIN` was chosen.
OF_ONE_PERSON, OF_TWO_PEOPLE = 0.97, 0.01


def cohort(people: Sequence[Sequence[Encoded]]) -> Encoding:
    """Return blends of people who look alike, float32 (n, d), each of length 1."""
    faces = np.stack([template(np.stack([photo.views for photo in each])) for each in people])
    chosen = np.random.default_rng(0).permutation(len(faces))[:COHORT]
    alike = np.argpartition(-(faces[chosen] @ faces.T), BLEND - 1, axis=1)[:, :BLEND]
    blends = faces[alike].mean(axis=1)
    return (blends / np.linalg.norm(blends, axis=1, keepdims=True)).astype(np.float32)


def scale(people: Sequence[Sequence[Encoded]]) -> float:
    """Return the distance between photos of one person, relative to dlib's encoder, which gives 1.

    It is measured as `SAME_PERSON_WITHIN` was chosen. For an encoder that separates people less
    well, it errs on the small side.
    """
    if encoders.encoder().name == DlibEncoder.name:
        return 1.0
    faces = [np.stack([template(photo.views[None]) for photo in each[:PROBES]]) for each in people]
    same = [np.linalg.norm(a - b) for each in faces for a, b in combinations(each, 2)]
    strangers = np.stack([each[0] for each in faces])
    products = (strangers @ strangers.T)[np.triu_indices(len(strangers), 1)]
    different = np.sqrt(np.maximum(2 - 2 * products, 0))
    within = min(np.quantile(same, OF_ONE_PERSON), np.quantile(different, OF_TWO_PEOPLE))
    return float(within / SAME_PERSON_WITHIN)


def cells(
    people: Sequence[Sequence[Encoded]], blends: Encoding, scale: float = 1.0
) -> list[dict[str, Any]]:
    """Return the table of distances and false non-match rates for false-match rates.

    Args:
        people: The photos of each person.
        blends: The cohort, float32 (n, d), each of length 1.
        scale: From `scale`.

    Returns:
        A dict for each number of shots and frames. ``pairs`` is the number of impostors;
        ``measured_to`` is the lowest rate that they support; ``points`` are (rate, distance, false
        non-match rate), and those below ``measured_to`` are on the strict side.
    """
    return [_cell(score(people, *cell, cohort=blends), SLOPE * scale) for cell in CELLS]


def write(people: Sequence[Sequence[Encoded]], folder: Path) -> None:
    """Write ``cohort.npy`` and ``calibration.json`` into `folder`.

    Raises:
        OSError: A file cannot be written.
        ValueError: There are too few people, or too few photos of them.
    """
    order = np.random.default_rng(0).permutation(len(people))
    fewest_first = sorted(order, key=lambda index: len(people[index]))
    share = round(len(people) * COHORT_SHARE)
    one, others = ([people[index] for index in part] for part in np.split(fewest_first, [share]))
    if len(one) < BLEND or not any(len(each) >= max(map(sum, CELLS)) for each in others):
        raise ValueError("It takes hundreds of people, some of them with ten photos.")
    blends, times = cohort(one), scale(others)
    lines = ",\n".join(json.dumps(cell) for cell in cells(others, blends, times))
    np.save(folder / "cohort.npy", blends.astype(np.float16), allow_pickle=False)
    heading = json.dumps(
        {
            "encoder": encoders.encoder().name,
            "scale": round(times, 3),
            "cohort": len(one),
            "people": len(others),
        }
    )
    (folder / "calibration.json").write_text(f'{heading[:-1]}, "cells": [\n{lines}\n]}}\n')


def _cell(scores: Scores, slope: float) -> dict[str, Any]:
    impostors, genuine = scores.impostors, scores.genuine
    lowest = EVENTS / len(impostors)
    points: list[tuple[float, float]] = []
    measured_to = 1.0
    for step in range(STEPS, DECADES * STEPS + 1):
        rate = 10 ** (-step / STEPS)
        if rate * CAUTION >= lowest:
            measured_to = rate
            points.append((rate, float(impostors[int(rate * CAUTION * len(impostors))])))
        else:
            points.append((rate, points[-1][1] - slope / STEPS))
    return {
        "shots": scores.shots,
        "frames": scores.frames,
        "pairs": len(impostors),
        "measured_to": float(f"{measured_to:.4g}"),
        "points": [
            (float(f"{rate:.4g}"), round(limit, 4), round(_beyond(genuine, limit), 5))
            for rate, limit in points
        ],
    }


def _beyond(genuine: Any, limit: float) -> float:
    return 1 - float(np.searchsorted(genuine, limit, side="right")) / len(genuine)
