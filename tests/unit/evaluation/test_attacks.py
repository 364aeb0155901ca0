from __future__ import annotations

import numpy as np
import pytest

from faceauth.evaluation.pad import film_attacks, photo_attacks, puppet_attacks
from faceauth.evaluation.pad.following import Follower, OnScreen
from faceauth.evaluation.pad.portraits import Portrait, read_portrait
from faceauth.evaluation.pad.rendering import HEIGHT, WIDTH
from faceauth.evaluation.pad.species import SPECIES
from faceauth.evaluation.pad.talk import Shown
from faceauth.evaluation.pad.targets import HEADS, Target
from faceauth.liveness.steps import CLOSER, DIRECTIONS
from faceauth.vision import Engine
from faceauth.vision.head_pose import head_pose
from tests.support.person import Person, puppet
from tests.support.webcam import snapshot


@pytest.fixture(scope="module")
def engine():
    return Engine()


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Portraits of one person: straight, turned to their left and to their right."""
    folder = tmp_path_factory.mktemp("album") / "obama"
    folder.mkdir()
    found = []
    for name in ("obama", "obama left", "obama right"):
        path = folder / f"{name}.jpg"
        path.write_bytes(snapshot(name))
        found.append(read_portrait(path))
    return found


@pytest.fixture(scope="module")
def target(photos):
    template = np.stack([each.encoding for each in photos])
    return Target("obama", template, tuple(photos), tuple(photos))


def shown(attacker, step, seconds=2.0):
    """Return what an attacker shows ahead, and at the end of a step."""
    frames = [attacker.frame("", n / 10) for n in range(3)]
    frames += [attacker.frame(step, n / 10) for n in range(round(10 * seconds))]
    return frames[2], frames[-1]


def pose(engine, image):
    (face,) = engine.find_faces(image)
    return head_pose(engine.mesh(image, face).points)


def moved(engine, attacker, step, seconds=2.0):
    """Return how the head seems to move: yaw, pitch and size, the last as a factor."""
    before, after = (pose(engine, each) for each in shown(attacker, step, seconds))
    return after.yaw - before.yaw, after.pitch - before.pitch, after.size / before.size


def test_movement_begins_late_and_goes_on_from_where_it_is():
    follower = Follower(0.3, 0.5)
    assert follower.at("left", 0.3).tolist() == [0, 0, 0]
    assert follower.at("left", 0.55)[0] == pytest.approx(0.5)
    assert follower.at("left", 0.8).tolist() == [1, 0, 0]
    # What is asked for next begins there, without a way back to the middle.
    assert follower.at("up", 0.1).tolist() == [1, 0, 0]
    assert follower.at("up", 0.55) == pytest.approx([0.5, 0.5, 0])
    assert follower.at(CLOSER, 5).tolist() == [0, 0, 1]
    assert follower.at("down", 5) == pytest.approx([0, -1, 1])
    assert follower.at("", 5).tolist() == [0, 0, 0]


def test_mirror_image_looks_to_the_other_side(engine, photos):
    for photo in photos:
        mirrored = photo.mirrored()
        (face,) = engine.find_faces(mirrored.image)
        found = head_pose(engine.mesh(mirrored.image, face).points)
        assert mirrored.turn == pytest.approx((found.yaw, found.pitch), abs=3)
        assert mirrored.mirrored().turn == photo.turn
        assert mirrored.mirrored().face.box == photo.face.box


@pytest.mark.parametrize(
    "index", [index for index, each in enumerate(SPECIES) if each.needs == "photo"]
)
def test_attack_shows_a_face_and_never_the_same_frame_twice(engine, target, index):
    other = target.photos[1]
    attacker = SPECIES[index].make(target, other, np.random.default_rng(index))
    frames = [attacker.frame("", 0.1), attacker.frame("left_up", 0.1), attacker.frame(CLOSER, 0.7)]
    assert {(each.shape, each.dtype.name) for each in frames} == {((HEIGHT, WIDTH, 3), "uint8")}
    assert len({each.tobytes() for each in frames}) == len(frames)
    assert len(engine.find_faces(frames[0])) == 1
    again = SPECIES[index].make(target, other, np.random.default_rng(index))
    assert np.array_equal(frames[0], again.frame("", 0.1))


def test_flat_photo_hardly_seems_to_turn(engine, photos):
    for attack, most in ((photo_attacks.Moved, 9), (photo_attacks.Tilted, 25)):
        for seed in range(3):
            attacker = attack(photos[0], np.random.default_rng(seed))
            assert moved(engine, attacker, "left")[0] < most


def test_photo_that_is_brought_closer_comes_closer(engine, photos):
    attack = photo_attacks.Moved(photos[0], np.random.default_rng(0))
    assert moved(engine, attack, CLOSER)[2] > 1.2


@pytest.mark.parametrize("step", ["left", "up", "right_down"])
def test_software_turns_a_photo_as_asked_also_on_a_screen(engine, step):
    left, up = DIRECTIONS[step]
    for screen in (False, True):
        random = np.random.default_rng(1)
        attack = puppet_attacks.Actor(puppet("astronaut"), random)
        yaw, pitch, _size = moved(engine, OnScreen(attack, random) if screen else attack, step)
        assert (yaw, pitch) == pytest.approx((20 * left, 20 * up), abs=9)


def test_film_is_cut_to_the_step_in_time(engine):
    attack = film_attacks.Cut(puppet("astronaut"), np.random.default_rng(0))
    assert moved(engine, attack, "left", 1.2)[0] > 12
    # From the other side, also where it has to run backwards first.
    before = pose(engine, attack.frame("left", 2.0))
    after = pose(engine, [attack.frame("right", n / 10) for n in range(20)][-1])
    assert after.yaw - before.yaw < -25


def test_film_of_movements_in_an_order_of_its_own_waits_for_the_first_step(engine):
    attack = film_attacks.Recorded(puppet("astronaut"), ["up", "left"], np.random.default_rng(0))
    ahead = [pose(engine, attack.frame("", n / 10)).pitch for n in range(15)]
    assert np.ptp(ahead) < 5
    after = pose(engine, [attack.frame("down", n / 10) for n in range(9)][-1])
    assert after.pitch - ahead[0] > 12


def test_several_photos_turn_as_asked(engine, photos):
    for seed in range(2):
        attack = puppet_attacks.Album(photos, np.random.default_rng(seed))
        assert moved(engine, attack, "left")[0] > 8


def test_another_head_is_shown_only_while_it_turns(engine, photos):
    own, photo = puppet("biden"), puppet("obama")
    attack = puppet_attacks.TwoHeads(own, photo, np.random.default_rng(0))
    before, after = shown(attack, "left")

    def apart(image, head):
        one, other = (
            engine.encode(each, engine.find_faces(each)[0]) for each in (image, head.frame())
        )
        return float(np.linalg.norm(one - other))

    assert apart(before, photo) < 0.3 < apart(before, own)
    assert apart(after, own) < 0.5 < apart(after, photo)


def test_answer_is_sent_again_frame_by_frame_altered_and_in_a_mirror(engine):
    person = Person("astronaut")
    answer = [
        Shown(step, n / 10, person.jpeg_for(step, n / 10))
        for step in ("", "left")
        for n in range(9)
    ]
    for seed in range(12):
        alteration = film_attacks.Alteration(np.random.default_rng(seed))
        again = film_attacks.Replayed(answer, alteration)
        assert alteration.step("left") == ("right" if alteration.mirrored else "left")
        side = -1 if alteration.mirrored else 1
        before = pose(engine, again.frame("", 0.1))
        after = pose(engine, again.frame(alteration.step("left"), 0.8))
        assert (after.yaw - before.yaw) * side > 12
    assert len({film_attacks.Alteration(np.random.default_rng(n)).mirrored for n in range(12)}) == 2


def test_film_suits_the_attacks_of_its_kind(target):
    film = Target("clip", target.template, film=target.photo.path, role=HEADS)
    names = {each.name for each in SPECIES if each.suits(film)}
    assert names == {"real film as it is, posted", "real film as it is, on a screen"}
    assert not any(each.suits(target) for each in SPECIES if each.name in names)


def test_photo_of_several_people_or_of_none_is_not_used(tmp_path, faces):
    (tmp_path / "broken.jpg").write_bytes(b"this is no picture")
    assert read_portrait(tmp_path / "broken.jpg") is None
    assert read_portrait(tmp_path / "missing.jpg") is None
    (tmp_path / "one.jpg").write_bytes(faces["obama"])
    assert isinstance(read_portrait(tmp_path / "one.jpg"), Portrait)
