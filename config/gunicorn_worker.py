"""A worker for gunicorn whose threads never wait for a client.

In gunicorn's own worker a thread reads the request, however slowly it comes, and sends the answer,
however slowly it is taken: as many slow clients as there are threads stop the site. Here one thread
does that for all clients, and the others only get requests that are complete.
"""

from __future__ import annotations

import re
import socket
import struct
import time
from collections import Counter, deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from itertools import pairwise
from selectors import EVENT_READ, EVENT_WRITE
from typing import Any

from gunicorn import http
from gunicorn.workers.gthread import TConn, ThreadWorker

MAX_HEAD = 64 * 1024  # bytes of a request line and headers
MAX_REQUEST = 64 * 1024**2  # bytes; what the site does not take, it can then still answer
MAX_HELD = 256 * 1024**2  # bytes of all requests and answers of a worker
MAX_ANSWER = 1024**2  # bytes that a client has not taken yet; for more, a thread waits
MIN_RATE = 8 * 1024  # bytes a second
GRACE = 15.0  # seconds for a request or an answer, and those that its bytes take at `MIN_RATE`
SEND_SECONDS = 10  # until a client has to take more of an answer that a thread waits with
RESERVE = 8  # one in so many threads is kept for addresses that have none

_CHUNK, _PART = 256 * 1024, 64 * 1024
# As gunicorn reads them; what it would read otherwise, it refuses.
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d+)[ \t]*\r\n", re.IGNORECASE)
_ENCODING = re.compile(rb"\r\ntransfer-encoding:", re.IGNORECASE)


class Outgoing(socket.socket):
    """A socket that keeps what the client does not take at once.

    Attributes:
        waiting: What it keeps.
    """

    def __init__(self, client: socket.socket) -> None:
        super().__init__(client.family, client.type, client.proto, client.detach())
        self.waiting = bytearray()

    def sendall(self, data: Any, flags: int = 0) -> None:
        """Send data, now or later. Only if there is too much of it, wait for the client."""
        self.waiting += data
        self.flush()
        if len(self.waiting) > MAX_ANSWER:
            super().sendall(self.waiting, flags)
            self.waiting.clear()

    def send(self, data: Any, flags: int = 0) -> int:
        """Send data as `sendall` does."""
        self.sendall(data, flags)
        return len(data)

    def flush(self) -> None:
        """Send what the client takes at once."""
        with suppress(BlockingIOError):
            while self.waiting:
                del self.waiting[: super().send(self.waiting, socket.MSG_DONTWAIT)]


