"""What a user model carries about a face, and what is kept about the use of faces."""

from __future__ import annotations

import numpy as np
from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .encryption.fields import EncodingsField, OutdatedEncodings


class FaceTemplateMixin(models.Model):
    """Mix into a user model: its columns hold the user's face template. Beside one that may not be
    changed, `profiles` has them; `faces` tells where they are.

    `enrolment` writes them, and `adaptation` after it. Encodings are encrypted for the primary key,
    so a user is saved before they have a face.
    """

    face_encodings = EncodingsField(_("face encodings"), null=True)
    face_enrolled_at = models.DateTimeField(_("face enrolled"), null=True, editable=False)
    face_consented_at = models.DateTimeField(_("consent to face login"), null=True, editable=False)
    # To which notice, and from which network: "" where no request was there to tell.
    face_consent_version = models.CharField(
        _("version of the notice"), max_length=32, blank=True, default="", editable=False
    )
    face_consent_from = models.CharField(
        _("network the consent came from"), max_length=48, blank=True, default="", editable=False
    )
    face_last_used_at = models.DateTimeField(_("last face login"), null=True, editable=False)
    # Set where the face could be taken for somebody else's, until the staff has seen to it.
    face_flagged_at = models.DateTimeField(_("look-alike found"), null=True, editable=False)
    # What was enrolled, once the encodings have been adapted; until then null.
    face_enrolled_encodings = EncodingsField(_("face encodings as enrolled"), null=True)
    face_adapted_at = models.DateTimeField(_("face adapted"), null=True, editable=False)
    # When and how each picture was taken, and how good they were together: see `shots`. Never the
    # pictures themselves.
    face_shot_notes = models.JSONField(_("notes on the pictures"), null=True, editable=False)
    face_quality = models.FloatField(_("template quality"), null=True, editable=False)
    # By the staff, until they take it back: not about the face, and left where it is removed.
    face_disabled_at = models.DateTimeField(_("face login disabled"), null=True, editable=False)
    # When the encodings last changed, kept after they are removed: what galleries go by.
    face_changed_at = models.DateTimeField(null=True, editable=False, db_index=True)

    class Meta:
        abstract = True

    @property
    def has_face(self) -> bool:
        """Whether a face is enrolled that can be compared."""
        return isinstance(self.face_encodings, np.ndarray)

    @property
    def face_is_outdated(self) -> bool:
        """Whether a face is enrolled that was encoded by another encoder than the site has now: it
        cannot be compared, and has to be enrolled again.
        """
        return isinstance(self.face_encodings, OutdatedEncodings)

    @property
    def face_is_asked_for(self) -> bool:
        """Whether a second step stands before this user: what keeps a site from reading templates
        opens it to nobody.
        """
        return self.face_encodings is not None and not self.face_is_outdated

    @property
    def face_shots(self) -> int:
        """How many pictures the template was made from."""
        encodings: object = self.face_encodings
        return len(encodings) if isinstance(encodings, np.ndarray) else 0


class FailureCount(models.Model):
    """How often in a row a face was not recognised, for one account, session or address.

    `attempts` writes it.
    """

    # Whom it is about, hashed: a name need not be that of an account.
    key = models.CharField(max_length=80, primary_key=True)
    failures = models.PositiveIntegerField(default=0)
    # Until when no further attempt is let through.
    wait_until = models.DateTimeField(null=True)
    # When the owner of the account was told that their face no longer logs them in, and who it is.
    disabled_at = models.DateTimeField(null=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="face_failures"
    )
    forget_at = models.DateTimeField(db_index=True)


class UsedItem(models.Model):
    """What is taken once only, answered challenges and the frames they were answered with, until it
    may be forgotten. `spent` writes it.
    """

    # A keyed hash, that leads back to nobody.
    key = models.CharField(max_length=80, primary_key=True)
    forget_at = models.DateTimeField(db_index=True)


class FaceEvent(models.Model):
    """One thing that was done with a face. `events` writes it; nobody changes it."""

    class Kind(models.TextChoices):
        ENROLLED = "enrolled", _("enrolled")
        REPLACED = "replaced", _("replaced")
        REMOVED = "removed", _("removed")
        LOGIN = "login", _("logged in")
        REFUSED = "refused", _("refused")
        LOCKED = "locked", _("made to wait")
        DISABLED = "disabled", _("disabled")
        ENABLED = "enabled", _("enabled")
        CHECKED = "checked", _("checked for the staff")
        CONFIRMED = "confirmed", _("confirmed by face")

    class Mode(models.TextChoices):
        ALONE = "alone", _("face alone")
        USERNAME = "username", _("with a username")
        REMEMBERED = "remembered", _("remembered by the device")

    at = models.DateTimeField(_("time"), default=timezone.now, db_index=True)
    kind = models.CharField(_("what happened"), max_length=16, choices=Kind.choices)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        related_name="face_events",
        verbose_name=_("user"),
    )
    mode = models.CharField(_("way of logging in"), max_length=16, choices=Mode.choices, blank=True)
    outcome = models.CharField(_("outcome"), max_length=32, blank=True)
    distance = models.FloatField(_("distance"), null=True)
    max_distance = models.FloatField(_("greatest distance allowed"), null=True)
    rate = models.FloatField(_("false-match rate at that distance"), null=True)
    # Never a whole address: see `client_ip.network`.
    address = models.CharField(_("network"), max_length=48, blank=True)

    class Meta:
        verbose_name = _("face event")
        verbose_name_plural = _("face events")
        ordering = ["-at", "-pk"]
        indexes = [
            models.Index(fields=["kind", "at"], name="faceauth_event_kind"),
            models.Index(fields=["outcome", "at"], name="faceauth_event_outcome"),
        ]
        # Of the faces of users, whose own model is another project's: see `admin`.
        permissions = [
            ("view_face", _("Can see what is known of faces")),
            ("enrol_face", _("Can enrol faces for others and invite them to")),
            ("remove_face", _("Can remove faces, and disable and enable face login")),
            ("verify_face", _("Can ask whose face it is")),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.get_kind_display()}"
