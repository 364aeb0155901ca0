"""Multipart bodies and HTTP around them, and the ways in which they break."""

from __future__ import annotations

from random import Random

from tests.robustness.stack import Request

BOUNDARY = "----x7MA4YWxkTrZu0gW"
TYPE = f"multipart/form-data; boundary={BOUNDARY}"
END = f"--{BOUNDARY}--\r\n".encode()


def part(name: str, value: str | bytes, more: str = "", header: str = "") -> bytes:
    """One part of a multipart body."""
    data = value if isinstance(value, bytes) else value.encode(errors="surrogatepass")
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"'
    head += f"; {more}" if more else ""
    head += f"\r\n{header}" if header else ""
    return head.encode() + b"\r\n\r\n" + data + b"\r\n"


def _without_end(random: Random, request: Request) -> Request:
    return request._replace(body=request.body[: random.randrange(len(request.body))])


def _other_boundary(random: Random, request: Request) -> Request:
    boundary = random.choice(
        ["", "x", BOUNDARY[:-1], BOUNDARY + "x", '"' + BOUNDARY, "\0", "ü", "y" * 71, "y" * 300]
    )
    return request._replace(content_type=f"multipart/form-data; boundary={boundary}")


def _odd_type(random: Random, request: Request) -> Request:
    kind = random.choice(
        [
            f"multipart/form-data; boundary*=nothing''{BOUNDARY}",
            f"multipart/form-data; charset=nothing; boundary={BOUNDARY}",
            f"multipart/form-data; charset=utf-16; boundary={BOUNDARY}",
            f"multipart/form-data; charset=idna; boundary={BOUNDARY}",
            f"multipart/form-data; charset=hex; boundary={BOUNDARY}",
            f"multipart/form-data; charset=utf-7; boundary={BOUNDARY}",
            f"multipart/form-data; boundary={BOUNDARY}; boundary=x",
            f"multipart/mixed; boundary={BOUNDARY}",
            "multipart/form-data; " + "a=b; " * 5000 + f"boundary={BOUNDARY}",
            "multipart/form-data" + ";" * 5000,
        ]
    )
    return request._replace(content_type=kind)


def _line_ends(random: Random, request: Request) -> Request:
    return request._replace(body=request.body.replace(b"\r\n", random.choice([b"\n", b"\r", b""])))


def _odd_part(random: Random, request: Request) -> Request:
    """One more part, with headers that are huge, many, twice there, or in no alphabet."""
    name = 'form-data; name="username"'
    head = random.choice(
        [
            f"Content-Disposition: {name}; x={'x' * 100_000}",
            "\r\n".join(f"X-{number}: x" for number in range(5000)),
            f"Content-Disposition: {name}\r\n" * 3,
            "Content-Disposition: form-data; name*=nothing''a",
            "Content-Disposition: form-data; name*=utf-8''%00%ff",
            "Content-Disposition: form-data; name*0=a; name*9=b; name*=c",
            "Content-Disposition: form-data; name=a\0b",
            "Content-Disposition: form-data",
            "Content-Disposition: attachment; name=a",
            "Content-Disposition:",
            ":",
            f"Content-Disposition: {name}\r\nContent-Transfer-Encoding: base64",
            f"Content-Disposition: {name}\r\nContent-Transfer-Encoding: quoted-printable",
            f"Content-Disposition: {name}\r\nContent-Transfer-Encoding: nothing",
            f"Content-Disposition: {name}\r\nContent-Length: -1",
            f"Content-Disposition: {name}\r\nContent-Length: {'9' * 30}",
            f"Content-Disposition: {name}\r\nContent-Type: text/plain; charset=nothing",
            f"Content-Disposition: {name}\r\nContent-Type: multipart/mixed; boundary={BOUNDARY}",
            *[
                f'Content-Disposition: form-data; name="snapshot"; {name}\r\n{more}'
                for name in (
                    'filename=""',
                    'filename="../../etc/passwd"',
                    'filename="a\0.jpg"',
                    "filename*=utf-8''%00%ff%2e%2e",
                    "filename*=nothing''a",
                    f'filename="{"a" * 900}"',
                    'filename="&#0;&#xd800;&lt;"',
                )
                for more in (
                    "Content-Type: image/jpeg",
                    "Content-Type: image/jpeg; charset=nothing",
                    "Content-Type: ;;;=",
                    "Content-Transfer-Encoding: base64",
                )
            ],
        ]
    )
    value = random.choice([b"a", b"", b"\0", b"ab=c", b"===", random.randbytes(3000)])
    part = f"--{BOUNDARY}\r\n{head}\r\n\r\n".encode() + value + b"\r\n"
    return request._replace(body=part + request.body)


