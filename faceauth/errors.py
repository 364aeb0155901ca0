"""The errors that visitors see: one class for each code.

They are validation errors, so forms collect them. Views turn their codes and statuses into
responses.
"""

from __future__ import annotations

import math
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.forms import BaseForm
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from .languages import in_app_language

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


class FaceError(ValidationError):
    """The base class of all errors.

    Attributes:
        status: The HTTP status of the response.
        default_code: The code in the response.
        default_message: The message, unless one is passed to the class.
        retry_after: The number of seconds after which to try again, or None.

    Args:
        message: The message, instead of the class's.
        **values: What the message has placeholders for.
    """

    status = 400
    default_code = "invalid"
    default_message: str | _StrPromise = _("Something in the form is missing or wrong.")
    retry_after: int | None = None

    def __init__(self, message: str | _StrPromise | None = None, **values: Any) -> None:
        super().__init__(message or self.default_message, self.default_code, values or None)

    def as_json(self, **more: Any) -> dict[str, Any]:
        """Return the body of the response: ``{"error": {"code": ..., "message": ...}}``."""
        return {"error": {"code": self.code, "message": self.messages[0], **more}}


class MissingSnapshot(FaceError):
    """No picture was sent, or too few."""

    default_code = "missing_snapshot"
    default_message = _("No picture arrived. Take one with the camera or choose a file.")


class BadImage(FaceError):
    """The picture is empty or damaged."""

    default_code = "bad_image"
    default_message = _("The picture is empty or damaged. Take another one.")


class UnsupportedType(FaceError):
    """The file is not a picture in a supported format."""

    status = 415
    default_code = "unsupported_type"
    default_message = _("We can’t read this file as a picture. Use a JPEG, PNG or WebP file.")


class TooLarge(FaceError):
    """A picture, its pixels or the request exceed a limit, or there are too many pictures."""

    status = 413
    default_code = "too_large"
    default_message = _("The picture is too large. Use a smaller one.")


class NoFace(FaceError):
    """No face was found."""

    default_code = "no_face"
    default_message = _("We can’t see a face. Move into the oval.")


class SeveralFaces(FaceError):
    """More than one face was found."""

    default_code = "several_faces"
    default_message = _("We can see more than one face. Only you should be in the picture.")


class TooSmall(FaceError):
    """The face is smaller than ``MIN_FACE_SIZE``."""

    default_code = "too_small"
    default_message = _("Your face is too far away. Come closer.")


class TooDark(FaceError):
    """The face is too dark."""

    default_code = "too_dark"
    default_message = _("It’s too dark. Turn towards the light.")


class TooBright(FaceError):
    """The face is too bright."""

    default_code = "too_bright"
    default_message = _("It’s too bright. Turn away from the light.")


class Blurred(FaceError):
    """The picture is blurred."""

    default_code = "blurred"
    default_message = _("The picture is blurred. Hold still.")


class UnknownDevice(FaceError):
    """The face alone does not log in on this device: its user has not trusted it."""

    status = 403
    default_code = "unknown_device"
    default_message = _(
        "This browser is new to us, and your face alone doesn’t log in on it. Log in with your "
        "password first."
    )


class PasswordRequired(FaceError):
    """The user must have entered the password, or anything else but the face, a short time ago."""

    status = 403
    default_code = "password_required"
    default_message = _("To trust this browser, enter your password first.")


class NotSamePerson(FaceError):
    """The pictures of an enrolment are of more than one person."""

    default_code = "not_same_person"
    default_message = _("The pictures do not all show the same person. Take them again.")


class SamePicture(FaceError):
    """Two pictures of an enrolment are the same."""

    default_code = "same_picture"
    default_message = _("Two of the pictures are the same. Take another one.")


class LookAlike(FaceError):
    """The face could be taken for another user's, and ``LOOK_ALIKES`` is "refuse"."""

    default_code = "look_alike"
    default_message = _("We can’t enrol this face. Ask the site’s staff for help.")


