"""People who log in over and over for `benchmarks.load`: on the example site, and on tutorials'."""

from __future__ import annotations

import itertools
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from benchmarks import serving

ENROLLED = 100
MEMBERS = {"biden": 33, "obama": 66}  # who log in, and their places among all people
OTHER = "astronaut"  # whose photos stand for those of everybody else in a folder of photos
GUESTS = 50  # who log in by a challenge
CORES = 2
INTERVAL = 0.125  # seconds from one request with a frame to the next
TRIES = 3  # challenges that a page opens before it asks what to do

HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # passwords are not measured
SECRET = "s" * 32  # of a form and its cookie; a site that knows neither takes any

# Logs somebody in, and returns why it did not succeed, or "".
LogIn = Callable[[], str]


class Crowd(Protocol):
    """A site, and people who log in to it."""

    def served(self) -> Any:
        """Serve the site while the context is entered, which yields the server."""

    def person(self, server: Any, number: int) -> LogIn:
        """Return how somebody logs in."""


class Faceauth:
    """The example site with its people.

    Args:
        folder: For its files.
        database: The URL of its database.

    Attributes:
        enrolled: One picture of each photo of a person, by their name.
        shown: Other pictures.
    """

    def __init__(self, folder: Path, database: str) -> None:
        self._site = serving.Site(folder, database)
        from django.conf import settings

        from benchmarks.pictures import FACE_HEIGHTS, webcam_pictures

        settings.PASSWORD_HASHERS = HASHERS
        self.enrolled: dict[str, list[bytes]] = {}
        self.shown: dict[str, list[bytes]] = {}
        for name, pictures in webcam_pictures().items():
            self.enrolled[name] = pictures[:: len(FACE_HEIGHTS)]
            self.shown[name] = [each for each in pictures if each not in self.enrolled[name]]
        self._numbers = itertools.count()
        self._enrol()

    def _enrol(self) -> None:
        """Enrol everybody. The guests have the members' faces, and are not found without a name."""
        from django.contrib.auth import get_user_model

        from benchmarks import made_up
        from faceauth import enrolment
        from faceauth.capture import samples

        def enrol(name: str, encodings: Any, password: str | None = None) -> None:
            user = users.create_user(name, f"{name}@example.com", password)
            enrolment.enrol(user, encodings)

        users: Any = get_user_model().objects
        known = {name: samples.encodings(self.enrolled[name]) for name in MEMBERS}
        for name in MEMBERS:
            enrol(name, known[name])
        for number, face in enumerate(made_up.people(ENROLLED - len(MEMBERS))):
            enrol(f"other{number}", face)
        for number in range(GUESTS):
            enrol(_guest(number), known[_member(number)], serving.PASSWORD)

    @contextmanager
    def served(self, **options: Any) -> Iterator[Any]:
        """Serve it with these settings."""
        self._site.forget()
        with self._site.served(
            application="benchmarks.load_site",
            BEHIND_PROXY="true",
            LOAD_SETTINGS=json.dumps(options),
        ) as server:
            yield server

    def address(self) -> str:
        """Return an address in a network that nobody has come from."""
        number = next(self._numbers)
        return f"10.{number % 256}.{number // 256}.1"


class WithPicture:
    """People who log in on any device by one picture, without a challenge."""

    def __init__(self, site: Faceauth) -> None:
        self._site = site

    def served(self) -> Any:
        return self._site.served(CHALLENGE=None, UNKNOWN_DEVICES="allow")

    def person(self, server: Any, number: int) -> LogIn:
        browser, name = server.visit(), _member(number)
        forms = _forms(self._site.shown[name], "snapshot", csrfmiddlewaretoken=SECRET)

        def log_in() -> str:
            browser.cookies = {"csrftoken": SECRET}
            body, headers = next(forms)
            headers = {**headers, "X-Forwarded-For": self._site.address()}
            answer = browser.request("POST", "/face/login/", body, headers).json
            return "" if answer.get("user") == {"username": name} else _reason(answer)

        return log_in


class OnTrustedDevice:
    """People who log in on a device that they trust, by a short challenge."""

    def __init__(self, site: Faceauth) -> None:
        self._site = site

    def served(self) -> Any:
        return self._site.served()

    def person(self, server: Any, number: int) -> LogIn:
        name = _guest(number)
        browser = serving.trusted_visitor(server, name, self._site.address())

        def log_in() -> str:
            answer = _by_challenge(browser, number)
            if answer.get("user") != {"username": name}:
                return _reason(answer)
            serving.log_out(browser)
            return ""

        return log_in


class OnUnknownDevice:
    """People who log in elsewhere by a full challenge, until a code is emailed."""

    def __init__(self, site: Faceauth) -> None:
        self._site = site

    def served(self) -> Any:
        # Nobody enters the codes, so all logins count as failures until then.
        limits = "CODES_PER_HOUR", "MAX_FAILURES", "MAX_FAILURES_BEFORE_DISABLING"
        return self._site.served(**dict.fromkeys(limits, 1_000))

    def person(self, server: Any, number: int) -> LogIn:
        name = _guest(number)

        def log_in() -> str:
            browser = server.visit(headers={"X-Forwarded-For": self._site.address()})
            answer = _by_challenge(browser, number, username=name)
            return "" if answer.get("code_required") else _reason(answer)

        return log_in


