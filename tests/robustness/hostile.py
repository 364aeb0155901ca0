"""Requests from somebody who means ill, each out of one seed: the same seed, the same bytes, but
for what is signed.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any, NamedTuple

from django.core import signing

from tests.robustness import pictures
from tests.robustness.breaks import BREAKS, END, FRAMES, TYPE, part
from tests.robustness.stack import SECRET, Request

LOGIN, LOOK = "/face/login/", "/face/frames/"
ENROL, VERIFY, TRUST = "/face/enrol/", "/face/verify/", "/face/devices/trust/"
SIGN_UP = "/signup/"
PATHS = (*(LOGIN,) * 3, *(LOOK,) * 4, *(ENROL,) * 2, SIGN_UP, TRUST, VERIFY)


class Known(NamedTuple):
    """What the attacker has got hold of.

    session: of a user who is logged in.
    tokens: challenges that are not passed, too old, or another session's.
    """

    session: str
    tokens: Sequence[str]


class Attack:
    """One request, and the dice that it is made with."""

    def __init__(self, seed: int, known: Known) -> None:
        self.random = Random(seed)
        self.known = known

    def request(self) -> Request:
        path = self.random.choice(PATHS)
        make: Callable[[str], Request] = self.random.choices(
            [
                self.with_picture,
                self.with_token,
                self.broken,
                self.with_junk,
                self.in_json,
                self.of_another_kind,
            ],
            [45, 15, 20, 10, 10, 5],
        )[0]
        return make(path)

    def wire(self) -> bytes:
        """The request as it goes over a socket, from an address of its own, sometimes in a frame
        that servers are known to misread.
        """
        request = self.request()
        address = ".".join(str(self.random.randrange(1, 255)) for _ in range(4))
        headers = {"HTTP_X_FORWARDED_FOR": address, **request.headers}
        sent = request._replace(headers=headers).wire()
        return self.random.choice(FRAMES)(self.random, sent) if self.random.random() < 0.3 else sent

    def with_picture(self, path: str) -> Request:
        """A form as the page sends it, but for the pictures."""
        count = 5 if path in (ENROL, SIGN_UP) else self.random.choice([1, 1, 1, 3])
        names = ["frame" if path == LOOK else "snapshot"] * count
        return self._sent(path, self._fields(path), [pictures.picture(self.random)] * count, names)

    def with_token(self, path: str) -> Request:
        """Pictures of strangers that are fine, with a challenge that is not."""
        fields = {**self._fields(path), "challenge": self.token()}
        if self.random.random() < 0.2:
            fields["challenge"] = ""
        shots = [pictures.plain("jpeg", "biden"), *[pictures.plain("jpeg", "nobody")] * 4]
        names = [*["frame"] * self.random.randrange(5), *["snapshot"] * 5]
        return self._sent(path, fields, shots * 2, names)

    def broken(self, path: str) -> Request:
        """A multipart body that a parser may stumble over."""
        form = [(name, value.encode()) for name, value in self._fields(path).items()]
        shot = pictures.plain("jpeg", self.random.choice(pictures.NAMES))
        body = b"".join(part(name, value) for name, value in form)
        body += part("snapshot", shot, 'filename="a.jpg"')
        return self.random.choice(BREAKS)(self.random, self._cookied(path, body + END, TYPE))

    def with_junk(self, path: str) -> Request:
        """Fields and cookies that hold what nobody types."""
        fields = {**self._fields(path)}
        for name in self.random.sample(NAMES, 4):
            fields[name] = junk(self.random)
        if path == SIGN_UP:
            fields.pop("password", None)  # with one, an account needs no face
        request = self._sent(path, fields, [pictures.plain("jpeg", "nobody")])
        cookies = {**request.cookies}
        for name in self.random.sample(COOKIES, self.random.randrange(3)):
            # What stands in quotation marks is unquoted, whatever comes out.
            quoted = ['"\\000\\000\\000\\000abcdefgh"', '"\\377\\012\\015"']
            cookies[name] = self.random.choice([header(junk(self.random)), *quoted])
        cookies["csrftoken"] = SECRET
        headers = {name: header(junk(self.random)) for name in self.random.sample(HEADERS, 2)}
        target = self.random.choice(["//evil.example", "%00", "javascript:alert(1)", "\\"])
        return request._replace(path=f"{path}?next={target}", cookies=cookies, headers=headers)

    def in_json(self, path: str) -> Request:
        """A form in JSON, with values that forms cannot have, and damaged as a text."""
        shots = [pictures.picture(self.random) for _ in range(5 if path in (ENROL, SIGN_UP) else 1)]
        fields: dict[str, Any] = {**self._fields(path)}
        fields["frame" if path == LOOK else "snapshot"] = [
            base64.b64encode(shot).decode() for shot in shots
        ]
        for name in self.random.sample(NAMES, self.random.randrange(3)):
            fields[name] = self.random.choice(VALUES)
        if path == SIGN_UP:
            fields.pop("password", None)
        body = bytearray(json.dumps(fields).encode())
        if self.random.random() < 0.5:
            start = self.random.randrange(len(body))
            body[start : start + self.random.randrange(20)] = self.random.choice(CUTS)
        return self._cookied(path, bytes(body), "application/json")

    def of_another_kind(self, path: str) -> Request:
        """JSON and other bodies where forms are read."""
        nested = "[" * 20_000 + "]" * 20_000
        fields = {"username": "owner", "snapshot": "a", "password": {"$ne": 1}, "challenge": None}
        kind, body = self.random.choice(
            [
                ("application/json", json.dumps(fields).encode()),
                ("application/json", nested.encode()),
                ("application/json; charset=utf-16", json.dumps(fields).encode("utf-16")),
                ("application/json", b'{"a": ' + b"9" * 10_000 + b"}"),
                ("application/json", self.random.randbytes(2000)),
                ("application/x-www-form-urlencoded", b"&".join([b"username=owner"] * 5000)),
                ("application/x-www-form-urlencoded", b"username=%00%ff&snapshot=%f0%28"),
                ("application/x-www-form-urlencoded; charset=utf-7", b"username=+AAA-"),
                ("application/x-www-form-urlencoded; charset=nothing", b"username=a"),
                ("application/x-www-form-urlencoded", b"password=" + b"x" * 2_600_000),
                ("application/xml", b"<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]>&b;"),
                ("text/plain; charset*=nothing''x", b"a"),
                ("", b"a=b"),
                ("multipart/form-data", b"a"),
                ("multipart/mixed; boundary=x", b"--x\r\n\r\na\r\n--x--"),
                ("\x7f" * 5000, b""),
            ]
        )
        method = self.random.choice(["POST", "POST", "POST", "PUT", "PATCH", "QUERY", "POST "])
        return self._cookied(path, body, kind)._replace(method=method)

    def token(self) -> str:
        """A challenge that is none: damaged, made elsewhere, of another session, too old, huge."""
        own = self.random.choice(self.known.tokens)
        data = bytearray(own.encode())
        for _ in range(self.random.randint(1, 3)):
            data[self.random.randrange(len(data))] = self.random.choice(b"-_:.=+/09azAZ")
        payload: Any = self.random.choice([{}, [], 0, None, "owner", {"steps": []}, [[[]]]])
        salt = self.random.choice(["faceauth.devices", "django.core.signing"])
        return self.random.choice(
            [
                own,
                data.decode(),
                own[: self.random.randrange(len(own))],
                own * 2,
                own.rpartition(":")[0],
                ":" * self.random.randrange(9),
                signing.dumps(payload, salt=salt),
                signing.dumps(payload, salt=salt, compress=True),
                signing.dumps(payload, key="another", salt="faceauth.challenge"),
                base64.b64encode(self.random.randbytes(300)).decode(),
                "x" * 100_000,
                junk(self.random),
            ]
        )

    def _fields(self, path: str) -> dict[str, str]:
        match path:
            case "/signup/":
                name = f"user{self.random.randrange(10**9)}"
                return {"username": name, "email": f"{name}@example.com", "consent": "on"}
            case "/face/enrol/":
                return {"consent": "on"}
            case "/face/verify/":
                return {"username": "owner"}
            case "/face/frames/":
                return self.random.choice(
                    [
                        {"pose": self.random.choice(["any", "left", "x"]), "level": "nan"},
                        {
                            "pose": "up",
                            "near": self.random.choice(["0,0,1,1", "nan,1", "-1,-1,2,2"]),
                        },
                        {"purpose": self.random.choice(["login", "confirm", "enrol", "x"])},
                        {"challenge": self.token(), "number": self.random.choice(["1", "-1", "x"])},
                        {"username": "owner", "challenge": "", "number": "1"},
                    ]
                )
        return self.random.choice([{}, {"username": "owner"}, {"username": "nobody"}])

    def _sent(
        self,
        path: str,
        fields: Mapping[str, str],
        shots: Sequence[bytes],
        names: Sequence[str] = ("snapshot",) * 9,
    ) -> Request:
        body = b"".join(part(*each) for each in fields.items())
        for name, shot in zip(names, shots, strict=False):
            body += part(name, shot, 'filename="a.jpg"', "Content-Type: image/jpeg")
        return self._cookied(path, body + END, TYPE)

    def _cookied(self, path: str, body: bytes, content_type: str) -> Request:
        cookies = {"csrftoken": SECRET}
        if path in (ENROL, VERIFY):
            cookies["sessionid"] = self.known.session
        return Request(path, body, content_type, cookies=cookies)


def header(text: str) -> str:
    """As much of it as a server hands on: no lines in lines, and bytes as WSGI has them."""
    wire = text.encode(errors="surrogatepass")[:2000].decode("latin-1")
    return "".join(each for each in wire if each >= " " and each not in ";\x7f")


NAMES = (
    *("username", "password", "email", "consent", "trust", "next", "challenge", "pose"),
    *("code", "device_key", "device_nonce", "device_signature"),
    *("number", "purpose", "near", "timings"),
    *("level", "csrfmiddlewaretoken", "snapshot", "frame", "_charset_", ""),
)
VALUES: Sequence[Any] = (
    *(None, True, 0, -1, 10**400, 1e308, math.nan, math.inf, "\ud800", "\0", "=", "====", [], {}),
    *([[]], [None], [1], {"a": {}}, ["a"] * 999, [True] * 30, "data:,", "data:image/jpeg;base64,"),
    *("data:image/svg+xml;base64,PHN2Zy8+", "data:image/jpeg;base64," + "A" * 9_000_000),
)
CUTS = (b"", b"[" * 500, b'{"a":' * 500, b"\\ud800", b"\xff", b"\0", b'"', b",", b"9" * 5000)
COOKIES = ("sessionid", "faceauth_device", "messages", "django_language", "", "a" * 500)
HEADERS = (
    *("HTTP_ACCEPT", "HTTP_ACCEPT_LANGUAGE", "HTTP_HOST", "HTTP_X_FORWARDED_FOR"),
    *("HTTP_X_FORWARDED_PROTO", "HTTP_REFERER", "HTTP_ORIGIN", "HTTP_COOKIE", "HTTP_RANGE"),
    *("HTTP_IF_MODIFIED_SINCE", "HTTP_USER_AGENT", "HTTP_X_CSRFTOKEN", "REMOTE_ADDR"),
)


def junk(random: Random) -> str:
    """A text that breaks programs."""
    return random.choice(
        [
            "\0",
            "owner\0",
            "x" * 100_000,
            "\u202e\u0000\ufeff\ufffe",
            "ﷺ" * 5000,
            "İ" * 300,
            "'; DROP TABLE accounts_user; --",
            "{{ request }}{% debug %}",
            "%s%n%(name)s{0.__class__}",
            "../../../../etc/passwd",
            "<script>alert(1)</script>",
            "\r\nSet-Cookie: sessionid=x",
            "1e999",
            "-0",
            "nan",
            "9" * 5000,
            "text/html;q=" + "9" * 400,
            "*/*;q=nan, application/json;q=-1",
            "de" * 300 + "-" * 300,
            "bytes=0-0,0-0",
            "[::1%eth0]:x",
            random.randbytes(200).decode("latin-1"),
            random.randbytes(2000).hex(),
        ]
    )
