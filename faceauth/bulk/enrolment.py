"""Decide which people are enrolled from photos or stored encodings, and enrol them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from django.contrib.auth import get_user_model
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import IntegrityError

from faceauth import conf, enrolment, errors, faces
from faceauth.db import atomic, roll_back
from faceauth.enrolment import lookalikes, shots
from faceauth.gallery import gallery
from faceauth.models import FaceEvent
from faceauth.recognition import policy
from faceauth.vision.encoding import Encoding

from .manifests import Person
from .photos import Photo, encodings, used
from .reference_people import ReferencePeople

# The outcomes for a candidate.
ENROLLED, REPLACED, ALREADY, REFUSED = "enrolled", "replaced", "already", "refused"
OUTCOMES = (ENROLLED, REPLACED, ALREADY, REFUSED)

# Encodings of the same photo, computed again and stored in between, differ by less than this.
SAME_ENCODING_WITHIN = 1e-4


class Refused(Exception):
    """A person cannot be enrolled.

    Attributes:
        reason: A key of `messages.PERSON_REASONS`.
        details: The values for the placeholders of that message.
    """

    def __init__(self, reason: str, **details: Any) -> None:
        super().__init__(reason)
        self.reason, self.details = reason, details


@dataclass
class Candidate:
    """A person to enrol, and the outcome.

    Attributes:
        person: The username and the photos.
        user: The account; None if there is none. A new one is not saved yet.
        created: The account is a new one.
        outcome: One of `OUTCOMES`; "" until it is decided.
        reason: Why the person was refused, a key of `messages.PERSON_REASONS`.
        details: The values for the placeholders of that message.
        missing: The fields that a new account needs and nobody gave a value for.
        look_alike: The username of a person with nearly the same face, for the staff to check.
        photos: The photos that were examined.
    """

    person: Person
    user: Any = None
    created: bool = False
    outcome: str = ""
    reason: str = ""
    details: dict[str, Any] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)
    look_alike: str = ""
    photos: list[Photo] = field(default_factory=list)

    @contextmanager
    def catch_refusals(self) -> Iterator[None]:
        """Record the errors that prevent the enrolment."""
        try:
            yield
        except Refused as refused:
            self._refuse(refused.reason, **refused.details)
        except errors.FaceError as error:
            self._refuse(error.default_code)
        except ValidationError as error:
            self._refuse("invalid", why=_reasons(error))

    def _refuse(self, reason: str, **details: Any) -> None:
        self.outcome, self.reason, self.details = REFUSED, reason, details


class BulkEnrolment:
    """Decide who is enrolled, and enrol each person in a transaction.

    Args:
        consent: The consent that all of these people have given.
        min_shots: The number of usable photos that a person needs.
        create: Create accounts, with a face and no password, for people who have none.
        domain: The domain of a new account's email address, if the address is not known.
        replace: Replace the faces of people who have one.
        dry_run: Write nothing.
        source: The origin of the encodings.
    """

    def __init__(
        self,
        consent: enrolment.Consent,
        *,
        min_shots: int = 1,
        create: bool = False,
        domain: str = "",
        replace: bool = False,
        dry_run: bool = False,
        source: shots.Source = shots.Source.FILE,
    ) -> None:
        self.consent = consent
        self.min_shots = min_shots
        self.create = create
        self.domain = domain
        self.replace = replace
        self.dry_run = dry_run
        self.source = source
        self._model = get_user_model()
        self._users: Any = self._model._default_manager
        self._enrolled_so_far = ReferencePeople.from_encodings({})

    def candidates(self, people: Iterable[Person]) -> list[Candidate]:
        """Return one candidate for each account.

        The outcome is set for candidates that can be decided without photos.
        """
        found: dict[Any, Candidate] = {}
        for person in people:
            person.username = self._model.normalize_username(person.username)
            candidate = Candidate(person)
            with candidate.catch_refusals():
                self._find_account(candidate)
            existing = candidate.user and not candidate.created
            key = candidate.user.pk if existing else person.username.casefold()
            if key in found:
                # Two spellings of one name: more photos of one person.
                found[key].person.photos += person.photos
                found[key].person.unused += person.unused
            else:
                found[key] = candidate
        for candidate in found.values():
            with candidate.catch_refusals():
                if not candidate.outcome and not candidate.person.photos:
                    raise Refused("no_photos")
        return list(found.values())

    def enrol(self, candidate: Candidate, photos: list[Photo]) -> None:
        """Enrol a candidate who has no outcome yet with their photos, and set the outcome."""
        candidate.photos = photos
        with candidate.catch_refusals():
            count = len(used(photos))
            if not count:
                mixed = any(photo.reason == "not_same_person" for photo in photos)
                raise Refused("not_same_person" if mixed else "none_usable")
            if count < self.min_shots:
                raise Refused("too_few", shots=count, minimum=self.min_shots)
            self._enrol(candidate)

    def _find_account(self, candidate: Candidate) -> None:
        candidate.user = self._find_user(candidate.person.username)
        if candidate.user is None:
            if not self.create:
                raise Refused("unknown")
            candidate.created = True
            candidate.user = self._new_user(candidate.person)
            try:
                candidate.user.full_clean()
            except ValidationError as error:
                candidate.missing = _missing_fields(error)
                raise
        elif not candidate.user.is_active:
            raise Refused("inactive")
        elif faces.of(candidate.user).face_is_enrolled and not self.replace:
            candidate.outcome = ALREADY

    def _find_user(self, username: str) -> Any:
        """Return the user whom a name finds, or None.

        If it finds nobody, return the only user whose name differs in case alone.
        """
        if user := faces.by_username(username):
            return user
        name = self._model.USERNAME_FIELD
        similar = list(self._users.filter(**{f"{name}__iexact": username})[:2])
        if len(similar) > 1:
            raise Refused("several_users")
        return similar[0] if similar else None

    def _new_user(self, person: Person) -> Any:
        """Return a new user who is neither validated nor saved yet."""
        email = person.email or (f"{person.username}@{self.domain}" if self.domain else "")
        user: Any = self._model(**{self._model.USERNAME_FIELD: person.username})
        if self._model.get_email_field_name() != self._model.USERNAME_FIELD:
            setattr(user, self._model.get_email_field_name(), email)
        if hasattr(user, "first_name"):
            user.first_name = person.name
        user.set_unusable_password()
        return user

    def _enrol(self, candidate: Candidate) -> None:
        try:
            with atomic(self._model), atomic(FaceEvent):
                self._write(candidate)
        except IntegrityError as error:
            why = "The username or the email address was taken in the meantime."
            raise Refused("invalid", why=why) from error
        except errors.LookAlike as error:
            raise Refused("look_alike", who=self._nearest(candidate)) from error
        if candidate.outcome == ALREADY:
            return
        if faces.of(candidate.user).face_flagged_at is not None:
            candidate.look_alike = self._nearest(candidate)
        if self.dry_run:
            self._compare_with_dry_run(candidate)

    def _write(self, candidate: Candidate) -> None:
        """Save the photos' encodings as the user's template, unless this is a dry run."""
        user, rows = candidate.user, encodings(candidate.photos)
        if not candidate.created:
            user = candidate.user = self._users.select_for_update().filter(pk=user.pk).first()
            if user is None:
                raise errors.AccountGone()
        if faces.of(user).face_is_enrolled and (not self.replace or self._is_enrolled(user, rows)):
            candidate.outcome = ALREADY
            return
        qualities = [photo.quality for photo in used(candidate.photos)]
        notes = shots.notes(self.source, qualities)
        event = enrolment.enrol(user, rows, self.consent, notes, by="staff")
        candidate.outcome = REPLACED if event.kind == FaceEvent.Kind.REPLACED else ENROLLED
        if self.dry_run:
            # Leaves no event, and sends no signal and no mail.
            roll_back(self._model)
            roll_back(FaceEvent)

    def _is_enrolled(self, user: Any, rows: Encoding) -> bool:
        """Return True if the user's template has exactly these encodings and the same consent.

        Then an earlier run was interrupted after it enrolled and notified this user.
        """
        face = faces.of(user)
        enrolled = face.face_enrolled_encodings
        stored = face.face_encodings if enrolled is None else enrolled
        return (
            face.face_consent_version == self.consent.version
            and np.shape(stored) == rows.shape
            and np.allclose(stored, rows, atol=SAME_ENCODING_WITHIN)
        )

    def _nearest(self, candidate: Candidate) -> str:
        """Return the username of the person for whom this one could be taken."""
        other = lookalikes.owner_of(candidate.user, encodings(candidate.photos))
        return other.get_username() if other else ""

    def _compare_with_dry_run(self, candidate: Candidate) -> None:
        """Compare a face with the faces that this run would have saved by now."""
        rows, so_far = encodings(candidate.photos), self._enrolled_so_far
        people = len(gallery()) + len(so_far.names)
        match = policy.identify(so_far.nearest(rows, 1), len(rows), people).accepted
        new = ReferencePeople.from_encodings({candidate.person.username: rows})
        self._enrolled_so_far = so_far.joined(new)
        setting = conf.get().LOOK_ALIKES
        if match and setting == "refuse":
            raise Refused("look_alike", who=match.key)
        if match and setting == "flag":
            candidate.look_alike = candidate.look_alike or str(match.key)


def _missing_fields(error: ValidationError) -> set[str]:
    """Return the names of the fields that are empty but must not be."""
    return {
        name
        for name, found in error.error_dict.items()
        if any(each.code in ("blank", "null") for each in found)
    }


def _reasons(error: ValidationError) -> str:
    """Return the messages of an error, each with its field's name."""
    if not hasattr(error, "error_dict"):
        return " ".join(error.messages)
    return " ".join(
        text if name == NON_FIELD_ERRORS else f"{name}: {text}"
        for name, texts in error.message_dict.items()
        for text in texts
    )
