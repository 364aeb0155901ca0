"""People who use the site all at once, each again as soon as they are answered."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from itertools import count
from threading import Event
from typing import Any, NamedTuple

from tests.robustness.serving import Site, Visitor
from tests.support.people import OBAMA
from tests.support.people import picture as photograph

PASSWORD = "a long password"
FRAMES = "/face/frames/"

BROKEN = 0  # the status where the connection ends without an answer


class Told(NamedTuple):
    """What was done when, and how it was answered.

    Attributes:
        did: What was done.
        start: When it was asked for, by `time.monotonic`.
        end: When it was answered.
        status: The answer's, or `BROKEN`.
        name: Who signed up, or "".
    """

    did: str
    start: float
    end: float
    status: int
    name: str


def keep_busy(
    site: Site, owner: Visitor, fault: Callable[[int], Any], times: int, **more: Callable[[], Any]
) -> tuple[list[Told], list[Any]]:
    """Let everybody use the site while something breaks, so many times.

    Args:
        site: The site.
        owner: A visitor who has signed up as "owner", with the face of `OBAMA`.
        fault: Breaks something and mends it again. It is called with 0, 1, ...
        times: How often.
        **more: What others do: each returns the answer and a name.

    Returns:
        What everybody was told, and what `fault` returned.
    """
    shot, numbers, over = [photograph("obama2")], count(), Event()

    def log_in():
        # An attempt that is cut off counts as a failure of its address.
        visitor = Visitor(site, address=f"10.200.{next(numbers) % 256}.1")
        return visitor.post("/face/login/", shot, username="owner"), ""

    crowd = {
        "members": lambda: (owner.get("/members/"), ""),
        "guidance": lambda: (Visitor(site).post(FRAMES, frames=shot, pose="any"), ""),
        "login": log_in,
        "sign up": lambda: sign_up_anew(site, next(numbers), ()),
        "enrol": lambda: sign_up_anew(site, next(numbers), OBAMA),
        **more,
    }
    with ThreadPoolExecutor(2 * len(crowd)) as threads:
        running = [threads.submit(keep_asking, *each, over) for each in [*crowd.items()] * 2]
        try:
            faults = [fault(number) for number in range(times)]
        finally:
            over.set()
    return [one for each in running for one in each.result()], faults


def keep_asking(did: str, ask: Callable[[], Any], over: Event) -> list[Told]:
    """Do something over and over. Whoever is told to come back is told clearly."""
    told = []
    while not over.is_set():
        start = time.monotonic()
        try:
            heard, name = ask()
        except (OSError, HTTPException):
            told.append(Told(did, start, time.monotonic(), BROKEN, ""))
            continue
        told.append(Told(did, start, time.monotonic(), heard.status, name))
        if heard.status == 503:
            assert heard.json["error"]["code"] == "busy"
            assert int(heard.headers["Retry-After"]) > 0
        time.sleep(0.02)
    return told


def sign_up_anew(site, number, photos):
    """Sign somebody up whom nobody was before. Return the answer and their name."""
    name = f"user{number}"
    # Each in a network of their own, which may sign up only so often.
    address = f"10.{number // 256}.{number % 256}.1"
    return sign_up(Visitor(site, address=address), name, photos), name


def sign_up(visitor, name, photos):
    """Sign up with these photos of a face, or without one."""
    fields = {"username": name, "email": f"{name}@example.com", "password": PASSWORD}
    shots = [photograph(each) for each in photos]
    return visitor.post("/signup/", shots, consent="on", **fields)
