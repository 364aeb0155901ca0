"""A throw-away site on this computer. It keeps what it is sent in the volunteer's own folder."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib import auth
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.test.utils import override_settings
from django.urls import reverse

from faceauth.evaluation import accounts
from faceauth.step_up import confirmation

VOLUNTEER = "volunteer"

# Where a browser begins: with the enrolment, and with each attempt.
ENROL, ATTEMPT = "/face-attack/enrol/", "/face-attack/attempt/"

# In the volunteer's folder: the attempt that is made now, and what was answered.
NOW, EVENTS, FRAMES, READY = "now.json", "events.jsonl", "frames", "ready"

SETTINGS = """\
DEBUG = True
MIDDLEWARE = [*MIDDLEWARE, "{middleware}"]
FACE_ATTACK_RECORD = {folder!r}
"""
RECORD = "FACE_ATTACK_RECORD"


class RecordMiddleware:
    """Keep the frames and the answers of the attempt that is made now."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.folder = Path(getattr(settings, RECORD))

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request."""
        if request.path == ENROL:
            user = auth.get_user_model().objects.get_by_natural_key(accounts.login_name(VOLUNTEER))
            auth.login(request, user, backend="django.contrib.auth.backends.ModelBackend")
            confirmation.note(request, user, confirmation.PASSWORD)
            return redirect("faceauth:enrol")
        if request.path == ATTEMPT:
            auth.logout(request)
            return redirect("faceauth:login")
        now = json.loads((self.folder / NOW).read_text()) or {"number": 0, "challenge": "full"}
        with override_settings(FACEAUTH={**settings.FACEAUTH, "CHALLENGE": now["challenge"]}):
            response = self.get_response(request)
        if request.method == "POST" and request.path == reverse("faceauth:frames"):
            self._keep_frames(request, response, now["number"])
        elif request.method == "POST" and request.path == reverse("faceauth:login"):
            self._note(
                now["number"], login=True, user=request.user.is_authenticated, **_error(response)
            )
        return response

    def _keep_frames(self, request: HttpRequest, response: HttpResponse, number: int) -> None:
        if "pose" in request.POST:
            return  # for a picture of the enrolment
        place = self.folder / FRAMES / f"{number:03}"
        place.mkdir(parents=True, exist_ok=True)
        for frame in request.FILES.getlist("frame"):
            frame.seek(0)
            (place / f"{time.time():.3f}.jpg").write_bytes(frame.read())
        answer = _payload(response)
        step = (answer.get("step") or {}).get("name", "")
        self._note(number, state=answer.get("state", ""), step=step, **_error(response))

    def _note(self, number: int, **event: Any) -> None:
        with (self.folder / EVENTS).open("a") as file:
            file.write(json.dumps({"number": number, "at": time.time(), **event}) + "\n")


def serve(port: int) -> None:
    """Serve the site on this computer until the attempt of now is None."""
    folder = Path(getattr(settings, RECORD))
    accounts.create(VOLUNTEER, None)
    server = ThreadedWSGIServer(("127.0.0.1", port), WSGIRequestHandler)
    server.daemon_threads = True
    server.set_app(StaticFilesHandler(get_wsgi_application()))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    (folder / READY).touch()
    while json.loads((folder / NOW).read_text()) is not None:
        time.sleep(0.2)
    server.shutdown()
    server.server_close()


def _payload(response: HttpResponse) -> dict[str, Any]:
    try:
        found = json.loads(response.content)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _error(response: HttpResponse) -> dict[str, str]:
    """Return the code and the words of the error, if there is one."""
    error = _payload(response).get("error") or {}
    code = error.get("code") or getattr(response, "face_error", "")
    return {"code": code, "message": error.get("message", "")} if code else {}
