"""Measure whether a crowd can keep somebody from logging in.

Run ``python -m benchmarks.crowd``, while the machine does nothing else. gunicorn serves the site as
shipped on two cores, with PostgreSQL. A member logs in by face on a trusted device, as quickly as a
person can, in turns:

- on a quiet site,
- while another address sends pictures of a kilobyte over five connections as fast as it can: flat
  ones of 25 and of half a megapixel, and some of 640 pixels without a face, also as photos,
- while 200 requests are held that were sent by halves: half of the headers, or half of the body.

Then 10,000 hostile pictures are looked at, one after the other: how much more memory the process
has at the end than after the first thousand, and the CPU time of the most expensive one.
"""

from __future__ import annotations

import argparse
import http.client
import multiprocessing
import resource
import socket
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from functools import cache
from io import BytesIO
from itertools import cycle
from pathlib import Path
from random import Random
from statistics import median, quantiles
from threading import Event, Thread
from typing import Any, NamedTuple

from PIL import Image

from benchmarks.journey import machine
from benchmarks.serving import Site, log_out, trusted_visitor

LOGINS = 20
ROUNDS = 5
CORES = 2

CONNECTIONS = 5
ATTACKER = "203.0.113.9"
SETTLE = 1.0  # seconds until an attack is under way
HALF_SENT = 200

PICTURES = 10_000
BATCH = 100
WARM_UP = 0.1  # of the pictures

MEMBER, PHOTOS = "obama", ("obama2", "obama3")
FRAMES = "/face/frames/"
SECRET = "s" * 32  # of a form and its cookie
BOUNDARY = "picture"

Condition = Callable[[int], AbstractContextManager[Any]]


class Fate(NamedTuple):
    """How the logins of one kind went.

    Attributes:
        seconds: Of those that succeeded.
        tried: The number of all.
    """

    seconds: list[float]
    tried: int


def flat(kind: str, size: tuple[int, int], **options: Any) -> bytes:
    """Return a picture of one colour."""
    file = BytesIO()
    Image.new("L" if kind == "JPEG" else "RGB", size, 127).save(file, kind, **options)
    return file.getvalue()


@cache
def cheap_pictures() -> list[tuple[bytes, str]]:
    """Return pictures that cost little to send and much to look at, and the pose they go with."""
    huge, half = (flat("WEBP", size, quality=10) for size in ((5000, 5000), (707, 707)))
    small = flat("JPEG", (640, 480), quality=10)
    return [
        *((huge, "straight"), (half, "straight"), (small, "straight")),
        *((small, "photo"), (half, "photo")),
    ]


def form(picture: bytes, pose: str) -> bytes:
    """Return the body of a request with one frame."""
    fields = {"csrfmiddlewaretoken": SECRET, "pose": pose}
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="frame"; filename="a.jpg"\r\n\r\n'
    return "".join([*parts, head]).encode() + picture + f"\r\n--{BOUNDARY}--\r\n".encode()


def send(port: int, bodies: Sequence[bytes], over: Event, answers: Counter[int]) -> None:
    """Send the requests again and again over one connection, and count the answers by status."""
    headers = {
        "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
        "Cookie": f"csrftoken={SECRET}",
        "X-Forwarded-For": ATTACKER,
    }
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for body in cycle(bodies):
        if over.is_set():
            break
        try:
            connection.request("POST", FRAMES, body, headers)
            answer = connection.getresponse()
            answer.read()
            answers[answer.status] += 1
        except (OSError, http.client.HTTPException):
            answers[0] += 1
            connection.close()
    connection.close()


def attack(port: int, bodies: list[bytes], pipe: Any) -> None:
    """Attack, and say so; when that is answered, stop, and send back what the site answered."""
    over, counts = Event(), [Counter[int]() for _ in range(CONNECTIONS)]
    threads = [
        Thread(target=send, args=(port, bodies[first:] + bodies[:first], over, counts[first]))
        for first in range(CONNECTIONS)
    ]
    for each in threads:
        each.start()
    pipe.send("begun")
    pipe.recv()
    over.set()
    for each in threads:
        each.join()
    pipe.send(sum(counts, Counter[int]()))


