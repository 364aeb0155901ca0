"""What can be wrong with a request, as the visitor is told: one class a code.

They are validation errors, so forms collect them; the views turn code and status into answers.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.forms import BaseForm
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


class FaceError(ValidationError):
    """Base of all. `status` is the HTTP status that goes with the code."""

    status = 400
    default_code = "invalid"
    default_message: str | _StrPromise = _("Something in the form is missing or wrong.")
    retry_after: int | None = None  # seconds

    def __init__(self, message: str | _StrPromise | None = None) -> None:
        super().__init__(message or self.default_message, code=self.default_code)

    def as_json(self, **more: Any) -> dict[str, Any]:
        """The body of the answer: ``{"error": {"code": ..., "message": ...}}``."""
        return {"error": {"code": self.code, "message": self.messages[0], **more}}


class MissingSnapshot(FaceError):
    default_code = "missing_snapshot"
    default_message = _("No picture arrived. Take one with the camera or choose a file.")


class BadImage(FaceError):
    default_code = "bad_image"
    default_message = _("The picture is empty or damaged. Take another one.")


class UnsupportedType(FaceError):
    status = 415
    default_code = "unsupported_type"
    default_message = _("This file is not a picture that can be read. Use a JPEG, PNG or WebP.")


class TooLarge(FaceError):
    status = 413
    default_code = "too_large"
    default_message = _("The picture is too large. Use a smaller one.")


class NoFace(FaceError):
    default_code = "no_face"
    default_message = _("There is no face to be seen. Look into the camera from close by.")


class SeveralFaces(FaceError):
    default_code = "several_faces"
    default_message = _("There is more than one face. Only you should be in the picture.")


class TooSmall(FaceError):
    default_code = "too_small"
    default_message = _("Your face is too far away. Come closer.")


class TooDark(FaceError):
    default_code = "too_dark"
    default_message = _("It is too dark. Turn to the light.")


class TooBright(FaceError):
    default_code = "too_bright"
    default_message = _("It is too bright. Turn away from the light.")


class Blurred(FaceError):
    default_code = "blurred"
    default_message = _("The picture is blurred. Hold still.")


class NotSamePerson(FaceError):
    default_code = "not_same_person"
    default_message = _("The pictures do not all show the same person. Take them again.")


class SamePicture(FaceError):
    default_code = "same_picture"
    default_message = _("Two of the pictures are the same. Take another one.")


class LookAlike(FaceError):
    default_code = "look_alike"
    default_message = _("This face cannot be enrolled here. Ask the site's staff.")


class ChallengeFailed(FaceError):
    default_code = "challenge_failed"
    default_message = _(
        "Your head was not seen to turn as asked. Turn it slowly, as far as the arrow says and "
        "back to the middle each time."
    )


class ChallengeExpired(FaceError):
    default_code = "challenge_expired"
    default_message = _("That took too long. Begin again.")


class CameraNeeded(FaceError):
    """Where files alone were sent: nothing in them is alive."""

    default_code = "challenge_failed"
    default_message = _(
        "This takes a camera and JavaScript, because photos alone do not show that you are there."
    )


class AccountGone(FaceError):
    status = 409
    default_code = "account_gone"
    default_message = _("This account was deleted in the meantime. Nothing of your face is kept.")


class UsernameNeeded(FaceError):
    default_code = "username_needed"
    default_message = _("Give your username as well.")


class NotRecognised(FaceError):
    status = 401
    default_code = "not_recognised"
    default_message = _("You were not recognised. Try again, or log in with your password.")


class NotRecognisedAlone(NotRecognised):
    """Without a username, by which the face could be told from others like it."""

    default_message = _(
        "You were not recognised. Give your username as well, or log in with your password."
    )


class TooManyAttempts(FaceError):
    """To be tried again after so many seconds."""

    status = 429
    default_code = "too_many_attempts"

    def __init__(self, seconds: float) -> None:
        self.retry_after = max(math.ceil(seconds), 1)
        minutes = math.ceil(self.retry_after / 60)
        super().__init__(self.worded(minutes) % {"minutes": minutes})

    def worded(self, minutes: int) -> str:
        return ngettext(
            "There were too many attempts. Try again in %(minutes)d minute, or log in with your "
            "password.",
            "There were too many attempts. Try again in %(minutes)d minutes, or log in with your "
            "password.",
            minutes,
        )


class TooManyPictures(TooManyAttempts):
    """Sent, not failed."""

    def worded(self, minutes: int) -> str:
        return ngettext(
            "There were too many pictures. Try again in %(minutes)d minute.",
            "There were too many pictures. Try again in %(minutes)d minutes.",
            minutes,
        )


class TooManyPasswords(TooManyAttempts):
    def worded(self, minutes: int) -> str:
        return ngettext(
            "There were too many attempts. Try again in %(minutes)d minute.",
            "There were too many attempts. Try again in %(minutes)d minutes.",
            minutes,
        )


class LoginRequired(FaceError):
    status = 401
    default_code = "login_required"
    default_message = _("Log in first.")


class NotAllowed(FaceError):
    status = 403
    default_code = "not_allowed"
    default_message = _("You may not do this.")


class FaceNeeded(FaceError):
    status = 403
    default_code = "face_needed"
    default_message = _(
        "Your face guards the admin: log in with it first, then you can change it or remove it."
    )


class FaceRequired(FaceError):
    """Not shown lately enough for what is asked for."""

    status = 403
    default_code = "face_required"
    default_message = _("Confirm that it is you, then try again.")


class PasswordNeeded(FaceError):
    status = 409
    default_code = "password_needed"
    default_message = _("Choose a password first: without your face it is the only way in.")


class CsrfFailed(FaceError):
    status = 403
    default_code = "csrf_failed"
    default_message = _("This page has been open for too long. Load it again and try once more.")


class MethodNotAllowed(FaceError):
    status = 405
    default_code = "method_not_allowed"
    default_message = _("This address takes only form submissions.")


class Busy(FaceError):
    status = 503
    default_code = "busy"
    default_message = _("The site is busy just now. Try again in a moment.")
    retry_after = 3


class Unavailable(Busy):
    default_message = _(
        "The site cannot reach its records just now. Try again in a moment; nothing is lost."
    )
    retry_after = 10


def first(form: BaseForm) -> FaceError:
    """Return the error that an invalid form is answered with.

    That is the first `FaceError`; an error that tells the client to wait comes before the others.
    For a form without one, it is a `FaceError` with the form's first non-field error.
    """
    found = [error for errors in form.errors.as_data().values() for error in errors]
    for error in sorted(found, key=lambda each: getattr(each, "retry_after", None) is None):
        if isinstance(error, FaceError):
            return error
        if error.code == "invalid_login":
            return NotRecognised(error.messages[0])
    return FaceError(next(map(str, form.non_field_errors()), None))
