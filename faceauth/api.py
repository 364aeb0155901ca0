"""The views for front ends of your own, and for devices that verify a face.

All other requests of a front end go to `views`, as JSON.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.generic import View

from . import backends, conf, devices, errors, faces, users
from .audit import events
from .capture import samples
from .fields import SnapshotField
from .forms import ChallengedForm
from .http import uploads
from .http.responses import error_response
from .liveness import challenge as challenges
from .liveness import replay
from .liveness.takes import Take
from .lockout import attempts
from .models import FaceEvent
from .recognition.policy import Decision
from .step_up import second_step
from .views import PostOnlyView
from .vision.encoding import Encoding


@method_decorator(never_cache, name="dispatch")
@method_decorator(login_not_required, name="dispatch")
class WhoAmIView(View):
    """Return the logged-in user, and the CSRF token that POST requests need.

    A trusted browser with a key gets a nonce to sign as well.
    """

    def get(self, request: HttpRequest) -> HttpResponse:
        user: Any = request.user
        payload = None
        if user.is_authenticated:
            payload = {
                "username": users.username(user),
                "greeting": _("Hello, %(name)s.") % {"name": users.any_name(user)},
                "has_face": faces.of(user).has_face,
            }
        nonce = devices.nonce_for(request)
        more = {"device_nonce": nonce} if nonce else {}
        return JsonResponse({"user": payload, "csrf_token": get_token(request), **more})


class VerifyForm(ChallengedForm):
    """A username and a face; once the form is valid, `verified` tells whether they match.

    The attempt counts for the staff member who asks: the owner's own logins never have to wait
    for it, and nobody can try faces without limit.
    """

    purpose = challenges.VERIFY

    username = forms.CharField(max_length=254, strip=False)
    snapshot = SnapshotField()

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, request=request, **kwargs)
        self.verified = False
        self._client: dict[str, Any] = {"request": request, "client": request.user}
        answered = bool(self["challenge"].value())
        self.challenged = conf.get().CHALLENGE is not None and (
            answered or not conf.get().VERIFY_PHOTOS
        )
        self.fields["snapshot"].required = not self.challenged

    def clean(self) -> dict[str, Any]:
        if seconds := attempts.retry_after(username=self["username"].value(), **self._client):
            raise errors.TooManyAttempts(seconds)
        if self.errors:
            return self.cleaned_data
        try:
            probe, take = self._probe()
        except errors.FaceError as error:
            self.add_error("snapshot", error)
            return self.cleaned_data
        self.verified = self._verify(probe, take)
        return self.cleaned_data

    def _probe(self) -> tuple[Encoding, Take | None]:
        """Return the encodings, float32 (n, d), of the person in front of the camera.

        And how they moved, if they answered a challenge.

        Raises:
            FaceError: The challenge was not passed, or a picture cannot be used.
        """
        if not self.challenged:
            return samples.probe_encodings(self.cleaned_data["snapshot"]), None
        assert self.request is not None
        answer = challenges.redeem(self.request, self.passed_challenge, challenges.VERIFY)
        return answer.encodings, answer.take

    def _verify(self, probe: Encoding, take: Take | None) -> bool:
        username, backend = self.cleaned_data["username"], backends.configured()
        attempt = attempts.admit(username=username, **self._client)
        found = backend.verify(probe, backend.find_user(self.request, username))
        outcome = backend.outcome(found, attempt)
        verified = outcome == backends.ACCEPTED
        if verified and take is not None and not replay.admit(found.user, None, take):
            verified, outcome = False, backends.REPLAYED
        if verified:
            attempt.succeeded(found.user)
        self._record(found.user, found.decision, outcome)
        return verified

    def _record(self, user: Any, decision: Decision, outcome: str) -> None:
        details = events.EventDetails.of_attempt("", decision, outcome)
        events.record(FaceEvent.Kind.CHECKED, self.request, user, details)


class VerifyView(PostOnlyView):
    """Return whether a face is that of a given user. Only for staff with the permission.

    If the admin needs a second step, so does this view.
    """

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        uploads.expect_login(request)

    def post(self, request: HttpRequest) -> HttpResponse:
        user: Any = request.user
        if not user.is_authenticated:
            return error_response(request, errors.LoginRequired())
        if not (getattr(user, "is_staff", False) and user.has_perm("faceauth.verify_face")):
            return error_response(request, errors.NotAllowed())
        if conf.get().ADMIN_SECOND_STEP and not second_step.passed(request):
            return error_response(request, errors.SecondStepNeeded())
        form = VerifyForm(request, request.POST, request.FILES)
        if form.is_valid():
            return JsonResponse({"verified": form.verified})
        return error_response(request, errors.first(form), fields=errors.by_field(form))
