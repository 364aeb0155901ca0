"""Identify one person among many with the app's policy, and count who is accepted as whom."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from faceauth.recognition import policy
from faceauth.recognition.matching import Templates

from .dataset import Encoded

# face_recognition's default: photos up to this distance count as one person.
FIXED_DISTANCE = 0.6


class Identification(NamedTuple):
    """The results of the attempts on a gallery.

    Attributes:
        people: The number of people enrolled.
        strangers: Attempts by people who are not enrolled.
        let_in: Attempts by strangers that were accepted as anybody.
        members: Attempts by people who are enrolled.
        recognised: Attempts by members that were accepted as themselves.
        mistaken: Attempts by members that were accepted as somebody else.
    """

    people: int
    strangers: int
    let_in: int
    members: int
    recognised: int
    mistaken: int


class Trial:
    """A gallery of people drawn at random, with all others as strangers.

    Args:
        people: The photos of each person.
        size: The number of people in the gallery, each with enough photos.
        shots: The number of photos enrolled of each.
        seed: Of the random numbers.

    Raises:
        ValueError: Fewer than `size` people have enough photos.
    """

    def __init__(
        self, people: Sequence[Sequence[Encoded]], size: int, shots: int, seed: int = 0
    ) -> None:
        random = np.random.default_rng(seed)
        able = [index for index, each in enumerate(people) if len(each) > shots]
        # People with a photo left over come first: they can be recognised.
        able = [able[number] for number in random.permutation(len(able))]
        able += [index for index, each in enumerate(people) if len(each) == shots]
        if len(able) < size:
            raise ValueError(f"only {len(able)} people have {shots} photos")
        self.shots = shots
        self.enrolled = able[:size]
        self._people = people
        self._templates = Templates.from_encodings(
            np.stack([photo.views for photo in people[index][:shots]]) for index in self.enrolled
        )
        self._plain = np.stack([people[index][0].plain for index in self.enrolled])

    def attempts(self, frames: int) -> Identification:
        """Return the results of all probes of `frames` photos that are not enrolled."""
        probes, owners = [], []
        for index, each in self._not_enrolled():
            for start in range(0, len(each) - frames + 1, frames):
                shown = each[start : start + frames]
                probes.append(np.stack([photo.mirrored for photo in shown]))
                owners.append(index)
        distances = self._templates.distances(Templates.from_encodings(probes))
        let_in = [self._decide(column, frames) for column in distances.T]
        return self._count(owners, let_in)

    def fixed(self) -> Identification:
        """Return the results of face_recognition: one photo against one, the nearest within 0.6."""
        probes = [(index, photo.plain) for index, each in self._not_enrolled() for photo in each]
        let_in: list[int | None] = []
        for _, probe in probes:
            distances = np.linalg.norm(self._plain - probe, axis=1)
            best = int(distances.argmin())
            let_in.append(self.enrolled[best] if distances[best] <= FIXED_DISTANCE else None)
        return self._count([index for index, _ in probes], let_in)

    def _not_enrolled(self) -> list[tuple[int, Sequence[Encoded]]]:
        enrolled = set(self.enrolled)
        return [
            (index, each[self.shots :] if index in enrolled else each)
            for index, each in enumerate(self._people)
        ]

    def _decide(self, distances: NDArray[np.float32], frames: int) -> int | None:
        nearest = np.argsort(distances)[:2]
        matches = [
            policy.Match(self.enrolled[row], float(distances[row]), self.shots) for row in nearest
        ]
        accepted = policy.identify(matches, frames, len(self.enrolled)).accepted
        return int(accepted.key) if accepted else None

    def _count(self, owners: Sequence[int], let_in: Sequence[int | None]) -> Identification:
        enrolled = set(self.enrolled)
        attempts = list(zip(owners, let_in, strict=True))
        members = [(owner, known) for owner, known in attempts if owner in enrolled]
        strangers = [known for owner, known in attempts if owner not in enrolled]
        recognised = sum(owner == known for owner, known in members)
        return Identification(
            people=len(self.enrolled),
            strangers=len(strangers),
            let_in=sum(known is not None for known in strangers),
            members=len(members),
            recognised=recognised,
            mistaken=sum(known is not None for _, known in members) - recognised,
        )
