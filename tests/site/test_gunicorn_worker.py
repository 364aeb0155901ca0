"""The worker in which no client can keep a thread waiting: gunicorn, and clients that try."""

from __future__ import annotations

import os
import re
import socket
import time
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path

import pytest

from tests.support.servers import Server, gunicorn

GRACE, MIN_RATE, SEND_SECONDS = 3.0, 20_000, 1
CONFIG = f"""
from pathlib import Path

from config import gunicorn_worker

exec(Path("gunicorn.conf.py").read_text())
gunicorn_worker.GRACE, gunicorn_worker.MIN_RATE = {GRACE}, {MIN_RATE}
gunicorn_worker.SEND_SECONDS = {SEND_SECONDS}
gunicorn_worker.MAX_REQUEST, gunicorn_worker.MAX_HELD = 1_000_000, 2_000_000
threads, worker_connections = 2, 40
"""

HALF_A_HEAD = b"POST /face/frames/ HTTP/1.1\r\nHost: localhost\r\n"
HALF_A_BODY = HALF_A_HEAD + b"Content-Length: 900\r\n\r\nabc"
MORE = b"GET /whole HTTP/1.1\r\nHost: localhost\r\n\r\n"
WHOLE = MORE[:-2] + b"Connection: close\r\n\r\n"
PAGE = MORE.replace(b"/whole", b"/page")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    file = tmp_path_factory.mktemp("gunicorn") / "conf.py"
    file.write_text(CONFIG)
    command = gunicorn("tests.support.echo", f"--config={file}")
    with Server(command, os.environ) as server:
        yield server


@pytest.fixture
def connect(server):
    with ExitStack() as stack:

        def connect(sent=b"", address="127.0.0.1"):
            client = stack.enter_context(
                socket.create_connection(("127.0.0.1", server.port), 20, (address, 0))
            )
            client.sendall(sent)
            return client

        yield connect


def everything(client):
    """What a server sends until it closes the connection."""
    chunks = []
    try:
        while chunk := client.recv(65536):
            chunks.append(chunk)
    except ConnectionResetError:
        pass
    return b"".join(chunks)


def answer(path, body=b""):
    return f"{path} {sha256(body).hexdigest()}".encode()


@pytest.fixture
def served(connect):
    """Whether another client is answered at once."""

    def served():
        start = time.monotonic()
        return everything(connect(WHOLE)).endswith(answer("/whole")) and (
            time.monotonic() - start < GRACE - 1
        )

    assert served()
    return served


def test_half_sent_requests_hold_nobody_up_and_end(connect, served):
    clients = [(each, connect(each)) for each in (b"", HALF_A_HEAD, HALF_A_BODY) for _ in range(10)]
    assert served()
    for sent, client in clients:
        assert everything(client)[:12] == (b"HTTP/1.1 408" if sent else b"")


def test_drip_ends_as_well(connect, served):
    client, start = connect(HALF_A_BODY), time.monotonic()
    client.settimeout(0.1)
    while time.monotonic() < start + 20:
        client.sendall(b"a")
        try:
            found = client.recv(100)
        except TimeoutError:
            continue
        break
    assert found.startswith(b"HTTP/1.1 408")
    assert GRACE < time.monotonic() - start < GRACE + 4


def test_slow_connection_that_sends_all_the_time_has_the_time_it_needs(connect):
    parts = [bytes([number]) * 2000 for number in range(20)]
    client = connect(HALF_A_HEAD + b"Connection: close\r\nContent-Length: 40000\r\n\r\n")
    for part in parts:
        client.sendall(part)
        time.sleep(1.3 * GRACE / len(parts))
    assert everything(client).endswith(answer("/face/frames/", b"".join(parts)))


def test_requests_that_follow_each_other_on_one_connection(connect):
    client = connect()
    bodies = [os.urandom(size) for size in (0, 1, 900_000, 10)]
    for body in bodies:
        head = HALF_A_HEAD + f"content-length:{len(body)}\r\n\r\n".encode()
        client.sendall(head[:50])
        time.sleep(0.05)
        client.sendall(head[50:] + body)
        found = client.recv(65536)
        while not found.endswith(answer("/face/frames/", body)):
            found += client.recv(65536)
        assert found.startswith(b"HTTP/1.1 200")


