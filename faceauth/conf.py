"""The one reader of ``settings.FACEAUTH``: names, defaults, types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


@dataclass(frozen=True, kw_only=True)
class FaceAuthSettings:
    """Every key of ``FACEAUTH``, with its default. `conf.get()` gives those in force."""

    MAX_FALSE_MATCH_RATE: float = 1e-4
    """How often a stranger who gives somebody's username may be taken for them, per attempt."""

    MAX_FALSE_IDENTIFICATION_RATE: float = 1e-3
    """How often a stranger who gives no username may be taken for anybody, per attempt, however
    many people are enrolled."""

    MAX_DISTANCE: float | None = None
    """A distance (see `matching`) up to which a template and a probe are one person, in place of
    both rates: whatever the number of pictures and people."""

    ENCODER: Mapping | str | None = None
    """Which network encodes faces, in place of dlib's: what `vision.ONNXEncoder` takes, such as
    ``{"path": "facenet.onnx", "normalise": "standardise", "align": "dlib"}``, or the dotted path of
    a class that is a `vision.encoding.Encoder`, made without arguments. Templates of another
    encoder than this are compared with nothing, and their owners asked to enrol again. It needs a
    ``CALIBRATION`` of its own."""

    CALIBRATION: str | Path | None = None
    """A folder with a calibration of your own, written by ``face_evaluate --write``, in place of
    the one that ships with the app, which is for dlib's encoder."""

    ENROLMENT_SHOTS: int = 5
    """How many pictures a new template is made from."""

    MAX_SNAPSHOTS: int = 6
    """How many pictures one request may carry."""

    MAX_SNAPSHOT_BYTES: int = 8 * 1024 * 1024
    """How large one uploaded picture may be."""

    MAX_UPLOAD_BYTES: int = 40 * 1024 * 1024
    """How large a whole request may be. It is kept in memory, never on disk."""

    MAX_IMAGE_PIXELS: int = 25_000_000
    """How many pixels a picture may have by its header; larger ones are refused undecoded."""

    MIN_FACE_SIZE: int = 80
    """How tall a face has to be, in pixels."""

    THREADS: int = 1
    """How many threads one look may use. More answers sooner where few people log in at once."""

    MAX_CONCURRENT_LOOKS: int | None = None
    """How many pictures one process looks at at the same time; by default one a core. Others
    wait a few seconds, then are asked to come back."""

    LOGIN_FRAMES: int = 3
    """How many pictures the login page takes in one look."""

    CHALLENGE: Literal["turns"] | None = "turns"
    """How a face shows that it is no picture: by turning as it is asked to. None believes any
    photo."""

    CHALLENGE_TURNS: int = 2
    """How many turns of the head are asked for."""

    CHALLENGE_SECONDS: int = 60
    """How long a challenge may be answered."""

    CHALLENGE_AT_ENROLMENT: bool = True
    """Whether a face has to show it before it is enrolled as well. Otherwise whoever has somebody's
    photos can enrol them, and that somebody, whose face is then two accounts', is not recognised
    without a username any more."""

    VERIFY_PHOTOS: bool = False
    """Whether ``POST /face/verify/``, by which the staff asks whose face it is, believes a photo
    where logins take a challenge: for cameras that somebody stands beside."""

    CHALLENGES_PER_MINUTE: int = 60
    """How many challenges an address may ask for."""

    FACE_ALONE: bool = True
    """Whether a face may log in without a username."""

    REMEMBER_DEVICE_DAYS: int = 90
    """How long a browser whose user asked for it keeps their username, so that the face is
    compared with theirs only."""

    ADAPT: bool = False
    """Whether templates follow the faces as they age: once a day at most, a login with a username
    that is very sure, or sure and confirmed by a password, replaces the stalest shot."""

    LOOK_ALIKES: Literal["flag", "refuse", "allow"] = "flag"
    """What becomes of a new face that could be taken for somebody else's: enrolled and flagged to
    the staff, refused, or nothing. A refusal tells whoever shows a photograph of somebody that
    this person has an account."""

    ENCRYPTION_KEYS: Sequence[str] = field(default=(), repr=False)
    """What templates are encrypted with: keys as ``cryptography.fernet.Fernet.generate_key`` makes
    them. The first encrypts, all decrypt; ``face_rotate_keys`` encrypts anew what the others did.
    By default a key made of ``SECRET_KEY``, which goes on decrypting beside these."""

    ENCRYPTION_TRANSFORM_KEY: str | None = field(default=None, repr=False)
    """What templates are turned by before they are encrypted, so that the keys above alone do not
    make them comparable with encodings from elsewhere: another such key, kept in another place.
    By default made of ``SECRET_KEY``."""

    MAX_FAILURES: int | None = None
    """After how many failures in a row a face has to wait before it may try again, as an account
    or a session counts them: 30 seconds, then twice as long each time, an hour at most. By default
    10 with a challenge and 5 without, as NIST SP 800-63B-4 has it."""

    MAX_FAILURES_PER_ADDRESS: int = 20
    """The same for an address, behind which there may be many people."""

    MAX_FAILURES_BEFORE_DISABLING: int | None = None
    """After how many failures in a row a face no longer logs in to an account, until its owner
    has come in another way. By default 100 with a challenge and 50 without."""

    TRUSTED_PROXIES: int | None = None
    """How many proxies in front of the site append to ``X-Forwarded-For``; by default the header
    is not believed."""

    ADMIN_SECOND_STEP: bool = False
    """Whether ``admin_site.FaceAdminSite`` asks for the password and then for the face, instead of
    either. Staff then change or remove a face that they have in a session that a face began, and
    their password makes up for no failures of it."""

    PREVIEWS_PER_MINUTE: int = 600
    """How many frames an address may have looked at for its camera pages."""

    ENROLMENTS_PER_HOUR: int = 20
    """How often a user may send pictures to be enrolled, or an address to sign up."""

    NOTIFY_BY_MAIL: bool = True
    """Whether users hear by mail when their face is enrolled, replaced, removed or disabled."""

    SITE_NAME: str | None = None
    """What the site calls itself in mails and in the notice; by default the domain it was asked
    by, which a command does not know."""

    NOTICE_VERSION: str = "1"
    """What people agree to who enrol: the version of the page ``faceauth/notice.html``. Change it
    with the page, and they are asked again."""

    KEEP_UNUSED_FACES_DAYS: int | None = 730
    """After how many days a face that has logged nobody in is removed by ``face_purge``. Two years
    spare who is away for one, and are as long as Colorado's law on biometrics allows. None keeps
    all."""

    KEEP_EVENTS_DAYS: int | None = 365
    """After how many days ``face_purge`` deletes events: as long as failures of an account count,
    so that what they were can be looked up. None keeps all."""

    HEALTH: bool = False
    """Whether ``health/`` and ``health/ready/`` answer machines that watch the site; to anybody,
    and nothing but whether its parts work."""

    METRICS: bool = False
    """Whether requests, stages and events are counted for Prometheus, by ``prometheus-client``.
    `metrics.metrics` is the view, at an address of your own."""

    @property
    def failures(self) -> int:
        """``MAX_FAILURES``, or its default."""
        return self.MAX_FAILURES or (10 if self.CHALLENGE else 5)

    @property
    def failures_before_disabling(self) -> int:
        """``MAX_FAILURES_BEFORE_DISABLING``, or its default."""
        return self.MAX_FAILURES_BEFORE_DISABLING or (100 if self.CHALLENGE else 50)


_last: tuple[dict[str, Any], FaceAuthSettings] = {}, FaceAuthSettings()


def get() -> FaceAuthSettings:
    """The settings in force now.

    Raises:
        ImproperlyConfigured: ``FACEAUTH`` has a key that does not exist.
    """
    global _last
    given: dict[str, Any] = getattr(settings, "FACEAUTH", {})
    before, now = _last
    # Asked for several times in each decision, and nearly always what they were.
    if given != before:
        try:
            now = FaceAuthSettings(**given)
        except TypeError as error:
            raise ImproperlyConfigured(f"FACEAUTH: {error}") from error
        _last = dict(given), now
    return now
