"""Faces in pictures: found, aligned and encoded. Imports no Django."""

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
