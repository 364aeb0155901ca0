"""Check the keys of ``FACEAUTH``: their names, types and bounds, and the challenge."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from difflib import get_close_matches
from typing import Any, get_type_hints

from django.apps import AppConfig
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import ImproperlyConfigured
from django.db import models

from faceauth import conf, users
from faceauth.conf import FaceAuthSettings
from faceauth.liveness import challenge as challenges
from faceauth.liveness import steps
from faceauth.models import FaceTemplateMixin
from faceauth.recognition import encoders
from faceauth.recognition.calibration import calibration, data_file
from faceauth.recognition.matching import cohort

from . import setting_types

Configs = Sequence[AppConfig] | None

RATES = ("MAX_FALSE_MATCH_RATE", "MAX_FALSE_IDENTIFICATION_RATE")

# Higher rates are surely mistakes, and the calibration table ends here.
MAX_RATE = 0.1


# The longest periods that dates and cookies can represent, and that anyone waits for a turned head.
MAX_PERIODS = {
    "TRUSTED_DEVICE_DAYS": 36_500,
    "KEEP_UNUSED_FACES_DAYS": 36_500,
    "KEEP_EVENTS_DAYS": 36_500,
    "FACE_COOLDOWN_HOURS": 8_760,
    "CHALLENGE_SECONDS": 3_600,
    # `liveness.conversation` keeps no more of an answer.
    "CHALLENGE_STEP_SECONDS": 15,
}


@register(Tags.security)
def check_settings(app_configs: Configs, **kwargs: Any) -> list[CheckMessage]:
    """Check that ``FACEAUTH`` has only known keys, with values that work."""
    return setting_errors()


@register(Tags.security)
def check_challenge(app_configs: Configs, **kwargs: Any) -> list[CheckMessage]:
    """Check that a photo does not log in."""
    if setting_errors():
        return []
    config = conf.get()
    message = hint = ""
    if config.CHALLENGE is None:
        message = "FACEAUTH['CHALLENGE'] is None: a photo of a person logs in as that person."
        hint = "Leave it out: users are then asked to move their head."
    elif config.CHALLENGE == challenges.SHORT:
        message = (
            "FACEAUTH['CHALLENGE'] is 'short': wherever people log in, one movement is enough, "
            "which a film of a person makes by chance in 1 of 9 logins."
        )
        hint = "Leave it out: one movement is then enough on trusted devices alone."
    elif not config.CHALLENGE_AT_ENROLMENT:
        message = (
            "FACEAUTH['CHALLENGE_AT_ENROLMENT'] is False: anyone with photos of a person can enrol "
            "that face."
        )
        hint = "Leave it out, or let only staff enrol faces."
    found: list[CheckMessage] = []
    if message:
        found.append(Warning(message, hint=hint, id="faceauth.W009"))
    if config.VERIFY_PHOTOS and config.CHALLENGE:
        message = (
            "FACEAUTH['VERIFY_PHOTOS'] is True: when staff check a person's identity, a photo of "
            "that person is accepted."
        )
        hint = "Leave it out, unless somebody watches every camera that is used for this."
        found.append(Warning(message, hint=hint, id="faceauth.W020"))
    return found


@register(Tags.security)
def check_unknown_devices(app_configs: Configs, **kwargs: Any) -> list[CheckMessage]:
    """Check that a face alone logs in only on devices that its owner trusts."""
    # Without a challenge, W009 says what is worse.
    if setting_errors() or conf.get().UNKNOWN_DEVICES != "allow" or conf.get().CHALLENGE is None:
        return []
    message = (
        "FACEAUTH['UNKNOWN_DEVICES'] is 'allow': anyone with public photos of a person and a "
        "script can log in as that person. Moved by software as the page asks, and posted without "
        "a camera, such photos logged in as 19 of 20 people, by manage.py face_attack --post."
    )
    hint = (
        "Set it to 'code', the default: on a device that its owner does not trust yet, the site "
        "then emails a code as well. With 'allow', faces have to wait after 5 consecutive failures "
        "and are disabled after 50, unless MAX_FAILURES and MAX_FAILURES_BEFORE_DISABLING say "
        "otherwise. If this is intended, add 'faceauth.W027' to SILENCED_SYSTEM_CHECKS."
    )
    return [Warning(message, hint=hint, id="faceauth.W027")]


def setting_errors() -> list[CheckMessage]:
    """Return the errors that keep other checks from reading the settings; they then report nothing.

    Values are only compared with bounds if all names and types are right.
    """
    wrong = [*name_and_type_errors()] or [*_encoder_errors()]
    return wrong or [*_bound_errors(), *_login_field_errors(), *_calibration_errors()]


def name_and_type_errors() -> Iterator[CheckMessage]:
    """Yield an error for each unknown key and for each value of the wrong type."""
    known = {field.name: field.default for field in fields(FaceAuthSettings)}
    types = get_type_hints(FaceAuthSettings)
    given: Any = getattr(settings, "FACEAUTH", {})
    if not isinstance(given, Mapping):
        message = f"FACEAUTH is of type {type(given).__name__}, which is not a dict."
        hint = "Set it to a dict of settings, or leave it out."
        yield Error(message, hint=hint, id="faceauth.E002")
        return
    for key, value in given.items():
        if key not in known:
            close = get_close_matches(str(key), known, 1)
            hint = f"Did you mean {close[0]!r}?" if close else f"The keys are: {', '.join(known)}."
            yield Error(f"FACEAUTH has the unknown key {key!r}.", hint=hint, id="faceauth.E001")
        elif not setting_types.matches(value, types[key]):
            right = setting_types.describe(types[key])
            # Values that may be encryption keys must not appear in logs.
            shown = repr(value) if "KEY" not in key else f"of type {type(value).__name__}"
            message = f"FACEAUTH[{key!r}] is {shown}, which is not {right}."
            hint = f"Set it to {right}, or leave it out: the default is {known[key]!r}."
            yield Error(message, hint=hint, id="faceauth.E002")


def _bound_errors() -> Iterator[CheckMessage]:
    config = conf.get()
    for key in RATES:
        if (rate := getattr(config, key)) > MAX_RATE:
            message = f"FACEAUTH[{key!r}] is {rate}, which is above {MAX_RATE}."
            hint = "It is the share of strangers who may be accepted: 1e-4 is 1 in 10,000."
            yield Error(message, hint=hint, id="faceauth.E006")
    for key, limit in MAX_PERIODS.items():
        if (getattr(config, key) or 0) > limit:
            message = f"FACEAUTH[{key!r}] is {getattr(config, key)}, which is above {limit}."
            hint = f"Leave it out: the default is {getattr(FaceAuthSettings(), key)}."
            yield Error(message, hint=hint, id="faceauth.E017")
    limit = FaceTemplateMixin._meta.get_field("face_consent_version").max_length or 0
    if not 0 < len(config.NOTICE_VERSION) <= limit:
        message = f"FACEAUTH['NOTICE_VERSION'] has {len(config.NOTICE_VERSION)} characters."
        hint = f"It is stored with each consent and has between 1 and {limit} characters."
        yield Error(message, hint=hint, id="faceauth.E012")
    step = config.CHALLENGE_STEP_SECONDS
    least = step * (steps.FIRST + 2)
    if least > config.CHALLENGE_SECONDS and step <= MAX_PERIODS["CHALLENGE_STEP_SECONDS"]:
        message = f"FACEAUTH['CHALLENGE_SECONDS'] is {config.CHALLENGE_SECONDS}."
        hint = (
            f"Three movements need {least} seconds or more: {steps.FIRST * step} for the first, "
            f"and {step} for each of the others."
        )
        yield Error(message, hint=hint, id="faceauth.E011")
    for key in ("ENROLMENT_SHOTS", "LOGIN_FRAMES"):
        if (count := getattr(config, key)) > config.MAX_SNAPSHOTS:
            message = (
                f"FACEAUTH[{key!r}] asks for {count} pictures, but 'MAX_SNAPSHOTS' allows only "
                f"{config.MAX_SNAPSHOTS}: a request with all of them is refused."
            )
            hint = "Raise MAX_SNAPSHOTS, or ask for fewer pictures."
            yield Error(message, hint=hint, id="faceauth.E007")


def _login_field_errors() -> Iterator[CheckMessage]:
    model = get_user_model()
    fields = {each.name: each for each in model._meta.concrete_fields}
    del fields["password"]
    for name in conf.get().LOGIN_FIELDS or ():
        plain = name.removesuffix(users.IGNORING_CASE)
        texts = (models.CharField, models.TextField)
        if plain in fields and (plain == name or isinstance(fields[plain], texts)):
            continue
        message = f"FACEAUTH['LOGIN_FIELDS'] names {name!r}, by which no user can be found."
        hint = (
            f"Name fields of {model._meta.label}; '__iexact' after one of text ignores case. For "
            "anything else, override FaceBackend.find_user."
        )
        yield Error(message, hint=hint, id="faceauth.E019")


def _encoder_errors() -> Iterator[CheckMessage]:
    try:
        encoders.encoder()
    except ImproperlyConfigured as error:
        hint = (
            "Set it to a dict of options for faceauth.vision.ONNXEncoder, or to the dotted path of "
            "a class. Leave it out to use dlib's network."
        )
        yield Error(str(error), hint=hint, id="faceauth.E013")


def _calibration_errors() -> Iterator[CheckMessage]:
    try:
        calibration().at_rate(conf.get().ENROLMENT_SHOTS, conf.get().LOGIN_FRAMES, MAX_RATE)
        size = encoders.encoder().size
        if cohort().ndim != 2 or cohort().shape[1] != size:
            raise ValueError(f"the cohort does not consist of rows of {size} numbers")
    except ImproperlyConfigured as error:
        hint = (
            "Run manage.py face_evaluate --write DIR on photos of hundreds of people, and set "
            "FACEAUTH['CALIBRATION'] to that folder."
        )
        yield Error(str(error), hint=hint, id="faceauth.E014")
    except (OSError, EOFError, ValueError, TypeError, LookupError) as error:
        message = (
            f"No calibration can be read from {data_file(conf.get().CALIBRATION, '')}: {error!r}."
        )
        hint = (
            "FACEAUTH['CALIBRATION'] is a folder with calibration.json and cohort.npy, as written "
            "by face_evaluate --write. Leave it out to use the one that ships with the app."
        )
        yield Error(message, hint=hint, id="faceauth.E008")
