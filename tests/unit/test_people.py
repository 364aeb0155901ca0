"""The search among very many people finds the same people as a comparison with each of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faceauth.gallery import people
from faceauth.gallery.people import People, nearest
from faceauth.recognition.matching import Templates, cohort

FEW = 16

# Keys of few people, so that they leave and come back, and seeds of few faces, so that several
# people have the same.
changes = st.lists(
    st.tuples(
        st.sets(st.integers(0, 40)),
        st.dictionaries(st.integers(0, 40), st.integers(0, 12), max_size=30),
    ),
    min_size=1,
    max_size=12,
)


def face(seed: int, *, faces_alike: bool) -> np.ndarray:
    """Return encodings of one of a few people, who look like people or like random numbers."""
    random = np.random.default_rng(seed)
    centre = cohort()[seed] if faces_alike else random.normal(size=128)
    return (centre + random.normal(0, 0.02, (1 + seed % 3, 128))).astype(np.float32)


def compared_with_each(everybody: dict, probe: np.ndarray) -> dict:
    """Return the distance of each person from a probe, by key."""
    distances = Templates.from_encodings(everybody.values()).distances(
        Templates.from_encodings([probe])
    )
    return dict(zip(everybody, distances[:, 0].tolist(), strict=True))


@settings(max_examples=60, deadline=None)
@given(changes=changes, faces_alike=st.booleans(), count=st.integers(1, 5))
def test_finds_whom_a_comparison_with_each_finds(changes, faces_alike, count):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(people, "BLOCK", FEW)
        searched, everybody = People(), {}
        for leaving, seeds in changes:
            coming = {key: face(seed, faces_alike=faces_alike) for key, seed in seeds.items()}
            # As the gallery does it: whoever comes leaves first.
            searched.replace(leaving | coming.keys(), coming)
            everybody = {
                key: face for key, face in everybody.items() if key not in leaving
            } | coming
            assert searched.keys == everybody.keys()
            for seed in (3, 20):
                probe = face(seed, faces_alike=faces_alike)
                found = nearest(searched.blocks.values(), probe, count)
                expected = compared_with_each(everybody, probe)
                # Of several people with the same face, any may be among the nearest.
                distances = [match.distance for match in found]
                assert distances == pytest.approx(sorted(expected.values())[:count], abs=1e-6)
                assert distances == pytest.approx([expected[each.key] for each in found], abs=1e-6)
                assert all(len(everybody[match.key]) == match.shots for match in found)
                assert len({match.key for match in found}) == len(found)
            # Those who left take at most a quarter of each block.
            rows = sum(len(block) for block in searched.blocks.values())
            assert rows <= len(everybody) + FEW // 4 * len(searched.blocks)


def test_search_goes_on_with_the_people_from_before():
    searched = People()
    searched.replace((), {key: face(key, faces_alike=True) for key in range(5)})
    before = searched.blocks
    searched.replace({1, 2}, {2: face(9, faces_alike=True), 7: face(1, faces_alike=True)})
    probe = face(1, faces_alike=True)
    assert {match.key for match in nearest(before.values(), probe, 9)} == {0, 1, 2, 3, 4}
    assert nearest(before.values(), probe, 1)[0].key == 1
    assert {match.key for match in nearest(searched.blocks.values(), probe, 9)} == {0, 2, 3, 4, 7}
    assert nearest(searched.blocks.values(), probe, 1)[0].key == 7


def test_template_that_is_not_a_number_hides_nobody():
    searched = People()
    broken = np.full((1, 128), np.nan, np.float32)
    searched.replace((), {"broken": broken, "one": face(1, faces_alike=True)})
    found = nearest(searched.blocks.values(), face(1, faces_alike=True), 5)
    assert [match.key for match in found] == ["one"]
    assert nearest(searched.blocks.values(), broken, 5) == []


@pytest.mark.parametrize("spread", [0.0, 0.02, 1.0])
def test_sketches_are_at_most_as_far_apart_as_the_templates(spread):
    random = np.random.default_rng(0)
    noise = random.normal(0, spread, (300, 128))
    vectors = (cohort()[:300] + noise).astype(np.float32)
    templates = Templates.from_encodings(vectors[:, None])
    between = templates.sketched().distances(templates.sketched())
    assert templates.sketched().vectors.shape == (300, 48)
    assert (between <= templates.distances(templates)).all()
