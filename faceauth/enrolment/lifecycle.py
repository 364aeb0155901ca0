"""Enrol and remove faces: the functions that write the face columns of users.

`adaptation` is the only other module that changes a template.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np
from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import router, transaction
from django.db.models import F, Q
from django.http import HttpRequest
from django.utils import timezone
from numpy.typing import ArrayLike

from faceauth import conf, errors, faces, single_use
from faceauth.audit import events, notifications
from faceauth.db import atomic
from faceauth.encryption.fields import validate
from faceauth.lockout import counters
from faceauth.models import FaceEvent
from faceauth.privacy import export
from faceauth.recognition.calibration import calibration
from faceauth.step_up import sessions
from faceauth.vision.encoding import Encoding, template

from . import lookalikes, shots
from .consent import Consent

# The maximum distance of two photos of one person. Of pairs taken at different times, 97 in 100 of
# one person and 1 in 100 of two people lie within it (the 1,000 pairs of LFW's development set).
# This and the next distance are for dlib's encodings: see `Calibration.scale`.
SAME_PERSON_WITHIN = 0.42

# The distance below which two encodings are of one picture. A picture and its copy, compressed
# again, scaled or cropped, have a distance of 0.01 to 0.04; two frames of a moving head, a tenth of
# a second after each other, of 0.065 and more.
SAME_PICTURE_WITHIN = 0.04

ONE_DAY = timedelta(days=1)

# A face is enrolled, even if it cannot be read: `FaceTemplateMixin.face_is_enrolled` as a query.
ENROLLED = Q(face_encodings__isnull=False) | Q(face_enrolled_at__isnull=False)

# The columns of a user without a face.
EMPTY_COLUMNS: dict[str, Any] = {
    "face_encodings": None,
    "face_enrolled_at": None,
    "face_consented_at": None,
    "face_consent_version": "",
    "face_consent_from": "",
    "face_last_used_at": None,
    "face_flagged_at": None,
    "face_enrolled_encodings": None,
    "face_adapted_at": None,
    "face_shot_notes": None,
    "face_quality": None,
    "face_removal_at": None,
}


def check_same_person(encodings: Encoding) -> None:
    """Check that encodings, float32 (n, d), are of one person.

    Raises:
        NotSamePerson: The distance of two of them is too large.
    """
    limit = SAME_PERSON_WITHIN * calibration().scale
    if any(_distance(one, other) > limit for one, other in combinations(encodings, 2)):
        raise errors.NotSamePerson()


def check_no_copies(encodings: Encoding) -> None:
    """Check that encodings, float32 (n, d), are of n pictures: a copy adds nothing to a template.

    Raises:
        SamePicture: Two of them are of the same picture.
    """
    if any(same_picture(one, other) for one, other in combinations(encodings, 2)):
        raise errors.SamePicture()


def same_picture(one: Encoding, other: Encoding) -> bool:
    """Return True if two encodings, float32 (d,), are so close that they are of one picture."""
    return _distance(one, other) < SAME_PICTURE_WITHIN * calibration().scale


def enrol(
    user: AbstractBaseUser,
    encodings: ArrayLike,
    consent: Consent | None = None,
    notes: Sequence[shots.Note] | None = None,
    *,
    request: HttpRequest | None = None,
    by: AbstractBaseUser | str | None = None,
) -> FaceEvent:
    """Make encodings the user's template, and replace the previous one.

    The consent is saved with the time, in the same write as the template. So is an event in the
    audit log. Once the transaction is committed, ``face_enrolled`` is sent, and the user gets an
    email if ``NOTIFY_BY_MAIL`` is on. A user who has not been saved is saved first.

    If the face could be taken for another user's and ``LOOK_ALIKES`` is "flag", the new one is
    flagged, and the owner of the other gets an email, at most one a day. Until staff clear the
    flag, the new face logs in only where it is compared with its owner alone.

    Sessions that the previous face began end at their next request, except the one of `request` if
    it is the owner's own.

    Args:
        user: The owner of the face, who has consented.
        encodings: One encoding (d,) or several (n, d), from `capture.samples.encodings`. Encodings
            from face_recognition for the same pictures work as well: float64, lists, and encodings
            that were not averaged with those of the mirror image.
        consent: The consent. By default, to the current notice, from the network of `request`.
        notes: The notes on the pictures, from `shots.notes`. By default, they say that the
            encodings were computed elsewhere.
        request: The request that enrols the face, if there is one.
        by: The staff member who enrols the face for its owner, or "staff" if a command does.

    Returns:
        The event. Its `kind` is ``REPLACED`` if a face was enrolled before, even one that could
        not be read, and ``ENROLLED`` otherwise.

    Raises:
        AccountGone: The user has been deleted.
        NotSamePerson: The encodings are of more than one person.
        SamePicture: Two encodings are of the same picture.
        LookAlike: Another user has nearly the same face, and ``LOOK_ALIKES`` is "refuse".
        ValidationError: `encodings` does not contain encodings.
    """
    rows = _as_rows(encodings)
    check_same_person(rows)
    check_no_copies(rows)
    look_alike = _look_alike(user, rows)
    notes = list(notes or shots.notes(shots.Source.ELSEWHERE, [None] * len(rows)))
    consent_columns = (consent or Consent.from_request(request)).columns()
    now = timezone.now()
    columns = {
        **consent_columns,
        "face_encodings": rows,
        "face_enrolled_at": now,
        "face_flagged_at": now if look_alike is not None else None,
        "face_enrolled_encodings": None,
        "face_adapted_at": None,
        "face_shot_notes": notes,
        "face_quality": shots.quality(notes),
        "face_removal_at": None,
    }
    details = events.EventDetails(outcome=events.BY_STAFF if by else "")
    with atomic(get_user_model()):
        if user._state.adding:
            user.save()
        faces.ensure_row(user)
        # The database decides, in the write itself: another request may enrol the same user.
        if _write(user, columns, ~ENROLLED):
            kind = FaceEvent.Kind.ENROLLED
        elif _write(user, columns):
            kind = FaceEvent.Kind.REPLACED
        else:
            raise errors.AccountGone()
        # Earlier failures were against the old template: clear them.
        counters.clear_failures(user)
        _keep_session_on_commit(user, request)
        event = events.save(kind, request, user, details)
        _announce_on_commit(event, request)
        if look_alike is not None:
            _on_commit(partial(_notify_owner, look_alike, request))
    return event


def revoke(user: AbstractBaseUser, *conditions: Q) -> bool:
    """Remove the user's face and everything saved with it, without an event or an email.

    `privacy.export.erase` lists what is removed besides the face's own columns.

    Args:
        user: The owner of the face.
        *conditions: Conditions that the face's row must meet when it is written.

    Returns:
        True if the face was removed, False if the user is gone or a condition was not met.
    """
    with atomic(get_user_model()):
        if not _write(user, EMPTY_COLUMNS, *conditions):
            return False
        export.erase(user)
    return True


def remove(
    user: AbstractBaseUser, *conditions: Q, request: HttpRequest | None = None, reason: str = ""
) -> bool:
    """Remove the user's face as `revoke` does, save an event and notify the user.

    Sessions that the face began end at their next request, except the one of `request` if it is the
    owner's own.

    Args:
        user: The owner of the face.
        *conditions: Conditions that the face's row must meet when it is written.
        request: The request that removes the face, if there is one.
        reason: ``events.UNUSED``, ``events.BY_STAFF`` or ``events.RESET``; "" if the owner
            removes it.

    Returns:
        True if the face was removed, False if there was none or a condition was not met.
    """
    details = events.EventDetails(outcome=reason)
    with atomic(get_user_model()):
        if not revoke(user, ENROLLED, *conditions):
            return False
        _keep_session_on_commit(user, request)
        event = events.save(FaceEvent.Kind.REMOVED, request, user, details)
        _announce_on_commit(event, request)
    return True


def _announce_on_commit(event: FaceEvent, request: HttpRequest | None) -> None:
    """Send the event's signal and email once the users' database has committed it, if it does."""
    _on_commit(partial(events.announce, event, request))


def _on_commit(function: Callable[[], None]) -> None:
    using = router.db_for_write(get_user_model())
    transaction.on_commit(function, using=using, robust=True)


def _keep_session_on_commit(user: AbstractBaseUser, request: HttpRequest | None) -> None:
    """Keep the session of an owner who has just changed their own face, once it is committed."""
    keep = partial(sessions.keep, request, user, faces.of(user).face_generation - 1)
    transaction.on_commit(keep, using=router.db_for_write(get_user_model()), robust=True)


def _write(user: AbstractBaseUser, columns: dict[str, Any], *conditions: Q) -> bool:
    """Write a template and its columns to the user's row, then to the user in memory.

    It is another face from now on: see `FaceTemplateMixin.face_generation`.

    Returns:
        True if there was a row that meets the conditions, and it was written.
    """
    row, now = faces.row(user), timezone.now()
    columns = {**columns, "face_changed_at": now, "face_renewed_at": now}
    sealed = row.model._meta.get_field("face_encodings").seal(user.pk, columns["face_encodings"])
    written = {**columns, "face_encodings": sealed, "face_generation": F("face_generation") + 1}
    if not faces.write_template(user, row.filter(*conditions), written):
        return False
    generation = row.values_list("face_generation", flat=True).get()
    faces.set_columns(user, {**columns, "face_generation": generation})
    return True


def _distance(one: Encoding, other: Encoding) -> float:
    return float(np.linalg.norm(template(one[None]) - template(other[None])))


def _as_rows(encodings: Any) -> Encoding:
    """Return one encoding or several as float32 (n, d)."""
    single = len(encodings) > 0 and np.ndim(encodings[0]) == 0
    return validate([encodings] if single else encodings)


def _look_alike(user: AbstractBaseUser, rows: Encoding) -> Any:
    """Return the owner of the face that the new one could be taken for, or None.

    Raises:
        LookAlike: The face must not be enrolled.
    """
    rule = conf.get().LOOK_ALIKES
    owner = None if rule == "allow" else lookalikes.owner_of(user, rows)
    if owner is not None and rule == "refuse":
        raise errors.LookAlike()
    return owner


def _notify_owner(owner: Any, request: HttpRequest | None) -> None:
    """Notify the owner of a face that somebody enrolled a similar one, at most once a day."""
    address = notifications.address_of(owner)
    if not conf.get().NOTIFY_BY_MAIL or not address or not getattr(owner, "is_active", True):
        return
    if single_use.mark_used("look-alike", [str(owner.pk).encode()], ONE_DAY):
        # From the outbox: the time of the answer does not tell whether there is a look-alike.
        notifications.send_later(request, address, "look_alike", {"user": owner})
