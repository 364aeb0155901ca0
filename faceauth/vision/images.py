"""Decode the bytes of an untrusted picture to pixels: bounded in size, upright, RGB."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO
from itertools import islice

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

# What cameras, phones and browsers send, and what folders of photos contain as well. Fewer formats
# expose fewer parsers.
UPLOAD_FORMATS = ("JPEG", "PNG", "WEBP")
FORMATS = (*UPLOAD_FORMATS, "GIF", "BMP", "TIFF")
MAX_PIXELS = 25_000_000
MAX_SIDE = 1600

# More than cameras and browsers write, and slow to read: a progressive file of 250 kB can have
# 20,000 scans, each of which goes over all pixels, or 60,000 segments, and a compressed text can
# swell to a megabyte.
MAX_SCANS, MAX_SEGMENTS = 50, 1000
MAX_TEXTS = 8
_MARKER = re.compile(rb"\xff([^\x00\x01\xd0-\xd7\xff])")
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9

_AS_STORED = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION


class ImageError(ValueError):
    """The bytes are not a usable picture; `code` gives the reason."""

    code = "bad_image"


class UnsupportedImageError(ImageError):
    """The bytes are not a picture, or one in an unsupported format."""

    code = "unsupported_type"


class ImageTooLargeError(ImageError):
    """The picture has more pixels than allowed."""

    code = "too_large"


def decode_image(
    data: bytes,
    *,
    max_pixels: int = MAX_PIXELS,
    max_side: int = MAX_SIDE,
    formats: tuple[str, ...] = FORMATS,
) -> NDArray[np.uint8]:
    """Decode a picture.

    The picture is turned upright by its EXIF orientation and scaled down so that no side is longer
    than `max_side` pixels. Transparent parts become white. An animation gives its first frame.

    Args:
        data: The content of the file.
        max_pixels: The maximum width times height in the file's header.
        max_side: The maximum width and height of the result in pixels.
        formats: The formats to read, some of `FORMATS`. The content decides, not the name.

    Returns:
        RGB, uint8 (height, width, 3).

    Raises:
        UnsupportedImageError: The data is not a picture in one of the formats.
        ImageTooLargeError: The header states more than `max_pixels`; nothing was decoded.
        ImageError: The data is empty, truncated, damaged, or made to take long.
    """
    if not data:
        raise ImageError("The file is empty.")
    if _takes_long(data):
        raise ImageError("The picture has more parts than any camera writes.")
    try:
        picture = Image.open(BytesIO(data), formats=formats)
    except UnidentifiedImageError as error:
        raise UnsupportedImageError("The file is not a picture.") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageTooLargeError("The picture has too many pixels.") from error
    except Exception as error:
        raise ImageError("The picture is damaged.") from error
    with picture:
        if picture.width * picture.height > max_pixels:
            raise ImageTooLargeError("The picture has too many pixels.")
        try:
            pixels = _quickly(picture, data, max_side)
            return _pixels(picture, max_side) if pixels is None else pixels
        # For damaged files Pillow raises many exceptions, depending on format and version.
        except Exception as error:
            raise ImageError("The picture is damaged.") from error


def check_size(data: bytes, max_pixels: int) -> None:
    """Refuse a picture with too many pixels without opening it, if its header is a usual one.

    Args:
        data: The content of the file.
        max_pixels: The maximum width times height.

    Raises:
        ImageTooLargeError: The header states more.
    """
    width, height = _stated_size(data)
    if width * height > max_pixels:
        raise ImageTooLargeError("The picture has too many pixels.")


def _stated_size(data: bytes) -> tuple[int, int]:
    """Return the width and height that a header states; zeros if it is not a usual one."""
    if data.startswith(b"\x89PNG"):
        return int.from_bytes(data[16:20]), int.from_bytes(data[20:24])
    if data[8:12] == b"WEBP":
        return _webp_size(data)
    for kind, start in _segments(data):
        # Start of frame: 0xC0 to 0xCF, but for tables and an extension.
        if 0xC0 <= kind <= 0xCF and kind not in (0xC4, 0xC8, 0xCC):
            height, width = data[start + 3 : start + 5], data[start + 5 : start + 7]
            return int.from_bytes(width), int.from_bytes(height)
    return 0, 0


def _webp_size(data: bytes) -> tuple[int, int]:
    kind = data[12:16]
    if kind == b"VP8X":
        across, down = data[24:27], data[27:30]
        return 1 + int.from_bytes(across, "little"), 1 + int.from_bytes(down, "little")
    if kind == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    width, height = int.from_bytes(data[26:28], "little"), int.from_bytes(data[28:30], "little")
    return width & 0x3FFF, height & 0x3FFF


def _takes_long(data: bytes) -> bool:
    """Return True if a file was made to take long to read."""
    if data.startswith(b"\x89PNG"):
        return data.count(b"zTXt") + data.count(b"iTXt") > MAX_TEXTS
    kinds = [kind for kind, _start in islice(_segments(data), MAX_SEGMENTS + 1)]
    return len(kinds) > MAX_SEGMENTS or kinds.count(_START_OF_SCAN) > MAX_SCANS


def _segments(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield the segments of a JPEG file: the kind, and where its length stands."""
    place = 2 if data.startswith(b"\xff\xd8") else len(data)
    while (found := _MARKER.search(data, place)) is not None:
        kind, start = found[1][0], found.end()
        if kind == _END_OF_IMAGE:
            return
        yield kind, start
        # What a scan has encoded follows its segment, without markers but for those of restarts.
        place = start + max(int.from_bytes(data[start : start + 2]), 2)


def _quickly(picture: Image.Image, data: bytes, max_side: int) -> NDArray[np.uint8] | None:
    """Return the pixels of a JPEG file as the pages send it, or None if Pillow has to read it.

    OpenCV gives the same pixels as Pillow in 60 % of the time, and nothing for truncated files.
    """
    plain = (
        picture.format == "JPEG"
        and picture.mode == "RGB"
        and "progressive" not in picture.info
        and max(picture.size) <= max_side
        and picture.getexif().get(ExifTags.Base.Orientation, 1) == 1
    )
    if not plain:
        return None
    image = cv2.imdecode(np.frombuffer(data, np.uint8), _AS_STORED)
    return None if image is None else np.asarray(image, np.uint8)


def _pixels(picture: Image.Image, max_side: int) -> NDArray[np.uint8]:
    # JPEG decoders can halve the picture while decoding, in a fraction of the time and memory.
    scale = min(1.0, max_side / max(picture.size))
    picture.draft("RGB", (int(picture.width * scale) or 1, int(picture.height * scale) or 1))
    picture.thumbnail((max_side, max_side), Image.Resampling.BILINEAR, reducing_gap=2.0)
    ImageOps.exif_transpose(picture, in_place=True)
    return np.array(_rgb(picture), np.uint8)


def _rgb(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith(("I", "F")):
        # 16-bit grey: Pillow would clip values above 255.
        values = np.asarray(picture, np.float32)
        top = 65535 if picture.mode.startswith("I") else float(values.max() or 1)
        picture = Image.fromarray((values * (255 / top)).clip(0, 255).astype(np.uint8))
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture)
    return picture if picture.mode == "RGB" else picture.convert("RGB")
