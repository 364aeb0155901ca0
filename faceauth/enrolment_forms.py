"""Forms that enrol a face: consent, pictures, and the answer to a challenge."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from django.core.files.uploadedfile import UploadedFile
from django.forms.utils import ErrorDict
from django.utils.translation import gettext_lazy as _

from . import conf, enrolment, errors
from .capture import samples, turns
from .challenged_form import ChallengedForm
from .enrolment import shots
from .fields import ConsentField, SnapshotField
from .http import client_ip, rate_limit
from .liveness import challenge as challenges
from .liveness import replay
from .models import FaceEvent
from .vision.encoding import Encoding


class EnrolFormMixin(ChallengedForm):
    """The part of a form that enrols a face: consent, pictures, and the answer to a challenge.

    For a sign-up form of your own, put it before ``forms.ModelForm``. Pass ``request`` to the
    form, render it with ``faceauth/capture.html``, and call `enrol` once the form is valid. The
    form counts the sign-ups of an address, and refuses too many an hour.

    Args:
        user: The owner of the face; by default the user who is logged in.
    """

    face_required = True
    """If False, the form can be sent without pictures, and then needs no consent."""

    purpose = challenges.ENROL
    _answer: challenges.Answer | None = None

    consent = ConsentField()
    snapshot = SnapshotField(label=_("Pictures of your face"))

    def __init__(self, *args: Any, user: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        user = user or getattr(self.request, "user", None)
        consent: Any = self.fields["consent"]
        snapshot: Any = self.fields["snapshot"]
        consent.required = snapshot.required = self.face_required
        snapshot.shots = conf.get().ENROLMENT_SHOTS
        self.challenged = bool(conf.get().CHALLENGE and conf.get().CHALLENGE_AT_ENROLMENT)
        if enrolment.consent_is_outdated(user):
            consent.explain_new_notice()

    @property
    def has_pictures(self) -> bool:
        """Return True if pictures of a face were sent."""
        return bool(self.files.getlist(self.add_prefix("snapshot")))

    def enrol(self, user: Any, *, by: Any = None) -> FaceEvent | None:
        """Enrol the face in the pictures of a valid form.

        Args:
            user: The owner of the face. A user who has not been saved is saved first.
            by: The staff member who enrols the face for its owner.

        Returns:
            The event, as `enrolment.enrol` returns it. If the face cannot be enrolled, None: the
            form then has the reason as an error; show it again.
        """
        consent = enrolment.Consent.from_request(self.request)
        encodings, notes = self.cleaned_data["encodings"], self.cleaned_data["notes"]
        try:
            event = enrolment.enrol(user, encodings, consent, notes, request=self.request, by=by)
        except errors.FaceError as error:
            self.add_error("snapshot", error)
            return None
        if self._answer is not None:
            replay.remember(user, None, self._answer.take)
        return event

    def full_clean(self) -> None:
        # First: otherwise the errors of the fields go on telling which usernames are taken.
        try:
            if self.is_bound:
                self.enforce_rate_limit()
        except errors.TooManyAttempts as error:
            self.cleaned_data, self._errors = {}, ErrorDict(renderer=self.renderer)
            self.add_error(None, error)
        else:
            super().full_clean()

    def clean(self) -> dict[str, Any]:
        super().clean()
        data = self.cleaned_data
        if self.has_pictures and not data.get("consent") and "consent" not in self.errors:
            self.add_error("consent", self.fields["consent"].error_messages["required"])
        if data.get("snapshot") and not self.errors:
            try:
                # Large pictures take long, so nobody who logs in waits for them.
                with turns.of(client_ip.line(self.request), turns.BEGINNING):
                    self._analyse(data["snapshot"])
            except errors.FaceError as error:
                self.add_error("snapshot", error)
        return data

    def enforce_rate_limit(self) -> None:
        """Count this form as a sign-up of its address, with or without pictures.

        Also if somebody is logged in: a form that creates accounts makes a new user each time.

        Raises:
            TooManyAttempts: There were ``ENROLMENTS_PER_HOUR`` before it.
        """
        if self.request is not None:
            rate_limit.enforce_sign_up(self.request)

    def _analyse(self, files: Sequence[UploadedFile]) -> None:
        """Add to the cleaned data the encodings, float32 (n, d), and the notes on the pictures.

        Raises:
            FaceError: A picture cannot be used, or is not of the person who answered the challenge.
        """
        if self.challenged and self.request is not None:
            # Before anything large is analysed. It is used up only once the pictures are good.
            challenges.require_passed(self.request, self.passed_challenge, challenges.ENROL)
        analysed = samples.analyse(files)
        live = self._live_encodings() if self.challenged else None
        source = shots.source_of(each.name for each in files)
        self.cleaned_data["encodings"] = encodings = samples.encodings(analysed)
        self.cleaned_data["notes"] = shots.notes(source, [each.quality for each in analysed])
        if live is not None:
            enrolment.check_same_person(np.vstack([encodings, live]))

    def _live_encodings(self) -> Encoding:
        """Return the encodings, float32 (n, d), of the person who answered the challenge.

        Raises:
            FaceError: The challenge was not passed, or too long ago.
        """
        if self.request is None:
            raise errors.CameraNeeded()
        self._answer = challenges.redeem(self.request, self.passed_challenge, challenges.ENROL)
        return self._answer.encodings[:1]


class EnrolForm(EnrolFormMixin):
    """The form of the enrolment page."""

    def enforce_rate_limit(self) -> None:
        """Count the pictures for the logged-in user."""
        if self.request is not None and self.has_pictures:
            limit = conf.get().ENROLMENTS_PER_HOUR
            rate_limit.enforce("enrol", self.request.user.pk, limit, rate_limit.HOUR)
