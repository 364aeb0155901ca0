"""The command that attacks the liveness challenge, and sites by HTTP."""

from __future__ import annotations

import json

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from faceauth.evaluation.management.commands.face_attack import DOES_NOT_HOLD
from faceauth.evaluation.pad.scenarios import SCENARIOS, Case, judge, judge_replay
from faceauth.evaluation.pad.videos import TurnLimits, excerpts, read, track
from faceauth.evaluation.posting.report import ALL
from faceauth.models import UsedItem
from faceauth.vision import Engine
from tests.site.test_production import manage
from tests.support.faces import Faces
from tests.support.films import turning
from tests.support.webcam import ENROLMENT, snapshot

PEOPLE = {"Barack": ["obama", "obama2", "obama left", "obama right"], "Joe": ["biden"]}
REPLAY = next(index for index, each in enumerate(SCENARIOS) if each.replayed)
GENUINE = next(index for index, each in enumerate(SCENARIOS) if each.genuine)

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    folder = tmp_path_factory.mktemp("people")
    for person, names in PEOPLE.items():
        (folder / person).mkdir()
        for name in names:
            (folder / person / f"{name}.jpg").write_bytes(snapshot(name))
    return folder


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("videos")
    turning(folder / "Barack", "obama", "left", "right")
    return folder


@pytest.fixture(scope="module")
def answer(videos):
    """A video that answers a challenge, and a template of the person in it."""
    engine = Engine()
    video = track(engine, read(videos / "Barack"))
    return excerpts(video, 2, TurnLimits(0.2, 0.1))[0], video.template(engine, 5)


def test_photos_and_videos_are_tried(people, videos, tmp_path, capsys):
    file = tmp_path / "results.json"
    try:
        call_command("face_attack", people, clips=videos, attempts=1, processes=1, json=file)
    except SystemExit as ended:
        assert ended.code == DOES_NOT_HOLD
    printed = capsys.readouterr().out
    results = {row["attempt"]: row for row in json.loads(file.read_text())["rows"]}
    assert list(results) == [each.name for each in SCENARIOS]
    for name, row in results.items():
        assert name in printed
        assert row["attempts"] == 1
        assert row["through"] + sum(row["reasons"].values()) == 1
    assert results["photo, still"]["reasons"] == {"not_turned": 1}
    assert results["an answer to another challenge"]["reasons"] == {"not_turned": 1}
    assert results["genuine, 10 frames a second"]["through"] == 1
    assert not UsedItem.objects.exists()


def test_without_videos_only_photos_are_tried(people, tmp_path, capsys):
    file = tmp_path / "results.json"
    call_command("face_attack", people, only="photo, still", attempts=3, json=file, processes=1)
    (row,) = json.loads(file.read_text())["rows"]
    assert (row["attempts"], row["through"], row["holds"]) == (3, 0, True)
    assert "0 parts of 0 videos" in capsys.readouterr().out


def test_same_seed_makes_the_same_attempts(people, tmp_path, capsys):
    tables = []
    for seed in (1, 1):
        call_command("face_attack", people, only="shifted", attempts=2, seed=seed, processes=1)
        tables.append(capsys.readouterr().out)
    assert tables[0] == tables[1]


def test_genuine_attempt_succeeds(answer):
    video, template = answer
    verdict = judge(Case(GENUINE, (0, 0), video.turns, template, (), (video,)))
    assert (verdict.live, verdict.reason) == (True, "")


def test_live_stranger_does_not(answer):
    video, template = answer
    verdict = judge(Case(GENUINE, (0, 0), video.turns, np.roll(template, 7, axis=1), (), (video,)))
    assert (verdict.live, verdict.reason) == (True, "too_far")


@pytest.mark.parametrize(
    ("way", "reason"),
    [(0, "challenge_expired"), (1, "challenge_expired"), (2, "copied")],
    ids=["same challenge", "another session", "another challenge"],
)
def test_answer_counts_once(answer, way, reason):
    video, template = answer
    case = Case(REPLAY, (0, way), video.turns, template, (), (video,))
    assert judge_replay(case) == (False, reason)
    # A measurement leaves nothing behind.
    assert not UsedItem.objects.exists()


