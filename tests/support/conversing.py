"""A visitor who sends frames to a challenge, one request at a time, by a clock that tests move."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Sequence
from typing import Any

from django.test import Client

from tests.support.person import Person, Upload

FRAMES, JSON = "/face/frames/", {"Accept": "application/json"}
EVERY = 0.1  # seconds between two requests


class Visitor:
    """A page of one browser, and who sits before its camera.

    Args:
        client: The browser. Two pages may share it.
        clock: Of `time_machine`; it stands still until it is moved.
        person: The name of a photograph, or the person.
        as_json: Send JSON instead of forms.
        **opening: Fields of the requests that open a challenge.
    """

    def __init__(
        self,
        client: Client,
        clock: Any,
        person: Person | str = "obama",
        *,
        as_json: bool = False,
        **opening: Any,
    ) -> None:
        self.client, self.clock, self.opening = client, clock, opening
        self.as_json = as_json
        self.person = Person(person) if isinstance(person, str) else person
        self.challenge, self.number = "", 0
        self.step, self.done, self.since = "", 0, 0.0
        self.answer: Any = {}
        self.sent: dict[int, Sequence[bytes]] = {}

    def jpeg(self, step: str | None = None) -> bytes:
        """Return what the camera sees now, if the person follows that step."""
        asked = self.step if step is None else step
        return self.person.jpeg_for(asked, self.now - self.since)

    @property
    def now(self) -> float:
        """The time, in seconds."""
        return self.clock.time()

    def send(self, *frames: bytes, **fields: Any) -> int:
        """Send frames, by default one of what the camera sees. Return the status."""
        opening = {} if self.challenge else self.opening
        data = {"challenge": self.challenge, "number": self.number + 1, **opening, **fields}
        frames = frames or (self.jpeg(),)
        self.sent[self.number + 1] = frames
        response = self._post(data, frames)
        self.answer = response.json()
        self.answer["retry_after"] = response.headers.get("Retry-After")
        if response.status_code == 200:
            self.challenge, self.number = self.answer["challenge"], self.answer["number"]
            self.sent[self.number] = frames
            step = self.answer["step"] or {"name": "", "done": 0}
            if (step["name"], step["done"]) != (self.step, self.done):
                self.step, self.done, self.since = step["name"], step["done"], self.now
            if again := self.answer.get("again"):
                if all(number in self.sent for number, _index in again):
                    return self.send(*[self.sent[number][index] for number, index in again])
                # Another page has sent them.
                self.restart()
        return int(response.status_code)

    def _post(self, data: dict[str, Any], frames: Sequence[bytes]) -> Any:
        if self.as_json:
            body = {**data, "frame": [b64encode(each).decode() for each in frames]}
            return self.client.post(FRAMES, json.dumps(body), content_type="application/json")
        return self.client.post(FRAMES, {**data, "frame": files(frames)}, headers=JSON)

    def restart(self) -> None:
        """Let the page open another challenge with its next frames."""
        self.challenge, self.number, self.step, self.done = "", 0, "", 0
        self.sent.clear()

    @property
    def code(self) -> str:
        """The code of the last error, or "" if there was none."""
        return str(self.answer.get("error", {}).get("code", ""))

    @property
    def message(self) -> str:
        """What the last answer says."""
        return str(self.answer.get("error", self.answer)["message"])

    @property
    def passed(self) -> bool:
        """Whether the challenge is passed."""
        return bool(self.answer.get("state") == "passed")

    def wait(self, seconds: float = EVERY) -> None:
        """Let time pass."""
        self.clock.shift(seconds)

    def until_step(self) -> str:
        """Send frames until the next step is shown, and return it."""
        before = self.done
        while not self.step or self.done == before != 0:
            assert self.send() == 200, self.answer
            self.wait()
        return self.step

    def follow(self, step: str | None = None, count: int = 60) -> int:
        """Send frames until the challenge ends. Return the last status.

        Args:
            step: What the person does instead of what is asked.
            count: The largest number of frames.
        """
        status = 200
        for _frame in range(count):
            self.wait()
            status = self.send(self.jpeg(step))
            if status != 200 or self.passed:
                break
        return status

    def log_in(self, path: str = "/face/login/", **fields: Any) -> Any:
        """Send the form with the challenge, and return the response."""
        data = {"challenge": self.challenge, **self.opening, **fields}
        return self.client.post(path, data, headers=JSON)


def files(pictures: Sequence[bytes]) -> list[Upload]:
    """Return pictures as the files of a form."""
    return [Upload(each) for each in pictures]
