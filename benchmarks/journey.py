"""Measure how long people wait: a real browser on the real site, and a person who is scripted.

Run ``python -m benchmarks.journey``. The site runs in gunicorn with its own settings, the browser
is Chromium. The person is a photo that moves as a head does: 0.35 seconds after the page shows a
step they begin to move, for 0.5 seconds. The fake camera starts as quickly as a real one.

Everything shares this machine's cores, so run it while nothing else does.
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from benchmarks.serving import PASSWORD, Site

LOGINS = 20

CAMERA = 0.75  # seconds that a laptop's camera takes to start

MEMBER, STRANGER = "obama", "biden"  # whose faces they have

# Tells when the page was opened, the camera was on, and so on, in milliseconds since the epoch.
NOTES = """
    const tell = (name) => note(name, Date.now());
    note("open", performance.timeOrigin);
    const mark = performance.mark.bind(performance);
    performance.mark = (name, ...more) => {
        tell(name.replace("faceauth:", ""));
        return mark(name, ...more);
    };
    addEventListener("DOMContentLoaded", () => {
        tell(`shown ${location.pathname}${location.search}`);
        const states = new MutationObserver((changes) => {
            for (const { target } of changes) tell(target.dataset.state);
        });
        const options = { subtree: true, attributeFilter: ["data-state"] };
        states.observe(document.body, options);
    });
    let pictures = 0;
    addEventListener("faceauth:capture", () => tell(`picture ${(pictures += 1)}`));
    addEventListener("change", () => tell("agreed"));
    const open = navigator.mediaDevices?.getUserMedia.bind(navigator.mediaDevices);
    if (open) navigator.mediaDevices.getUserMedia = async (...all) => {
        const started = new Promise((done) => setTimeout(done, CAMERA));
        const [stream] = await Promise.all([open(...all), started]);
        return stream;
    };
"""

MAX_UNFINISHED = 3  # and as many more as are measured

STAGES = ("camera", "face", "passed", "answer")


class Journey(NamedTuple):
    """One login.

    Attributes:
        seconds: From the beginning, as a rule the opening of the page, to the end.
        stages: Seconds from the beginning to those of `STAGES` that were reached.
        cpu: Seconds of CPU time that the server took; None where that is unknown.
    """

    seconds: float
    stages: Mapping[str, float]
    cpu: float | None


class UnfinishedError(Exception):
    """A journey did not come to its end, such as one of somebody who was refused."""


class Row(NamedTuple):
    """Journeys of one kind.

    Attributes:
        name: The kind.
        target: Seconds that they should take at most.
        journeys: The journeys.
        unfinished: The number of further ones that did not come to their end.
    """

    name: str
    target: float
    journeys: list[Journey]
    unfinished: int


class Notes:
    """The events that pages note while they are used, and their times."""

    def __init__(self) -> None:
        self._told: list[tuple[str, float]] = []

    def note(self, name: str, milliseconds: float) -> None:
        """Note that something happened."""
        self._told.append((name, milliseconds / 1000))

    def clear(self) -> None:
        """Forget everything."""
        self._told.clear()

    def first(self, *names: str) -> float | None:
        """Return when the first thing happened whose name begins with one of these."""
        return next((at for name, at in self._told if name.startswith(names)), None)

    def last(self, name: str) -> float | None:
        """Return when this happened last."""
        return next((at for told, at in reversed(self._told) if told == name), None)

    def journey(self, *ends: str, start: str = "open") -> Journey:
        """Return the journey that ended with the first of these."""
        begin, end = self.first(start), self.first(*ends)
        if begin is None or end is None:
            raise UnfinishedError(str(self._told))
        reached = {name: at - begin for name in STAGES if (at := self.last(name)) is not None}
        return Journey(end - begin, reached, None)


class Bench:
    """A browser, a webcam and the site."""

    def __init__(self, site: Site, visitors: Any, webcam: Any, logins: int) -> None:
        self.site, self.visitors, self.webcam, self.logins = site, visitors, webcam, logins
        self.notes = Notes()

    def open(self, path: str = "/") -> Any:
        """Open a page in a new browser, which tells what happens in it from then on."""
        page = self.visitors.open(path)
        page.context.expose_function("note", self.notes.note)
        page.context.add_init_script(NOTES.replace("CAMERA", str(1000 * CAMERA)))
        return page

    def go(self, page: Any, server: Any, path: str, *ends: str, agreeing: bool = False) -> Journey:
        """Go to a page, and wait until one of these is told.

        Args:
            page: A page of the browser.
            server: The server.
            path: Where to go.
            *ends: The beginnings of what may be told.
            agreeing: Tick the box there. The journey begins with that.
        """
        self.site.forget()
        self.notes.clear()
        page.goto(path, wait_until="commit")
        before = cpu_of(server.process.pid)
        if agreeing:
            page.get_by_label("I agree").check()
        for _ in range(600):
            if self.notes.first(*ends):
                break
            page.wait_for_timeout(50)
        page.wait_for_timeout(200)  # the server finishes, too
        after = cpu_of(server.process.pid)
        spent = None if before is None or after is None else after - before
        journey = self.notes.journey(*ends, start="agreed" if agreeing else "open")
        return journey._replace(cpu=spent)

    def repeat(self, name: str, target: float, journey: Callable[[], Journey]) -> Row:
        """Repeat a journey. The first one, which warms up, does not count."""
        done: list[Journey] = []
        unfinished = 0
        while len(done) <= self.logins:
            try:
                done.append(journey())
            except UnfinishedError:
                unfinished += 1
                if unfinished > MAX_UNFINISHED + self.logins:
                    raise
        return Row(name, target, done[1:], unfinished)

    def trusted(self, server: Any) -> Any:
        """Return a page of a browser that the member trusts."""
        from tests.support.browsing import log_in_by_password

        page = self.open("/face/login/")
        page.get_by_role("region", name="With your password").wait_for()
        log_in_by_password(page, PASSWORD)
        page.wait_for_url("**/profile/**")
        return page

    def rows(self) -> Iterator[Row]:
        """Yield the measured rows."""
        with self.site.served() as server:
            self.visitors.site = f"http://localhost:{server.port}"
            page = self.trusted(server)

            def log_in(*ends: str) -> Journey:
                page.context.clear_cookies(name="sessionid")
                return self.go(page, server, "/face/login/", *ends)

            def unknown() -> Journey:
                other = self.open()
                journey = self.go(other, server, "/face/login/", "shown /face/login/?step=code")
                other.context.close()
                return journey

            self.webcam.follow(MEMBER)
            yield self.repeat(
                "trusted device, to the next page", 2.5, lambda: log_in("shown /accounts/")
            )
            yield self.repeat("unknown device, to the code", 5, unknown)

            def enrol(*ends: str) -> Journey:
                return self.go(page, server, "/face/enrol/", *ends, agreeing=True)

            yield self.repeat("enrolment, five pictures", 8, lambda: enrol("picture 5"))
            yield self.repeat("enrolment, with the challenge", 12, lambda: enrol("complete"))
            self.webcam.follow(STRANGER)
            yield self.repeat(
                "stranger on a trusted device, to the reason", 6, lambda: log_in("refused")
            )
        with self.site.served(FACEAUTH_UNKNOWN_DEVICES="allow") as server:
            self.visitors.site = f"http://localhost:{server.port}"

            def stranger() -> Journey:
                other = self.open()
                journey = self.go(other, server, "/face/login/", "refused")
                other.context.close()
                return journey

            yield self.repeat("stranger, full challenge, to the reason", 6, stranger)


def cpu_of(pid: int) -> float | None:
    """Return the seconds of CPU time of a process and its children, or None if it is unknown."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        total = 0
        for each in (pid, *children):
            fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
    except OSError:
        return None
    return total / os.sysconf("SC_CLK_TCK")


