"""Trusted devices: recognise them, add people to them, and end the trust.

The secret in the cookie changes at each login by face. If an old one comes back, the cookie was
copied. A browser with a key proves that it is the one; the others have only the cookie.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from faceauth import conf, faces
from faceauth.audit import events, notifications
from faceauth.db import atomic
from faceauth.http import browsers, client_ip
from faceauth.models import DeviceTrust, FaceDevice, FaceEvent
from faceauth.step_up import confirmation

from . import cookie, keys, links

# How many people one device can serve. A face is compared with each of them.
MAX_PEOPLE = 3

# How many devices one user can trust. The one that was used the longest time ago makes room.
MAX_DEVICES = 20

# For how long the secret before the last one is accepted of a device without a key: the answer
# with the new one may have been lost, and two tabs may log in at the same time.
GRACE = timedelta(minutes=2)

Kind = FaceEvent.Kind


def active() -> QuerySet[FaceDevice]:
    """Return the devices that have been used within ``TRUSTED_DEVICE_DAYS``."""
    since = timezone.now() - timedelta(days=conf.get().TRUSTED_DEVICE_DAYS)
    return FaceDevice.objects.filter(last_used_at__gte=since)


def current(request: HttpRequest) -> FaceDevice | None:
    """Return the device whose cookie the request carries, or None.

    Only pages may rely on it: it does not ask for the key. Logins use `recognise`.
    """
    device, secret_hash = _named_by_cookie(request)
    if device is None:
        return None
    return device if device.has_key or _is_fresh(device, secret_hash) else None


def nonce_for(request: HttpRequest) -> str:
    """Return a text for the browser's key to sign; "" if the browser has none."""
    device = current(request)
    return keys.new_nonce(device) if device is not None and device.has_key else ""


def recognise(
    request: HttpRequest, nonce: str = "", signature: str = "", *, opener: str = ""
) -> FaceDevice | None:
    """Return the trusted device that sends this request, or None.

    A copy of a device's cookie is noticed, and the device's people are told: where the device has
    a key, once the browser with the key comes back; otherwise once the owner or the thief uses a
    secret that has been replaced. Such a device is revoked.

    Args:
        request: The request of a login.
        nonce: A text from `keys.new_nonce`, for a device with a key.
        signature: The device's signature of it.
        opener: See `keys.spend`.
    """
    device, secret_hash = _named_by_cookie(request)
    if device is None:
        return None
    if device.has_key:
        if not keys.is_signed(device, nonce, signature):
            FaceDevice.objects.filter(pk=device.pk).update(suspected_at=timezone.now())
            return None
        # A nonce that is too old is no sign of a copy: the page was open for long.
        if not keys.spend(device, nonce, opener):
            return None
        # Most logins are spared the write. Of several at once, one tells of the copy.
        suspected = FaceDevice.objects.filter(pk=device.pk, suspected_at__isnull=False)
        if device.suspected_at and suspected.update(suspected_at=None):
            _tell_of_copy(device, request)
        return device
    if _is_fresh(device, secret_hash):
        return device
    _tell_of_copy(device, request, revoked=True)
    device.delete()
    return None


def recognise_early(request: HttpRequest, nonce: str, signature: str) -> FaceDevice | None:
    """Return the trusted device that opens a challenge, or None.

    It is recognised again at the login. A browser that does not sign yet is no sign of a copy.
    """
    device = current(request)
    if device is None or not device.has_key:
        return device
    if not signature:
        return None
    # If the answer to the first request is lost, so is the session: the browser is known by what it
    # sends against forged requests.
    opener = request.META.get("CSRF_COOKIE") or ""
    return recognise(request, nonce, signature, opener=opener)


def people(device: FaceDevice) -> list[Any]:
    """Return the users who trust the device and have a face that can be compared.

    They are read once for each instance, so once in a login: reading a face decrypts it.
    """
    if device.known_people is None:
        users = faces.users().filter(face_devices__device=device)
        found = users.order_by("-face_devices__last_used_at")[:MAX_PEOPLE]
        device.known_people = [user for user in found if faces.of(user).has_face]
    return device.known_people


def people_named(
    request: HttpRequest | None, device: FaceDevice | None, username: str | None
) -> list[Any]:
    """Return the people of a device whom a visitor can be, by the name they gave, if any."""
    found = people(device) if device else []
    if device is None or not username:
        return found
    named = faces.by_username(username, request)
    return [user for user in found if user == named]


def may_trust(request: HttpRequest) -> bool:
    """Return True if the user may trust this browser now.

    A face alone never makes a device trusted: the session must have seen the user's password, or
    anything else but the face, a short time ago.
    """
    if not request.user.is_authenticated:
        return False
    methods = (confirmation.PASSWORD, confirmation.CODE)
    age = confirmation.MAX_AGE_WITH_PICTURES
    return any(confirmation.seen(request, each, age) for each in methods)


