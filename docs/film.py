"""Film a login: ``python -m docs.film`` writes ``login.webp`` and ``login.png``, for the README.

``python -m docs.film FOLDER`` writes them elsewhere. The site runs in gunicorn with its own
settings, the browser is Chromium, and the person is scripted: a photograph of an astronaut, which
is in the public domain, that moves as a head does.
"""

from __future__ import annotations

import io
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from PIL import Image

PERSON = "astronaut"
SIZE = 1080, 720  # of the window
SMALL = 864, 576  # of the film
QUALITY = 75
INTERVAL = 0.05  # seconds from picture to picture
GREETING = 2.5  # seconds for which the last picture stays
MAX_SECONDS = 20
ATTEMPTS = 3  # on a busy machine a movement may be seen too late


def film(page: Any) -> Iterator[tuple[float, str, Image.Image]]:
    """Yield what a page shows during a login: seconds, the movement asked for, and a picture.

    Raises:
        TimeoutError: The login did not succeed in `MAX_SECONDS`.
    """
    from playwright.sync_api import Error

    begin = time.monotonic()
    while (now := time.monotonic() - begin) < MAX_SECONDS:
        try:
            step = page.evaluate("document.querySelector('.faceauth')?.dataset.pose ?? ''")
        except Error:  # it is just being left
            step = ""
        yield now, step, Image.open(io.BytesIO(page.screenshot())).convert("RGB")
        if "/login/" not in page.url:
            return
        time.sleep(INTERVAL)
    raise TimeoutError("The login did not succeed.")


def write(folder: Path, taken: list[tuple[float, str, Image.Image]]) -> None:
    """Write the film, and the picture of a movement, if there is one to the side."""
    times = [at for at, _step, _picture in taken]
    ends = [*times[1:], times[-1] + GREETING]
    first, *others = (picture.resize(SMALL, Image.Resampling.LANCZOS) for *_, picture in taken)
    first.save(
        folder / "login.webp",
        save_all=True,
        append_images=others,
        duration=[round(1000 * (end - at)) for at, end in zip(times, ends, strict=True)],
        loop=0,
        quality=QUALITY,
        method=6,
    )
    moving = [(step, picture) for _at, step, picture in taken if step not in ("", "straight")]
    sideways = [each for each in moving if each[0].startswith(("left", "right"))] or moving
    _step, still = sideways[len(sideways) // 2]
    still.quantize(256, dither=Image.Dither.FLOYDSTEINBERG).save(
        folder / "login.png", optimize=True
    )


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # Playwright's loop is in this thread
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        from benchmarks.serving import Site

        site = Site(scratch)
        from playwright.sync_api import sync_playwright

        from tests.support import chromium
        from tests.support.browsing import Visitors
        from tests.support.webcam import Webcam

        site.enrol(PERSON, f"{PERSON} left")
        webcam = Webcam(scratch / "webcam.y4m")
        stack.callback(webcam.leave)
        visitors = Visitors(stack.enter_context(sync_playwright()), chromium.find(), webcam)
        stack.callback(visitors.close)
        server = stack.enter_context(site.served(FACEAUTH_UNKNOWN_DEVICES="allow"))
        visitors.site = f"http://localhost:{server.port}"
        webcam.follow(PERSON)
        size = {"width": SIZE[0], "height": SIZE[1]}
        page = visitors.open("/face/login/?next=/", viewport=size)
        for attempt in range(ATTEMPTS):
            try:
                taken = list(film(page))
                break
            except TimeoutError:
                if attempt == ATTEMPTS - 1:
                    raise
                page.reload()
        page.get_by_text("Welcome back").wait_for()
        page.wait_for_timeout(300)
        last = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
        write(folder, [*taken[:-1], (taken[-1][0], "", last)])
        visitors.leave()


if __name__ == "__main__":
    main()
