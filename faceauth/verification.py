"""Whether a face is that of the user who is named: asked by the staff, for a kiosk or a door.

The answer is yes or no. It is counted for whoever asks: no one's own logins have to wait for it,
and nobody has the site try faces for them without end.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest

from . import backends, conf, errors
from .audit import events
from .capture import samples
from .forms import ChallengedForm, MovementField, SnapshotField
from .liveness.head_turns import NotLiveError
from .lockout import attempts
from .models import FaceEvent
from .recognition.policy import Decision, Outcome
from .vision.encoding import Encoding


class VerifyForm(ChallengedForm):
    """A username and a face; cleaned, `verified` says whether they belong together."""

    username = forms.CharField(max_length=254, strip=False)
    snapshot = SnapshotField()

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, request=request, **kwargs)
        self.verified = False
        self._by: dict[str, Any] = {"request": request, "client": request.user}
        answered = bool(self["challenge"].value())
        self.challenged = conf.get().CHALLENGE is not None and (
            answered or not conf.get().VERIFY_PHOTOS
        )
        if self.challenged:
            self.fields["snapshot"] = MovementField(required=False)

    def _clean_fields(self) -> None:
        # What can be refused without a look is: pictures cost the most.
        if seconds := attempts.retry_after(username=self["username"].value(), **self._by):
            self.add_error(None, errors.TooManyAttempts(seconds))
        else:
            super()._clean_fields()  # type: ignore[misc]

    def clean(self) -> dict[str, Any]:
        if not self.errors:
            try:
                probe = self._probe()
            except NotLiveError as error:
                attempts.admit(username=self.cleaned_data["username"], **self._by)
                self._record(None, Decision(Outcome.NOBODY), str(error))
                raise errors.ChallengeFailed() from error
            self.verified = self._verify(probe)
        return self.cleaned_data

    def _probe(self) -> Encoding:
        """The encodings, float32 (n, d), of whoever is there.

        Raises:
            FaceError: a picture cannot be used.
            NotLiveError: they do not show a head that turned as it was asked to.
        """
        pictures = self.cleaned_data["snapshot"]
        if not self.challenged:
            return samples.probe_encodings(pictures)
        return backends.configured().probe(*self.answer(pictures))

    def _verify(self, probe: Encoding) -> bool:
        username, backend = self.cleaned_data["username"], backends.configured()
        attempt = attempts.admit(username=username, **self._by)
        found = backend.verify(probe, username)
        outcome = backend.outcome(found, attempt)
        if verified := outcome == Outcome.ACCEPTED.value:
            attempt.succeeded(found.user)
        self._record(found.user, found.decision, outcome)
        return verified

    def _record(self, user: Any, decision: Decision, outcome: str) -> None:
        details = events.EventDetails.of_attempt(self.request, None, decision, outcome)
        # They do not log in.
        events.record(FaceEvent.Kind.CHECKED, self.request, user, details._replace(mode=""))
