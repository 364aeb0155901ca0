"""An adapter for allauth that lets the face be enough on trusted devices."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter

# allauth's step that asks for a passkey or a token.
SECOND_FACTOR = "allauth.mfa.stages.AuthenticateStage"


class TrustedDeviceMixin:
    """Ask for no second factor after a face on a trusted device, which already are two.

    Put it before the base class of an adapter of your own.
    """

    request: Any

    def get_login_stages(self) -> list[str]:
        """Return the steps of a login, without the second factor on a trusted device."""
        stages: list[str] = super().get_login_stages()  # type: ignore[misc]
        if getattr(self.request, "face_on_trusted_device", False):
            stages = [each for each in stages if each != SECOND_FACTOR]
        return stages


class AccountAdapter(TrustedDeviceMixin, DefaultAccountAdapter):  # type: ignore[misc]
    """allauth's own adapter, with `TrustedDeviceMixin`."""
