"""Pictures from somebody who means ill: real ones, damaged, lying, swollen, or two things at once.

Each comes out of a seeded ``random.Random``: the same seed, the same bytes.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from functools import cache
from io import BytesIO
from random import Random

from PIL import Image, PngImagePlugin

from faceauth.capture import samples
from faceauth.vision import decode_image
from tests.support.faces import Faces

# Faces large enough to be compared, in pictures small enough to be looked at often.
SIDE = 160
FACE_SHARE = 0.6


def picture(random: Random) -> bytes:
    """Some picture that nobody would take with a camera."""
    make: Callable[[Random], bytes] = random.choices(*zip(*WAYS, strict=True))[0]
    return make(random)


@cache
def largest() -> bytes:
    """What takes the most memory of all that is looked at: all pixels that may be, and no face."""
    return _png(5000, 4990, zlib.compress(bytes(4990 * (1 + 5000 * 3)), 9))


@cache
def largest_frame() -> bytes:
    """What takes the most memory of what anyone may send."""
    return _png(800, 625, zlib.compress(bytes(625 * (1 + 800 * 3)), 9))


@cache
def scene(name: str) -> Image.Image:
    """A stranger's face; or "nobody"."""
    if name == "nobody":
        return Image.effect_mandelbrot((SIDE, SIDE), (-2, -1.5, 1, 1.5), 60).convert("RGB")
    photograph = decode_image(Faces()[name])
    left, top, right, bottom = samples.engine().find_faces(photograph)[0].box
    margin = round((bottom - top) * (1 / FACE_SHARE - 1) / 2)
    box = (left - margin, top - margin, right + margin, bottom + margin)
    return Image.fromarray(photograph).crop(box).resize((SIDE, SIDE))


@cache
def plain(kind: str, name: str) -> bytes:
    """The scene in a format, with what cameras and programs add to their files."""
    image = scene(name)
    exif = Image.Exif()
    exif[0x0112], exif[0x010F], exif[0x9286] = 1, "camera", b"comment" * 30
    # Junk where a colour profile stands.
    more = {"exif": exif.tobytes(), "icc_profile": bytes(range(256)) * 4}
    turned = [image.rotate(angle) for angle in (0, 30, 60)]
    text = PngImagePlugin.PngInfo()
    text.add_text("comment", "said " * 2000, zip=True)
    return {
        "jpeg": lambda: _saved(image, "JPEG", quality=90, **more),
        "progressive": lambda: _saved(image, "JPEG", progressive=True),
        "cmyk": lambda: _saved(image.convert("CMYK"), "JPEG"),
        "png": lambda: _saved(image, "PNG", pnginfo=text, **more),
        "palette": lambda: _saved(image.quantize(64), "PNG", transparency=3),
        "sixteen": lambda: _saved(image.convert("I;16"), "PNG"),
        "apng": lambda: _saved(turned[0], "PNG", save_all=True, append_images=turned[1:]),
        "webp": lambda: _saved(image, "WEBP", **more),
        "lossless": lambda: _saved(image.convert("RGBA"), "WEBP", lossless=True),
        "moving": lambda: _saved(turned[0], "WEBP", save_all=True, append_images=turned[1:]),
        "gif": lambda: _saved(turned[0], "GIF", save_all=True, append_images=turned[1:]),
        "tiff": lambda: _saved(image, "TIFF", compression="tiff_lzw"),
        "deflated": lambda: _saved(image, "TIFF", compression="tiff_adobe_deflate"),
        "bmp": lambda: _saved(image, "BMP"),
    }[kind]()


KINDS = (
    *("jpeg", "jpeg", "progressive", "cmyk", "png", "png", "palette", "sixteen", "apng"),
    *("webp", "webp", "lossless", "moving", "gif", "tiff", "deflated", "bmp"),
)
NAMES = ("biden", "astronaut", "nobody", "nobody")


def some(random: Random) -> bytes:
    return plain(random.choice(KINDS), random.choice(NAMES))


