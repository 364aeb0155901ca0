"""Log people in by face as tutorials do: two small servers around face_recognition.

`folder` looks at a folder of photos at each login, one after the other, and takes the first that
matches. `memory` looks at it once, and takes the nearest. Neither knows whether a person or a photo
is before the camera. They are written with Werkzeug, which is what Flask is made of.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from werkzeug.wrappers import Request, Response

from tests.support import oracle

PHOTOS = sorted(Path(os.environ["PHOTOS"]).iterdir())
TOLERANCE = 0.6  # face_recognition's own

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]

face_recognition: Any = oracle.load()


def folder() -> Application:
    """Return the server that encodes photos at each login until one matches."""

    @Request.application
    def application(request: Request) -> Response:
        shown = encoding_of(request.files["picture"])
        for photo in PHOTOS:
            if face_recognition.compare_faces([encoding_of(photo)], shown, TOLERANCE)[0]:
                return Response(photo.stem)
        return Response(status=401)

    return application


def memory() -> Application:
    """Return the server that encodes all photos once."""
    # Many of these photos are equal.
    encoded = cache(lambda data: encoding_of(BytesIO(data)))
    known = [encoded(photo.read_bytes()) for photo in PHOTOS]

    @Request.application
    def application(request: Request) -> Response:
        distances = face_recognition.face_distance(known, encoding_of(request.files["picture"]))
        nearest = int(np.argmin(distances))
        if distances[nearest] > TOLERANCE:
            return Response(status=401)
        return Response(PHOTOS[nearest].stem)

    return application


def encoding_of(file: Any) -> Any:
    """Return the encoding of the face in a picture, float64 (128,)."""
    return face_recognition.face_encodings(face_recognition.load_image_file(file))[0]
