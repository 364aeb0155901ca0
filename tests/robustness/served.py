"""The site as the tests have gunicorn serve it.

It notes which guesses reach the comparison, and its clock goes by what is in a file.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

import time_machine

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.projects.site.settings")

from django.conf import settings  # noqa: E402

from config.wsgi import application as site  # noqa: E402
from faceauth.lockout import counters
from faceauth.recognition import policy  # noqa: E402

# Each client says by this header who it is; by X-Forwarded-For where it comes from.
CLIENT = "HTTP_X_CLIENT"
settings.FACEAUTH["TRUSTED_PROXIES"] = 1
counters.FIRST_WAIT = timedelta(seconds=float(os.environ["FIRST_WAIT"]))

_notes = os.open(os.environ["NOTES"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
_asking = threading.local()


def _noted(decide: Any) -> Any:
    def noted(*arguments: Any) -> Any:
        # One write that appends: those of several processes do not mix.
        os.write(_notes, f"{time.monotonic()} {_asking.client}\n".encode())
        return decide(*arguments)

    return noted


policy.verify, policy.identify = _noted(policy.verify), _noted(policy.identify)


_clock = Path(os.environ["CLOCK"])
_set_clock = threading.Lock()
_clocks: list[Any] = []  # none, or the one that can be set


def _look_at_clock() -> None:
    """Let this process's clock be as many seconds off as the file says, if there is one."""
    if not _clock.exists():
        return
    with _set_clock:
        if not _clocks:
            _clocks.append(time_machine.travel(time.time(), tick=True).start())
        _clocks[0].move_to(time_machine.escape_hatch.time.time() + float(_clock.read_text()))


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    _asking.client = environ.get(CLIENT, "")
    _look_at_clock()

    def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
        return start_response(status, [*headers, ("X-Process", str(os.getpid()))], *more)

    return site(environ, start)