class ChallengeFailed(FaceError):
    """The frames do not show one live head that moved as asked."""

    default_code = "challenge_failed"
    default_message = _("We didn’t see your head move as asked. Follow the arrow and try again.")


class Replayed(ChallengeFailed):
    """The movement is that of an earlier login: a film of it was shown."""

    default_message = _(
        "We can’t tell that you are here in person. Sit a little differently and try again."
    )


class FramesOutOfOrder(FaceError):
    """The frames are not the next ones: they were sent twice, late, or in parallel with others.

    Attributes:
        number: The number of the last request that was accepted. The next one has one more.
    """

    status = 409
    default_code = "frames_out_of_order"
    default_message = _("These pictures came late. Go on with the newest ones.")

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


class ChallengeExpired(FaceError):
    """The challenge is too old, was used before, or is from another session."""

    default_code = "challenge_expired"
    default_message = _("That took too long. Start again.")


class CameraNeeded(FaceError):
    """Files were sent without the answer to a challenge: they do not show a live person."""

    default_code = "challenge_failed"
    default_message = _(
        "Photos alone don’t show that you are there. Use a camera, and turn on JavaScript."
    )


class CodeWrong(FaceError):
    """The code from the email is not correct."""

    status = 401
    default_code = "code_wrong"
    default_message = _(
        "This code is not correct. Check the newest email, or ask for another code."
    )


class CodeExpired(FaceError):
    """The code from the email is too old, was entered too often, or was never asked for."""

    default_code = "code_expired"
    default_message = _("This code no longer works. Ask for another one.")


class AccountGone(FaceError):
    """The account has been deleted."""

    status = 409
    default_code = "account_gone"
    default_message = _("This account has been deleted. Nothing about your face is kept.")


class UsernameNeeded(FaceError):
    """No username was given, and ``FACE_ALONE`` is off.

    Or too many faces without a username were refused on the whole site in the last hour.

    Args:
        name: What the name is called that people log in with, see `users.login_name`.
    """

    default_code = "username_needed"
    default_message = _("Enter your %(name)s as well.")

    def __init__(self, name: str) -> None:
        super().__init__(name=name)


class NotRecognised(FaceError):
    """The face was not accepted."""

    status = 401
    default_code = "not_recognised"
    default_message = _("We didn’t recognise you. Try again, or log in with your password.")


class NotRecognisedAlone(NotRecognised):
    """The face was not accepted, and no username was given to tell it from similar ones.

    Args:
        name: See `UsernameNeeded`.
    """

    default_message = _(
        "We didn’t recognise you. Enter your %(name)s as well, or log in with your password."
    )

    def __init__(self, name: str) -> None:
        super().__init__(name=name)


class TooManyAttempts(FaceError):
    """There were too many failures.

    Args:
        seconds: The number of seconds after which to try again.
    """

    status = 429
    default_code = "too_many_attempts"
    default_message = ngettext_lazy(
        "Too many attempts. Try again in %(minutes)d minute, or log in with your password.",
        "Too many attempts. Try again in %(minutes)d minutes, or log in with your password.",
        "minutes",
    )

    def __init__(self, seconds: float) -> None:
        self.retry_after = max(math.ceil(seconds), 1)
        super().__init__(minutes=math.ceil(self.retry_after / 60))


class TooManyPictures(TooManyAttempts):
    """Too many pictures were sent, whether they failed or not."""

    default_message = ngettext_lazy(
        "Too many pictures. Try again in %(minutes)d minute.",
        "Too many pictures. Try again in %(minutes)d minutes.",
        "minutes",
    )


class TooManySignUps(TooManyAttempts):
    """Too many sign-ups came from one address."""

    default_message = ngettext_lazy(
        "Too many sign-ups from your network. Try again in %(minutes)d minute.",
        "Too many sign-ups from your network. Try again in %(minutes)d minutes.",
        "minutes",
    )


class TooManyCodes(TooManyAttempts):
    """Too many codes were sent to one address."""

    default_message = ngettext_lazy(
        "We have sent too many emails there. Try again in %(minutes)d minute.",
        "We have sent too many emails there. Try again in %(minutes)d minutes.",
        "minutes",
    )


