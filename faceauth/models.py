"""The columns that hold a user's face, and the tables that record how faces are used."""

from __future__ import annotations

from typing import Any

import numpy as np
from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from .encryption.fields import EncodingsField, OutdatedEncodings


class FaceTemplateMixin(models.Model):
    """Add the columns of a face template to a user model.

    If the user model can't be changed, `faceauth.profiles` holds the same columns in a table
    beside it; `faces` finds them in both cases.

    `enrolment` writes the columns, and `enrolment.adaptation` updates them. Encodings are encrypted
    for the primary key of their row, so a user must be saved before a face can be stored.
    """

    face_encodings = EncodingsField(_("face encodings"), null=True)
    face_enrolled_at = models.DateTimeField(_("face enrolled"), null=True, editable=False)
    face_consented_at = models.DateTimeField(_("consent to face login"), null=True, editable=False)
    # The version of the notice that the user agreed to, and the network of the request; "" if
    # there was no request.
    face_consent_version = models.CharField(
        _("version of the notice"), max_length=32, blank=True, default="", editable=False
    )
    face_consent_from = models.CharField(
        _("network the consent came from"), max_length=48, blank=True, default="", editable=False
    )
    face_last_used_at = models.DateTimeField(_("last face login"), null=True, editable=False)
    # Set if the face could be mistaken for another user's, until staff have dealt with it.
    face_flagged_at = models.DateTimeField(_("look-alike found"), null=True, editable=False)
    # The encodings as they were enrolled, once adaptation has changed them; null until then.
    face_enrolled_encodings = EncodingsField(_("face encodings as enrolled"), null=True)
    face_adapted_at = models.DateTimeField(_("face adapted"), null=True, editable=False)
    # When and how each shot was taken, and how good the shots were together: see
    # `enrolment.shots`. Never the pictures themselves.
    face_shot_notes = models.JSONField(_("notes on the pictures"), null=True, editable=False)
    face_quality = models.FloatField(_("template quality"), null=True, editable=False)
    # Set by staff until they enable face login again. It is not about the face, so removing the
    # face does not clear it.
    face_disabled_at = models.DateTimeField(_("face login disabled"), null=True, editable=False)
    # When the encodings last changed. Kept when they are removed, because galleries read the
    # changes since a given time.
    face_changed_at = models.DateTimeField(null=True, editable=False, db_index=True)
    # Raised when the face is enrolled, replaced or removed, or disabled by staff. Sessions that an
    # earlier generation began end: see `step_up.sessions`.
    face_generation = models.PositiveIntegerField(default=0, editable=False)
    # When the face was last enrolled, replaced or removed.
    face_renewed_at = models.DateTimeField(null=True, editable=False)
    # When a removal takes effect that the owner asked for by email, unless they cancel it.
    face_removal_at = models.DateTimeField(_("removal planned for"), null=True, editable=False)
    # When the user first proved that the mailbox is theirs, and a keyed hash of its address.
    face_address_confirmed_at = models.DateTimeField(null=True, editable=False)
    face_address_hash = models.CharField(max_length=64, blank=True, default="", editable=False)

    class Meta:
        abstract = True

    @property
    def has_face(self) -> bool:
        """Return True if a face is enrolled that can be compared."""
        return isinstance(self.face_encodings, np.ndarray)

    @property
    def face_is_enrolled(self) -> bool:
        """Return True if a face is enrolled, even one that cannot be read or compared."""
        return self.face_enrolled_at is not None or self.face_encodings is not None

    @property
    def face_is_outdated(self) -> bool:
        """Return True if the enrolled face was encoded by another encoder than the site's.

        Such a face can't be compared; its owner must enrol again.
        """
        return isinstance(self.face_encodings, OutdatedEncodings)

    @property
    def face_is_usable(self) -> bool:
        """Return True if the owner can show this face: it can be compared and is not disabled.

        Failed attempts are not considered: they can come from strangers.
        """
        return self.has_face and self.face_disabled_at is None and not self.face_removal_is_due

    @property
    def face_removal_is_due(self) -> bool:
        """Return True if the time has come at which the face is removed, as its owner planned."""
        return self.face_removal_at is not None and self.face_removal_at <= timezone.now()

    @property
    def face_is_asked_for(self) -> bool:
        """Return True if this user must show their face as a second step.

        Unreadable templates count as well: a site that can't read them must not let their owners
        in without a face.
        """
        return self.face_encodings is not None and not self.face_is_outdated

    @property
    def face_shots(self) -> int:
        """Return the number of shots that the template was made from."""
        encodings: object = self.face_encodings
        return len(encodings) if isinstance(encodings, np.ndarray) else 0