def _many(random: Random, request: Request) -> Request:
    count = random.choice([99, 101, 999, 1001, 5000])
    one = random.choice(
        [part("a", "b"), part("snapshot", b"a", "filename=a"), part("username", "a")]
    )
    return request._replace(body=one * count + request.body)


def _nested(random: Random, request: Request) -> Request:
    """Bodies in bodies, to no depth that anybody needs."""
    body = request.body
    for depth in range(random.choice([1, 10, 300])):
        head = f"--b{depth}\r\nContent-Disposition: form-data; name=snapshot; filename=a\r\n"
        head += f"Content-Type: multipart/mixed; boundary=b{depth - 1}\r\n\r\n"
        body = head.encode() + body + f"\r\n--b{depth}--\r\n".encode()
    return request._replace(body=body, content_type=f"multipart/form-data; boundary=b{depth}")


def _other_length(random: Random, request: Request) -> Request:
    size = len(request.body)
    numbers = [0, 1, -1, size // 2, size - 1, size + 1, size * 2, 41_943_041, 10**30]
    length = random.choice([*map(str, numbers), "", "x", "1.5", "0x10", "+5", " 7 "])
    return request._replace(headers={"CONTENT_LENGTH": length})


def _flipped(random: Random, request: Request) -> Request:
    """Bits of the body's own structure, not of the picture in it."""
    body = bytearray(request.body)
    for _ in range(random.randint(1, 20)):
        body[random.randrange(min(len(body), 400))] ^= 1 << random.randrange(8)
    return request._replace(body=bytes(body))


def _doubled(random: Random, request: Request) -> Request:
    cut = random.randrange(len(request.body))
    return request._replace(body=request.body[:cut] + request.body)


BREAKS = (
    *(_without_end, _other_boundary, _odd_type, _line_ends, _odd_part, _odd_part),
    *(_many, _nested, _other_length, _other_length, _flipped, _flipped, _doubled),
)


def _headers_added(random: Random, sent: bytes) -> bytes:
    line, rest = sent.split(b"\r\n", 1)
    more = random.choice(
        [
            b"Transfer-Encoding: chunked",
            b"Transfer-Encoding: identity, chunked",
            b"Transfer-Encoding : chunked",
            b"Content-Length: 3",
            b"Content-Length: 0\r\nContent-Length: 0",
            b"Expect: 100-continue",
            b"Upgrade: h2c\r\nConnection: Upgrade",
            b"X-" + b"x" * 9000 + b": x",
            b"\r\n".join(b"X-%d: x" % number for number in range(200)),
            b"X_Forwarded_For: 127.0.0.1\r\nX-Process: 1",
            b" folded: yes",
            b"X: \0\x01\xff",
            b"no colon",
        ]
    )
    return line + b"\r\n" + more + b"\r\n" + rest


def _frame_flipped(random: Random, sent: bytes) -> bytes:
    data = bytearray(sent)
    for _ in range(random.randint(1, 5)):
        data[random.randrange(min(len(data), 300))] ^= 1 << random.randrange(8)
    return bytes(data)


def _cut(random: Random, sent: bytes) -> bytes:
    return sent[: random.randrange(len(sent))]


def _chunked(random: Random, sent: bytes) -> bytes:
    head, body = sent.split(b"\r\n\r\n", 1)
    size = random.choice([b"%x" % len(body), b"ffffffffffffffff", b"-1", b"0", b"zz", b"5;" * 5000])
    head += b"\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + size + b"\r\n" + body + b"\r\n0\r\n\r\n"


FRAMES = (_headers_added, _frame_flipped, _cut, _chunked)