def test_requests_that_come_together(connect):
    first = HALF_A_HEAD + b"Content-Length: 3\r\n\r\nabc"
    second = HALF_A_HEAD.replace(b"frames", b"login") + b"Content-Length: 3\r\n\r\nde"
    client = connect(first + second)
    time.sleep(0.2)
    client.sendall(b"f" + WHOLE)
    found = everything(client)
    places = [
        found.index(each)
        for each in (
            answer("/face/frames/", b"abc"),
            answer("/face/login/", b"def"),
            answer("/whole"),
        )
    ]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", b"411"),
        (b"Content-Length: 1000001\r\n\r\n", b"413"),
        (b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n", b"413"),
        (b"Cookie: " + b"a" * 70_000, b"431"),
        (b"Content-Length: 1\r\nContent-Length: 3\r\n\r\nabc", b"400"),
        (b"Content-Length: +3\r\n\r\nabc", b"400"),
        (b"Content-Length : 3\r\n\r\nabc", b"400"),
    ],
)
def test_requests_that_cannot_be_read_are_refused_at_once(connect, served, head, status):
    client, start = connect(HALF_A_HEAD + head), time.monotonic()
    assert client.recv(100).startswith(b"HTTP/1.1 " + status)
    assert time.monotonic() - start < GRACE - 1
    assert served()


def test_client_that_does_not_close_its_end_holds_nobody_up(connect, served):
    clients = [connect(WHOLE) for _ in range(10)]
    assert served()
    for client in clients:
        assert everything(client).endswith(answer("/whole"))


def test_client_that_does_not_read_holds_threads_for_a_moment_only(connect, served):
    for _thread in range(2):
        connect(WHOLE.replace(b"/whole", b"/big"))
    # The part that the kernel takes, and the one that it does not.
    time.sleep(2 * SEND_SECONDS + 0.5)
    assert served()


def test_connections_that_a_crowd_keeps_for_later_keep_nobody_out(connect, served):
    for _ in range(60):
        connect(MORE, "127.0.0.2")
    assert served()


def test_clients_that_do_not_read_what_they_ask_for_hold_no_thread(connect, served):
    clients = [connect(100 * PAGE) for _ in range(20)]
    time.sleep(1)
    assert served()
    # Who takes it gets all of it.
    found = len(clients[0].recv(65536))
    while found < 100 * 100_000:
        found += len(clients[0].recv(65536))


def test_answer_that_is_not_taken_is_given_up(connect, served):
    client = connect(100 * PAGE)
    time.sleep(GRACE + 100_000 / MIN_RATE + 2)
    assert len(everything(client)) < 100 * 100_000


def test_addresses_take_turns(connect, served):
    for _ in range(30):
        connect(WHOLE.replace(b"/whole", b"/slow"), "127.0.0.2")
    assert served()


def test_complete_requests_of_a_crowd_keep_nobody_out(connect, served):
    for _ in range(60):
        connect(WHOLE.replace(b"/whole", b"/slow"), "127.0.0.2")
    assert served()


def test_too_many_connections_cost_those_who_open_them(connect, served):
    slow = connect(WHOLE[:-2])
    crowd = [connect(HALF_A_BODY, "127.0.0.2") for _ in range(60)]
    assert served()
    slow.sendall(WHOLE[-2:])
    assert everything(slow).endswith(answer("/whole"))
    assert everything(crowd[0]) == b""


def test_too_many_bytes_cost_those_who_send_them(connect, served):
    small = connect(HALF_A_BODY.replace(b"Content", b"Connection: close\r\nContent"))
    for _ in range(3):
        connect(HALF_A_HEAD + b"Content-Length: 900000\r\n\r\n" + bytes(890_000))
    assert served()
    small.sendall(bytes(897))
    assert everything(small).endswith(answer("/face/frames/", b"abc" + bytes(897)))


def test_connections_that_browsers_keep_ready_delay_no_restart():
    server = Server(gunicorn("tests.support.echo"), os.environ).wait()
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        server.visit().request("GET", "/")  # so the other connection is accepted as well
        start = time.monotonic()
        server.stop()
        assert time.monotonic() - start < 8  # a request has 15 seconds
        assert client.recv(1) == b""


def test_large_request_takes_no_longer_for_each_byte_and_is_forgotten():
    body = os.urandom(60_000_000)
    head = f"Connection: close\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with Server(gunicorn("tests.support.echo"), os.environ) as server:
        client, start = socket.create_connection(("127.0.0.1", server.port)), time.monotonic()
        with client:
            client.sendall(HALF_A_HEAD + head + body)
            assert everything(client).endswith(answer("/face/frames/", body))
        assert time.monotonic() - start < 10
        children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
        if children.exists():
            status = Path(f"/proc/{children.read_text().split()[0]}/status").read_text()
            assert int(re.search(r"VmRSS:\s*(\d+) kB", status)[1]) < 80_000
