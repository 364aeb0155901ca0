"""The one object that holds the loaded networks."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import cache, partial
from threading import Lock
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import onnx_session, pose
from .alignment import Aligner, Box, Landmarks, fitted_box, square
from .detection import ALIKE, Detection, Detector, Pyramid, distinct
from .dlib_networks import DETECTOR_FILE, detector_graph, model_path, read_layers
from .encoding import DlibEncoder, Encoder, Encoding, encode_with_mirror, template

Image = NDArray[np.uint8]


class NoFaceError(ValueError):
    """There is no face where one is needed."""


class Face(NamedTuple):
    """A face in an image.

    box: (left, top, right, bottom) in pixels; may reach over the image's edge.
    score: the detector's; above 0 is a face, 1 is a sure one.
    landmarks: float64 (5, 2) pixels, see `Aligner.landmarks`.
    """

    box: Box
    score: float
    landmarks: Landmarks

    @property
    def size(self) -> int:
        """The box's height in pixels."""
        return self.box[3] - self.box[1]

    @property
    def yaw(self) -> float:
        """How far the head is turned to a side, see `pose.yaw`."""
        return pose.yaw(self.landmarks)

    def is_same_as(self, other: Face) -> bool:
        """Whether this face's middle lies in the other's box: two finds of one face."""
        left, top, right, bottom = self.box
        x, y = (left + right) / 2, (top + bottom) / 2
        return other.box[0] < x < other.box[2] and other.box[1] < y < other.box[3]


class Engine:
    """Finds faces with dlib's networks and encodes them, in ONNX Runtime.

    Networks load on first use; one engine serves all threads of a process.

    threads: how many threads one inference may use. 1 is best where a site serves several
        people at once; more makes a single look quicker.
    providers: ONNX Runtime's execution providers, the preferred one first; by default CUDA where
        the installed ONNX Runtime has it, else the CPU.
    encoder: by default dlib's; see `ONNXEncoder` for others.
    """

    def __init__(
        self,
        *,
        threads: int = 1,
        providers: Sequence[str] | None = None,
        encoder: Encoder | None = None,
    ) -> None:
        self.providers = list(providers or onnx_session.providers())
        self.threads = threads
        self._encoder = encoder or DlibEncoder()
        self._networks: _Networks | None = None
        self._loading = Lock()

    def load(self) -> _Networks:
        """Load all networks now, so that the first visitor need not wait.

        Raises:
            ModelError: a network's file is missing or damaged.
        """
        with self._loading:
            if self._networks is None:
                model = detector_graph(read_layers(model_path(DETECTOR_FILE)))
                threads, providers = self.threads, self.providers
                session = onnx_session.open_session(model, threads=threads, providers=providers)
                self._encoder.load(threads=threads, providers=providers)
                self._networks = _Networks(Detector(session), Aligner(), self._encoder)
            return self._networks

    def running_on(self) -> list[str]:
        """The execution providers that the networks have got, the preferred one first: of those
        that were asked for, one that cannot start is left out.

        Raises:
            ModelError: as `load` does.
        """
        return self.load().detector.providers

    def find_faces(
        self, image: Image, *, smallest: float = 80, beside: float | None = 0.8
    ) -> list[Face]:
        """The faces in an RGB image uint8 (height, width, 3), the largest first.

        The search goes from large faces to small and leaves as soon as it may.

        smallest: the size in pixels down to which faces are looked for. Below 80 the image is
            enlarged.
        beside: once a face is found, others are noticed down to this share of its size. None
            looks for all.
        """
        detector = self.load().detector
        face_in = cache(partial(self._face, image))
        pyramid = Pyramid(image)
        found: list[Detection] = []
        for level in detector.levels(pyramid, smallest, every=beside is None):
            found += level
            if level and beside is not None:
                # The level in the middle between the face's size and the smallest beside it.
                size = face_in(level[0]).size * math.sqrt(beside)
                if not 1 / ALIKE < size / level[0].size < ALIKE:
                    found += detector.look(pyramid, size, border=0)
                break
        faces: list[Face] = []
        for face in map(face_in, distinct(found)):
            if not any(face.is_same_as(other) for other in faces):
                faces.append(face)
        return sorted(faces, key=lambda face: -face.size)

    def encode(self, image: Image, face: Face | Box) -> Encoding:
        """The encoding float32 (128,), or of the encoder's size, of one face, or of what is in a
        box (left, top, right, bottom): what ``face_recognition.face_encodings`` gives for it.
        """
        encoder = self.load().encoder
        return encoder.encode([encoder.chip(image, self._landmarks(image, face))])[0]

    def encode_with_mirror(self, image: Image, face: Face | Box) -> Encoding:
        """The mean of the face's encoding and its mirror image's: what a probe is made of."""
        encoder = self.load().encoder
        return encode_with_mirror(encoder, [encoder.chip(image, self._landmarks(image, face))])

    def encode_views(self, image: Image, face: Face) -> Encoding:
        """The mean over crops of the face and their mirror images: what templates are made of.
        With dlib's encoder five times the work of `encode_with_mirror`.
        """
        encoder = self.load().encoder
        return encode_with_mirror(encoder, encoder.views(image, face.landmarks))

    def probe(self, images: Iterable[Image]) -> Encoding:
        """Several frames of one person to one encoding of length 1.

        Raises:
            NoFaceError: a frame shows no face, or there is no frame.
        """
        frames = [(image, self.find_faces(image)) for image in images]
        if not frames:
            raise NoFaceError("There is no picture.")
        if not all(faces for _, faces in frames):
            raise NoFaceError("There is no face in the picture.")
        shots = [self.encode_with_mirror(image, faces[0]) for image, faces in frames]
        return template(np.stack(shots))

    def _landmarks(self, image: Image, face: Face | Box) -> Landmarks:
        if isinstance(face, Face):
            return face.landmarks
        return self.load().aligner.landmarks(image, face)

    def _face(self, image: Image, found: Detection) -> Face:
        aligner = self.load().aligner
        first = aligner.landmarks(image, square(found.x, found.y, found.size))
        box = fitted_box(first)
        return Face(box, found.score, aligner.landmarks(image, box))


class _Networks(NamedTuple):
    detector: Detector
    aligner: Aligner
    encoder: Encoder
