"""The links in emails that end the trust in a device, for people who are not logged in."""

from __future__ import annotations

from datetime import timedelta

from django.core import signing
from django.http import HttpRequest
from django.urls import reverse

from faceauth.models import DeviceTrust

AGE = timedelta(days=30)

_SALT = "faceauth.devices.revoke"


def build(request: HttpRequest, trust: DeviceTrust) -> str:
    """Return the link that ends this trust. It works for `AGE`, and logs nobody in."""
    token = signing.dumps([trust.pk, str(trust.user_id)], salt=_SALT)
    return request.build_absolute_uri(reverse("faceauth:revoke_by_mail", args=[token]))


def follow(token: str) -> DeviceTrust | None:
    """Return the trust that a link is about, or None if it is over or the link is not ours."""
    try:
        trust, user = signing.loads(token, salt=_SALT, max_age=AGE)
    except (signing.BadSignature, ValueError):
        return None
    return DeviceTrust.objects.select_related("device", "user").filter(pk=trust, user=user).first()
