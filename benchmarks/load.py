"""Measure how many logins a second two cores carry, beside what tutorials do with face_recognition.

Run ``python -m benchmarks.load``, while the machine does nothing else. One after the other, each
site is served by gunicorn with `gunicorn.conf.py`, and 1, 10 and 50 people log in to it, each again
as soon as their last login has ended. 100 people are enrolled. The site, its database (PostgreSQL)
and the people's browsers share two cores.

People with one picture send it at once, so the site does as much as it can. People with a challenge
move as people do: 0.35 seconds after a step is shown they begin, and take 0.5 seconds; meanwhile,
their browsers send up to eight frames a second.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from http.client import HTTPException
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks import load_people, serving
from benchmarks.journey import cpu_of, machine
from tests.support import postgres

AT_ONCE = (1, 10, 50)


class Case(NamedTuple):
    """A row of the table.

    Attributes:
        name: The site and what it looks at.
        crowd: The site and its people.
        longer: How many times as long it is measured as others, whose logins take less.
    """

    name: str
    crowd: load_people.Crowd
    longer: int = 1


class Load(NamedTuple):
    """How people fared who logged in at the same time.

    Attributes:
        elapsed: Seconds that were measured.
        seconds: What each successful login took.
        failures: Why others did not succeed, and how often.
        cpu: Seconds of CPU time that the site, its database and the browsers took.
        memory: Of the site's processes, in MB.
    """

    elapsed: float
    seconds: list[float]
    failures: Counter[str]
    cpu: tuple[float, ...]
    memory: float

    def __str__(self) -> str:
        parts = [f"**{len(self.seconds) / self.elapsed:.2g}**"]
        if self.seconds:
            middle, late = np.percentile(self.seconds, (50, 95))
            parts.append(f"{middle:.2f} s ({late:.2f} s)")
        if failed := self.failures.total():
            parts.append(f"{failed / (failed + len(self.seconds)):.0%} failed")
        return ", ".join(parts)


def measure(case: Case, server: Any, database: int, at_once: int, seconds: float) -> Load:
    """Let so many people log in for so many seconds.

    Args:
        case: The row.
        server: Its server.
        database: The database's process.
        at_once: The number of people.
        seconds: How long.
    """
    people = [case.crowd.person(server, number) for number in range(at_once)]
    processes = (server.process.pid, database, os.getpid())
    before = [cpu_of(each) or 0.0 for each in processes]
    end = time.monotonic() + seconds
    with ThreadPoolExecutor(at_once) as threads:
        running = [threads.submit(keep_logging_in, each, end) for each in people]
        time.sleep(seconds)
        cpu = [cpu_of(each) or 0.0 for each in processes]
        memory = megabytes(server.process.pid)
        told = [one for each in running for one in each.result()]
    return Load(
        seconds,
        [took for took, ended, reason in told if not reason and ended <= end],
        Counter(reason for _took, _ended, reason in told if reason),
        tuple(after - earlier for after, earlier in zip(cpu, before, strict=True)),
        memory,
    )


def keep_logging_in(log_in: load_people.LogIn, end: float) -> list[tuple[float, float, str]]:
    """Log somebody in until the end. Return what each login took, when it ended, and its reason."""
    told = []
    while (start := time.monotonic()) < end:
        try:
            reason = log_in()
        except (OSError, HTTPException) as error:
            reason = type(error).__name__
        ended = time.monotonic()
        told.append((ended - start, ended, reason))
    return told


def megabytes(pid: int) -> float:
    """Return the memory of a process and its children, of which what they share counts once."""
    total = 0
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    for each in (str(pid), *children):
        text = Path(f"/proc/{each}/smaps_rollup").read_text()
        total += int(text.partition("\nPss:")[2].split()[0])
    return total / 1024


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    parser.add_argument("--seconds", type=float, default=20, help="for each figure")
    parser.add_argument("--at-once", type=int, nargs="+", default=AT_ONCE, metavar="N")
    parser.add_argument("--rows", nargs="+", default=[""], help="only those with this in the name")
    options = parser.parse_args()
    with ExitStack() as stack:
        stack.enter_context(serving.only(load_people.CORES))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        database = stack.enter_context(postgres.Server(durable=True))
        site = load_people.Faceauth(folder, database.url)
        load_people.render()
        photos = folder / "photos"
        cases = [
            Case("folder of photos", load_people.Tutorial("folder", photos, site), 6),
            Case("encodings in memory", load_people.Tutorial("memory", photos, site)),
            Case("faceauth, one picture", load_people.WithPicture(site)),
            Case("faceauth, trusted device", load_people.OnTrustedDevice(site)),
            Case("faceauth, unknown device", load_people.OnUnknownDevice(site)),
        ]
        print(f"{machine()}, of which {load_people.CORES} are used\n")
        print("| people at once | " + " | ".join(map(str, options.at_once)) + " | memory |")
        print("| --- |" + " --- |" * len(options.at_once) + " --- |")
        lines: list[str] = []
        for case in cases:
            if not any(each in case.name for each in options.rows):
                continue
            print(f"| {case.name} ", end="", flush=True)
            with case.crowd.served() as server:
                case.crowd.person(server, 0)()  # warms up
                for at_once in options.at_once:
                    seconds = options.seconds * case.longer
                    load = measure(case, server, database.pid, at_once, seconds)
                    print(f"| {load} ", end="", flush=True)
                    lines.append(details(case, at_once, load))
            print(f"| {load.memory:.0f} MB |", flush=True)
        print("\nCPU time per login:", *lines, "", machine(), sep="\n")


def details(case: Case, at_once: int, load: Load) -> str:
    """Return where the CPU time went, and why logins failed."""
    done = max(len(load.seconds), 1)
    shares = ", ".join(
        f"{name} {1000 * spent / done:,.0f} ms ({spent / load.elapsed:.2f} cores)"
        for name, spent in zip(("site", "database", "browsers"), load.cpu, strict=True)
    )
    failures = "".join(f"; failed: {reason} ({n})" for reason, n in load.failures.items())
    return f"{case.name}, {at_once} at once: {len(load.seconds)} logins; {shares}{failures}"


if __name__ == "__main__":
    main()
