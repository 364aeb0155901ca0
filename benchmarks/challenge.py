"""Measure a login with a challenge: the whole request, from upload to session."""

from __future__ import annotations

import time
from statistics import median

from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, override_settings
from django.urls import reverse

from benchmarks.login import site
from faceauth import enrolment
from faceauth.capture import samples
from tests.support.heads import turning
from tests.support.webcam import snapshot

FRAMES = 9
LOGINS = 10


def measure() -> float:
    """Return the CPU time in milliseconds, the median of several logins."""
    with site(), override_settings(FACEAUTH={"CHALLENGE": "turns", "UNKNOWN_DEVICES": "allow"}):
        user = get_user_model().objects.create(username="obama", email="obama@example.com")
        enrolment.enrol(user, samples.encodings([snapshot("obama2"), snapshot("obama3")]))
        return median(_log_in(number) for number in range(LOGINS))


def _log_in(number: int) -> float:
    client = Client()
    challenge = client.post(reverse("faceauth:challenge")).json()
    frames = turning("obama", *challenge["turns"], seed=number)
    assert len(frames) == FRAMES
    data = {
        "snapshot": [SimpleUploadedFile("frame.jpg", each, "image/jpeg") for each in frames],
        "challenge": challenge["challenge"],
    }
    start = time.process_time()
    response = client.post(reverse("faceauth:login"), data)
    seconds = time.process_time() - start
    assert response["Location"] == reverse("accounts:profile"), "nobody was recognised"
    return seconds * 1000
