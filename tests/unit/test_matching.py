from __future__ import annotations

from io import BytesIO
from itertools import combinations, product

import numpy as np
import pytest

from faceauth.capture import samples
from faceauth.recognition import policy
from faceauth.recognition.matching import Templates, cohort, distance

OBAMA, OTHERS = ["obama", "obama2", "obama3"], ["biden", "astronaut"]
PEOPLE = [*OBAMA, *OTHERS]


@pytest.fixture(scope="module")
def ours(faces):
    """Return the encodings that the site computes from one picture each, float32 (1, 128)."""
    return {name: samples.encodings([faces[name]]) for name in PEOPLE}


@pytest.fixture(scope="module")
def theirs(faces, oracle):
    """Return the encodings of face_recognition of the same pictures, float64 (1, 128)."""
    images = {name: oracle.load_image_file(BytesIO(faces[name])) for name in PEOPLE}
    return {name: np.array(oracle.face_encodings(image)[:1]) for name, image in images.items()}


def faces_around(centre, count, spread, seed=0):
    """Return unit vectors near one, float32 (count, 128)."""
    noise = np.random.default_rng(seed).normal(0, spread, (count, 128))
    vectors = (centre + noise).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def axis(number):
    return np.eye(128, dtype=np.float32)[number]


def euclidean(one, other):
    return np.linalg.norm(one[:, None] - other, axis=2)


def test_distance_is_the_same_both_ways(ours):
    for one, other in combinations(PEOPLE, 2):
        there, back = distance(ours[one], ours[other]), distance(ours[other], ours[one])
        assert there == pytest.approx(back, abs=1e-5)


def test_order_of_the_pictures_does_not_matter(ours):
    shots = np.concatenate([ours[name] for name in OBAMA])
    apart = distance(shots, ours["biden"])
    assert distance(shots[::-1], ours["biden"]) == pytest.approx(apart, abs=1e-5)
    assert distance(shots[[1, 2, 0]], ours["biden"]) == pytest.approx(apart, abs=1e-5)


@pytest.mark.parametrize("name", PEOPLE)
def test_nothing_is_nearer_to_a_picture_than_itself(ours, name):
    apart = {other: distance(ours[name], ours[other]) for other in PEOPLE}
    assert min(apart, key=apart.get) == name


@pytest.mark.parametrize(("one", "other"), list(combinations(OBAMA, 2)))
def test_two_photos_of_one_person_are_within_the_limit(ours, one, other):
    assert distance(ours[one], ours[other]) < policy.limit(1, 1, 1e-4).distance


@pytest.mark.parametrize(("one", "other"), [*product(OBAMA, OTHERS), *combinations(OTHERS, 2)])
def test_photos_of_two_people_are_far_beyond_it(ours, one, other):
    assert distance(ours[one], ours[other]) > policy.limit(1, 1, 1e-2).distance + 0.1


def test_more_photos_of_a_person_come_nearer_to_a_new_one(ours):
    both = np.concatenate([ours["obama"], ours["obama2"]])
    alone = [distance(ours[name], ours["obama3"]) for name in ("obama", "obama2")]
    assert distance(both, ours["obama3"]) < np.mean(alone)


def test_encodings_of_face_recognition_match_our_own(ours, theirs):
    limit = policy.limit(1, 1, 1e-4).distance
    for name in PEOPLE:
        assert theirs[name].dtype == np.float64
        apart = {other: distance(theirs[name], ours[other]) for other in PEOPLE}
        assert min(apart, key=apart.get) == name
        assert {other for other in PEOPLE if apart[other] < limit} == (
            {*OBAMA} if name in OBAMA else {name}
        )


def test_templates_give_the_distances_of_each_pair(ours):
    templates = Templates.from_encodings(ours[name] for name in PEOPLE)
    rows = templates.distances(Templates.from_encodings([ours["obama"], ours["biden"]]))
    assert rows.shape == (len(PEOPLE), 2)
    for row, name in zip(rows, PEOPLE, strict=True):
        assert row[0] == pytest.approx(distance(ours[name], ours["obama"]), abs=1e-3)
        assert row[1] == pytest.approx(distance(ours[name], ours["biden"]), abs=1e-3)


def test_no_templates_have_no_distances(ours):
    nobody = Templates.from_encodings([])
    assert nobody.distances(Templates.from_encodings([ours["obama"]])).shape == (0, 1)


def test_length_of_an_encoding_does_not_matter(ours):
    apart = distance(ours["obama"], ours["biden"])
    assert distance(3 * ours["obama"], ours["biden"]) == pytest.approx(apart, abs=1e-5)


def test_faces_in_a_crowd_are_set_further_apart_than_the_same_faces_alone():
    pair = faces_around(axis(0), 2, 0.02)
    among = Templates.from_vectors(pair, against=faces_around(axis(0), 20, 0.01, seed=1))
    alone = Templates.from_vectors(pair, against=faces_around(axis(1), 20, 0.01, seed=1))
    apart = euclidean(pair, pair)[0, 1]
    assert among.distances(among)[0, 1] > apart + 0.03
    assert alone.distances(alone)[0, 1] < apart - 0.03


def test_cohort_is_many_different_faces():
    assert cohort().dtype == np.float32
    assert np.isfinite(cohort()).all()
    assert np.linalg.norm(cohort(), axis=1) == pytest.approx(1, abs=1e-5)
    assert len(cohort()) >= 100
    apart = euclidean(cohort(), cohort())[~np.eye(len(cohort()), dtype=bool)]
    assert apart.min() > 0.01
    # As far from each other as faces are, and no farther: random vectors have a distance of 1.4.
    assert 0.3 < np.median(apart) < 0.8


@pytest.mark.parametrize("name", PEOPLE)
def test_nobody_of_the_test_photos_is_in_the_cohort(ours, name):
    (vector,) = Templates.from_encodings([ours[name]]).vectors
    assert np.linalg.norm(cohort() - vector, axis=1).min() > 0.15


def test_own_cohort_takes_the_place_of_the_one_that_ships(settings, tmp_path, ours):
    shipped = distance(ours["obama"], ours["biden"])
    np.save(tmp_path / "cohort.npy", 2 * faces_around(ours["obama"][0], 20, 0.01))
    settings.FACEAUTH = {"CALIBRATION": str(tmp_path)}
    assert np.linalg.norm(cohort(), axis=1) == pytest.approx(1, abs=1e-5)
    assert distance(ours["obama"], ours["biden"]) > shipped
    settings.FACEAUTH = {}
    assert distance(ours["obama"], ours["biden"]) == shipped
