"""Into accounts: who may be enrolled from photos, and that they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.utils.translation import gettext as _

from faceauth import conf, enrolment, errors, faces
from faceauth.db import atomic, roll_back
from faceauth.enrolment import shots
from faceauth.gallery import gallery
from faceauth.models import FaceEvent
from faceauth.recognition import policy
from faceauth.vision.encoding import Encoding

from .manifests import Entry
from .photos import Photo, encodings, used
from .reference_people import Known

# What comes of a case.
ENROLLED, REPLACED, ALREADY, REFUSED = "enrolled", "replaced", "already", "refused"
OUTCOMES = (ENROLLED, REPLACED, ALREADY, REFUSED)

# Encodings of one photo, computed again and stored in between, differ by less.
ALIKE = 1e-4


class Refused(Exception):
    """Somebody cannot be enrolled: why, as `reasons` has it, with details."""

    def __init__(self, reason: str, **details: Any) -> None:
        super().__init__(reason)
        self.reason, self.details = reason, details


@dataclass
class Case:
    """Somebody who is to be enrolled, and what comes of it.

    user: None where there is none; not saved where it is new.
    outcome: one of `OUTCOMES`; "" as long as nothing is decided.
    reason, details: why somebody was refused, as `reasons` has it.
    alike: whose face was found to be nearly the same, where the staff is to see to it.
    """

    entry: Entry
    user: Any = None
    created: bool = False
    outcome: str = ""
    reason: str = ""
    details: dict[str, Any] = field(default_factory=dict)
    alike: str = ""
    photos: list[Photo] = field(default_factory=list)

    @contextmanager
    def refusals(self) -> Iterator[None]:
        """Note what keeps them from being enrolled."""
        try:
            yield
        except Refused as refused:
            self._refuse(refused.reason, **refused.details)
        except errors.FaceError as error:
            self._refuse(error.default_code)
        except ValidationError as error:
            self._refuse("invalid", why=" ".join(error.messages))

    def _refuse(self, reason: str, **details: Any) -> None:
        self.outcome, self.reason, self.details = REFUSED, reason, details


class Admission:
    """Decides who is enrolled, and writes it: one transaction a person.

    consent: what all of them have agreed to.
    least: how many usable photos there have to be of somebody.
    create: whether who has no account gets one, with a face and no password.
    domain: of such accounts' e-mail addresses, where none is known.
    replace: whether who has a face gets a new one.
    dry_run: whether nothing is to be written.
    source: where the encodings come from.
    """

    def __init__(
        self,
        consent: enrolment.Consent,
        *,
        least: int = 1,
        create: bool = False,
        domain: str = "",
        replace: bool = False,
        dry_run: bool = False,
        source: shots.Source = shots.Source.FILE,
    ) -> None:
        self.consent = consent
        self.least = least
        self.create = create
        self.domain = domain
        self.replace = replace
        self.dry_run = dry_run
        self.source = source
        self._model = get_user_model()
        self._users: Any = self._model._default_manager
        self._tried = Known.of({})

    def cases(self, entries: Iterable[Entry]) -> list[Case]:
        """Who is to be enrolled, one case an account; decided where that takes no pictures."""
        found: dict[Any, Case] = {}
        for entry in entries:
            entry.username = self._model.normalize_username(entry.username)
            case = Case(entry)
            with case.refusals():
                self._open(case)
            key = case.user.pk if case.user and not case.created else entry.username.casefold()
            if key in found:
                # Two spellings of one name: more photos of one person.
                found[key].entry.photos += entry.photos
                found[key].entry.unused += entry.unused
            else:
                found[key] = case
        for case in found.values():
            with case.refusals():
                if not case.outcome and not case.entry.photos:
                    raise Refused("no_photos")
        return list(found.values())

    def admit(self, case: Case, photos: list[Photo]) -> None:
        """Enrol somebody whose case is not decided yet, from their photos."""
        case.photos = photos
        with case.refusals():
            count = len(used(photos))
            if not count:
                apart = any(photo.reason == "not_same_person" for photo in photos)
                raise Refused("not_same_person" if apart else "none_usable")
            if count < self.least:
                raise Refused("too_few", shots=count, least=self.least)
            self._enrol(case)

    def _open(self, case: Case) -> None:
        """Find somebody's account."""
        case.user = self._named(case.entry.username)
        if case.user is None:
            if not self.create:
                raise Refused("unknown")
            case.user, case.created = self._new(case.entry), True
        elif not case.user.is_active:
            raise Refused("inactive")
        elif faces.of(case.user).face_is_enrolled and not self.replace:
            case.outcome = ALREADY

    def _named(self, username: str) -> Any:
        """The user of that name, whatever its capitals where that leaves no doubt; or None."""
        name = self._model.USERNAME_FIELD
        if user := self._users.filter(**{name: username}).first():
            return user
        alike = list(self._users.filter(**{f"{name}__iexact": username})[:2])
        if len(alike) > 1:
            raise Refused("several_users")
        return alike[0] if alike else None

    def _new(self, entry: Entry) -> Any:
        """A new user, who is not saved yet."""
        email = entry.email or (f"{entry.username}@{self.domain}" if self.domain else "")
        user: Any = self._model(**{self._model.USERNAME_FIELD: entry.username})
        if self._model.get_email_field_name() != self._model.USERNAME_FIELD:
            setattr(user, self._model.get_email_field_name(), email)
        if hasattr(user, "first_name"):
            user.first_name = entry.name
        user.set_unusable_password()
        user.full_clean()
        return user

    def _enrol(self, case: Case) -> None:
        try:
            with atomic(self._model):
                self._write(case)
        except IntegrityError as error:
            why = _("The name or the e-mail address was taken in the meantime.")
            raise Refused("invalid", why=why) from error
        except errors.LookAlike as error:
            raise Refused("look_alike", who=self._nearest(case)) from error
        if case.outcome == ALREADY:
            return
        if faces.of(case.user).face_flagged_at is not None:
            case.alike = self._nearest(case)
        if self.dry_run:
            self._try(case)

    def _write(self, case: Case) -> None:
        """Make the photos the user's template, unless it is a dry run."""
        user, rows = case.user, encodings(case.photos)
        if not case.created:
            user = case.user = self._users.select_for_update().filter(pk=user.pk).first()
            if user is None:
                raise errors.AccountGone()
        if faces.of(user).face_is_enrolled and (not self.replace or self._is_there(user, rows)):
            case.outcome = ALREADY
            return
        qualities = [photo.quality for photo in used(case.photos)]
        notes = shots.notes(self.source, qualities)
        event = enrolment.enrol(user, rows, self.consent, notes, by="staff")
        case.outcome = REPLACED if event.kind == FaceEvent.Kind.REPLACED else ENROLLED
        if self.dry_run:
            # Leaves no event, and sends no signal and no mail.
            roll_back(self._model)

    def _is_there(self, user: Any, rows: Encoding) -> bool:
        """Whether just these are the user's template already, agreed to in the same way: then an
        earlier run was broken off, and they have been told.
        """
        face = faces.of(user)
        enrolled = face.face_enrolled_encodings
        there = face.face_encodings if enrolled is None else enrolled
        return (
            face.face_consent_version == self.consent.version
            and np.shape(there) == rows.shape
            and np.allclose(there, rows, atol=ALIKE)
        )

    def _nearest(self, case: Case) -> str:
        """Who else is nearest."""
        near = gallery().nearest(encodings(case.photos))
        others = [match.key for match in near if match.key != case.user.pk]
        other = self._users.filter(pk__in=others[:1]).first()
        return other.get_username() if other else ""

    def _try(self, case: Case) -> None:
        """Compare with those whom a run that writes would have enrolled before."""
        rows, people = encodings(case.photos), len(gallery()) + len(self._tried.names)
        alike = policy.identify(self._tried.nearest(rows, 1), len(rows), people).accepted
        self._tried = self._tried.joined(Known.of({case.entry.username: rows}))
        wish = conf.get().LOOK_ALIKES
        if alike and wish == "refuse":
            raise Refused("look_alike", who=alike.key)
        if alike and wish == "flag":
            case.alike = case.alike or str(alike.key)