class FailureCount(models.Model):
    """Consecutive failures of one account, session or address. Written by `lockout.attempts`."""

    # The account, session or address, hashed. The account need not exist.
    key = models.CharField(max_length=80, primary_key=True)
    failures = models.PositiveIntegerField(default=0)
    # No attempt is admitted before this time.
    wait_until = models.DateTimeField(null=True)
    # When the account's owner was notified that face login is disabled, and who the owner is.
    disabled_at = models.DateTimeField(null=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="face_failures"
    )
    # When failures last decayed. Null for counters that keep them until a success.
    decayed_at = models.DateTimeField(null=True)
    forget_at = models.DateTimeField(db_index=True)


class RequestCount(models.Model):
    """Requests of one client in one period. Written by `http.rate_limit`."""

    # What is limited, for whom and in which period, hashed.
    key = models.CharField(max_length=80, primary_key=True)
    count = models.PositiveIntegerField(default=0)
    forget_at = models.DateTimeField(db_index=True)


class UsedItem(models.Model):
    """Something that is accepted only once, such as a challenge or a frame of an answer.

    Written by `single_use`, and deleted after `forget_at`.
    """

    # A keyed hash, which identifies nobody.
    key = models.CharField(max_length=80, primary_key=True)
    forget_at = models.DateTimeField(db_index=True)


class FaceChallenge(models.Model):
    """A liveness challenge, and what was seen of its answer so far. Written by `liveness`."""

    # A keyed hash of the id, which only the visitor's session and page know, and of what it is for.
    key = models.CharField(max_length=80, primary_key=True)
    # The number of the last request with frames that was accepted.
    number = models.PositiveIntegerField(default=0)
    # The steps, and the poses, times and encodings of the frames, encrypted. Never pixels.
    state = models.BinaryField(editable=False)
    passed = models.BooleanField(default=False, editable=False)
    # Whether the first step was shown: a challenge that is given up after that is counted.
    revealed = models.BooleanField(default=False, editable=False)
    # The device it was opened on, if it is a trusted one, and a keyed hash of the address.
    device = models.ForeignKey(
        "FaceDevice", models.CASCADE, null=True, related_name="challenges", editable=False
    )
    address = models.CharField(max_length=80, blank=True, default="", editable=False)
    # When it can no longer be answered, and when the row is deleted.
    expires_at = models.DateTimeField(db_index=True)
    forget_at = models.DateTimeField(db_index=True)

    class Meta:
        indexes = [models.Index(fields=["address", "expires_at"], name="faceauth_challenge_at")]


class FaceTake(models.Model):
    """How the head moved at one login, to notice when a film of it comes back.

    Written by `liveness.replay`.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="face_takes")
    device = models.ForeignKey(
        "FaceDevice", models.SET_NULL, null=True, related_name="takes", editable=False
    )
    # The path of the head and a few encodings, encrypted. Never pixels.
    take = models.BinaryField(editable=False)
    at = models.DateTimeField(default=timezone.now, db_index=True)


class LoginTiming(models.Model):
    """How long the stages of one login took, in seconds. It is linked to nobody.

    Written by `audit.timings`.
    """

    class Kind(models.TextChoices):
        PHONE = "phone", _("phone")
        TABLET = "tablet", _("tablet")
        COMPUTER = "computer", _("computer")

    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.COMPUTER)
    # From the opening of the page until the camera, the face, the last step and the answer.
    camera = models.FloatField(null=True)
    face = models.FloatField(null=True)
    steps = models.FloatField(null=True)
    answer = models.FloatField(null=True)
    # Rounded to the hour, so that no login can be recognised by it.
    at = models.DateTimeField(db_index=True)


class EmailCode(models.Model):
    """A code that was sent by email, or a decoy of one. Written by `step_up.email_code`."""

    # A keyed hash of the session that has to enter the code, and of what the code is for.
    key = models.CharField(max_length=80, primary_key=True)
    # A keyed hash of the code. "" for a decoy, which no code opens.
    code_hash = models.CharField(max_length=64, blank=True)
    # Null if the code confirms an address that has no account yet, and for decoys.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="face_codes"
    )
    tries = models.PositiveSmallIntegerField(default=0)
    # What the one who issued the code keeps until it is entered, encrypted.
    attached = models.BinaryField(default=b"", editable=False)
    forget_at = models.DateTimeField(db_index=True)


class FaceDevice(models.Model):
    """A browser that users trust to log them in by face. Written by `devices`."""

    class Kind(models.TextChoices):
        BROWSER = "browser", _("browser")

    kind = models.CharField(
        _("kind"), max_length=16, choices=Kind.choices, default=Kind.BROWSER, editable=False
    )
    # The SHA-256 of the secret in the cookie, and of the one before it.
    secret_hash = models.CharField(max_length=64, editable=False)
    previous_hash = models.CharField(max_length=64, blank=True, default="", editable=False)
    rotated_at = models.DateTimeField(default=timezone.now, editable=False)
    # The browser's ECDSA P-256 public key, as DER. Null if the browser has none.
    public_key = models.BinaryField(null=True, editable=False)
    label = models.CharField(_("device"), max_length=80, blank=True)
    # The network that the device was last used from: see `http.client_ip.network`.
    address = models.CharField(_("network"), max_length=48, blank=True)
    created_at = models.DateTimeField(_("trusted since"), default=timezone.now, editable=False)
    last_used_at = models.DateTimeField(_("last used"), default=timezone.now, db_index=True)
    # When somebody used a copy of the cookie without the key.
    suspected_at = models.DateTimeField(null=True, editable=False)

    # Read by `devices.people`.
    known_people: list[Any] | None = None

    class Meta:
        verbose_name = _("device")
        verbose_name_plural = _("devices")
        ordering = ["-last_used_at", "-pk"]

    def __str__(self) -> str:
        return self.label or gettext("Unknown browser")

    @property
    def has_key(self) -> bool:
        """Return True if the browser proves with a key that the cookie was not copied."""
        return self.public_key is not None


class DeviceTrust(models.Model):
    """The trust of one user in one device: a family's computer has several."""

    class By(models.TextChoices):
        PASSWORD = "password", _("password")  # or any other backend than the face's
        CODE = "code", _("code by email")
        STAFF = "staff", _("staff")

    device = models.ForeignKey(
        FaceDevice, models.CASCADE, related_name="trusts", verbose_name=_("device")
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        related_name="face_devices",
        verbose_name=_("user"),
    )
    by = models.CharField(_("trusted after"), max_length=16, choices=By.choices)
    # The owner's name for the device, instead of its label.
    name = models.CharField(_("name"), max_length=60, blank=True)
    created_at = models.DateTimeField(_("trusted since"), default=timezone.now, editable=False)
    last_used_at = models.DateTimeField(_("last used"), default=timezone.now, db_index=True)

    class Meta:
        verbose_name = _("trusted device")
        verbose_name_plural = _("trusted devices")
        ordering = ["-last_used_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["device", "user"], name="faceauth_trust_once"),
        ]

    def __str__(self) -> str:
        return self.name or str(self.device)


