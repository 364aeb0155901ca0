"""The user model."""

from __future__ import annotations

from collections.abc import Iterator

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models.functions import Lower
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from faceauth.models import FaceTemplateMixin


class User(AbstractUser, FaceTemplateMixin):
    """This site's user: with a unique email address, and perhaps a face."""

    email = models.EmailField(_("email address"))
    # Raised by "Log out everywhere": part of every session's hash, so all other sessions end.
    session_generation = models.PositiveIntegerField(default=0, editable=False)

    class Meta(AbstractUser.Meta):
        constraints = [
            models.UniqueConstraint(Lower("email"), name="unique_email"),
            models.UniqueConstraint(Lower("username"), name="unique_username"),
        ]

    def get_session_auth_hash(self) -> str:
        """Return Django's hash, made of the generation as well."""
        return self._with_generation(super().get_session_auth_hash())

    def get_session_auth_fallback_hash(self) -> Iterator[str]:
        """Yield the hashes of ``SECRET_KEY_FALLBACKS``."""
        yield from map(self._with_generation, super().get_session_auth_fallback_hash())

    def _with_generation(self, session_hash: str) -> str:
        generation = str(self.session_generation)
        # Django's hash is keyed with the secret key, or with an earlier one.
        return salted_hmac(
            "accounts.User.session_generation",
            generation,
            secret=session_hash,
            algorithm="sha256",
        ).hexdigest()
