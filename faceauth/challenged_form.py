"""The form that needs the answer to a challenge; `forms` has those that are made from it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest

from . import errors
from .liveness import challenge as challenges


class ChallengedForm(forms.Form):
    """A form that can require a liveness challenge, which the page has passed before it is sent.

    Attributes:
        challenged: Whether a challenge is required.
        purpose: What the challenge must have been opened for.
    """

    challenged = False
    purpose = challenges.LOGIN

    challenge = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    def __init__(self, *args: Any, request: HttpRequest | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request

    @property
    def passed_challenge(self) -> str:
        """Return the challenge that the page says it has passed.

        Raises:
            CameraNeeded: There is none.
        """
        if token := self.cleaned_data.get("challenge"):
            return str(token)
        raise errors.CameraNeeded()
