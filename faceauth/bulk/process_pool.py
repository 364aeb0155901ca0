"""Share work among several processes."""

from __future__ import annotations

import os
import pickle
import signal
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context, parent_process
from threading import Thread
from typing import Any, TypeVar

import cv2
import django
from django.conf import settings

Item = TypeVar("Item")
Result = TypeVar("Result")

_work: Callable[[Any], Any]


def in_processes(
    work: Callable[[Item], Result], items: Sequence[Item], processes: int | None = None
) -> Generator[Result, None, None]:
    """Yield `work(item)` for each item, in order.

    Close the generator if you leave it early.

    Args:
        work: A function that can be pickled.
        items: The arguments.
        processes: The number of processes; by default one for each core.

    Raises:
        BrokenProcessPool: A process was killed, in most cases because memory was full.
    """
    count = min(processes or os.cpu_count() or 1, len(items))
    if count <= 1:
        yield from map(work, items)
        return
    # Spawned, not forked: a fork would copy the parent's threads in the middle of their work.
    pool = ProcessPoolExecutor(
        count,
        mp_context=get_context("spawn"),
        initializer=_begin,
        # As bytes, because unpickling the function may need a Django that is set up.
        initargs=(getattr(settings, "FACEAUTH", {}), pickle.dumps(work)),
    )
    try:
        yield from pool.map(_run, items)
    finally:
        pool.shutdown(cancel_futures=True)


def _begin(face_settings: dict[str, Any], work: bytes) -> None:
    """Prepare a new process, with the settings that are in force in the parent."""
    global _work
    # The parent ends its processes itself. If it is killed, they end with it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with_parent, daemon=True).start()
    cv2.setNumThreads(1)
    django.setup()
    settings.FACEAUTH = face_settings
    _work = pickle.loads(work)


def _run(item: Any) -> Any:
    return _work(item)


def _end_with_parent() -> None:
    parent = parent_process()
    assert parent
    parent.join()
    os._exit(1)
