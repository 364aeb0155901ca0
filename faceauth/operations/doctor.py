"""Examine what works on this machine and what does not, for ``face_doctor``.

No finding contains a key, a name or an encoding.
"""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnxruntime
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core import checks
from django.db import connections
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Q
from django.shortcuts import resolve_url

from faceauth import conf, faces, setup
from faceauth.audit import notifications, outbox
from faceauth.capture import samples
from faceauth.encryption.fields import OutdatedEncodings, UnreadableEncodings
from faceauth.gallery.memory import Gallery
from faceauth.recognition import encoders
from faceauth.vision import dlib_networks, onnx_session, synthetic_face
from faceauth.vision.encoding import DlibEncoder, template
from faceauth.vision.images import FORMATS

from . import health

HEADERS = ("Permissions-Policy", "Content-Security-Policy", "Strict-Transport-Security")

RUNS = 5

# How long the mail server may take to answer.
SECONDS_FOR_MAIL = 3

# Compilers and graphics cards round differently, by a ten-thousandth. A distance that tells two
# people apart is twenty times this limit.
MAX_ENCODING_ERROR = 0.015


class State(StrEnum):
    """The state of one part."""

    FINE = "fine"
    WARNING = "warning"
    BROKEN = "broken"


class Finding(NamedTuple):
    """The state of one part, as text and as facts.

    Attributes:
        part: The name of the part.
        state: Its state.
        text: A line for people.
        facts: Numbers and names, for JSON.
    """

    part: str
    state: State
    text: str
    facts: dict[str, Any] = {}


def findings(picture: bytes | None = None, *, project: bool = False) -> Iterator[Finding]:
    """Yield all findings, one after another. A check that fails is a finding too.

    Args:
        picture: A photo of a face, to process as a login would.
        project: Also look for what the project lacks, as ``face_setup`` does.
    """
    for part, check in PARTS.items():
        yield from _run(part, check)
    if project:
        yield from _run("project", _project)
    if picture is not None:
        yield from _run("picture", lambda: _picture(picture))


