"""Pixels to numbers: find the faces in a picture and encode them. Without Django."""

# A picture passes through these modules in this order:
#
# images         bytes to pixels
# detection      find the faces (the network comes from dlib_networks)
# alignment      find the landmarks, and cut out the chip that the encoder sees
# encoding       chips to encodings by dlib's network; onnx_encoder by any other one, with
#                alignment_templates for its chips and onnx_options for its settings
# pose, quality  measure how the head is turned, and how good the picture is
#
# face_mesh      find the 468 points of a face, and follow it by them (the network comes from
#                mesh_network)
# head_pose      how the head is held, from these points
#
# engine puts them together. onnx_session opens networks in ONNX Runtime, onnx_writer writes them,
# and synthetic_face is a face to try them on.

from __future__ import annotations

from .dlib_networks import ModelError
from .engine import Engine, Face, NoFaceError
from .images import ImageError, ImageTooLargeError, UnsupportedImageError, decode_image
from .onnx_encoder import ONNXEncoder

__all__ = [
    "Engine",
    "Face",
    "ImageError",
    "ImageTooLargeError",
    "ModelError",
    "NoFaceError",
    "ONNXEncoder",
    "UnsupportedImageError",
    "decode_image",
]