class Crowd:
    """The site, the member, and those who attack it.

    Attributes:
        answers: What the senders of pictures were answered, by status; 0 is no answer.
    """

    def __init__(self, site: Site, server: Any) -> None:
        self._site, self._port = site, server.port
        self._browser = trusted_visitor(server, address="198.51.100.1")
        self.answers: Counter[int] = Counter()
        self._log_in()  # warms up

    def measure(self, logins: int, rounds: int) -> dict[str, Fate]:
        """Log in under each condition, in turns."""
        conditions: dict[str, Condition] = {
            "quiet": nullcontext,
            f"{CONNECTIONS} connections with pictures of 1 kB": self._attacked,
            f"{HALF_SENT} half-sent requests": self._half_sent,
        }
        results: dict[str, list[float | None]] = {name: [] for name in conditions}
        for _round in range(rounds):
            for name, condition in conditions.items():
                with condition(self._port):
                    results[name] += [self._log_in() for _ in range(logins // rounds)]
        return {
            name: Fate([each for each in seconds if each is not None], len(seconds))
            for name, seconds in results.items()
        }

    def _log_in(self) -> float | None:
        """Return how many seconds a login took, from the page to the session; None if it failed."""
        self._site.forget_logins()
        browser, start = self._browser, time.monotonic()
        try:
            browser.ask("GET", "/face/login/")
            status, _answer = browser.log_in(MEMBER)
        except (AssertionError, KeyError, OSError, http.client.HTTPException):
            return None
        seconds = time.monotonic() - start
        if status != 200:
            return None
        log_out(browser)
        return seconds

    @contextmanager
    def _attacked(self, port: int) -> Iterator[None]:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        bodies = [form(*each) for each in cheap_pictures()]
        process = context.Process(target=attack, args=(port, bodies, theirs))
        process.start()
        ours.recv()
        time.sleep(SETTLE)
        try:
            yield
        finally:
            ours.send(None)
            self.answers += ours.recv()
            process.join()

    @contextmanager
    def _half_sent(self, port: int) -> Iterator[None]:
        head = f"POST {FRAMES} HTTP/1.1\r\nHost: localhost\r\n".encode()
        with ExitStack() as held:
            for number in range(HALF_SENT):
                client = held.enter_context(socket.create_connection(("127.0.0.1", port), 10))
                client.sendall(head + b"Content-Length: 90000\r\n\r\n" * (number % 2))
            time.sleep(SETTLE)
            yield


def hostile(seed: int) -> tuple[bytes, str]:
    """Return a picture from somebody who means ill, and the pose it goes with."""
    import django

    django.setup()
    from tests.robustness import pictures

    random = Random(seed)
    if random.random() < 0.3:
        return random.choice(cheap_pictures())
    return pictures.picture(random), random.choice(["straight", "photo"])


def memory() -> float:
    """Return the memory of this process in MB."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * resource.getpagesize() / 1024**2
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def look_at(count: int) -> tuple[float, float]:
    """Send hostile pictures to the site, in this process.

    Returns:
        By how many MB the memory grew after the warm-up, and the CPU time of the most expensive
        picture in seconds.
    """
    from django.conf import settings
    from django.core.files.uploadedfile import SimpleUploadedFile
    from django.test import Client

    from faceauth.capture import samples
    from tests.support.limits import UNLIMITED

    settings.FACEAUTH = {**settings.FACEAUTH, **UNLIMITED}
    settings.ALLOWED_HOSTS = ["*"]
    warnings.simplefilter("ignore")  # Pillow's
    client, times, before = Client(), [], 0.0

    def post(data: bytes, pose: str) -> float:
        start = time.thread_time()
        file = SimpleUploadedFile("a.jpg", data, "image/jpeg")
        answer = client.post(FRAMES, {"pose": pose, "frame": file})
        assert answer.status_code < 500, answer.content
        return time.thread_time() - start

    samples.engine().load()
    for each in cheap_pictures():
        post(*each)
    # Another process makes them, so that this one's memory is that of a site.
    with multiprocessing.get_context("spawn").Pool(1) as maker:
        batches = [range(first, min(first + BATCH, count)) for first in range(0, count, BATCH)]
        coming = maker.map_async(hostile, batches[0])
        for following in [*batches[1:], range(0)]:
            made, coming = coming.get(), maker.map_async(hostile, following)
            times += [post(*each) for each in made]
            if not before and len(times) >= WARM_UP * count:
                before = memory()
    return memory() - before, max(times)


def report(fates: dict[str, Fate], answers: Counter[int]) -> None:
    """Print the table of the logins."""
    print("| | median | 95 % | succeeded | times the quiet site's median |")
    print("| --- | --- | --- | --- | --- |")
    quiet = median(fates["quiet"].seconds)
    for name, fate in fates.items():
        cells = ["–", "–", f"{len(fate.seconds)} of {fate.tried}", "–"]
        if fate.seconds:
            middle = median(fate.seconds)
            slow = quantiles([*fate.seconds, middle], n=20, method="inclusive")[-1]
            cells = [f"{middle:.2f} s", f"{slow:.2f} s", cells[2], f"{middle / quiet:.2f}"]
        print(f"| {name} | {' | '.join(cells)} |")
    told = ", ".join(f"{count:,} × {status}" for status, count in sorted(answers.items()))
    print(f"\nThe senders of pictures were answered: {told}.", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.crowd", description=__doc__)
    parser.add_argument("--logins", type=int, default=LOGINS, metavar="N", help="of each kind")
    parser.add_argument("--rounds", type=int, default=ROUNDS, metavar="N")
    parser.add_argument("--pictures", type=int, default=PICTURES, metavar="N")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        from tests.support import postgres

        site = Site(folder, stack.enter_context(postgres.Server()).url)
        site.enrol(*PHOTOS)
        print(f"{machine()}; the site has {CORES} of them\n")
        with site.served(CORES, BEHIND_PROXY="true") as server:
            crowd = Crowd(site, server)
            fates = crowd.measure(options.logins, options.rounds)
        report(fates, crowd.answers)
        if options.pictures:
            grown, most = look_at(options.pictures)
            print(
                f"\n{options.pictures:,} hostile pictures: the memory grew by {grown:.0f} MB after "
                f"the first tenth (target: at most 30), the most expensive one took "
                f"{most * 1000:.0f} ms of CPU time (target: at most 250)."
            )
        print(f"\n{machine()}")


if __name__ == "__main__":
    main()
