"""One conversation: what it takes from each frame, and how it ends."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest

from faceauth.liveness.conversation import Conversation, Look, Mark, NotLiveError, Reason
from faceauth.liveness.sightings import Sighting


def encoding(person: int) -> Any:
    return np.eye(8, dtype=np.float32)[person]


def frame(at: float, yaw: float = 0, pitch: float = 0, size: float = 0.4, **more: Any) -> Look:
    person, comparable = more.get("person", 0), more.get("comparable", True)
    sighting = Sighting(at, yaw, pitch, 1.0, 0.0, size, 0.5, 0.5)
    mark = Mark(round(at * 100), 0, str(at), yaw, pitch, (0.3, 0.3, 0.7, 0.7))
    shown = partial(encoding, person)
    return Look(mark, sighting, shown, shown, comparable)


def begun(*steps: str) -> Conversation:
    """Return a conversation whose first step is shown after 0.2 seconds."""
    talk = Conversation("full", list(steps))
    for at in (0.0, 0.1):
        talk.see(frame(at))
    talk.show(0.2)
    return talk


def see(talk: Conversation, *frames: Look) -> None:
    for each in frames:
        talk.see(each)
        talk.show(each.sighting.at + 0.02)


def reason(talk: Conversation, *frames: Look) -> Reason:
    with pytest.raises(NotLiveError) as caught:
        see(talk, *frames)
    return caught.value.reason


def test_nothing_is_asked_before_the_head_is_held_still():
    talk = Conversation("short", ["left"])
    see(talk, frame(0.0), frame(0.1, yaw=9), frame(0.2, yaw=18), frame(0.3, yaw=9))
    assert talk.step is None
    see(talk, frame(0.4, yaw=1), frame(0.5, yaw=0))
    assert talk.step == "left"


def test_after_a_failed_challenge_nothing_is_asked_of_a_head_that_is_still_turned():
    talk = Conversation("short", ["left"], rested=(0.0, 0.0))
    see(talk, *[frame(count / 10, yaw=14) for count in range(9)])
    talk = Conversation.unpack(talk.pack())
    assert talk.step is None
    see(talk, frame(1.0, yaw=5), frame(1.1, yaw=1), frame(1.2, yaw=0))
    assert talk.step == "left"
    assert talk.rest.yaw == 0


def test_whoever_sits_otherwise_after_a_failed_challenge_holds_still_for_a_second():
    talk = Conversation("short", ["left"], rested=(0.0, 0.0))
    see(talk, *[frame(count / 10, yaw=14) for count in range(10)])
    assert talk.step is None
    see(talk, frame(1.0, yaw=14))
    assert talk.step == "left"
    assert len(talk.seen) == 2


def test_nothing_is_asked_while_the_picture_is_too_poor_to_be_compared():
    talk = Conversation("short", ["left"])
    see(talk, frame(0.0), frame(0.1, comparable=False), frame(0.2))
    assert talk.step is None


def test_each_step_is_asked_once_the_one_before_was_seen():
    talk = begun("left", "closer", "up")
    see(talk, frame(0.4), frame(0.7, yaw=16))
    assert (talk.step, talk.done) == ("closer", 1)
    see(talk, frame(1.0, yaw=14, size=0.44), frame(1.4, yaw=6, size=0.52))
    assert (talk.step, talk.done) == ("up", 2)
    see(talk, frame(1.8, pitch=5, size=0.52), frame(2.2, pitch=17, size=0.5))
    assert talk.made
    assert not talk.passed
    assert [mark.number for mark in talk.again] == [10, 70, 220]
    assert talk.step is None


def test_the_other_way_ends_it():
    assert reason(begun("up"), frame(0.5, yaw=8), frame(0.7, yaw=20)) is Reason.OTHER_WAY


def test_the_mirror_image_of_the_step_is_told_apart():
    assert reason(begun("left_up"), frame(0.7, yaw=-14, pitch=14)) is Reason.MIRRORED


def test_a_head_that_does_not_move_is_too_late():
    talk = begun("left")
    assert reason(talk, frame(1.0), frame(3.3), frame(6.3)) is Reason.LATE


def test_time_passes_without_a_face_as_well():
    talk = begun("left")
    talk.check_time(6.1)
    with pytest.raises(NotLiveError):
        talk.check_time(6.3)


def test_somebody_else_may_not_make_the_movement():
    assert reason(begun("left"), frame(0.4), frame(0.7, yaw=16, person=1)) is Reason.ANOTHER


def test_somebody_else_may_not_look_ahead_in_between():
    assert reason(begun("left"), frame(0.5, person=1)) is Reason.ANOTHER


def test_the_last_step_is_made_once_nobody_else_is_in_the_picture():
    talk = begun("left", "up")
    looks = []

    def alone(answer):
        looks.append(answer)
        return answer

    see(talk, frame(0.7, yaw=16)._replace(alone=lambda: alone(False)))
    assert (talk.done, looks) == (1, [])
    see(talk, frame(1.2, pitch=14)._replace(alone=lambda: alone(False)))
    assert (talk.done, looks) == (1, [False])
    see(talk, frame(1.4, pitch=15)._replace(alone=lambda: alone(True)))
    assert talk.made
    assert looks == [False, True]


def test_few_frames_that_look_ahead_are_encoded():
    talk = begun("left")
    see(talk, *[frame(0.25 + 0.05 * number, yaw=number / 5) for number in range(12)])
    assert len(talk.ahead) == 3
    see(talk, frame(1.0, yaw=16))
    assert len(talk.ahead) == 3


def test_it_goes_on_after_being_stored():
    talk = begun("left", "closer", "up")
    see(talk, frame(0.4), frame(0.7, yaw=16))
    stored = Conversation.unpack(talk.pack())
    assert (stored.step, stored.done, stored.steps) == ("closer", 1, ["left", "closer", "up"])
    assert np.allclose(stored.ahead, talk.ahead)
    assert np.allclose(stored.seen, talk.seen)
    see(stored, frame(1.0, yaw=14, size=0.44), frame(1.4, yaw=6, size=0.52))
    assert stored.step == "up"


def test_it_is_stored_before_the_first_face_as_well():
    stored = Conversation.unpack(Conversation("short", ["left"]).pack())
    assert (stored.kind, stored.steps, stored.seen) == ("short", ["left"], [])
