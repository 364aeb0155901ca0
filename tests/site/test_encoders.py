"""Another encoder than dlib's: logins with it, and faces that were enrolled before."""

from __future__ import annotations

import numpy as np
import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command

from accounts.models import User
from faceauth import checks, enrolment
from faceauth.capture import samples
from faceauth.encryption import crypto
from faceauth.errors import LookAlike
from faceauth.gallery import gallery
from faceauth.models import FaceEvent
from faceauth.privacy import export
from tests.site.conftest import PASSWORD, log_out, username_of
from tests.support import encoders as support
from tests.support.accounts import log_in_by_face
from tests.support.people import picture
from tests.support.webcam import snapshot

NAMES = {64: "squares", 512: "more squares"}


@pytest.fixture
def use(settings, tmp_path):
    """Set the encoder, as after a restart.

    `use(512)` sets a small one with 512 numbers, `use(None)` dlib's.
    """

    def restart(size):
        ours = {"ENCODER": None, "CALIBRATION": None}
        if size is not None:
            name = NAMES[size]
            path = support.network(tmp_path / f"{size}.onnx", size=size)
            folder = support.calibration(tmp_path / name, name, size=size, limit=-0.1)
            encoder = {"path": str(path), "name": name, "normalise": "standardise"}
            ours = {"ENCODER": encoder, "CALIBRATION": str(folder)}
        settings.FACEAUTH = {**settings.FACEAUTH, **ours}
        gallery.cache_clear()

    return restart


@pytest.fixture(params=NAMES)
def small(request, use):
    """Return the size of the small network that the site uses."""
    use(request.param)
    return request.param


@pytest.fixture
def enrolled_by_page(client, ask, upload):
    """Enrol on the page, then log out.

    A face that the site can read is replaced only by whoever shows it.
    """

    def enrol(user):
        user.refresh_from_db()
        if user.has_face:
            log_in_by_face(client, user)
        else:
            client.force_login(user, "django.contrib.auth.backends.ModelBackend")
        shots = [upload(f"obama{pose}") for pose in ("", " left", " right", " up", " smile")]
        status, answer = ask("/face/enrol/", snapshot=shots, consent="on")
        assert status == 200, answer
        log_out(client)

    return enrol


@pytest.fixture
def person(db):
    return User.objects.create_user("obama", "obama@example.com", PASSWORD)


@pytest.mark.parametrize("username", ["", "obama"])
def test_face_is_enrolled_and_logs_in_with_it(
    small, client, ask, upload, person, enrolled_by_page, username
):
    enrolled_by_page(person)
    person.refresh_from_db()
    assert person.face_encodings.shape == (5, small)
    for stranger in ("biden", "astronaut"):
        status, answer = ask("/face/login/", snapshot=upload(stranger), username=username)
        assert (status, answer["error"]["code"]) == (401, "not_recognised")
    status, _ = ask("/face/login/", snapshot=upload(snapshot("obama")), username=username)
    assert status == 200
    assert username_of(client) == "obama"


@pytest.mark.parametrize("username", ["", "obama"])
def test_face_of_another_encoder_is_refused_until_it_is_enrolled_again(
    use, client, ask, upload, person, enrolled_by_page, username
):
    for before, after in ((64, None), (None, 512), (512, 64)):
        use(before)
        enrolled_by_page(person)
        use(after)
        status, answer = ask("/face/login/", snapshot=upload("obama"), username=username)
        assert (status, answer["error"]["code"]) == (401, "not_recognised")
        enrolled_by_page(person)
        status, _ = ask("/face/login/", snapshot=upload("obama"), username=username)
        assert status == 200
        log_out(client)


def test_face_is_good_again_where_its_encoder_comes_back(
    use, client, ask, upload, person, enrolled_by_page
):
    enrolled_by_page(person)
    use(64)
    assert ask("/face/login/", snapshot=upload("obama"))[0] == 401
    use(None)
    assert ask("/face/login/", snapshot=upload("obama"))[0] == 200


def test_who_logs_in_by_password_is_asked_to_enrol_again(
    use, client, person, enrolled_by_page, ask
):
    enrolled_by_page(person)
    data = {"username": "obama", "password": PASSWORD}
    page = client.post("/face/login/", data, follow=True).content.decode()
    assert "recognises faces" not in page
    log_out(client)
    use(64)
    page = client.post("/face/login/", data, follow=True).content.decode()
    assert "Enrol your face again" in page
    profile = client.get("/accounts/profile/").content.decode()
    assert "The way the site recognises faces has changed since you enrolled yours." in profile
    assert "no longer be read" not in profile
    enrolled_by_page(person)
    assert FaceEvent.objects.latest("at").kind != FaceEvent.Kind.ENROLLED
    assert FaceEvent.objects.filter(kind=FaceEvent.Kind.REPLACED).count() == 1
    page = client.post("/face/login/", data, follow=True).content.decode()
    assert "recognises faces" not in page + client.get("/accounts/profile/").content.decode()


