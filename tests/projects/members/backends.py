from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.http import HttpRequest

from .models import Member


class EmailBackend(BaseBackend):
    """Checks passwords, and knows its members by their addresses alone."""

    def authenticate(  # type: ignore[override]
        self, request: HttpRequest | None, username: str = "", password: str = ""
    ) -> Member | None:
        member = Member.objects.filter(email=username).first()
        return member if member and member.check_password(password) else None

    def get_user(self, user_id: Any) -> Any:
        return Member.objects.filter(pk=user_id).first()
