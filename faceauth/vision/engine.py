"""The engine: loads the networks once, finds faces and encodes them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import cache, partial
from threading import Lock
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from . import onnx_session, pose
from .alignment import Aligner, Box, Landmarks, fitted_box, square
from .detection import SAME_LEVEL, Detection, Detector, Pyramid, distinct
from .dlib_networks import DETECTOR_FILE, detector_graph, model_path, read_layers
from .encoding import DlibEncoder, Encoder, Encoding, encode_with_mirror, template
from .face_mesh import Crop, FaceMesh, Mesh, Points

Image = NDArray[np.uint8]


# Faces of at least this share of another one's size are noticed beside it.
BESIDE = 0.8


# Of more faces than this, found where one is wanted, the rest is not measured: a millisecond each.
MANY = 8


# A mesh drawn over half a face can have a high presence. But dlib's landmarks, found from it, then
# lie elsewhere: by 4 to 37 % of the face's size on average, and by at most 3 % where the mesh is
# right (photos of LFW; 4 % for 99.5 % of films' frames).
AGREED = 0.045


class NoFaceError(ValueError):
    """A picture has no face although one is needed."""


class Face(NamedTuple):
    """A face in an image.

    Attributes:
        box: (left, top, right, bottom) in pixels; may reach over the edge of the image.
        score: The detector's score. Above 0 is a face, 1 is a certain one.
        landmarks: Float64 (5, 2), (x, y) in pixels: the corners of the eye on the right of the
            picture (outer, inner), those of the eye on the left (outer, inner), and the point under
            the nose.
    """

    box: Box
    score: float
    landmarks: Landmarks

    @property
    def size(self) -> int:
        """The height of the box in pixels."""
        return self.box[3] - self.box[1]

    @property
    def yaw(self) -> float:
        """The yaw of the head: 0 is straight ahead, see `pose.yaw`."""
        return pose.yaw(self.landmarks)

    def is_same_as(self, other: Face) -> bool:
        """Return True if this face's centre lies in the other's box: one face found twice."""
        left, top, right, bottom = self.box
        x, y = (left + right) / 2, (top + bottom) / 2
        return other.box[0] < x < other.box[2] and other.box[1] < y < other.box[3]


class Engine:
    """Find faces with dlib's networks and encode them, in ONNX Runtime.

    The networks load on first use. One engine serves all threads of a process.

    Args:
        threads: The number of threads for one inference. 1 is best if a site serves several people
            at once; more threads make a single picture faster.
        providers: ONNX Runtime's execution providers, the preferred one first. By default CUDA if
            the installed ONNX Runtime supports it, then the CPU.
        encoder: By default dlib's; see `ONNXEncoder` for others.
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
        """Load all networks now, so that the first visitor does not have to wait.

        Raises:
            ModelError: A network's file is missing or damaged.
        """
        with self._loading:
            if self._networks is None:
                model = detector_graph(read_layers(model_path(DETECTOR_FILE)))
                threads, providers = self.threads, self.providers
                session = onnx_session.open_session(model, threads=threads, providers=providers)
                self._encoder.load(threads=threads, providers=providers)
                cv2.setNumThreads(threads)  # by default, OpenCV has one for each core
                detector, mesh = Detector(session), FaceMesh(threads=threads)
                self._networks = _Networks(detector, Aligner(), self._encoder, mesh)
            return self._networks

    def running_on(self) -> list[str]:
        """Return the execution providers in use, the preferred one first.

        A requested provider that cannot start is not among them.

        Raises:
            ModelError: A network's file is missing or damaged.
        """
        return self.load().detector.providers

    def find_faces(
        self,
        image: Image,
        *,
        smallest: float = 80,
        beside: float | None = BESIDE,
        quickly: bool = False,
    ) -> list[Face]:
        """Find the faces in an image, the largest first.

        The search goes from large faces to small ones and stops as early as it can.

        Args:
            image: RGB, uint8 (height, width, 3).
            smallest: The size of the smallest faces to find, in pixels. Below 80 the image is
                enlarged.
            beside: Once a face is found, others are found too if they have at least this share of
                its size, at most eight in all. None finds all faces.
            quickly: Leave out the second round, which finds faces between two levels or cut off by
                the edge, and takes most of the time where there is no face. Use it for frames of a
                film: there will be another one. It does not go with ``beside=None``.

        Raises:
            ModelError: A network's file is missing or damaged.
        """
        detector = self.load().detector
        box_of = cache(partial(self._box, image))
        pyramid = Pyramid(image)
        found: list[Detection] = []
        for level in detector.levels(pyramid, smallest, every=beside is None, once=quickly):
            found += level
            if level and beside is not None:
                # The level halfway between the face's size and that of the smallest beside it.
                _, top, _, bottom = box_of(level[0])
                size = (bottom - top) * math.sqrt(beside)
                if not 1 / SAME_LEVEL < size / level[0].size < SAME_LEVEL:
                    found += detector.scan(pyramid, size, border=0)
                break
        faces: list[Face] = []
        for each in distinct(found)[: MANY if beside is not None else None]:
            face = self._face(image, box_of(each), each.score)
            if not any(face.is_same_as(other) for other in faces):
                faces.append(face)
        return sorted(faces, key=lambda face: -face.size)

    def has_face(self, image: Image, size: float) -> bool:
        """Return True if there is a face about that tall, within a fifth.

        Args:
            image: RGB, uint8 (height, width, 3).
            size: In pixels.

        Raises:
            ModelError: A network's file is missing or damaged.
        """
        return bool(self.load().detector.scan(Pyramid(image), size, border=0))

    def mesh(self, image: Image, face: Face | Box | Points) -> Mesh:
        """Return the face mesh of one face.

        Args:
            image: RGB, uint8 (height, width, 3).
            face: A face, a box (left, top, right, bottom) in pixels, or the points of the mesh that
                the face had in the frame before.

        Raises:
            ModelError: A network's file is missing or damaged.
        """
        return self.load().mesh.find(image, _crop(face))

    def track(self, image: Image, near: Box | Points) -> tuple[Face, Mesh] | None:
        """Find a face where it was a moment ago, in a quarter of the time of `find_faces`.

        The detector does not run: the mesh tells whether the face is still there. Other faces are
        not noticed: see `faces_beside`.

        Args:
            image: RGB, uint8 (height, width, 3).
            near: The face's box or the points of its mesh in the frame before.

        Returns:
            The face, whose score is 1, and its mesh; None if there is no face.

        Raises:
            ModelError: A network's file is missing or damaged.
        """
        mesh = self.load().mesh.follow(image, _crop(near))
        if mesh is None:
            return None
        landmarks = self.load().aligner.landmarks(image, fitted_box(mesh.landmarks))
        face = Face(mesh.box, 1.0, landmarks)
        apart = np.hypot(*(mesh.landmarks - landmarks).T).mean() / face.size
        return (face, mesh) if apart < AGREED else None

    def faces_beside(self, image: Image, face: Face) -> list[Face]:
        """Find other faces of about the same size, by one look over the whole image.

        Args:
            image: RGB, uint8 (height, width, 3).
            face: From `find_faces` or `track`.

        Raises:
            ModelError: A network's file is missing or damaged.
        """
        size = face.size * math.sqrt(BESIDE)
        found = self.load().detector.scan(Pyramid(image), size, border=0)
        faces = (self._face(image, self._box(image, each), each.score) for each in found)
        return [each for each in faces if not each.is_same_as(face)]

    def encode(self, image: Image, face: Face | Box) -> Encoding:
        """Return the encoding of one face, as ``face_recognition.face_encodings`` gives it.

        Args:
            image: RGB, uint8 (height, width, 3).
            face: A face, or a box (left, top, right, bottom) in pixels.

        Returns:
            Float32 (128,), or of the encoder's size.
        """
        encoder = self.load().encoder
        return encoder.encode([encoder.chip(image, self._landmarks(image, face))])[0]

    def encode_with_mirror(self, image: Image, face: Face | Box) -> Encoding:
        """Return the mean of the encodings of the face and its mirror image, for a probe.

        Args and result are those of `encode`.
        """
        encoder = self.load().encoder
        return encode_with_mirror(encoder, [encoder.chip(image, self._landmarks(image, face))])

    def encode_views(self, image: Image, face: Face) -> Encoding:
        """Return the mean encoding over crops of the face and their mirror images, for a template.

        With dlib's encoder this takes five times as long as `encode_with_mirror`.

        Args:
            image: RGB, uint8 (height, width, 3).
            face: From `find_faces`.

        Returns:
            Float32 (128,), or of the encoder's size.
        """
        encoder = self.load().encoder
        return encode_with_mirror(encoder, encoder.views(image, face.landmarks))

    def probe(self, images: Iterable[Image]) -> Encoding:
        """Return one encoding of length 1 from several frames of one person.

        Args:
            images: RGB, uint8 (height, width, 3) each. The largest face in each counts.

        Returns:
            Float32 (128,), or of the encoder's size.

        Raises:
            NoFaceError: A frame has no face, or there is no frame.
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

    def _box(self, image: Image, found: Detection) -> Box:
        window = square(found.x, found.y, found.size)
        return fitted_box(self.load().aligner.landmarks(image, window))

    def _face(self, image: Image, box: Box, score: float) -> Face:
        return Face(box, score, self.load().aligner.landmarks(image, box))


def _crop(face: Face | Box | Points) -> Crop:
    """Return where the mesh's network looks for a face."""
    if isinstance(face, Face):
        return Crop.around_face(face.box, face.landmarks)
    return Crop.around_points(face) if isinstance(face, np.ndarray) else Crop.around_box(face)


class _Networks(NamedTuple):
    detector: Detector
    aligner: Aligner
    encoder: Encoder
    mesh: FaceMesh
