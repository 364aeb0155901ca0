"""Configure gunicorn, which reads this file when `gunicorn config.wsgi` is started in this folder.

The default is one process: the networks release Python's lock for most of their time.
`WEB_CONCURRENCY` sets the number of processes.
"""

from __future__ import annotations

import os
from typing import Any

# Threads never wait for a client, however slowly it sends or reads.
worker_class = "config.gunicorn_worker.BufferingWorker"
# The most connections of a process: those that send, wait and read. Less than the 1,024 files that
# a process may have open by default.
worker_connections = 512
# Pictures are analysed on as many cores as there are (MAX_CONCURRENT_LOOKS). The other threads hold
# the requests that wait for one. Each thread keeps a connection to the database, of which
# PostgreSQL allows 100 by default; docs/deployment.md says what threads cost.
threads = max(8, 64 // int(os.environ.get("WEB_CONCURRENCY") or 1))
# `socket.sendfile` would wait for clients that do not read.
sendfile = False
# Loads the networks once, before the workers fork. To reload the code, restart gunicorn.
preload_app = True

# Longer than a picture waits for a core, shorter than a visitor waits for an answer.
timeout = 30
graceful_timeout = 30
keepalive = 5
# gunicorn 25 would open a socket in the home of its user, over which it can be controlled.
control_socket_disable = True
# If the heartbeat had to wait for a disk, the worker would seem to hang.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None

if "PROMETHEUS_MULTIPROC_DIR" in os.environ:

    def child_exit(server: Any, worker: Any) -> None:
        """Remove the metrics of a worker that has ended: see docs/deployment.md."""
        from prometheus_client import multiprocess

        multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
