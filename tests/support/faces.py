"""Photographs of real people, out of the packages that carry them; none is kept here."""

from __future__ import annotations

import importlib.util
import tarfile
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from tests.support.requirements import unavailable

SDIST = Path(__file__).parents[2] / ".cache" / "face_recognition-1.3.0.tar.gz"

# Where each photograph lies in face_recognition's sdist.
IN_SDIST = {
    "biden": "biden.jpg",
    "obama": "obama.jpg",
    "obama2": "obama2.jpg",
    "obama3": "obama3.jpg",
    "obama_partial": "obama_partial_face.jpg",
    "obama_partial2": "obama_partial_face2.jpg",
    # The same picture of biden with an alpha channel.
    "32bit": "32bit.png",
}


class Faces(Mapping[str, bytes]):
    """The photographs' bytes by name: `faces["obama"]`."""

    def __getitem__(self, name: str) -> bytes:
        return _astronaut() if name == "astronaut" else _photograph(IN_SDIST[name])

    def __iter__(self) -> Iterator[str]:
        yield "astronaut"
        yield from IN_SDIST

    def __len__(self) -> int:
        return 1 + len(IN_SDIST)


@cache
def _astronaut() -> bytes:
    spec = importlib.util.find_spec("skimage")
    if spec is None or spec.origin is None:
        unavailable("scikit-image, which carries a test photo, is not installed; run `make dev`")
    return (Path(spec.origin).parent / "data" / "astronaut.png").read_bytes()


@cache
def _photograph(name: str) -> bytes:
    if not SDIST.exists():
        unavailable(f"the test photos, {SDIST.name} in .cache, are not here; run `make dev`")
    with tarfile.open(SDIST) as sdist:
        member = sdist.extractfile(f"face_recognition-1.3.0/tests/test_images/{name}")
        assert member is not None
        return member.read()