class Connection(TConn):  # type: ignore[misc]
    """A connection, and what has come of its next request.

    Attributes:
        data: What has come, and no thread reads yet.
        whole: The length of the request, or 0 if it is not known yet.
        held: The bytes in memory: of the request, or what the client had not taken of the answer.
        since: When the request or the answer began, by `time.monotonic`.
        polled: Whether the worker waits for the client.
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.data, self.whole, self.held, self.since = bytearray(), 0, 0, 0.0
        self.polled = False
        self._request = memoryview(b"")

    @property
    def address(self) -> Any:
        """The client's address, without the port."""
        return self.client[:1]

    def begin(self) -> None:
        """Expect a request, some of which may have come together with the one before."""
        self.sock.setblocking(False)
        self.parser, self.whole, self.since = None, 0, time.monotonic()

    def parse(self) -> None:
        """Let a thread read the request, from memory: it cannot wait for the network."""
        request, self.data = memoryview(self.data), self.data[self.whole :]
        # In parts, because gunicorn copies what is left of a part each time it reads some of it.
        ends = [*range(0, self.whole, _PART), self.whole]
        parts = (bytes(request[start:end]) for start, end in pairwise(ends))
        self.parser, self.data_ready = http.get_parser(self.cfg, parts, self.client), True
        self._request = request

    def forget(self) -> None:
        """Free the memory of the request, which Django's circles would keep for long."""
        self._request.release()

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
        """Return True if the client should have sent the request, or taken the answer, by now."""
        if self.initialized and not self.held:  # the next request has not begun
            return now > self.since + float(self.cfg.keepalive)
        return now > self.since + GRACE + self.held / MIN_RATE

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
    """Read requests and send answers in the main thread; the other threads only make the answers.

    Addresses take turns, and the last free threads are for those that have none. If there are too
    many connections, the one that has been waiting for the longest time is closed, of those from
    the address with the most of them; if there are too many bytes, the one with the most of them.
    Connections that gunicorn itself encrypts are read by the threads.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._idle: dict[Connection, None] = {}  # those without a thread, the oldest first
        self._queues: dict[Any, deque[Connection]] = {}  # those of them with a request, by address
        self._busy: Counter[Any] = Counter()  # threads, by address
        self._held = 0  # bytes
        self._checked = 0.0  # when, by `time.monotonic`

    def accept(self, listener: Any) -> None:
        """Accept a connection. There is always room for another one."""
        try:
            client, address = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        # Not `settimeout`: gunicorn sets it back.
        limit = struct.pack("ll", SEND_SECONDS, 0)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
        self.nr_conns += 1
        server = listener.getsockname()
        self.enqueue_req(Connection(self.cfg, Outgoing(client), address, server))
        if self.nr_conns >= self.worker_connections and self._idle:
            addresses = Counter(each.address for each in self._idle)
            self._drop(max(self._idle, key=lambda each: addresses[each.address]))

    def enqueue_req(self, conn: Connection) -> None:
        """Read a request, of which something may have come."""
        if self.cfg.is_ssl:
            super().enqueue_req(conn)
            return
        conn.begin()
        self._hold(conn, len(conn.data))
        self._poll(conn, EVENT_READ, self._read)
        if conn.data:
            self._judge(conn)
        else:
            self._read(conn)

    def finish_request(self, conn: Connection, result: Any) -> None:
        """Send what the client has not taken of the answer."""
        if self.cfg.is_ssl:
            super().finish_request(conn, result)
            return
        self._busy[conn.address] -= 1
        self._busy += Counter()  # without those that have none
        conn.forget()
        keep = result.exception() is None and bool(result.result())
        conn.sock.setblocking(False)
        conn.since = time.monotonic()
        self._hold(conn, len(conn.sock.waiting))
        self._poll(conn, EVENT_WRITE, partial(self._write, keep=keep))
        self._write(conn, keep=keep)
        self._dispatch()

    def murder_pending(self) -> None:
        """Close the connections of clients that should have sent or taken more by now."""
        super().murder_pending()
        now = time.monotonic()
        if now < self._checked + 1:
            return
        self._checked = now
        for conn in [each for each in self._idle if each.polled]:
            # Browsers open connections before they need them; a worker that stops closes those.
            if conn.late(now) or not (self.alive or conn.held):
                self._drop(conn, "408 Request Timeout" if conn.data else "")

    def _poll(self, conn: Connection, event: int, callback: Callable[..., None]) -> None:
        """Wait until the client has sent or taken something."""
        self._idle[conn], conn.polled = None, True
        self.poller.register(conn.sock, event, lambda _socket: callback(conn))

    def _read(self, conn: Connection) -> None:
        if not conn.polled:  # dropped, or queued, after it became readable
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
        if not conn.data:
            conn.since = time.monotonic()
        conn.data += data
        self._hold(conn, len(conn.data))
        self._judge(conn)

    def _write(self, conn: Connection, *, keep: bool) -> None:
        """Send more of an answer. After it, go on with the connection, or close it."""
        if not conn.polled:  # dropped after it became writable
            return
        try:
            conn.sock.flush()
        except OSError:
            keep = False
            conn.sock.waiting.clear()
        if conn.sock.waiting:
            self._shed()
        elif keep:
            self._leave(conn)
            self.enqueue_req(conn)
        else:
            self._drop(conn)

    def _judge(self, conn: Connection) -> None:
        """Queue a request if it is complete, refuse what is none, and wait for the rest."""
        if problem := conn.problem():
            self._drop(conn, problem)
            return
        if conn.complete():
            self._leave(conn)
            self._idle[conn] = None
            self._queues.setdefault(conn.address, deque()).append(conn)
            self._dispatch()
        self._shed()

    def _dispatch(self) -> None:
        """Give requests to free threads."""
        while (conn := self._next()) is not None:
            self._leave(conn)
            self._busy[conn.address] += 1
            conn.parse()
            super().enqueue_req(conn)

    def _next(self) -> Connection | None:
        """Return the connection whose request is next, if a thread is free for it."""
        free, kept = self.cfg.threads - self._busy.total(), self.cfg.threads // RESERVE
        for address, queue in self._queues.items():
            if free > (kept if self._busy[address] else 0):
                self._queues[address] = self._queues.pop(address)  # the last one from now on
                return queue[0]
        return None

    def _hold(self, conn: Connection, count: int) -> None:
        """Note how many bytes of a connection are in memory."""
        self._held += count - conn.held
        conn.held = count

    def _shed(self) -> None:
        """If there are too many bytes, close the connection with the most of them."""
        if self._held > MAX_HELD and self._idle:
            self._drop(max(self._idle, key=lambda each: each.held))

    def _leave(self, conn: Connection) -> None:
        """Take a connection from where it waits."""
        del self._idle[conn]
        if conn.polled:
            self.poller.unregister(conn.sock)
            conn.polled = False
            return
        self._queues[conn.address].remove(conn)
        if not self._queues[conn.address]:
            del self._queues[conn.address]

    def _drop(self, conn: Connection, status: str = "") -> None:
        self._leave(conn)
        if status:
            conn.refuse(status)
        self.nr_conns -= 1
        self._hold(conn, 0)
        conn.close()