def flipped(random: Random) -> bytes:
    data = bytearray(some(random))
    for _ in range(2 ** random.randrange(8)):
        data[random.randrange(len(data))] ^= 1 << random.randrange(8)
    return bytes(data)


def truncated(random: Random) -> bytes:
    data = some(random)
    return data[: random.randrange(len(data))]


def spliced(random: Random) -> bytes:
    """Pieces cut out, doubled, blanked or exchanged with those of another file."""
    data, other = bytearray(some(random)), some(random)
    for _ in range(random.randint(1, 4)):
        start = random.randrange(len(data))
        end = min(len(data), start + 2 ** random.randrange(12))
        length = end - start
        data[start:end] = random.choice(
            [
                b"",
                bytes(data[start:end]) * 2,
                bytes(length),
                b"\xff" * length,
                random.randbytes(length),
                other[start:end],
            ]
        )
    return bytes(data)


def lying(random: Random) -> bytes:
    """Numbers of the first kilobyte replaced by those that break arithmetic."""
    data = bytearray(some(random))
    values = [0, 1, 0x7F, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]
    for _ in range(random.randint(1, 3)):
        width = random.choice([1, 2, 4])
        start = random.randrange(min(len(data), 2 ** random.randint(4, 10)) - width)
        value = random.choice(values) & (256**width - 1)
        data[start : start + width] = value.to_bytes(width, random.choice(["big", "little"]))
    return bytes(data)


def resized(random: Random) -> bytes:
    """Another width and height in the header, its checksum right."""
    sizes = [0, 1, 2, 299, 301, 4999, 16383, 65535]
    width, height = random.choice(sizes), random.choice(sizes)
    kind = random.choice(["jpeg", "png", "gif", "bmp", "webp"])
    data = bytearray(plain(kind, random.choice(NAMES)))
    if kind == "png":
        return b"".join([data[:8], *_png_chunks(data[8:], ihdr=struct.pack(">II", width, height))])
    place, form = {
        "jpeg": (_start_of_frame(data) + 5, ">HH"),
        "gif": (6, "<HH"),
        "bmp": (18, "<ii"),
        "webp": (24, "<HH"),
    }[kind]
    struct.pack_into(form, data, place, height, width)
    return bytes(data)


def shuffled(random: Random) -> bytes:
    """Chunks in another order, missing or doubled, each of them intact."""
    kind = random.choice(["png", "apng", "jpeg", "progressive", "webp", "moving"])
    data = plain(kind, random.choice(NAMES))
    if kind in ("png", "apng"):
        head, chunks = data[:8], list(_png_chunks(data[8:]))
    elif kind in ("webp", "moving"):
        head, chunks = data[:12], list(_riff_chunks(data[12:]))
    else:
        head, chunks = data[:2], list(_jpeg_segments(data[2:]))
    for _ in range(random.randint(1, 3)):
        one, other = random.randrange(len(chunks)), random.randrange(len(chunks))
        match random.randrange(3):
            case 0:
                chunks[one], chunks[other] = chunks[other], chunks[one]
            case 1:
                chunks.insert(other, chunks[one])
            case _:
                chunks[one] = b""
    return head + b"".join(chunks)


def bomb(random: Random) -> bytes:
    """Small files that want to be large: pixels, texts, profiles, frames."""
    match random.randrange(7):
        case 0:
            side = random.choice([5001, 20_000, 65_535, 2**31 - 1])
            return _png(side, side, zlib.compress(b""))
        case 1:
            return largest()
        case 2:
            swollen = zlib.compress(bytes(20_000_000), 9)
            text = random.choice([b"zTXtcomment\0\0", b"iTXtcomment\0\1\0\0\0", b"iCCPp\0\0"])
            chunk = _png_chunk(text[:4], text[4:] + swollen)
            data = plain("png", "nobody")
            return data[:33] + chunk + data[33:]
        case 3:
            frames = [Image.new("P", (2000, 2000))] * 60
            return _saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
        case 4:
            return _saved(Image.new("1", (4999, 4999)), "TIFF", compression="group4")
        case 5:
            return _saved(Image.new("L", (16_000, 1)), random.choice(["PNG", "JPEG", "WEBP"]))
        case _:
            # Deflated twice over: what comes out is as large as can be.
            return _png(4000, 4000, zlib.compress(bytes(60_000_000), 9), depth=16)