def _run(part: str, check: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    try:
        yield from check()
    except Exception as error:  # a broken part can fail in any way
        yield Finding(part, State.BROKEN, f"{type(error).__name__}: {error}")


def _weights() -> Iterator[Finding]:
    """Check that the networks' files are those with which all encodings were made."""
    altered = dlib_networks.altered_files()
    if altered:
        text = f"Not the published files: {', '.join(altered)}. Run {dlib_networks.INSTALL}."
        yield Finding("weights", State.BROKEN, text, {"altered": altered})
    else:
        yield Finding("weights", State.FINE, "the published files (SHA-256)", {"altered": []})


def _networks() -> Iterator[Finding]:
    encoder, began = encoders.encoder(), time.perf_counter()
    running_on, *_others = providers = samples.engine().running_on()
    seconds = time.perf_counter() - began
    wanted = samples.engine().providers
    facts: dict[str, Any] = {
        "encoder": encoder.name,
        "numbers": encoder.size,
        "load_seconds": round(seconds, 3),
        "provider": running_on,
        "providers_wanted": wanted,
        "providers_of_onnxruntime": onnxruntime.get_available_providers(),
        "threads": samples.engine().threads,
    }
    text = f"encoder {encoder.name}, running on {running_on}, loaded in {seconds:.2f} s"
    yield Finding("networks", State.FINE, text, facts)
    if running_on != wanted[0]:
        text = (
            f"{wanted[0]} is installed but cannot start; {running_on} does the work. ONNX Runtime "
            "has logged the reason."
        )
        yield Finding("provider", State.WARNING, text)
    elif _has_graphics_card() and onnx_session.PROVIDERS[0] not in providers:
        text = (
            "There is an NVIDIA GPU, which the installed ONNX Runtime cannot use: run pip "
            "uninstall onnxruntime, then pip install onnxruntime-gpu."
        )
        yield Finding("provider", State.WARNING, text)


def _has_graphics_card() -> bool:
    return Path("/proc/driver/nvidia/version").exists()


def _self_test() -> Iterator[Finding]:
    """Run the networks on a drawn face, for which the results are known."""
    image, engine = synthetic_face.face(), samples.engine()
    faces, find = _timed(lambda: engine.find_faces(image))
    if len(faces) != 1:
        text = f"{len(faces)} faces found where there is 1."
        yield Finding("self-test", State.BROKEN, text)
        return
    encoding, encode = _timed(lambda: engine.encode_with_mirror(image, faces[0]))
    facts = {"find_ms": find, "encode_ms": encode, "score": round(faces[0].score, 3)}
    if not np.isfinite(encoding).all() or encoding.shape != (encoders.encoder().size,):
        text = "The result of the encoder is not an encoding."
        yield Finding("self-test", State.BROKEN, text, facts)
        return
    text = f"found in {find:.1f} ms, encoded in {encode:.1f} ms"
    if isinstance(encoders.encoder(), DlibEncoder):
        expected = template(synthetic_face.encoding()[None])
        error = float(np.linalg.norm(template(encoding[None]) - expected))
        facts["off_by"] = round(error, 5)
        if error > MAX_ENCODING_ERROR:
            text = (
                f"The encoding is wrong by {error:.3f}: it cannot be compared with encodings from "
                "other machines."
            )
            yield Finding("self-test", State.BROKEN, text, facts)
            return
        text += f", {error:.5f} from the expected encoding (OK up to {MAX_ENCODING_ERROR})"
    yield Finding("self-test", State.FINE, text, facts)


def _timed(run: Callable[[], Any]) -> tuple[Any, float]:
    """Return the result of a function, and the median of its times in milliseconds."""
    run()
    times = []
    for _run in range(RUNS):
        began = time.perf_counter()
        result = run()
        times.append(1000 * (time.perf_counter() - began))
    return result, round(statistics.median(times), 1)


def _picture(data: bytes) -> Iterator[Finding]:
    sample, analyse = _timed(lambda: samples.analyse_picture(data, formats=FORMATS))
    facts = {"faces": len(sample.faces), "look_ms": analyse}
    if sample.quality:
        facts.update({name: round(each, 3) for name, each in sample.quality._asdict().items()})
    if problem := sample.problem():
        text = f"A login would be refused: {problem.messages[0]}"
        yield Finding("picture", State.WARNING, text, {**facts, "problem": problem.code})
        return
    _encoding, encode = _timed(
        lambda: samples.engine().encode_with_mirror(sample.image, sample.faces[0])
    )
    facts["encode_ms"] = encode
    text = (
        f"read and found in {analyse:.1f} ms, encoded in {encode:.1f} ms, "
        f"{facts['head_size']} pixels tall"
    )
    yield Finding("picture", State.FINE, text, facts)


def _settings() -> Iterator[Finding]:
    """Report the face-related messages of ``manage.py check``."""
    found = False
    for each in checks.run_checks(databases=list(connections)):
        if str(each.id).startswith("faceauth.") and not each.is_silenced():
            found = True
            state = State.BROKEN if each.level >= checks.ERROR else State.WARNING
            text = f"{each.msg} {each.hint or ''}".strip()
            yield Finding("settings", state, text, {"id": each.id})
    if not found:
        yield Finding("settings", State.FINE, "manage.py check: no face-related warnings")


def _project() -> Iterator[Finding]:
    """Report what the project lacks for the face login."""
    plan = setup.plan()
    for change in plan.changes:
        text = f"Missing in {change.what}:\n{change.lines}"
        yield Finding("project", State.WARNING, text)
    for paragraph in plan.by_hand:
        yield Finding("project", State.WARNING, paragraph)
    if not plan.changes and not plan.by_hand:
        yield Finding("project", State.FINE, f"{plan.about} Nothing is missing.")


def _keys() -> Iterator[Finding]:
    health.check_keys()
    config = conf.get()
    facts = {
        "encryption_keys": len(config.ENCRYPTION_KEYS),
        "transform_key": config.ENCRYPTION_TRANSFORM_KEY is not None,
    }
    yield Finding("keys", State.FINE, "encryption and decryption work", facts)


def _database() -> Iterator[Finding]:
    connection = connections[get_user_model()._default_manager.db]
    began = time.perf_counter()
    health.check_database()
    milliseconds = round(1000 * (time.perf_counter() - began), 1)
    numbers: Any = connection.get_database_version()
    version = ".".join(map(str, numbers))
    facts = {"vendor": connection.vendor, "version": version, "milliseconds": milliseconds}
    text = f"{connection.display_name} {version}, answers in {milliseconds:.1f} ms"
    yield Finding("database", State.FINE, text, facts)
    executor = MigrationExecutor(connection)
    missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    if missing:
        text = f"not applied: {missing}. Run manage.py migrate."
        yield Finding("migrations", State.BROKEN, text, {"missing": missing})
    else:
        yield Finding("migrations", State.FINE, "all are applied", {"missing": 0})


def _faces() -> Iterator[Finding]:
    """Check that every stored face can be read and comes from the encoder of the site."""
    rows = faces.rows().filter(face_encodings__isnull=False).only("face_encodings")
    types = [type(face.face_encodings) for face in rows.iterator()]
    people = len(types)
    unreadable, outdated = types.count(UnreadableEncodings), types.count(OutdatedEncodings)
    facts = {"people": people, "unreadable": unreadable, "outdated": outdated}
    if unreadable:
        text = (
            f"{unreadable:,} of {people:,} faces cannot be read: they were encrypted with keys "
            "that are not in ENCRYPTION_KEYS, or with another ENCRYPTION_TRANSFORM_KEY."
        )
        yield Finding("faces", State.BROKEN, text, facts)
    elif outdated:
        text = (
            f"{outdated:,} of {people:,} faces come from another encoder: these people must enrol "
            "again."
        )
        yield Finding("faces", State.WARNING, text, facts)
    else:
        yield Finding("faces", State.FINE, f"{people:,} enrolled, all can be read", facts)
    if conf.get().UNKNOWN_DEVICES == "code" and (unreachable := _without_address()):
        text = (
            f"{unreachable:,} of {people:,} people have no email address: no code can reach them, "
            "so their face does not log in on a new device."
        )
        yield Finding("addresses", State.WARNING, text, {"people": unreachable})
    began = time.perf_counter()
    Gallery().nearest(np.ones((1, encoders.encoder().size), np.float32))
    milliseconds = round(1000 * (time.perf_counter() - began), 1)
    text = f"loaded in {milliseconds:.1f} ms"
    yield Finding("gallery", State.FINE, text, {"milliseconds": milliseconds})


def _email() -> Iterator[Finding]:
    """Check that the site can send emails, without sending one."""
    backend, connection = notifications.mail_backend(), notifications.mail_connection()
    if hasattr(connection, "timeout"):
        connection.timeout = SECONDS_FOR_MAIL
    try:
        connection.open()
    except Exception as error:  # a mail backend may raise anything
        server = f" to {connection.host}" if hasattr(connection, "host") else ""
        reason = f"{backend} has no connection{server} ({type(error).__name__})"
        text = f"{reason}: no code by email reaches anybody. Check {outbox.MAIL_SETTING}."
        yield Finding("email", State.WARNING, text, {"backend": backend})
    else:
        yield Finding("email", State.FINE, f"{backend} takes emails", {"backend": backend})
    finally:
        connection.close()


def _without_address() -> int:
    """Return the number of users with a face whose address is empty."""
    field = get_user_model().get_email_field_name()
    enrolled = get_user_model()._default_manager.filter(
        faces.user_condition(Q(face_encodings__isnull=False))
    )
    if field not in {each.name for each in get_user_model()._meta.get_fields()}:
        # The check faceauth.W028 tells of this.
        return 0
    return enrolled.filter(Q(**{field: ""}) | Q(**{f"{field}__isnull": True})).count()


def _pages() -> Iterator[Finding]:
    """Check that the login page can be shown, and that it may use the camera."""
    response = setup.visit(resolve_url("faceauth:login"))
    facts = {"status": response.status_code, **{each: response.get(each) for each in HEADERS}}
    if response.status_code != 200:
        text = f"The login page answers with status {response.status_code}."
        yield Finding("pages", State.BROKEN, text, facts)
        return
    policy = re.search(r"\bcamera=(\*|\([^)]*\))", response.get("Permissions-Policy", ""))
    allowed = policy[1].strip("()").split() if policy else []
    if policy is None:
        text = (
            "No Permissions-Policy restricts the camera: frames of other sites may ask to use it. "
            "Let the site send camera=(self), for example with django-permissions-policy."
        )
        yield Finding("pages", State.WARNING, text, facts)
    elif "*" in allowed:
        text = "The Permissions-Policy lets frames of all sites use the camera."
        yield Finding("pages", State.WARNING, text, facts)
    elif "self" not in allowed:
        text = "The Permissions-Policy does not let the site's own pages use the camera."
        yield Finding("pages", State.BROKEN, text, facts)
    elif not (settings.DEBUG or settings.SECURE_SSL_REDIRECT):
        text = "Visitors are not redirected to HTTPS, and without it browsers block the camera."
        yield Finding("pages", State.WARNING, text, facts)
    else:
        yield Finding("pages", State.FINE, "the login page may use the camera", facts)


PARTS: dict[str, Callable[[], Iterator[Finding]]] = {
    "weights": _weights,
    "networks": _networks,
    "self-test": _self_test,
    "settings": _settings,
    "keys": _keys,
    "database": _database,
    "faces": _faces,
    "email": _email,
    "pages": _pages,
}