def machine() -> str:
    """Return what the measurement ran on, and how busy it was."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        name = next(line.partition(":")[2].strip() for line in lines if line.startswith("model n"))
    except (OSError, StopIteration):
        name = platform.processor() or platform.machine()
    return f"{name}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"


def report(row: Row) -> None:
    """Print a row of the table."""
    times = sorted(each.seconds for each in row.journeys)
    name = f"{row.name} ({row.unfinished} more did not end)" if row.unfinished else row.name
    cells = [name, f"{median(times):.2f}", f"{times[0]:.2f} to {times[-1]:.2f}"]
    for stage in STAGES:
        reached = [each.stages[stage] for each in row.journeys if stage in each.stages]
        cells.append(f"{median(reached):.2f}" if reached else "–")
    cpu = [each.cpu for each in row.journeys if each.cpu is not None]
    cells.append(f"{median(cpu):.2f}" if cpu else "–")
    print(f"| {' | '.join(cells)} | {row.target:.1f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.journey", description=__doc__)
    parser.add_argument("--logins", type=int, default=LOGINS, metavar="N")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # Playwright's loop is in this thread
        site = Site(folder)
        from playwright.sync_api import sync_playwright

        from tests.support import chromium
        from tests.support.browsing import Visitors
        from tests.support.webcam import Webcam

        site.enrol("obama2", "obama3")
        webcam = Webcam(folder / "webcam.y4m")
        stack.callback(webcam.leave)
        playwright = stack.enter_context(sync_playwright())
        visitors = Visitors(playwright, chromium.find(), webcam)
        stack.callback(visitors.close)
        print(f"{machine()}; {options.logins} each; seconds, medians; the camera takes {CAMERA}\n")
        print("| | in all | spread | camera | face | steps | answer | server's CPU | target |")
        print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
        for row in Bench(site, visitors, webcam, options.logins).rows():
            report(row)
        visitors.leave()
        print(f"\n{machine()}")


if __name__ == "__main__":
    main()
