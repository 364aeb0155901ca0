"""Bytes from a stranger to pixels: bounded, upright, RGB."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

# What cameras, phones and browsers send. Fewer formats, fewer parsers open to strangers.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
MAX_PIXELS = 25_000_000
MAX_SIDE = 1600


class ImageError(ValueError):
    """The bytes are no picture that can be used; `code` says why."""

    code = "bad_image"


class UnsupportedImageError(ImageError):
    """The bytes are no picture, or one in a format that is not read."""

    code = "unsupported_type"


class ImageTooLargeError(ImageError):
    """The picture has more pixels than are read."""

    code = "too_large"


def decode_image(
    data: bytes, *, max_pixels: int = MAX_PIXELS, max_side: int = MAX_SIDE
) -> NDArray[np.uint8]:
    """A picture's bytes to uint8 (height, width, 3) RGB.

    Turned upright where the camera noted how it was held; scaled down so that no side is longer
    than `max_side` pixels; the first frame of an animation; on white where it is transparent.

    Raises:
        UnsupportedImageError: no picture, or not JPEG, PNG, WebP, GIF, BMP or TIFF.
        ImageTooLargeError: more than `max_pixels` by its header; nothing was decoded.
        ImageError: empty, truncated or damaged.
    """
    if not data:
        raise ImageError("The file is empty.")
    try:
        picture = Image.open(BytesIO(data), formats=FORMATS)
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
            return _pixels(picture, max_side)
        # Pillow's decoders raise many kinds for damaged files, by format and version.
        except Exception as error:
            raise ImageError("The picture is damaged.") from error


def _pixels(picture: Image.Image, max_side: int) -> NDArray[np.uint8]:
    # JPEG decoders scale by halves while decoding, at a fraction of the time and memory.
    picture.draft("RGB", (max_side, max_side))
    picture.thumbnail((max_side, max_side), Image.Resampling.BILINEAR, reducing_gap=2.0)
    ImageOps.exif_transpose(picture, in_place=True)
    return np.array(_rgb(picture), np.uint8)


def _rgb(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith(("I", "F")):
        # 16-bit grey: Pillow would cut off what is above 255.
        values = np.asarray(picture, np.float32)
        top = 65535 if picture.mode.startswith("I") else float(values.max() or 1)
        picture = Image.fromarray((values * (255 / top)).clip(0, 255).astype(np.uint8))
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture)
    return picture if picture.mode == "RGB" else picture.convert("RGB")
