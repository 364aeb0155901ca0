"""One of several servers of a site: a process that does what it is asked for, a line each.

`python -m tests.robustness.searcher` reads requests, ``login obama2``, and answers each with a
line. The settings and the database are those of its environment.
"""

from __future__ import annotations

import sys
from itertools import count

import django

django.setup()

from django.contrib.auth import SESSION_KEY  # noqa: E402
from django.core.files.base import ContentFile  # noqa: E402
from django.test import Client  # noqa: E402

from accounts.models import User  # noqa: E402
from faceauth import enrolment  # noqa: E402
from faceauth.admin import staff  # noqa: E402
from faceauth.gallery import gallery  # noqa: E402
from tests.support.people import encodings, picture  # noqa: E402

addresses = (f"192.0.2.{number}" for number in count(1))


def login(photo: str) -> str:
    """Log in by a face alone. Return the username, or "nobody"."""
    client = Client(REMOTE_ADDR=next(addresses))
    client.post("/face/login/", {"snapshot": ContentFile(picture(photo), "face.jpg")})
    key = client.session.get(SESSION_KEY)
    return User.objects.get(pk=key).username if key else "nobody"


def search(photo: str) -> str:
    """Return the number of people whom the gallery finds."""
    return str(len(gallery().nearest(encodings(photo), 99)))


def enrol(name: str, photo: str) -> None:
    enrolment.enrol(User.objects.get(username=name), encodings(photo))


def remove(name: str) -> None:
    enrolment.remove(User.objects.get(username=name))


def disable(name: str) -> None:
    staff.disable(None, User.objects.get(username=name))


def enable(name: str) -> None:
    staff.enable(None, User.objects.get(username=name))


def delete(name: str) -> None:
    User.objects.get(username=name).delete()


REQUESTS = {each.__name__: each for each in (login, search, enrol, remove, disable, enable, delete)}


def main() -> None:
    # What is loaded once takes no time later.
    login("biden")
    print("answer ready", flush=True)
    for line in sys.stdin:
        request, *arguments = line.split()
        print("answer", REQUESTS[request](*arguments) or "done", flush=True)


if __name__ == "__main__":
    main()