def trust(
    request: HttpRequest,
    response: HttpResponse,
    user: Any,
    by: DeviceTrust.By | str = DeviceTrust.By.PASSWORD,
) -> DeviceTrust:
    """Let this user's face be enough on this browser from now on, and tell the user by email.

    Call it only for users who have just shown who they are by something other than a face.

    Args:
        request: The request, whose field ``device_key`` may hold the browser's public key.
        response: The response that sets the cookie.
        user: The user.
        by: What the user has logged in with.
    """
    key = keys.parse(request.POST.get("device_key", ""))
    device = current(request)
    # A cookie that was copied to another browser does not make that browser the same device.
    if device is not None and not _is_same(device, key, user):
        device = None
    with atomic(FaceDevice):
        if device is None or not _renew(device, request, response, key):
            device = FaceDevice.objects.create()
            _renew(device, request, response, key)
        granted, new = DeviceTrust.objects.update_or_create(
            device=device, user=user, defaults={"by": by, "last_used_at": timezone.now()}
        )
        for trusts, limit in ((device.trusts, MAX_PEOPLE), (user.face_devices, MAX_DEVICES)):
            extra = trusts.order_by("-last_used_at", "-pk").values_list("pk", flat=True)[limit:]
            trusts.filter(pk__in=list(extra)).delete()
    if new:
        details = events.EventDetails(device=str(granted))
        events.record(Kind.DEVICE_TRUSTED, request, user, details)
        if conf.get().NOTIFY_BY_MAIL:
            context = {"device": str(granted), "revoke": links.build(request, granted)}
            notifications.send(request, user, "device_trusted", context)
    return granted


def log_in(request: HttpRequest, response: HttpResponse, device: FaceDevice, user: Any) -> None:
    """Note that a user has logged in by face on a trusted device, and change its secret.

    Nothing happens if the device has been revoked in the meantime.
    """
    with atomic(FaceDevice):
        _renew(device, request, response)
        device.trusts.filter(user=user).update(last_used_at=timezone.now())


def revoke(trust: DeviceTrust, request: HttpRequest | None = None) -> None:
    """End a user's trust in a device. Other people's trust in it stays."""
    details = events.EventDetails(device=str(trust))
    user, device = trust.user, trust.device
    with atomic(FaceDevice):
        trust.delete()
        FaceDevice.objects.filter(pk=device.pk, trusts__isnull=True).delete()
    events.record(Kind.DEVICE_REVOKED, request, user, details)


def revoke_all(user: Any, request: HttpRequest | None = None, *conditions: Q, **more: Any) -> int:
    """End a user's trust in all devices, or in those that meet conditions on `DeviceTrust`.

    Returns:
        The number of devices.
    """
    found = list(user.face_devices.filter(*conditions, **more).select_related("device", "user"))
    for each in found:
        revoke(each, request)
    return len(found)


def revoke_by_password(user: Any, request: HttpRequest | None = None) -> int:
    """End the trust that the user's password gave, except in the browser of the request.

    Call it where a user gets a new password: somebody may have known the old one, and trusted a
    browser of their own with it. Trust that a code by email gave stays.

    Returns:
        The number of devices.
    """
    here = current(request) if request is not None else None
    return revoke_all(user, request, ~Q(device=here), by=DeviceTrust.By.PASSWORD)


def forget(user: Any) -> None:
    """Delete the user's trust in all devices, without events: the user is being deleted."""
    user.face_devices.all().delete()
    FaceDevice.objects.filter(trusts__isnull=True).delete()


def _named_by_cookie(request: HttpRequest) -> tuple[FaceDevice | None, str]:
    """Return the device that the cookie names, if it is active, and the hash of the secret."""
    found = cookie.read(request)
    if found is None:
        return None, ""
    return active().filter(pk=found.device).first(), found.secret_hash


def _is_fresh(device: FaceDevice, secret_hash: str) -> bool:
    """Return True if the secret is the device's, or has been replaced only a moment ago."""
    if constant_time_compare(secret_hash, device.secret_hash):
        return True
    replaced = constant_time_compare(secret_hash, device.previous_hash)
    return replaced and timezone.now() - device.rotated_at <= GRACE


def _is_same(device: FaceDevice, key: bytes | None, user: Any) -> bool:
    """Return True if a browser with this key, or with none, is the device that its cookie names."""
    if device.has_key:
        return bytes(device.public_key or b"") == key
    # Otherwise a copy of the cookie would be enough to bind other people's trust to one's own key.
    return key is None or not device.trusts.exclude(user=user).exists()


def _renew(
    device: FaceDevice, request: HttpRequest, response: HttpResponse, key: bytes | None = None
) -> bool:
    """Change the device's secret, and note where it is used from.

    Args:
        device: The device.
        request: The request that the device has sent.
        response: The response that sets the cookie.
        key: The browser's key, if it has one and the device may get it.

    Returns:
        False if the device has been revoked in the meantime.
    """
    found, secret = cookie.read(request), cookie.new_secret()
    now = timezone.now()
    changes: dict[str, Any] = {
        "secret_hash": cookie.hash_of(secret),
        "rotated_at": now,
        "last_used_at": now,
        "label": browsers.label(request) or device.label,
        "address": client_ip.network(request),
    }
    if found is not None and found.device == device.pk:
        # The secret that the browser has used, which is not always the newest.
        changes["previous_hash"] = found.secret_hash
    if key is not None:
        changes["public_key"] = key
    # Not `save`: it would bring a device back that has just been revoked, and undo a suspicion.
    if not FaceDevice.objects.filter(pk=device.pk).update(**changes):
        return False
    for name, value in changes.items():
        setattr(device, name, value)
    cookie.write(response, device.pk, secret)
    return True


def _tell_of_copy(device: FaceDevice, request: HttpRequest, revoked: bool = False) -> None:
    """Record that a copy of the device's cookie was used, and tell the device's people."""
    for each in device.trusts.select_related("user", "device"):
        details = events.EventDetails(
            device=str(each), outcome=events.COPY_REVOKED if revoked else events.COPY_REFUSED
        )
        events.record(Kind.DEVICE_COPIED, request, each.user, details)