def test_notice_says_how_many_numbers_are_kept(use, client, db):
    for size, numbers in ((None, 128), (64, 64), (512, 512)):
        use(size)
        page = client.get("/face/notice/").content.decode()
        assert f"{numbers} encrypted numbers for each of the 5 pictures" in page


def test_face_of_another_encoder_is_nobodys_look_alike(use, db, settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "LOOK_ALIKES": "refuse"}
    one, two, three = (
        User.objects.create_user(name, f"{name}@example.com") for name in ("one", "two", "three")
    )
    enrolment.enrol(one, encodings("obama", "obama up"))
    use(64)
    shots = encodings("obama", "obama up")
    enrolment.enrol(two, shots)
    with pytest.raises(LookAlike):
        enrolment.enrol(three, shots)
    assert [match.key for match in gallery().nearest(shots)] == [two.pk]


def test_face_of_another_encoder_can_be_taken_away_and_removed(use, person, enrolled_by_page):
    enrolled_by_page(person)
    use(64)
    person.refresh_from_db()
    before = person.face_encodings.values
    assert np.allclose(export.export(person)["face"]["encodings"], before)
    assert enrolment.remove(person)
    person.refresh_from_db()
    assert person.face_encodings is None
    assert not person.face_is_outdated


def test_faces_of_another_encoder_are_counted_and_warned_about(use, person, enrolled_by_page):
    enrolled_by_page(person)
    assert checks.check_encoder(None, databases=["default"]) == []
    use(64)
    (warning,) = checks.check_encoder(None, databases=["default"])
    assert warning.id == "faceauth.W017"
    assert "1 of 1 face templates were made by an encoder other than 'squares'" in warning.msg
    assert checks.check_encoder(None, databases=[]) == []
    enrolled_by_page(person)
    assert checks.check_encoder(None, databases=["default"]) == []


def test_faces_keep_their_encoder_when_keys_are_rotated(use, db, settings, capsys):
    people = [User.objects.create_user(f"{n}", f"{n}@example.com") for n in range(3)]
    old, new, outdated = people
    rows = np.random.default_rng(0).normal(0, 0.1, (3, 128)).astype(np.float32)
    old.face_encodings = rows
    old.save()
    settings.FACEAUTH = {**settings.FACEAUTH, "ENCRYPTION_KEYS": [Fernet.generate_key().decode()]}
    for user in (new, outdated):
        user.face_encodings = rows
        user.save()
    use(64)
    outdated.face_encodings = rows[:, :64]
    outdated.save()
    call_command("face_rotate_keys")
    assert "rotated: 1, already current: 2, unreadable: 0" in capsys.readouterr().out
    assert User.objects.filter(face_encodings__begins_with=crypto.current_header()).count() == 3
    assert [user.has_face for user in User.objects.order_by("pk")] == [False, False, True]
    use(None)
    assert [user.has_face for user in User.objects.order_by("pk")] == [True, True, False]
    assert np.allclose(User.objects.get(pk=old.pk).face_encodings, rows, atol=1e-6)


def test_faces_of_another_encoder_are_not_measured(use, person, enrolled_by_page, capsys):
    enrolled_by_page(person)
    use(64)
    with pytest.raises(CommandError, match="0 people are enrolled"):
        call_command("face_calibrate")
    assert "outdated templates left out: 1" in capsys.readouterr().err


def test_evaluation_asks_for_a_calibration_and_encodes_by_the_encoder(
    use, settings, tmp_path, capsys
):
    folder = tmp_path / "album"
    for person, names in {"Barack": ["obama", "obama left"], "Joe": ["biden"]}.items():
        (folder / person).mkdir(parents=True)
        for number, name in enumerate(names, 1):
            (folder / person / f"{person}_{number:04d}.jpg").write_bytes(snapshot(name))
    use(64)
    ready = settings.FACEAUTH
    settings.FACEAUTH = {**ready, "CALIBRATION": None}
    with pytest.raises(CommandError, match="--write DIR"):
        call_command("face_evaluate", folder, processes=1)
    with pytest.raises(CommandError, match="hundreds of people"):
        call_command("face_evaluate", folder, write=tmp_path / "own", processes=1)
    settings.FACEAUTH = ready
    call_command("face_evaluate", folder, processes=1)
    text = capsys.readouterr().out
    assert "3 photos of 2 people" in text
    assert "face_recognition" not in text


def encodings(*names):
    return samples.encodings([picture(name) for name in names])
