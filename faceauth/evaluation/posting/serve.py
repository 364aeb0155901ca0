"""Serve the throw-away site: ``python -m faceauth.evaluation.posting.serve PEOPLE.json``.

`throwaway` runs it, with settings of its own. It ends when its standard input does.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django
import numpy as np
from django.http import HttpRequest, HttpResponse

# What the site writes before the port that it listens on.
READY = "port "


class CpuTimeMiddleware:
    """Tell how much CPU time each answer took, in milliseconds."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request."""
        start = time.thread_time()
        response = self.get_response(request)
        milliseconds = (time.thread_time() - start) * 1000
        response["Server-Timing"] = f"cpu;dur={milliseconds:.3f}"
        return response


def main() -> None:
    """Create the database and the people, and serve the site."""
    from django.core.management import call_command
    from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
    from django.core.wsgi import get_wsgi_application

    application = get_wsgi_application()
    call_command("migrate", verbosity=0)
    for person in json.loads(Path(sys.argv[1]).read_text()):
        create(**person)
    server = ThreadedWSGIServer(("127.0.0.1", 0), WSGIRequestHandler)
    server.daemon_threads = True
    server.set_app(application)
    threading.Thread(target=_end_with_input, daemon=True).start()
    print(f"{READY}{server.server_port}", flush=True)
    server.serve_forever()


def create(username: str, email: str, password: str, encodings: list[list[float]]) -> None:
    """Create a user, with a face if there are encodings."""
    from django.contrib.auth import get_user_model

    from faceauth import enrolment

    model = get_user_model()
    user: Any = model(**{model.USERNAME_FIELD: username})
    setattr(user, model.get_email_field_name(), email)
    user.set_password(password)
    user.save()
    if encodings:
        enrolment.enrol(user, np.array(encodings, np.float32))


def _end_with_input() -> None:
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    django.setup()
    main()