class FaceEvent(models.Model):
    """One entry of the audit log. Written by `audit.events`, and never changed."""

    class Kind(models.TextChoices):
        ENROLLED = "enrolled", _("enrolled")
        REPLACED = "replaced", _("replaced")
        REMOVED = "removed", _("removed")
        LOGIN = "login", _("logged in")
        REFUSED = "refused", _("refused")
        LOCKED = "locked", _("locked out")
        DISABLED = "disabled", _("disabled")
        ENABLED = "enabled", _("enabled")
        CHECKED = "checked", _("verified for staff")
        CONFIRMED = "confirmed", _("confirmed by face")
        CODE_SENT = "code_sent", _("code sent by email")
        DEVICE_TRUSTED = "device_trusted", _("device trusted")
        DEVICE_REVOKED = "device_revoked", _("device no longer trusted")
        DEVICE_COPIED = "device_copied", _("copy of a device’s cookie used")
        REMOVAL_PLANNED = "removal_planned", _("removal planned by email")
        REMOVAL_CANCELLED = "removal_undone", _("planned removal cancelled")

    class Mode(models.TextChoices):
        ALONE = "alone", _("face alone")
        USERNAME = "username", _("with a username")
        DEVICE = "device", _("on a trusted device")
        CODE = "code", _("with a code by email")

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
    max_distance = models.FloatField(_("maximum distance"), null=True)
    rate = models.FloatField(_("false-match rate at that distance"), null=True)
    # Never a complete address: see `http.client_ip.network`.
    address = models.CharField(_("network"), max_length=48, blank=True)
    device = models.CharField(_("device"), max_length=80, blank=True)
    # A keyed hash of the user who was nearest to a face without a username, whom the event does
    # not name: to erase the distances when that user's face is removed.
    nearest = models.CharField(max_length=64, blank=True, editable=False)

    class Meta:
        verbose_name = _("face event")
        verbose_name_plural = _("face events")
        ordering = ["-at", "-pk"]
        indexes = [
            models.Index(fields=["kind", "at"], name="faceauth_event_kind"),
            models.Index(fields=["outcome", "at"], name="faceauth_event_outcome"),
        ]
        # Permissions on users' faces. They belong to this model because the user model can be
        # another project's: see `admin`.
        permissions = [
            ("view_face", _("Can view face data")),
            ("enrol_face", _("Can enrol faces for other users and invite users to enrol")),
            ("remove_face", _("Can remove faces, and disable and enable face login")),
            ("verify_face", _("Can verify users by their face")),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.get_kind_display()}"
