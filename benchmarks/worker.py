"""Measure a new worker process against Django alone: CPU time until it is ready, and memory."""

from __future__ import annotations

import json
import subprocess
import sys
from statistics import median
from typing import NamedTuple

RUNS = 5

# Both programs end by printing their CPU seconds and their resident memory in MB.
_REPORT = """
import json, resource
usage = resource.getrusage(resource.RUSAGE_SELF)
status = open("/proc/self/status").read()
memory = int(status.split("VmRSS:")[1].split()[0]) / 1024
print(json.dumps([usage.ru_utime + usage.ru_stime, memory]))
"""
_BARE = """
import django
from django.conf import settings
settings.configure(
    SECRET_KEY="bare",
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
)
django.setup()
from django.core.wsgi import get_wsgi_application
get_wsgi_application()
"""
_OURS = """
from django.core.wsgi import get_wsgi_application
get_wsgi_application()
from faceauth.capture.samples import engine
engine().load()
"""


class Cost(NamedTuple):
    """Medians of several runs: CPU seconds and megabytes more than Django alone."""

    seconds: float
    megabytes: float


def measure() -> Cost:
    """Measure a worker process that has loaded the networks."""
    bare, ours = ([_run(code) for _ in range(RUNS)] for code in (_BARE, _OURS))
    seconds, megabytes = (
        median(run[index] for run in ours) - median(run[index] for run in bare) for index in (0, 1)
    )
    return Cost(seconds, megabytes)


def _run(code: str) -> tuple[float, float]:
    command = [sys.executable, "-c", code + _REPORT]
    seconds, megabytes = json.loads(subprocess.check_output(command, text=True))
    return seconds, megabytes
