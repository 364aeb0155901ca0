"""Remember what pure functions compute, from one run of the tests to the next.

Most tests need to know what a picture shows, not to see the networks run. The engine's pure
functions are therefore answered from files in .cache/engine, except in tests marked `real`, in
the folders of `REAL`, and in other processes (servers, commands).

An answer counts for one function, its arguments, the sources of faceauth/vision, the versions of
the packages that compute it, and the processor. A change of any of these computes it again.

`stored` keeps the results of other functions: pictures that the tests make, and what
face_recognition finds in them.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import tempfile
from collections.abc import Callable
from functools import cache, wraps
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "faceauth" / "vision"
FOLDER = ROOT / ".cache" / "engine"
STORED = ROOT / ".cache" / "pictures"

# Tests of the inference itself, of its speed, and of the site as its users meet it.
REAL = ("tests/unit/vision", "tests/robustness", "tests/browser", "tests/package")

# The networks' weights are the same files in each package that has them: the tests check it.
PACKAGES = (
    "onnxruntime",
    "dlib-bin",
    "numpy",
    "opencv-python-headless",
    "pillow",
)

# Bounds of a folder: versions, answers of each (4 KB on most disks) and their bytes.
MAX_VERSIONS = 6
MAX_ANSWERS = 20_000
MAX_BYTES = 200_000_000

# True while a test runs that may be given kept answers.
active = False


def environment() -> bytes:
    """Return what besides the sources and the arguments decides the engine's answers."""
    packages = [f"{name}=={version(name)}" for name in PACKAGES]
    return "\n".join([*packages, platform.machine(), _processor()]).encode()


def digest(*sources: Path) -> str:
    """Return the version of the answers: a hash of the sources and of `environment()`.

    Args:
        sources: Python files, or folders of them.
    """
    found = hashlib.sha256(environment())
    for source in sources:
        for path in sorted(source.rglob("*.py")) if source.is_dir() else [source]:
            data = path.read_bytes()
            found.update(f"\0{path.relative_to(source)}\0{len(data)}\0".encode() + data)
    return found.hexdigest()[:32]


class Memo:
    """Answers as arrays, in a folder that several processes may use at once.

    Args:
        folder: Keeps all versions of the answers.
        version: The version that is read and written, see `digest`.
    """

    def __init__(self, folder: Path, version: str) -> None:
        self.folder = folder / version
        self.hits = self.misses = 0
        self._seen: dict[str, Any] = {}

    def array(self, key: str, compute: Callable[[], Any]) -> Any:
        """Return the array kept under this key (a hexadecimal hash), computed if there is none."""
        path = self.folder / key[:2] / f"{key}.npy"
        found = self._seen.get(key)
        if found is None:
            found = _read(path)
        if found is None:
            self.misses += 1
            found = np.asarray(compute())
            _write(path, found)
        else:
            self.hits += 1
        self._seen[key] = found
        return found.copy()


def key(name: str, *arguments: Any) -> str:
    """Return the key of a call: a hash of the function's name and of its arguments.

    Arrays count by their bytes, shape and dtype, everything else by its `repr`.
    """
    found = hashlib.sha256(name.encode())
    for each in arguments:
        if isinstance(each, np.ndarray):
            found.update(f"\0array {each.shape} {each.dtype.str}\0".encode())
            found.update(np.ascontiguousarray(each).data)
        else:
            found.update(f"\0{each!r}".encode())
    return found.hexdigest()


def install(memo: Memo) -> None:
    """Let the engine's pure functions ask the memo first, while `active` is true."""
    from faceauth.vision import engine as module
    from faceauth.vision.encoding import DlibEncoder

    engine: Any = module.Engine

    def applies(self: Any) -> bool:
        # Another encoder may be a test's own, and so may its faults.
        return active and type(self._encoder) is DlibEncoder

    def call_key(self: Any, name: str, *arguments: Any) -> str:
        return key(name, self.providers, self.threads, *arguments)

    find = engine.find_faces

    @wraps(find)
    def find_faces(self: Any, image: Any, **options: Any) -> Any:
        if not applies(self):
            return find(self, image, **options)

        def compute() -> Any:
            rows = [
                [*face.box, face.score, *face.landmarks.ravel()]
                for face in find(self, image, **options)
            ]
            return np.array(rows, np.float64).reshape(-1, 15)

        rows = memo.array(call_key(self, "find_faces", image, sorted(options.items())), compute)
        return [_face(module.Face, row) for row in rows]

    def remembered(name: str) -> Any:
        function = getattr(engine, name)

        @wraps(function)
        def encode(self: Any, image: Any, face: Any) -> Any:
            if not applies(self):
                return function(self, image, face)
            place = [face.box, face.landmarks] if isinstance(face, module.Face) else [tuple(face)]
            return memo.array(
                call_key(self, name, image, *place), lambda: function(self, image, face)
            )

        return encode

    engine.find_faces = find_faces
    for name in ("encode", "encode_with_mirror", "encode_views"):
        setattr(engine, name, remembered(name))


def stored(*sources: Path) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Keep the array that a pure function returns, in all tests.

    Args:
        sources: Folders and files that decide the result, besides the packages and the processor.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @cache
        def memory() -> Memo:
            version = digest(*sources)
            prune(STORED, version)
            return Memo(STORED, version)

        @wraps(function)
        def remembered(*arguments: Any) -> Any:
            name = f"{function.__module__}.{function.__qualname__}"
            return memory().array(key(name, *arguments), lambda: function(*arguments))

        return remembered

    return decorate


def prune(folder: Path, version: str) -> None:
    """Delete the versions least recently used, and this one if it has grown too large."""
    current = folder / version
    sizes = [path.stat().st_size for path in current.glob("*/*.npy")]
    if len(sizes) > MAX_ANSWERS or sum(sizes) > MAX_BYTES:
        shutil.rmtree(current, ignore_errors=True)
    current.mkdir(parents=True, exist_ok=True)
    os.utime(current)
    versions = sorted(folder.iterdir(), key=lambda each: each.stat().st_mtime)
    for old in versions[:-MAX_VERSIONS]:
        shutil.rmtree(old, ignore_errors=True)


def pytest_configure(config: pytest.Config) -> None:
    version = digest(SOURCES)
    # Workers of pytest-xdist leave it to their controller.
    if not hasattr(config, "workerinput"):
        prune(FOLDER, version)
    install(Memo(FOLDER, version))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    global active
    folder = item.path.relative_to(ROOT).as_posix() if item.path.is_relative_to(ROOT) else ""
    active = not folder.startswith(REAL) and not item.get_closest_marker("real")


def _face(kind: Any, row: Any) -> Any:
    left, top, right, bottom = map(int, row[:4])
    return kind((left, top, right, bottom), float(row[4]), row[5:].reshape(5, 2).copy())


def _read(path: Path) -> Any:
    try:
        return np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        # None is there, or the disk was full when it was written.
        return None


def _write(path: Path, array: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".tmp", delete=False) as file:
        np.save(file, array, allow_pickle=False)
    os.replace(file.name, path)


@cache
def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line for line in lines if line.startswith("model name")), platform.processor())
