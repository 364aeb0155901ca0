"""Measure how many known faces it takes to recover everybody's from a stolen table of pgvector.

Run ``python -m benchmarks.recovery``, or ``python -m benchmarks.recovery FOLDER`` with photos of
one person: an attacker with so many accounts, each with another photo of themselves.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import django
import numpy as np

KNOWN = (16, 32, 48, 64, 80, 96, 112)
OTHERS = 200


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recovery", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path)
    options = parser.parse_args()

    os.environ["STATIC_ROOT"] = str(Path(__file__).parent)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.projects.site.settings")
    django.setup()
    from faceauth.encryption import crypto
    from faceauth.recognition.matching import cohort
    from faceauth.vision.encoding import Encoding

    people = cohort()
    others = people[:OTHERS]
    known = templates(options.folder) if options.folder else people[OTHERS:]
    matrix = crypto.secret_matrix(crypto.search_key(), people.shape[1])

    def stored(vectors: Encoding) -> Encoding:
        return (vectors @ matrix).astype(np.float32)

    def recovered(count: int) -> Encoding:
        """The result of an attacker who knows so many templates and steals the whole table."""
        # Orthogonal Procrustes: the rotation that fits all known pairs best.
        u, _, v = np.linalg.svd(known[:count].T @ stored(known[:count]))
        return stored(others) @ (u @ v).T

    print("| known templates | distance of the others' recovered vectors to the true ones |")
    print("| --- | --- |")
    for count in KNOWN:
        if count <= len(known):
            distances = np.linalg.norm(recovered(count) - others, axis=1)
            print(f"| {count} | {np.median(distances):.3f} (largest {distances.max():.3f}) |")


def templates(folder: Path) -> np.ndarray:
    """Return a template for each usable photo of a folder."""
    from faceauth.capture import samples
    from faceauth.errors import FaceError
    from faceauth.vision.encoding import template

    found = []
    for path in sorted(folder.iterdir()):
        try:
            found.append(template(samples.encodings(path.read_bytes())))
        except FaceError:
            continue
    return np.array(found, np.float32)


if __name__ == "__main__":
    main()
