from __future__ import annotations

import numpy as np
import pytest

from faceauth.evaluation.dataset import Encoded
from faceauth.recognition.matching import cohort


def crowd(people, photos, seed=0, spread=0.05):
    """Made-up people: points around the middle of real ones, and photos scattered around each.
    They are as far apart as real people where `spread` is 0.04.
    """
    random = np.random.default_rng(seed)
    persons = cohort().mean(axis=0) + random.normal(0, spread, (people, 128))
    return [
        [
            Encoded(*(np.float32([shot] * 3)))
            for shot in person + random.normal(0, 0.02, (photos, 128))
        ]
        for person in persons
    ]


@pytest.fixture(scope="session")
def people():
    return crowd(60, 6)
