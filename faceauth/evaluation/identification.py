"""One among many, as the shipped policy decides: who gets in, and as whom."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from faceauth.recognition import policy
from faceauth.recognition.matching import Templates

from .dataset import Encoded

# face_recognition's default: up to it, two photos show one person.
FIXED_DISTANCE = 0.6


class Identification(NamedTuple):
    """What became of the attempts on a gallery of `people`.

    strangers: attempts by people who are not enrolled; let_in: how many got in as anybody.
    members: attempts by people who are; recognised: how many got in as themselves; mistaken: how
        many as somebody else.
    """

    people: int
    strangers: int
    let_in: int
    members: int
    recognised: int
    mistaken: int


class Trial:
    """A gallery of so many people, drawn at random from those with photos enough, and everybody
    else as strangers.

    Raises:
        ValueError: there are not so many people.
    """

    def __init__(
        self, people: Sequence[Sequence[Encoded]], size: int, shots: int, seed: int = 0
    ) -> None:
        random = np.random.default_rng(seed)
        able = [index for index, each in enumerate(people) if len(each) > shots]
        # Who has a photo left over comes first: they can be recognised.
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
        """All looks of so many photos that were not enrolled, of members and strangers."""
        probes, owners = [], []
        for index, each in self._looking():
            for start in range(0, len(each) - frames + 1, frames):
                look = each[start : start + frames]
                probes.append(np.stack([photo.quick for photo in look]))
                owners.append(index)
        distances = self._templates.distances(Templates.from_encodings(probes))
        let_in = [self._decide(column, frames) for column in distances.T]
        return self._count(owners, let_in)

    def fixed(self) -> Identification:
        """The same with what face_recognition does: one photo a side, the nearest within 0.6."""
        probes = [(index, photo.plain) for index, each in self._looking() for photo in each]
        let_in: list[int | None] = []
        for _, probe in probes:
            distances = np.linalg.norm(self._plain - probe, axis=1)
            best = int(distances.argmin())
            let_in.append(self.enrolled[best] if distances[best] <= FIXED_DISTANCE else None)
        return self._count([index for index, _ in probes], let_in)

    def _looking(self) -> list[tuple[int, Sequence[Encoded]]]:
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
