from __future__ import annotations

import numpy as np
import pytest

from faceauth.evaluation.dataset import Encoded
from faceauth.recognition.matching import cohort


def crowd(people, photos, seed=0, spread=0.05):
    """Return made-up people: points around the mean of real ones, and photos around each point.

    With a `spread` of 0.04 their distances are those of real people.
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