class Tutorial:
    """People who log in to a server of `benchmarks.tutorials` by one picture.

    Args:
        name: The server's.
        folder: For the photos.
        site: Whose people they are.
    """

    def __init__(self, name: str, folder: Path, site: Faceauth) -> None:
        self._name, self._folder, self._site = name, folder, site
        folder.mkdir(exist_ok=True)
        others = itertools.cycle(site.shown[OTHER])
        photos = {place: (name, site.enrolled[name][0]) for name, place in MEMBERS.items()}
        for place in range(ENROLLED):
            of, photo = photos[place] if place in photos else ("other", next(others))
            (folder / f"{place:02}-{of}.jpg").write_bytes(photo)

    @contextmanager
    def served(self) -> Iterator[Any]:
        from tests.support.servers import Server, gunicorn

        # Of several threads, face_recognition gets wrong encodings. On a busy machine, one of its
        # logins takes longer than the 30 seconds after which gunicorn would end the process.
        options = ("--worker-class=sync", "--threads=1", f"--workers={CORES}", "--timeout=300")
        command = gunicorn(f"benchmarks.tutorials:{self._name}()", *options)
        variables = {"PHOTOS": str(self._folder)}
        with Server(command, {**os.environ, **variables}) as server:
            yield server

    def person(self, server: Any, number: int) -> LogIn:
        browser, name = server.visit(), _member(number)
        forms = _forms(self._site.shown[name], "picture")

        def log_in() -> str:
            answer = browser.request("POST", "/", *next(forms))
            return "" if answer.text.endswith(f"-{name}") else "not recognised"

        return log_in


class Pace:
    """The time between frames, as a page keeps it: from one request to the next."""

    def __init__(self) -> None:
        self._began = self.now()

    def now(self) -> float:
        """Return the time in seconds."""
        return time.monotonic()

    def wait(self, seconds: float) -> None:
        """Wait until the page sends its next frame, whatever `seconds` says."""
        time.sleep(max(self._began + INTERVAL - self.now(), 0))
        self._began = self.now()


class Film:
    """A person before a camera, whose frames were rendered before.

    Args:
        name: Of the photograph.
    """

    def __init__(self, name: str) -> None:
        from faceauth.evaluation.pad.following import Follower
        from tests.support.person import MOVEMENT, REACTION

        self._name, self._shown = name, itertools.count()
        self._follower = Follower(REACTION, MOVEMENT)

    def frame(self, step: str, since: float) -> bytes:
        """Return the next frame, a JPEG file.

        Args:
            step: What is asked for; "" before the first step.
            since: How many seconds ago it was shown.
        """
        place = [round(5 * float(each)) for each in self._follower.at(step, since)]
        frames = _rendered(self._name, *place)
        return frames[next(self._shown) % len(frames)]


def render() -> None:
    """Render every frame that can be needed."""
    from faceauth.liveness.steps import CLOSER, DIRECTIONS

    steps = (CLOSER, *DIRECTIONS)
    for name, first, *two in itertools.product(MEMBERS, ("", CLOSER), steps, steps):
        film = Film(name)
        for step, late in itertools.product(("", first, *two), range(50)):
            film.frame(step, late / 50)


@cache
def _rendered(name: str, left: int, up: int, near: int) -> tuple[bytes, ...]:
    """Return some frames of a head that is held so, in fifths of a movement."""
    from faceauth.evaluation.pad.rendering import encode_jpeg
    from tests.support.person import NEARER, TURN

    pose = TURN * left / 5, TURN * up / 5, NEARER ** (near / 5)
    return tuple(encode_jpeg(_person(name).posed(*pose)) for _ in range(2))


@cache
def _person(name: str) -> Any:
    from tests.support.person import Person

    return Person(name)


def _by_challenge(browser: Any, number: int, **fields: str) -> Any:
    """Open the page, pass a challenge, send the form, and return the answer."""
    from faceauth.evaluation.pad.talk import MAX_SECONDS, Reply, talk

    def post(frame_fields: Any, frames: Any) -> Reply:
        status, answer = browser.post("/face/frames/", frames=frames, **frame_fields)
        if status != 503:
            return Reply(status, answer)
        time.sleep(float(browser.headers["Retry-After"]))
        return post(frame_fields, frames)

    browser.ask("GET", "/face/login/")
    for _ in range(TRIES):
        found = talk(post, Film(_member(number)).frame, Pace(), patience=MAX_SECONDS, **fields)
        if found.passed:
            return browser.post("/face/login/", challenge=found.challenge, **fields)[1]
    return {"error": {"code": found.reason}}


def _forms(pictures: Sequence[bytes], field: str, **fields: str) -> Iterator[Any]:
    """Yield forms with one picture each, over and over: the body and its headers."""
    from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

    from tests.support.visiting import File

    headers = {"Content-Type": MULTIPART_CONTENT, "Accept": "application/json"}
    bodies = [encode_multipart(BOUNDARY, {**fields, field: File(each)}) for each in pictures]
    return itertools.cycle([(body, headers) for body in bodies])


def _reason(answer: Any) -> str:
    return str(answer.get("error", {}).get("code", "somebody else"))


def _member(number: int) -> str:
    return [*MEMBERS][number % len(MEMBERS)]


def _guest(number: int) -> str:
    return f"guest{number}"
