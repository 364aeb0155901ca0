from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models

from faceauth.models import FaceTemplateMixin


class Members(BaseUserManager["Member"]):
    pass


class Member(FaceTemplateMixin, AbstractBaseUser):
    """Has a slug, which is found, and a name, which is shown."""

    slug = models.CharField(max_length=60, unique=True)
    name = models.CharField(max_length=60)
    number = models.IntegerField(null=True)
    email = models.EmailField()

    objects: ClassVar[Members] = Members()

    USERNAME_FIELD = "slug"

    def get_username(self) -> str:
        return self.name
