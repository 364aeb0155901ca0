"""Measure logins of one person: with a username on any device, and on a trusted device.

Both compare one picture with one template (1:1), so a trusted device may cost no more, and neither
may depend on how many people are enrolled.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from statistics import median
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone

from benchmarks import made_up
from benchmarks.login import site
from faceauth import devices, enrolment
from faceauth.capture import samples
from faceauth.models import FaceDevice
from tests.support.webcam import snapshot

MANY = 100_000
BATCH = 5000
LOGINS = 60
PASSWORD = "the owner's own"


class Cost(NamedTuple):
    """Medians of the CPU time of a login, in milliseconds.

    Attributes:
        people: The number of people enrolled.
        by_name: With a username, where ``UNKNOWN_DEVICES`` is "allow".
        trusted: On a trusted device with a key.
    """

    people: int
    by_name: float
    trusted: float


def measure(people: int = MANY) -> list[Cost]:
    """Measure with one person enrolled, and with `people`."""
    options = {"CHALLENGE": None, "UNKNOWN_DEVICES": "allow"}
    with site(), override_settings(FACEAUTH=options):
        user = get_user_model().objects.create_user("obama", "obama@example.com", PASSWORD)
        enrolment.enrol(user, samples.encodings([snapshot("obama2"), snapshot("obama3")]))
        owner = Owner()
        costs = [_cost(1, owner)]
        enrol_made_up(people - 1)
        return [*costs, _cost(people, owner)]


def enrol_made_up(people: int) -> None:
    """Enrol people whose faces are made up, one picture each."""
    users: Any = get_user_model()
    faces, now = made_up.people(people), timezone.now()
    first = users.objects.order_by("pk").last().pk + 1
    for start in range(first, first + people, BATCH):
        rows = []
        for key in range(start, min(start + BATCH, first + people)):
            face = faces[[key - first]]
            name = f"user{key}"
            rows.append(
                users(
                    pk=key,
                    username=name,
                    email=f"{name}@example.com",
                    face_encodings=face,
                    face_enrolled_at=now,
                )
            )
        users.objects.bulk_create(rows)


class Owner:
    """A browser that its owner has trusted, with a key."""

    def __init__(self) -> None:
        self.client = Client()
        self._key = ec.generate_private_key(ec.SECP256R1())
        der = self._key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        key = base64.b64encode(der).decode()
        form = {"username": "obama", "password": PASSWORD, "trust": "on", "device_key": key}
        self.client.post(reverse("faceauth:login"), form)

    def fields(self) -> dict[str, str]:
        """Return what the page sends to prove that it has the key."""
        nonce = devices.new_nonce(FaceDevice.objects.get())
        signature = self._key.sign(f"faceauth device {nonce}".encode(), ec.ECDSA(SHA256()))
        raw = b"".join(each.to_bytes(32, "big") for each in utils.decode_dss_signature(signature))
        return {"device_nonce": nonce, "device_signature": base64.b64encode(raw).decode()}


def _cost(people: int, owner: Owner) -> Cost:
    """Measure both ways in turns, so that a machine that slows down slows both down."""
    # Clients are made before: the first request of each loads the middleware.
    picture, stranger = snapshot("obama"), Client()

    def by_name() -> float:
        stranger.cookies.clear()
        return _log_in(stranger, picture, {"username": "obama"})

    def trusted() -> float:
        owner.client.cookies.pop("sessionid", None)
        return _log_in(owner.client, picture, owner.fields())

    ways: list[Callable[[], float]] = [by_name, trusted]
    times: list[list[float]] = [[], []]
    for number in range(LOGINS + 3):
        for way, found in zip(ways, times, strict=True):
            spent = way()
            if number >= 3:
                found.append(spent)
    return Cost(people, *(median(each) for each in times))


def _log_in(client: Client, picture: bytes, fields: dict[str, str]) -> float:
    upload = SimpleUploadedFile("face.jpg", picture, "image/jpeg")
    start = time.process_time()
    response = client.post(reverse("faceauth:login"), {"snapshot": upload, **fields})
    milliseconds = (time.process_time() - start) * 1000
    assert response["Location"] == reverse("accounts:profile"), "nobody was recognised"
    return milliseconds
