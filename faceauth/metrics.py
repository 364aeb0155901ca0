"""Numbers for Prometheus: requests, events, stages. Nothing is counted if ``METRICS`` is False.

No label identifies a user: the site's addresses, the outcomes and the stages are few and known.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache, wraps
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from . import conf

if TYPE_CHECKING:
    from prometheus_client import Counter, Gauge, Histogram

View = Callable[..., HttpResponseBase]

# The environment variable with the folder in which several processes share their counts.
MULTIPROC_DIR = "PROMETHEUS_MULTIPROC_DIR"

# The buckets: a stage takes from a hundredth of a millisecond to the seconds that visitors wait
# when there are many of them.
SECONDS = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)

# The buckets of what people wait for: see `audit.timings`.
LOGIN_SECONDS = (0.25, 0.5, 0.75, 1, 1.5, 2, 2.5, 3, 4, 5, 7.5, 10, 15, 20, 30, 60)

_OFF = nullcontext()


class _Collectors(NamedTuple):
    requests: Counter
    events: Counter
    seconds: Histogram
    logins: Histogram
    now: Gauge
    people: Gauge


@cache
def installed() -> bool:
    """Return True if prometheus-client is installed."""
    return find_spec("prometheus_client") is not None


def enabled() -> bool:
    """Return True if the site counts."""
    return conf.get().METRICS and installed()


def stage(name: str) -> AbstractContextManager[None]:
    """Measure how long a stage takes, and how many requests are in it at the same time."""
    return _measured(name) if enabled() else _OFF


def set_gallery_size(count: int) -> None:
    """Record how many people the gallery holds."""
    if enabled():
        _collectors().people.set(count)


def count_event(kind: str, mode: str, outcome: str) -> None:
    """Count an event of the audit log: see `audit.events`."""
    if enabled():
        _collectors().events.labels(kind, mode, outcome).inc()


def observe_login(device: str, times: Mapping[str, float]) -> None:
    """Count how long a login took until each stage ended: see `audit.timings`.

    Args:
        device: The kind of device.
        times: The seconds since the page was opened, by stage.
    """
    if enabled():
        for name, seconds in times.items():
            _collectors().logins.labels(name, device).observe(seconds)


def count_requests(view: View) -> View:
    """Decorate a view to count its requests by their outcome."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not enabled():
            return view(request, *args, **kwargs)
        outcome = "failure"
        try:
            response = view(request, *args, **kwargs)
            outcome = _outcome(response)
            return response
        finally:
            match = request.resolver_match
            name = match.view_name if match else "unknown"
            _collectors().requests.labels(name, outcome).inc()

    return wrapped


@never_cache
@require_GET
def metrics(request: HttpRequest) -> HttpResponse:
    """Return all numbers in the format of Prometheus.

    No URL leads to this view unless the project's ``urls.py`` adds one, because the numbers are
    not meant for visitors.
    """
    if not enabled():
        raise Http404
    from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
    from prometheus_client.multiprocess import MultiProcessCollector

    _collectors()
    registry = REGISTRY
    if MULTIPROC_DIR in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _outcome(response: HttpResponseBase) -> str:
    """Return the code of a `FaceError`, or else "ok" or the status."""
    code: str | None = getattr(response, "face_error", None)
    if code:
        return code
    return "ok" if response.status_code < 400 else str(response.status_code)


@contextmanager
def _measured(name: str) -> Iterator[None]:
    collectors = _collectors()
    with collectors.now.labels(name).track_inprogress(), collectors.seconds.labels(name).time():
        yield


@cache
def _collectors() -> _Collectors:
    from prometheus_client import Counter, Gauge, Histogram

    return _Collectors(
        requests=Counter("faceauth_requests", "Requests with pictures.", ["address", "outcome"]),
        events=Counter("faceauth_events", "Events of the audit log.", ["kind", "mode", "outcome"]),
        seconds=Histogram(
            "faceauth_stage_seconds", "Duration of stages.", ["stage"], buckets=SECONDS
        ),
        logins=Histogram(
            "faceauth_login_stage_seconds",
            "Time from the opening of the login page until each stage ended.",
            ["stage", "device"],
            buckets=LOGIN_SECONDS,
        ),
        now=Gauge(
            "faceauth_stage_now",
            "Requests in each stage now; 'wait' is the queue for a free core.",
            ["stage"],
            multiprocess_mode="livesum",
        ),
        people=Gauge(
            "faceauth_gallery_people",
            "People enrolled, as of the last search without a username.",
            multiprocess_mode="mostrecent",
        ),
    )