class TooManyPasswords(TooManyAttempts):
    """Too many wrong passwords were given for one account from one address."""

    default_message = ngettext_lazy(
        "Too many attempts. Try again in %(minutes)d minute.",
        "Too many attempts. Try again in %(minutes)d minutes.",
        "minutes",
    )


class LoginRequired(FaceError):
    """The view is only for users who are logged in."""

    status = 401
    default_code = "login_required"
    default_message = _("Log in first.")


class NotAllowed(FaceError):
    """The user does not have the permission."""

    status = 403
    default_code = "not_allowed"
    default_message = _("You don’t have permission to do this.")


class FaceNeeded(FaceError):
    """The face is a second step, and the session has not seen it."""

    status = 403
    default_code = "face_needed"
    default_message = _(
        "Your face protects the admin. Log in with it before you change or remove it."
    )


class SecondStepNeeded(FaceError):
    """``ADMIN_SECOND_STEP`` is on, and the session has not seen both the password and the face."""

    status = 403
    default_code = "second_step_needed"
    default_message = _("Log in to the admin first, with your password and your face.")


class FaceRequired(FaceError):
    """The user's identity has not been confirmed recently enough."""

    status = 403
    default_code = "face_required"
    default_message = _("Confirm that it’s you, then try again.")


class FaceTooNew(FaceError):
    """The face was enrolled, replaced or removed too recently for a view that only it opens.

    Args:
        opens_at: The time from which the view opens, as local time.
    """

    status = 403
    default_code = "face_too_new"
    default_message = _(
        "Your face was enrolled, replaced or removed recently. To protect you, this page is closed "
        "(until %(time)s)."
    )

    def __init__(self, opens_at: datetime) -> None:
        with in_app_language():
            time = date_format(opens_at, "DATETIME_FORMAT")
        super().__init__(time=time)
        self.opens_at = opens_at

    def as_json(self, **more: Any) -> dict[str, Any]:
        return super().as_json(opens_at=self.opens_at.isoformat(), **more)


class PasswordNeeded(FaceError):
    """The user has neither a password nor an email address, so the face cannot be removed."""

    status = 409
    default_code = "password_needed"
    default_message = _(
        "Choose a password first. Without your face, it is your only way to log in."
    )


class NoEmail(FaceError):
    """The face cannot be removed by email: no email reaches its owner, or it is a second step."""

    status = 409
    default_code = "no_email"
    default_message = _(
        "You can’t have your face removed by email. Ask the site’s staff to remove it."
    )


class LinkExpired(FaceError):
    """The link in an email is too old, was used already, or has nothing to do any more."""

    status = 410
    default_code = "link_expired"
    default_message = _("This link no longer works. It was used already, or it is too old.")


class TooManyEmails(TooManyAttempts):
    """Too many emails were requested for one account."""

    default_message = ngettext_lazy(
        "Too many emails. Try again in %(minutes)d minute.",
        "Too many emails. Try again in %(minutes)d minutes.",
        "minutes",
    )


class CsrfFailed(FaceError):
    """The CSRF token is missing or wrong."""

    status = 403
    default_code = "csrf_failed"
    default_message = _("This page was open for too long. Reload it and try again.")


class MethodNotAllowed(FaceError):
    """The view only answers POST requests."""

    status = 405
    default_code = "method_not_allowed"
    default_message = _("This address accepts only form submissions.")


class Busy(FaceError):
    """No core was free to analyse a picture in time."""

    status = 503
    default_code = "busy"
    default_message = _("The site is busy. Try again in a moment.")
    retry_after = 3


class Unavailable(Busy):
    """The database cannot be reached."""

    default_message = _("The site can’t reach its records. Nothing is lost. Try again in a moment.")
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


def by_field(form: BaseForm) -> dict[str, Any]:
    """Return the errors of an invalid form's fields by their names, for JSON."""
    return {name: each for name, each in form.errors.items() if name != NON_FIELD_ERRORS}
