"""Make up faces that are spread like those of real people.

Random numbers would not do: they lie much farther apart than faces, and in more directions, so any
index finds them.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from faceauth.recognition.matching import cohort

# How much a template differs from a member of the cohort, and a picture at a login from the
# template: the variance in the direction in which the cohort differs most, and how many directions
# later it is 1/e of that. Fitted to 708 people of LFW, with these quantiles of the distances as
# `matching` measures them:
#
#     of two people     1 in 10,000   1 in 1,000   1 in 100   1 in 10   1 in 2
#     LFW                     0.322        0.353      0.395     0.457    0.542
#     made up                 0.325        0.357      0.400     0.458    0.540
#
#     of one person            5 %     50 %     95 %
#     LFW                    0.160    0.212    0.291
#     made up                0.154    0.213    0.284
PEOPLE = 1.8e-3, 38
LOOKS = 1.3e-3, 40
# Some pictures are better than others: the standard deviation of the logarithm of the difference.
QUALITY = 0.2


def people(count: int, seed: int = 0) -> Any:
    """Return the templates of people, float32 (count, 128), each of length 1.

    They look like members of the cohort, as real people come in groups that look alike.
    """
    random = np.random.default_rng(seed)
    centres = cohort()[random.integers(len(cohort()), size=count)]
    return unit(centres + _differences(random, count, *PEOPLE))


def looks(templates: Any, seed: int = 1) -> Any:
    """Return one picture at a login of each person, float32 (n, 128), each of length 1."""
    random = np.random.default_rng(seed)
    quality = np.exp(random.normal(0, QUALITY, (len(templates), 1)))
    return unit(templates + quality * _differences(random, len(templates), *LOOKS))


def unit(vectors: Any) -> Any:
    """Return vectors scaled to length 1, float32."""
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


def _differences(random: Any, count: int, variance: float, decay: float) -> Any:
    axes = _axes()
    spread = np.sqrt(variance * np.exp(-np.arange(len(axes)) / decay)).astype(np.float32)
    return (random.standard_normal((count, len(axes)), np.float32) * spread) @ axes


@cache
def _axes() -> Any:
    """Return the directions in which the cohort differs, float32 (128, 128), most first."""
    values, vectors = np.linalg.eigh(np.cov(cohort().T))
    return vectors.T[np.argsort(values)[::-1]].astype(np.float32)
