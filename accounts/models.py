"""The user model."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models.functions import Lower
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
