"""The consent to a version of the notice, with its time and network."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest
from django.utils import timezone

from faceauth import conf, faces
from faceauth.http import client_ip


class Consent(NamedTuple):
    """A user's consent to a version of the notice, given now.

    Attributes:
        version: The version of the notice.
        address: The network that the consent came from, as `client_ip.network` returns it.
    """

    version: str
    address: str = ""

    @classmethod
    def from_request(cls, request: HttpRequest | None) -> Consent:
        """Return the consent to the current notice, given in this request, if there is one."""
        address = client_ip.network(request) if request else ""
        return cls(conf.get().NOTICE_VERSION, address)

    def columns(self) -> dict[str, Any]:
        """Return the columns that store the consent, with the current time."""
        return {
            "face_consented_at": timezone.now(),
            "face_consent_version": self.version,
            "face_consent_from": self.address,
        }


def agree(user: AbstractBaseUser, consent: Consent) -> bool:
    """Save that the user consents again, and leave the face as it was.

    Returns:
        True if the consent was saved, False if no face is enrolled.
    """
    columns = consent.columns()
    if not faces.row(user).filter(face_enrolled_at__isnull=False).update(**columns):
        return False
    faces.set_columns(user, columns)
    return True


def consent_is_outdated(user: Any) -> bool:
    """Return True if the user has a face, and the notice has changed since they consented."""
    face = faces.of(user)
    enrolled = face.face_enrolled_at is not None
    return enrolled and face.face_consent_version != conf.get().NOTICE_VERSION