def test_error_names_what_is_missing(people, tmp_path, capsys):
    with pytest.raises(CommandError, match="There are no photos"):
        call_command("face_attack", tmp_path)
    (tmp_path / "film.gif").write_bytes(b"not a video")
    with pytest.raises(CommandError, match=r"film\.gif"):
        call_command("face_attack", people, clips=tmp_path, processes=1)
    done = manage("face_attack", str(people), DATABASE_URL=f"sqlite:///{tmp_path}/empty.sqlite3")
    assert done.stderr.strip().endswith("run manage.py migrate first.")


@pytest.fixture(scope="module")
def albums(tmp_path_factory):
    """Two people with five photos that they enrol, and one that is public."""
    folder = tmp_path_factory.mktemp("albums")
    for person in ("obama", "biden"):
        (folder / person).mkdir()
        shots = [snapshot(f"{person}{pose}") for pose in ENROLMENT]
        public = Faces()[{"obama": "obama2"}.get(person, person)]
        for number, data in enumerate([*shots, public]):
            (folder / person / f"{number}.jpg").write_bytes(data)
    return folder


def posted(folder, file, **options):
    """What the command finds when it posts: its rows, by the setting and the attack."""
    call_command("face_attack", folder, processes=1, json=file, **options)
    found = json.loads(file.read_text())
    rows = {key: value for key, value in found.items() if isinstance(value, list)}
    rows["existence"] = found.get("existence")
    return {
        key: {row["attack"]: row for row in value} if key != "existence" else value
        for key, value in rows.items()
    }


def test_stolen_cookie_without_its_key_opens_nothing_and_is_noticed(albums, tmp_path, capsys):
    found = posted(
        albums,
        tmp_path / "results.json",
        post="",
        people=2,
        only="without its key",
        unknown_devices=["code"],
        who_exists=2,
    )
    (row,) = found["code"].values()
    assert (row["attempts"], row["logins"], row["noticed"]) == (2, 0, [2, 2])
    assert row["reasons"] == {"code_required": 2}
    # And the answers do not tell who has an account.
    assert [row["same_answer"] for row in found["existence"]] == [True] * 4
    printed = capsys.readouterr().out
    assert "noticed at the owner's next login: 2 of 2" in printed
    assert "no such account" in printed


@pytest.mark.slow
def test_posted_film_logs_in_only_where_the_face_alone_is_allowed_to(albums, tmp_path, capsys):
    found = posted(albums, tmp_path / "results.json", post="", people=2)
    for setting in ("code", "refuse"):
        row = found[setting][ALL]
        assert (row["attempts"], row["logins"]) == (20, 0)
    row = found["allow"]["the enrolled pictures, animated"]
    assert row["logins"] == row["attempts"] == 4
    assert row["people"]["events"] == 2
    assert found["allow"]["a public photo, still"]["logins"] == 0
    assert 'UNKNOWN_DEVICES = "allow"' in capsys.readouterr().out


def test_running_site_is_attacked_by_its_url(albums, tmp_path, capsys, live_server, settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "CHALLENGE": "turns"}
    url = f"{live_server.url}/face/login/"
    found = posted(albums, tmp_path / "results.json", post=url, people=1, only="still")
    (row,) = found[url].values()
    assert (row["attempts"], row["logins"]) == (2, 0)
    assert row["reasons"] == {"challenge_failed": 2}


def test_error_says_why_a_site_cannot_be_attacked(albums, people, tmp_path, live_server):
    with pytest.raises(CommandError, match="Nobody has enough photos"):
        call_command("face_attack", people, post="", processes=1)
    with pytest.raises(CommandError, match="give --post no URL"):
        call_command("face_attack", people, post=live_server.url, who_exists=1, processes=1)
    with pytest.raises(CommandError, match="is no page to log in on"):
        call_command("face_attack", albums, post=f"{live_server.url}/", people=1, processes=1)
