"""A face login button for other login pages: ``{% load faceauth %}{% face_login_button %}``."""

from __future__ import annotations

from typing import Any

from django import template
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.template import Context
from django.urls import reverse
from django.utils.http import urlencode

register = template.Library()


@register.inclusion_tag("faceauth/button.html", takes_context=True)
def face_login_button(context: Context, label: str = "", classes: str = "") -> dict[str, Any]:
    """Render a link to the login by face that keeps the `next` URL of the current page.

    Args:
        context: The context of the page.
        label: The text of the link, instead of "Log in with your face".
        classes: CSS classes, in addition to ``faceauth-login``.
    """
    request = context.get("request")
    asked = request and (request.POST or request.GET).get(REDIRECT_FIELD_NAME)
    target = context.get(REDIRECT_FIELD_NAME) or asked
    query = f"?{urlencode({REDIRECT_FIELD_NAME: target})}" if target else ""
    return {"url": reverse("faceauth:login") + query, "label": label, "classes": classes}
