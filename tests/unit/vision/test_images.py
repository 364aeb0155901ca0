from __future__ import annotations

import tracemalloc
import zlib
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageFile

from faceauth.vision import (
    ImageError,
    ImageTooLargeError,
    UnsupportedImageError,
    decode_image,
)


def saved(picture, kind="PNG", **options):
    out = BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def png_chunk(kind, data):
    """A part of a PNG file."""
    crc = zlib.crc32(kind + data)
    return len(data).to_bytes(4, "big") + kind + data + crc.to_bytes(4, "big")


def huge_png(width, height):
    """A PNG whose header says so, with next to nothing in it."""
    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([8, 2, 0, 0, 0])
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(b"")), (b"IEND", b""))
    body = b"".join(png_chunk(*each) for each in parts)
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.fixture
def photo(faces):
    return Image.open(BytesIO(faces["astronaut"])).convert("RGB")


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "GIF", "JPEG", "WEBP"])
def test_formats_are_read_as_rgb(photo, kind):
    image = decode_image(saved(photo, kind))
    assert image.shape == (512, 512, 3)
    assert image.dtype == np.uint8
    assert np.abs(image.astype(int) - np.asarray(photo)).mean() < 8


def test_picture_that_a_phone_held_sideways_is_turned_upright(photo):
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = photo.crop((0, 0, 512, 300)).transpose(Image.Transpose.ROTATE_90)
    image = decode_image(saved(turned, "JPEG", exif=exif, quality=95))
    assert image.shape == (300, 512, 3)
    assert np.abs(image.astype(int) - np.asarray(photo)[:300]).mean() < 5


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_blocks": 1}])
@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
@pytest.mark.parametrize("size", [(1, 1), (17, 9), (333, 250), (512, 512)])
def test_jpeg_files_have_the_pixels_that_pillow_finds(photo, size, subsampling, options):
    data = saved(photo.resize(size), "JPEG", subsampling=subsampling, quality=80, **options)
    assert np.array_equal(decode_image(data), np.asarray(Image.open(BytesIO(data))))


@pytest.mark.parametrize("missing", [1, 2, 3, 100, 5000, 15_000])
def test_jpeg_files_without_their_end_are_bad(photo, monkeypatch, missing):
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", False)
    with pytest.raises(ImageError):
        decode_image(saved(photo, "JPEG")[:-missing])


def test_cmyk_is_converted(photo):
    image = decode_image(saved(photo.convert("CMYK"), "JPEG"))
    assert np.abs(image.astype(int) - np.asarray(photo)).mean() < 5


def test_sixteen_bit_keeps_its_tones(photo):
    grey = np.asarray(photo.convert("L"))
    image = decode_image(saved(Image.fromarray(grey.astype(np.uint16) * 257)))
    assert np.abs(image[:, :, 0].astype(int) - grey).mean() < 1


@pytest.mark.parametrize("mode", ["L", "1", "P", "LA"])
def test_other_modes_become_rgb(photo, mode):
    assert decode_image(saved(photo.convert(mode))).shape == (512, 512, 3)


def test_transparent_parts_become_white():
    clear = Image.new("RGBA", (20, 20), (255, 0, 0, 0))
    assert (decode_image(saved(clear)) == 255).all()


def test_first_frame_of_an_animation(photo):
    black = Image.new("RGB", photo.size)
    data = saved(photo, "WEBP", save_all=True, append_images=[black] * 3, lossless=True)
    assert np.abs(decode_image(data).astype(int) - np.asarray(photo)).mean() < 2


def test_large_photos_are_scaled_down(photo, monkeypatch):
    large = saved(photo.resize((4000, 3000)), "JPEG")
    decoded = []
    load = ImageFile.ImageFile.load
    monkeypatch.setattr(
        ImageFile.ImageFile, "load", lambda self: decoded.append(self.size) or load(self)
    )
    image = decode_image(large)
    assert decoded[0] == (2000, 1500)  # as small as the decoder can make it
    assert np.abs(image.astype(int) - np.asarray(photo.resize((1600, 1200)))).mean() < 5
    assert decode_image(large, max_side=300).shape == (225, 300, 3)


def test_a_strip_is_scaled_down_to_a_line(photo):
    assert decode_image(saved(photo.resize((1, 5000)), "JPEG")).shape == (1600, 1, 3)


def test_more_pixels_than_allowed_are_refused_undecoded():
    data = huge_png(20_000, 10_000)
    tracemalloc.start()
    with pytest.raises(ImageTooLargeError):
        decode_image(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5_000_000


def test_pixels_beyond_what_pillow_itself_allows_are_refused_too():
    with pytest.raises(ImageTooLargeError):
        decode_image(huge_png(60_000, 60_000))


@pytest.mark.parametrize(
    "data", [b"hello, this is text", b"%PDF-1.7", b"<svg xmlns='http://www.w3.org/2000/svg'/>"]
)
def test_what_is_no_picture_is_unsupported(data):
    with pytest.raises(UnsupportedImageError) as caught:
        decode_image(data)
    assert caught.value.code == "unsupported_type"


def test_empty_and_truncated_pictures_are_bad(photo, monkeypatch):
    # face_recognition, once imported, turns this on for the whole process.
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", False)
    data = saved(photo, "JPEG")
    for broken in (b"", data[: len(data) // 2], saved(photo)[:3000], saved(photo, "WEBP")[:2000]):
        with pytest.raises(ImageError) as caught:
            decode_image(broken)
        assert caught.value.code == "bad_image"


def test_file_made_to_take_long_is_bad(photo):
    small = photo.resize((80, 60))
    text = b"zTXtcomment\0\0" + zlib.compress(bytes(900_000), 9)
    chunk = (len(text) - 4).to_bytes(4, "big") + text + zlib.crc32(text).to_bytes(4, "big")
    png, progressive = saved(small), saved(small, "JPEG", progressive=True)
    last = progressive[progressive.rfind(b"\xff\xda") : -2]
    # A marker without a length, which readers skip as a whole.
    hidden = b"\xff\x01" + last
    for data in (
        png,
        png[:33] + chunk * 3 + png[33:],
        progressive,
        progressive[:-2] + last * 20 + progressive[-2:],
    ):
        assert decode_image(data).shape == (60, 80, 3)
    for data in (
        png[:33] + chunk * 9 + png[33:],
        progressive[:-2] + last * 60 + progressive[-2:],
        progressive[:-2] + hidden * 60 + progressive[-2:],
    ):
        with pytest.raises(ImageError, match="more parts"):
            decode_image(data)


def test_video_behind_a_photo_is_no_part_of_it(photo):
    """Phones append a film to a photo."""
    film = np.random.default_rng(0).bytes(4_000_000) + b"\xff\xda\0\2" * 100
    assert decode_image(saved(photo, "JPEG") + film).shape == (512, 512, 3)
