"""A worker for gunicorn whose threads never wait for a client.

In gunicorn's own worker a thread reads the request, however slowly it comes: as many half-sent
requests as there are threads stop the site. Here one thread reads all of them, and the others only
get requests that are complete.
"""

from __future__ import annotations

import re
import socket
import struct
import time
from collections import Counter
from contextlib import suppress
from functools import partial
from selectors import EVENT_READ
from typing import Any

from gunicorn import http
from gunicorn.workers.gthread import TConn, ThreadWorker

MAX_HEAD = 64 * 1024  # bytes of a request line and headers
MAX_REQUEST = 64 * 1024**2  # bytes; what the site does not take, it can then still answer
MAX_HELD = 256 * 1024**2  # bytes of all requests of a worker
MIN_RATE = 8 * 1024  # bytes a second
GRACE = 15.0  # seconds for a request, and those that its bytes take at `MIN_RATE`
SEND_SECONDS = 10  # until a client has to take more of a response
SEND_BUFFER = 256 * 1024  # bytes of a response that the kernel takes at once

_CHUNK = 256 * 1024
# As gunicorn reads them; what it would read otherwise, it refuses.
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d+)[ \t]*\r\n", re.IGNORECASE)
_ENCODING = re.compile(rb"\r\ntransfer-encoding:", re.IGNORECASE)


class Connection(TConn):  # type: ignore[misc]
    """A connection, and what has come of its next request.

    Attributes:
        data: What has come.
        whole: The length of the request, or 0 if it is not known yet.
        since: When the request began, by `time.monotonic`.
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.data, self.whole, self.since = bytearray(), 0, 0.0

    def begin(self) -> None:
        """Expect a request, some of which may have come together with the one before."""
        self.sock.setblocking(False)
        self.data = bytearray(self.parser.unreader.take_buffered() if self.parser else b"")
        self.whole, self.since = 0, time.monotonic()

    def problem(self) -> str:
        """Return the status of a request that cannot be read, or ""."""
        if not self.whole:
            end = self.data.find(b"\r\n\r\n")
            if (end if end >= 0 else len(self.data)) > MAX_HEAD:
                return "431 Request Header Fields Too Large"
            if end < 0:
                return ""
            head = self.data[: end + 2]
            if _ENCODING.search(head):  # Django does not read such bodies
                return "411 Length Required"
            length = found[1] if (found := _LENGTH.search(head)) else b"0"
            if len(length) > 12 or int(length) > MAX_REQUEST:
                return "413 Content Too Large"
            self.whole = end + 4 + int(length)
        return ""

    def complete(self) -> bool:
        """Return True if the whole request has come."""
        return 0 < self.whole <= len(self.data)

    def late(self, now: float) -> bool:
        """Return True if the request should have come by now."""
        return now > self.since + GRACE + len(self.data) / MIN_RATE

    def refuse(self, status: str) -> None:
        """Send an error without waiting for the client."""
        answer = f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        with suppress(OSError):
            self.sock.send(answer.encode())

    def close(self, graceful: bool = False) -> None:
        """Close without waiting for the client.

        gunicorn waits up to two seconds for it, and does nothing else meanwhile.
        """
        super().close()


class BufferingWorker(ThreadWorker):  # type: ignore[misc]
    """Read requests in the main thread, and give those that are complete to the other threads.

    If there are too many connections, the one that has been sending for the longest time is closed,
    of those from the address with the most of them; if there are too many bytes, the one with the
    most of them. Connections that gunicorn itself encrypts are read by the threads.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._arriving: dict[Connection, None] = {}  # the oldest first
        self._held = 0  # bytes
        self._checked = 0.0  # when, by `time.monotonic`

    def accept(self, listener: Any) -> None:
        """Accept a connection. There is always room for another one."""
        try:
            client, address = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        # Not `settimeout`: gunicorn sets it back.
        limit = struct.pack("ll", SEND_SECONDS, 0)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
        self.nr_conns += 1
        self.enqueue_req(Connection(self.cfg, client, address, listener.getsockname()))
        if self.nr_conns >= self.worker_connections and self._arriving:
            addresses = Counter(each.client[:1] for each in self._arriving)
            self._drop(max(self._arriving, key=lambda each: addresses[each.client[:1]]))

    def enqueue_req(self, conn: Connection) -> None:
        """Read a request, of which something may have come."""
        if self.cfg.is_ssl:
            super().enqueue_req(conn)
            return
        conn.begin()
        self._held += len(conn.data)
        self._arriving[conn] = None
        self.poller.register(conn.sock, EVENT_READ, partial(self._read, conn))
        if conn.data:
            self._judge(conn)
        else:
            self._read(conn)

    def finish_request(self, conn: Connection, result: Any) -> None:
        """Forget a request that was answered."""
        self._held -= len(conn.data)
        conn.data = bytearray()
        super().finish_request(conn, result)

    def murder_pending(self) -> None:
        """Close the connections of requests that should have come by now."""
        super().murder_pending()
        now = time.monotonic()
        if now < self._checked + 1:
            return
        self._checked = now
        for conn in [*self._arriving]:
            # Browsers open connections before they need them; a worker that stops closes those.
            if conn.late(now) or not (self.alive or conn.data):
                self._drop(conn, "408 Request Timeout" if conn.data else "")

    def _read(self, conn: Connection, _client: Any = None) -> None:
        if conn not in self._arriving:  # dropped after it became readable
            return
        try:
            data = conn.sock.recv(_CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._drop(conn)
            return
        conn.data += data
        self._held += len(data)
        self._judge(conn)

    def _judge(self, conn: Connection) -> None:
        """Start with a request if it is complete, refuse what is none, and wait for the rest."""
        if problem := conn.problem():
            self._drop(conn, problem)
        elif conn.complete():
            self._leave(conn)
            # The threads read from memory, so none of them can wait for the network.
            conn.parser = http.get_parser(self.cfg, [bytes(conn.data)], conn.client)
            conn.data_ready = True
            super().enqueue_req(conn)
        elif self._held > MAX_HELD:
            self._drop(max(self._arriving, key=lambda each: len(each.data)))

    def _leave(self, conn: Connection) -> None:
        del self._arriving[conn]
        self.poller.unregister(conn.sock)

    def _drop(self, conn: Connection, status: str = "") -> None:
        self._leave(conn)
        if status:
            conn.refuse(status)
        self.nr_conns -= 1
        self._held -= len(conn.data)
        conn.close()