def annotated(random: Random) -> bytes:
    """EXIF and colour profiles that are junk, in files that are fine."""
    image, junk = scene(random.choice(NAMES)), random.randbytes(random.randrange(1, 40_000))
    kind = random.choice(["JPEG", "PNG", "WEBP"])
    exif = random.choice([b"Exif\0\0" + junk, b"Exif\0\0MM\0*\0\0\0\x08" + junk, _exif(random)])
    return _saved(image, kind, exif=exif, icc_profile=junk)


def polyglot(random: Random) -> bytes:
    """A picture that is something else as well, or something else that looks like a picture."""
    data, other = some(random), some(random)
    script = b"<script>alert(1)</script>"
    return random.choice(
        [
            data + b"PK\x03\x04" + random.randbytes(200) + b"PK\x05\x06" + bytes(18),
            data + other,
            other[:12] + data,
            b"GIF89a/*" + data + b"*/=1;" + script,
            b"%PDF-1.7\n" + data,
            b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'>" + script + b"</svg>",
            b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/etc/passwd) run\n" + data,
            b"#define im_width 9\n#define im_height 9\nstatic char im_bits[] = {" + data,
            b"\x00\x00\x00\x20ftypavif" + data,
            b"\x00\x00\x01\x00\x01\x00" + data,
            script + data,
            random.randbytes(random.randrange(5000)),
            b"",
            b"\0" * random.randrange(1, 5000),
        ]
    )


WAYS = [
    (some, 4),
    (flipped, 20),
    (truncated, 10),
    (spliced, 16),
    (lying, 16),
    (resized, 8),
    (shuffled, 10),
    (annotated, 8),
    (polyglot, 10),
    (bomb, 1),
]


def _saved(image: Image.Image, kind: str, **options: object) -> bytes:
    out = BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def _exif(random: Random) -> bytes:
    """Tags of the wrong kind, with offsets that lead anywhere, back to themselves too."""
    tags = b"".join(
        struct.pack(
            ">HHII",
            random.choice([0x0112, 0x8769, 0x8825, 0x014A, random.randrange(65536)]),
            random.randrange(14),
            random.choice([0, 1, 2, 2**31, 2**32 - 1]),
            random.choice([0, 8, 10, random.randrange(2**32)]),
        )
        for _ in range(random.randrange(1, 40))
    )
    count = random.choice([len(tags) // 12, 65535, 0])
    return b"Exif\0\0MM\0*\0\0\0\x08" + struct.pack(">H", count) + tags + struct.pack(">I", 8)


def _start_of_frame(data: bytes | bytearray) -> int:
    return max(data.find(b"\xff\xc0"), data.find(b"\xff\xc2"))


def _png(width: int, height: int, pixels: bytes, depth: int = 8) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, depth, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", pixels), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_png_chunk(*each) for each in chunks)


def _png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _png_chunks(data: bytes | bytearray, ihdr: bytes = b"") -> Iterator[bytes]:
    """The chunks one by one, the first with another start where `ihdr` is given."""
    while data:
        length, kind = struct.unpack(">I4s", data[:8])
        content, data = data[8 : 8 + length], data[12 + length :]
        if kind == b"IHDR":
            content = ihdr + content[len(ihdr) :]
        yield _png_chunk(kind, bytes(content))


def _riff_chunks(data: bytes) -> Iterator[bytes]:
    while data:
        length = 8 + int.from_bytes(data[4:8], "little")
        length += length % 2
        yield data[:length]
        data = data[length:]


def _jpeg_segments(data: bytes) -> Iterator[bytes]:
    while data[1:2] not in (b"\xda", b""):
        length = 2 + int.from_bytes(data[2:4], "big")
        yield data[:length]
        data = data[length:]
    yield data
