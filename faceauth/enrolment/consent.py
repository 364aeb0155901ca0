"""What a user agreed to: the notice, its version, when and from which network."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest
from django.utils import timezone

from faceauth import conf, faces
from faceauth.http import client_ip


class Consent(NamedTuple):
    """What a user agreed to, and from which network, as `client_ip.network` has it."""

    version: str
    address: str = ""

    @classmethod
    def from_request(cls, request: HttpRequest | None) -> Consent:
        """To the notice as it is now."""
        address = client_ip.network(request) if request else ""
        return cls(conf.get().NOTICE_VERSION, address)

    def columns(self) -> dict[str, Any]:
        """The columns that hold it; it was given now."""
        return {
            "face_consented_at": timezone.now(),
            "face_consent_version": self.version,
            "face_consent_from": self.address,
        }


def agree(user: AbstractBaseUser, consent: Consent) -> bool:
    """Note that the user agreed anew to what is kept; whether there is a face to keep."""
    columns = consent.columns()
    if not faces.row(user).filter(face_enrolled_at__isnull=False).update(**columns):
        return False
    faces.set_columns(user, columns)
    return True


def consent_is_outdated(user: Any) -> bool:
    """Whether the user has a face, and the notice has changed since they agreed to it."""
    face = faces.of(user)
    enrolled = face.face_enrolled_at is not None
    return enrolled and face.face_consent_version != conf.get().NOTICE_VERSION
