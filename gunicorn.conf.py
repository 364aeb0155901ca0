"""Read by gunicorn where it is started in this folder: `gunicorn config.wsgi`.

One process: the networks take most of their time without holding Python's lock, and what is counted
in memory is counted once. `WEB_CONCURRENCY` says how many there are, and wants a `CACHE_URL` that
they share.
"""

from __future__ import annotations

import os
from typing import Any

cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

worker_class = "gthread"
# As many pictures as there are cores are looked at at a time (MAX_CONCURRENT_LOOKS); the other
# threads answer what takes no look, and hold the requests that wait for one.
threads = 2 * cores + 2
# Loads the networks once, before the workers part. Code is reloaded by starting anew.
preload_app = True

# Longer than a picture waits for a core, shorter than a visitor for an answer.
timeout = 30
graceful_timeout = 30
keepalive = 5
# A heartbeat that waits for a disk would look like a worker that hangs.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None

if "PROMETHEUS_MULTIPROC_DIR" in os.environ:

    def child_exit(server: Any, worker: Any) -> None:
        """Forget what a process that ended was doing: see docs/deployment.md."""
        from prometheus_client import multiprocess

        multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
