"""Tags for a site's own pages: ``{% load faceauth %}``, then ``{% face_login_button %}``."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django import template
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.template import Context
from django.urls import reverse
from django.utils.http import urlencode

from faceauth import conf, devices, faces
from faceauth.enrolment import invitation
from faceauth.languages import app_language

register = template.Library()

# The app's own classes, for buttons that ``BUTTON_CLASSES`` does not name.
BUTTONS = {
    "primary": "faceauth-button",
    "secondary": "faceauth-button faceauth-quiet",
    "danger": "faceauth-button faceauth-danger",
}


@register.simple_tag(takes_context=True)
def face_head(context: Context) -> str:
    """Render the styles and the script of the app's pages, the first time on a page."""
    return _once(context, "faceauth/head.html")


@register.simple_tag(takes_context=True)
def face_messages(context: Context) -> str:
    """Render the messages of the page, the first time on it, and the place for those of scripts."""
    return _once(context, "faceauth/toasts.html")


@register.simple_tag
def face_language() -> str:
    """Return the language of the app's words: English if the site's has no translation of them."""
    return app_language()


@register.simple_tag(takes_context=True)
def face_button_class(context: Context, kind: str = "primary") -> str:
    """Return the CSS classes of a button: "primary", "secondary" or "danger"."""
    in_admin = "site_header" in context
    sites_own = {} if in_admin else conf.get().BUTTON_CLASSES or {}
    return str({**BUTTONS, **sites_own}[kind])


def _once(context: Context, template: str) -> str:
    if template in context.render_context:
        return ""
    context.render_context[template] = True
    page: Any = context.template
    return str(page.engine.get_template(template).render(context))


@register.simple_tag(takes_context=True)
def face_login_url(context: Context) -> str:
    """Return the URL of the login by face that keeps the `next` URL of the current page."""
    request = context.get("request")
    asked = request and (request.POST or request.GET).get(REDIRECT_FIELD_NAME)
    target = context.get(REDIRECT_FIELD_NAME) or asked
    query = f"?{urlencode({REDIRECT_FIELD_NAME: target})}" if target else ""
    return reverse("faceauth:login") + query


@register.inclusion_tag("faceauth/button.html", takes_context=True)
def face_login_button(context: Context, label: str = "", classes: str = "") -> dict[str, Any]:
    """Render a link to the login by face that keeps the `next` URL of the current page.

    Args:
        context: The context of the page.
        label: The text of the link, instead of "Log in with your face".
        classes: CSS classes, in addition to ``faceauth-login``.
    """
    return {"url": face_login_url(context), "label": label, "classes": classes}


@register.inclusion_tag("faceauth/settings_link.html", takes_context=True)
def face_settings_link(context: Context, classes: str = "") -> dict[str, Any]:
    """Render links with which the logged-in user sets up, renews or removes their face.

    Args:
        context: The context of the page.
        classes: CSS classes of each link.
    """
    user = getattr(context.get("request"), "user", None)
    face = faces.of(user) if user and user.is_authenticated else None
    return {"face": face, "classes": classes}


@register.inclusion_tag("faceauth/invitation.html", takes_context=True)
def face_invitation(context: Context) -> dict[str, Any]:
    """Render, once after a login by password, an invitation to set up face login."""
    return {"invited": invitation.take(context.get("request"))}


@register.inclusion_tag("faceauth/device_list.html", takes_context=True)
def face_devices(context: Context) -> dict[str, Any]:
    """Render the devices that the logged-in user trusts, with forms that change them."""
    request = context["request"]
    device = devices.current(request)
    trusts = request.user.face_devices.filter(device__in=devices.active()).select_related("device")
    here = next((each for each in trusts if each.device == device), None)
    alike: Counter[str] = Counter()
    for each in sorted(trusts, key=lambda each: (each.created_at, each.pk)):
        alike[name := str(each)] += 1
        # The oldest one keeps the name as it is.
        each.shown_name = f"{name} ({alike[name]})" if alike[name] > 1 else name
    return {
        "trusts": sorted(trusts, key=lambda each: each != here),
        "here": here,
        "may_trust": devices.may_trust(request),
        "has_password": request.user.has_usable_password(),
        "by_code": conf.get().UNKNOWN_DEVICES == "code",
    }
