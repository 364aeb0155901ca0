"""Tags for a site's own pages: ``{% load faceauth %}``, then ``{% face_login_button %}``."""

from __future__ import annotations

from typing import Any

from django import template
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.template import Context
from django.urls import reverse
from django.utils.http import urlencode

from faceauth import conf, devices

register = template.Library()


@register.simple_tag(takes_context=True)
def face_head(context: Context) -> str:
    """Render the styles and the script of the app's pages, the first time on a page."""
    return _once(context, "faceauth/head.html")


@register.simple_tag(takes_context=True)
def face_messages(context: Context) -> str:
    """Render the messages of the page, the first time on it, and the place for those of scripts."""
    return _once(context, "faceauth/toasts.html")


def _once(context: Context, template: str) -> str:
    if template in context.render_context:
        return ""
    context.render_context[template] = True
    page: Any = context.template
    return str(page.engine.get_template(template).render(context))


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


@register.inclusion_tag("faceauth/device_list.html", takes_context=True)
def face_devices(context: Context) -> dict[str, Any]:
    """Render the devices that the logged-in user trusts, with forms that change them."""
    request = context["request"]
    device = devices.current(request)
    trusts = request.user.face_devices.filter(device__in=devices.active()).select_related("device")
    here = next((each for each in trusts if each.device == device), None)
    return {
        "trusts": sorted(trusts, key=lambda each: each != here),
        "here": here,
        "may_trust": devices.may_trust(request),
        "has_password": request.user.has_usable_password(),
        "by_code": conf.get().UNKNOWN_DEVICES == "code",
    }
