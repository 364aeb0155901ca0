"""What is killed: a process that enrols, or changes keys, until it is no more.

`python -m tests.robustness.worker` reads tasks, ``enrol 1`` or ``rotate KEY KEY KEY``, and gives
each to a process of its own, which says what it is about to do and when it is done, a line each.
"""

from __future__ import annotations

import os
import sys
import traceback
from itertools import count

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.projects.site.settings"
django.setup()

from django.conf import settings  # noqa: E402
from django.core.files.base import ContentFile  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connections  # noqa: E402
from django.test import Client  # noqa: E402

from accounts.models import User  # noqa: E402
from faceauth import db  # noqa: E402
from faceauth.capture import samples  # noqa: E402
from tests.robustness.known import Known, shots  # noqa: E402
from tests.support.accounts import log_in_by_face  # noqa: E402


def enrol(first: int) -> None:
    """Enrol one after another again, over and over, and let somebody new sign up now and then."""
    settings.FACEAUTH.update(ENROLMENTS_PER_HOUR=10**9, LOOK_ALIKES="allow")
    samples.analyse_picture = Known
    people = [*User.objects.filter(username__startswith="user").order_by("pk")]
    for time in count(first):
        user, client = people[time % len(people)], Client()
        log_in_by_face(client, user)
        send(client, "/face/enrol/", user.username, time)
        if time % 3 == 0:
            name = f"new{time}"
            new = {"username": name, "email": f"{name}@example.com"}
            send(Client(), "/signup/", name, time, **new)


def send(client: Client, path: str, name: str, time: int, **fields: str) -> None:
    """Enrol somebody's face, and tell before and after."""
    pictures = [ContentFile(each.tobytes(), "a.jpg") for each in shots(name, time)]
    say("begin", time, name)
    data = {**fields, "consent": "on", "snapshot": pictures}
    response = client.post(path, data, headers={"Accept": "application/json"})
    assert response.status_code == 200, response.text
    say("done", time, name)


def rotate(*keys: str) -> None:
    """Encrypt all with the second of the keys instead of the first, then with the third, and on."""
    db.BATCH = 10
    for time in count():
        old, new = keys[time % len(keys)], keys[(time + 1) % len(keys)]
        settings.FACEAUTH["ENCRYPTION_KEYS"] = [new, old]
        say("begin", new, old)
        call_command("face_rotate_keys")
        say("done", new, old)


def say(*words: object) -> None:
    print(*words, flush=True)


def main() -> None:
    # What is loaded once need not be loaded again by those who do not live long.
    Client().get("/signup/")
    connections.close_all()
    for line in sys.stdin:
        task, *arguments = line.split()
        child = os.fork()
        if not child:
            try:
                say("process", os.getpid())
                enrol(int(arguments[0])) if task == "enrol" else rotate(*arguments)
            except BaseException:
                traceback.print_exc()
            finally:
                # What the parent began is not the child's to end.
                os._exit(1)
        os.waitpid(child, 0)
        say("over")


if __name__ == "__main__":
    main()
