"""Read ``settings.FACEAUTH``: the names, types and defaults of all settings are in this module."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


@dataclass(frozen=True, kw_only=True)
class FaceAuthSettings:
    """All keys of ``FACEAUTH``, with their defaults. `conf.get()` returns the current values."""

    MAX_FALSE_MATCH_RATE: float = 1e-4
    """The rate at which a stranger who gives somebody's username may be accepted as that user, per
    attempt."""

    MAX_FALSE_IDENTIFICATION_RATE: float = 1e-3
    """The rate at which a stranger who gives no username may be accepted as any user, per attempt,
    however many people are enrolled."""

    MAX_DISTANCE: float | None = None
    """The distance, as `matching` computes it, up to which a template and a probe count as one
    person. If set, it replaces both rates, whatever the number of pictures and people."""

    ENCODER: Mapping | str | None = None
    """The network that encodes faces, if it is not dlib's. Either options for
    `vision.ONNXEncoder`, such as ``{"path": "facenet.onnx", "normalise": "standardise", "align":
    "dlib"}``, or the dotted path of a class that implements `vision.encoding.Encoder` and takes no
    arguments. Templates from another encoder are not compared with anything, and their owners are
    asked to enrol again. A custom encoder needs its own ``CALIBRATION``."""

    CALIBRATION: str | Path | None = None
    """The folder of your own calibration, written by ``face_evaluate --write``. By default, the
    app uses the calibration that it ships with, which is for dlib's encoder."""

    ENROLMENT_SHOTS: int = 5
    """The number of pictures that a new template is made from."""

    MAX_SNAPSHOTS: int = 6
    """The maximum number of pictures in a request."""

    MAX_SNAPSHOT_BYTES: int = 8 * 1024 * 1024
    """The maximum size of an uploaded picture, in bytes."""

    MAX_UPLOAD_BYTES: int = 40 * 1024 * 1024
    """The maximum size of a whole request, in bytes. A request is kept in memory, never on
    disk."""

    MAX_IMAGE_PIXELS: int = 25_000_000
    """The maximum number of pixels in a picture, as stated in its header. Larger pictures are
    refused without being decoded."""

    MAX_FRAME_BYTES: int = 256 * 1024
    """The maximum size of a frame from a camera page, or of a picture to log in with, in bytes.
    Anyone can send these, so less is allowed than for enrolment."""

    MAX_FRAME_PIXELS: int = 500_000
    """The maximum number of pixels in such a picture. They are scaled down to 800 pixels before a
    face is looked for."""

    MIN_FACE_SIZE: int = 80
    """The minimum height of a face, in pixels."""

    THREADS: int = 1
    """The number of threads used to analyse one picture. With more threads, answers come sooner if
    few people log in at the same time."""

    MAX_CONCURRENT_LOOKS: int | None = None
    """The maximum number of pictures that a process analyses at the same time; by default, one per
    core. Other requests wait a few seconds, and are then asked to try again."""

    LOGIN_FRAMES: int = 3
    """The number of pictures that the login page takes in one burst."""

    CHALLENGE: Literal["auto", "short", "full"] | None = "auto"
    """How users prove that the camera does not see a photo: they move their head as the page asks,
    at the moment it asks. ``"short"`` asks for one movement and ``"full"`` for three; ``"auto"`` is
    short for logins on a trusted device, and full everywhere else. If None, any photo is
    accepted."""

    CHALLENGE_SECONDS: int = 20
    """How long all movements of a challenge may take together, in seconds."""

    CHALLENGE_STEP_SECONDS: int = 3
    """How long one movement may take, in seconds; the first one twice as long. Give more time if
    people on your site are slow or have the movements read out, and raise ``CHALLENGE_SECONDS`` to
    four times as long at least."""

    CHALLENGE_AT_ENROLMENT: bool = True
    """If True, enrolment needs a challenge too. If False, anyone with photos of a person can enrol
    that face; it then matches two accounts, and its owner must give a username."""

    VERIFY_PHOTOS: bool = False
    """If True, ``POST /face/verify/``, with which staff check a person's identity, accepts a photo
    even if logins need a challenge. This is for cameras that somebody watches."""

    CHALLENGES_PER_MINUTE: int = 60
    """The maximum number of challenges per address and minute. A network, a /24 or a /48 of IPv6,
    can open five times as many."""

    LOGIN_FIELDS: Sequence[str] | None = None
    """The fields of the user model whose values find a user who gives them as a name, if the
    manager's ``get_by_natural_key`` finds nobody; ``__iexact`` after a field ignores case. By
    default, it is the field with the email address, ``["email__iexact"]``; with django-allauth also
    the username, ``["email__iexact", "username__iexact"]``. A name that several users have finds
    nobody."""

    FACE_ALONE: bool = True
    """If True, users can log in with their face and no username."""

    UNKNOWN_DEVICES: Literal["code", "refuse", "allow"] = "code"
    """What a face can do on a device that its owner does not trust yet: with ``"code"``, the site
    emails a code that must be entered too; with ``"refuse"``, only the password helps; with
    ``"allow"``, the face alone logs in. Anyone with a photo of a person and a script can then log
    in as that person."""

    TRUSTED_DEVICE_DAYS: int = 90
    """The number of days without a login by face after which a device is no longer trusted."""

    CODES_PER_HOUR: int = 5
    """The maximum number of codes that are emailed for one account in an hour; in a day, four times
    as many."""

    FACE_COOLDOWN_HOURS: int | None = 24
    """The number of hours after a face was enrolled, replaced or removed in which
    ``@face_required(password=False)`` refuses its owner. Otherwise anyone with the password could
    replace the face and open the view. If None, the owner can open it at once."""

    ADAPT: bool = False
    """If True, templates follow faces as they age. At most once a day, a login with a username
    replaces the oldest shot if the match is very certain, or certain and confirmed by a
    password."""

    LOOK_ALIKES: Literal["flag", "refuse", "allow"] = "flag"
    """What happens to a new face that could be taken for somebody else's. ``"flag"`` enrols it,
    and tells staff and the owner of the other face. Until staff clear the flag, the new face logs
    in with a username or on a trusted device, and never alone. ``"refuse"`` refuses it, and
    ``"allow"`` does nothing. A refusal tells anyone who shows a photo of a person that this person
    has an account; a flag tells it whoever then tries to log in with that face alone."""

    ENCRYPTION_KEYS: Sequence[str] = field(default=(), repr=False)
    """The keys that encrypt templates, as created by ``cryptography.fernet.Fernet.generate_key``.
    The first key encrypts; all keys decrypt. ``face_rotate_keys`` encrypts templates of the other
    keys with the first one. By default, the key is derived from ``SECRET_KEY``; that key always
    keeps decrypting."""

    ENCRYPTION_TRANSFORM_KEY: str | None = field(default=None, repr=False)
    """The key of the transformation that is applied to templates before they are encrypted. It has
    the same format as the keys above. Because of it, those keys alone don't make templates
    comparable with encodings from elsewhere; keep it in a different place. By default, it is
    derived from ``SECRET_KEY``."""

    MAX_FAILURES: int | None = None
    """The number of consecutive failures, counted per account and per session, after which a face
    must wait: 30 seconds, then twice as long each time, up to an hour. By default 10 with a
    challenge and 5 without or if ``UNKNOWN_DEVICES`` is "allow"."""

    MAX_FAILURES_PER_ADDRESS: int = 20
    """The same number for an address, which many people may share: faces must then wait there. A
    success takes back only its own attempt; failures are forgotten evenly over a day."""

    MAX_FAILURES_PER_NETWORK: int = 100
    """The same number for a network of addresses: a /24, or a /48 of IPv6."""

    MAX_ANONYMOUS_FAILURES_PER_HOUR: int = 100
    """The number of failures without a username, on the whole site, after which a username is
    needed for a while. Trusted devices are not affected."""

    MAX_FAILURES_BEFORE_DISABLING: int | None = None
    """The number of consecutive failures after which a face can no longer log in to an account,
    until its owner logs in another way. By default 100 with a challenge, and 50 without or
    if ``UNKNOWN_DEVICES`` is "allow"."""

    TRUSTED_PROXIES: int | None = None
    """The number of proxies in front of the site that append to ``X-Forwarded-For``. By default,
    the header is ignored."""

    ADMIN_SECOND_STEP: bool = False
    """If True, ``admin_site.FaceAdminSite`` asks for the password and then for the face, instead of
    for one of them. Staff who have a face can then change or remove it only in a session that
    has seen their face, and their password doesn't reset the failures of their face."""

    FRAME_CPU_SECONDS_PER_MINUTE: float = 30
    """The CPU time that frames from the camera pages may take per address and minute, in seconds.
    A trusted device has as much for itself. A network, a /24 or a /48 of IPv6, and all trusted
    devices at one address have five times as much. A login takes about a quarter of a second, so 30
    are enough for a hundred people behind one address. On a slow processor, allow more."""

    ENROLMENTS_PER_HOUR: int = 20
    """The maximum number of times that a user can send pictures to enrol, or an address can send
    the form to sign up, per hour. A network, a /24 or a /48 of IPv6, can sign up five times as
    often."""

    PASSWORDS_PER_HOUR: int = 20
    """The maximum number of wrong passwords that an address can give for one account, per hour.
    Other addresses are not affected. A network, a /24 or a /48 of IPv6, can give five times as
    many."""

    NOTIFY_BY_MAIL: bool = True
    """If True, users get an email when their face is enrolled, replaced, removed or disabled, and
    when somebody enrols a face like theirs."""

    SITE_NAME: str | None = None
    """The name of the site in emails and in the notice. By default, the domain of the request;
    emails from commands say “our site” instead."""

    BUTTON_CLASSES: Mapping | None = None
    """The CSS classes of the buttons on the app's pages, for sites that have buttons of their own:
    ``{"primary": "btn btn-primary", "secondary": "btn btn-outline-secondary", "danger": "btn
    btn-danger"}``. Those that are left out keep the app's."""

    MESSAGES: bool = True
    """If False, the app adds nothing to ``django.contrib.messages``. This is for sites whose pages
    show no messages: there, a greeting would wait for the app's next page."""

    NOTICE_VERSION: str = "1"
    """The version of the notice that people agree to when they enrol, the page
    ``faceauth/notice.html``. If you change it together with the page, people are asked to agree
    again."""

    KEEP_UNUSED_FACES_DAYS: int | None = 730
    """The number of days without a login after which ``face_purge`` removes a face. Two years
    are enough for users who are away for a year, and are the longest time that Colorado's law on
    biometrics allows. If None, faces are kept."""

    KEEP_EVENTS_DAYS: int | None = 365
    """The number of days after which ``face_purge`` deletes events, and how long logins took. The
    default is as long as an account's failures count, so that they can be looked up. If None, both
    are kept."""

    HEALTH: bool = False
    """If True, ``health/`` and ``health/ready/`` respond to health probes. Anyone can call them;
    they reveal only whether the site's parts work."""

    METRICS: bool = False
    """If True, requests, stages and events are counted for Prometheus, with ``prometheus-client``.
    The view is `metrics.metrics`; add a URL for it yourself."""

    @property
    def failures(self) -> int:
        """``MAX_FAILURES``, or its default."""
        return self.MAX_FAILURES or (10 if self.resists_attacks else 5)

    @property
    def failures_before_disabling(self) -> int:
        """``MAX_FAILURES_BEFORE_DISABLING``, or its default."""
        return self.MAX_FAILURES_BEFORE_DISABLING or (100 if self.resists_attacks else 50)

    @property
    def resists_attacks(self) -> bool:
        """True if photos and posted films do not log in, so that more failures can be allowed."""
        return self.CHALLENGE is not None and self.UNKNOWN_DEVICES != "allow"


_last: tuple[dict[str, Any], FaceAuthSettings] = {}, FaceAuthSettings()


def get() -> FaceAuthSettings:
    """Return the current settings.

    Raises:
        ImproperlyConfigured: ``FACEAUTH`` contains an unknown key.
    """
    global _last
    given: dict[str, Any] = getattr(settings, "FACEAUTH", {})
    before, config = _last
    # Called several times per decision, and almost always with unchanged settings.
    if given != before:
        try:
            config = FaceAuthSettings(**given)
        except TypeError as error:
            raise ImproperlyConfigured(f"FACEAUTH: {error}") from error
        _last = dict(given), config
    return config
