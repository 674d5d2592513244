"""The files of the table of faults: what is wrong with them, and what is only unusual.

Each name begins with the number of its row.
"""

import contextlib
import io
import os
import socket
import struct
import zlib
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pyvips
import tifffile
from exif_files import rich
from handmade import chunk
from PIL import ExifTags, ImageCms
from PIL import Image as Pillow
from PIL.PngImagePlugin import PngInfo

from upscale.pixels.image import Pixels

__all__ = [
    "BLOCKS",
    "NAMES",
    "PROFILE",
    "THUMBNAIL",
    "blocks_beside",
    "cut",
    "described",
    "encoded",
    "enlarged",
    "fill",
    "foreign",
    "kinds",
    "noise",
    "refused_files",
    "unusual",
]


def noise(height: int, width: int, channels: int = 3, dtype: type = np.uint8) -> Pixels:
    top = np.iinfo(dtype).max
    return np.random.default_rng(0).integers(0, top, (height, width, channels), dtype, True)


def enlarged(pixels: Pixels) -> Pixels:
    return pixels.repeat(4, 0).repeat(4, 1)


def encoded(picture: Pillow.Image | Pixels, format_name: str, **options: Any) -> bytes:
    if not isinstance(picture, Pillow.Image):
        picture = Pillow.fromarray(picture[..., 0] if picture.shape[2] == 1 else picture)
    buffer = io.BytesIO()
    picture.save(buffer, format_name, **options)
    return buffer.getvalue()


def tiff(pixels: Any, **options: Any) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, pixels, **options)
    return buffer.getvalue()


def png(width: int, height: int, depth: int, colour: int, rows: bytes, *more: bytes) -> bytes:
    """A PNG of ``rows`` (ISO/IEC 15948), each with its filter type; ``more`` chunks before."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    parts = (chunk(b"IHDR", header), *more, chunk(b"IDAT", zlib.compress(rows)))
    return b"\x89PNG\r\n\x1a\n" + b"".join((*parts, chunk(b"IEND", b"")))


def bmp_header(width: int, height: int) -> bytes:
    """A BMP of 24 bits without its rows (BITMAPINFOHEADER)."""
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, 0, 2835, 2835, 0, 0)
    return struct.pack("<2sIHHI", b"BM", 54, 0, 0, 54) + info


def few_bits(bits: int) -> bytes:
    """A gray PNG of 16 × 4 pixels with every level that ``bits`` can hold."""
    levels = np.arange(64, dtype=np.uint8).reshape(4, 16) % 2**bits
    as_bits = np.unpackbits(levels[..., None], axis=2)[..., 8 - bits :].reshape(4, -1)
    lines = np.hstack((np.zeros((4, 1), np.uint8), np.packbits(as_bits, axis=1)))
    return png(16, 4, bits, 0, lines.tobytes())


def deep_with_opacity() -> bytes:
    """Gray and opacity of 16 bits, nowhere transparent; Pillow writes none."""
    samples = noise(7, 9, 2, np.uint16) | 1
    rows = samples.astype(">u2").reshape(7, -1).view(np.uint8)
    return png(9, 7, 16, 4, np.insert(rows, 0, 0, axis=1).tobytes())


def wide_gamut() -> bytes:
    """The profile of sRGB with the primaries of Display P3, adapted to D50."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    primaries = {
        b"rXYZ": (0.5151, 0.2412, -0.0011),
        b"gXYZ": (0.2919, 0.6922, 0.0419),
        b"bXYZ": (0.1571, 0.0666, 0.7841),
    }
    for entry in range(132, 132 + 12 * int.from_bytes(profile[128:132], "big"), 12):
        name, offset, _ = struct.unpack_from(">4sII", profile, entry)
        if name in primaries:
            fixed = (round(2**16 * value) for value in primaries[name])
            struct.pack_into(">3i", profile, offset + 8, *fixed)
    return bytes(profile)


PROFILE = wide_gamut()
BLOCKS = np.kron(noise(2, 3), np.ones((16, 16, 1), np.uint8))
"""48 × 32 pixels in flat blocks, which lossy formats keep, and no symmetry."""

THUMBNAIL = encoded(noise(16, 16), "JPEG")


def camera(orientation: int) -> bytes:
    exif = Pillow.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    exif[ExifTags.Base.DateTime] = "2020:01:02 03:04:05"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] = "N"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (48.0, 12.0, 30.5)
    return exif.tobytes()


def with_thumbnail() -> bytes:
    """EXIF (TIFF 6.0, section 2) with a date and, in its second directory, a thumbnail."""

    def tag(number: int, kind: int, count: int, value: bytes) -> bytes:
        return struct.pack("<HHI", number, kind, count) + value

    date = b"2020:01:02 03:04:05\0"  # at 26, behind the first directory
    first = tag(0x132, 2, len(date), struct.pack("<I", 26))
    behind = 26 + len(date) + 2 + 2 * 12 + 4
    second = tag(0x201, 4, 1, struct.pack("<I", behind))
    second += tag(0x202, 4, 1, struct.pack("<I", len(THUMBNAIL)))
    exif = struct.pack("<4sIH", b"II*\0", 8, 1) + first + struct.pack("<I", 26 + len(date)) + date
    return b"Exif\0\0" + exif + struct.pack("<H", 2) + second + struct.pack("<I", 0) + THUMBNAIL


def spliced(jpeg: bytes, body: bytes) -> bytes:
    """Put an APP1 segment behind the start of a JPEG."""
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", 2 + len(body)) + body + jpeg[2:]


def cut(data: bytes) -> bytes:
    return data[: len(data) * 2 // 3]


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :]


def refused_files() -> dict[str, bytes]:
    """Rows 1, 2, 4 to 9 and 32."""
    lfs = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
    detailed = noise(48, 64)
    small = encoded(noise(8, 8), "JPEG")
    frame = small.index(b"\xff\xc0") + 5  # height and width follow
    return {
        "1-empty.jpg": b"",
        "2-text.jpg": b"hello, this is a text\n",
        "2-page.jpg": b"<!DOCTYPE html><html><body>404</body></html>",
        "2-lfs.jpg": lfs,
        "4-cut.jpg": cut(encoded(detailed, "JPEG")),
        "4-cut-progressive.jpg": cut(encoded(detailed, "JPEG", progressive=True)),
        "4-without-end.jpg": encoded(detailed, "JPEG")[:-40],
        "5-cut.png": cut(encoded(detailed, "PNG")),
        "5-cut.tif": cut(encoded(detailed, "TIFF")),
        "5-cut-deflate.tif": cut(encoded(detailed, "TIFF", compression="tiff_adobe_deflate")),
        "5-cut.webp": cut(encoded(detailed, "WEBP")),
        "5-cut.avif": cut(encoded(detailed, "AVIF")),
        "5-gif.gif": cut(encoded(detailed, "GIF")),
        "6-flipped.png": flipped(encoded(detailed, "PNG"), 3000),
        "6-flipped-checksum.png": flipped(encoded(detailed, "PNG"), -14),
        "6-cut-and-ended.jpg": cut(encoded(detailed, "JPEG")) + b"\xff\xd9",
        "6-flipped.tif": flipped(tiff(detailed, compression="zlib"), 3000),
        "7-bomb.png": png(40_000, 40_000, 8, 2, b""),
        "7-bmp.bmp": bmp_header(40_000, 40_000),
        "7-ppm.ppm": b"P6\n40000 40000\n255\n",
        "8-wide.png": png(1_000_001, 1, 8, 0, b""),
        "9-no-width.png": png(0, 9, 8, 2, b""),
        "9-no-height.png": png(9, 0, 8, 2, b""),
        "9-no-columns.jpg": small[:frame] + b"\0\x08\0\0" + small[frame + 4 :],
        "9-nothing.ppm": b"P6\n0 9\n255\n",
        "32-wide.webp": encoded(noise(2, 4096), "WEBP"),
        "32-wide.jpg": encoded(noise(2, 16_376), "JPEG"),
        "32-wide.avif": encoded(noise(2, 4097), "AVIF"),
    }


def foreign() -> dict[str, bytes]:
    """Row 23: the beginnings of files that need a reader of their own, or have none."""
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"></svg>'
    return {
        "23-phone.heic": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100),
        "23-new.jxl": b"\xff\x0a" + bytes(30),
        "23-raw.png": b"FUJIFILMCCD-RAW 0201FF383501" + bytes(100),
        "23-drawing.png": svg,
        "23-page.png": b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\n",
    }


def kinds() -> dict[str, bytes]:
    """Rows 3 and 10 to 18: good pictures of odd kinds."""
    pixels = noise(9, 14)
    palette = Pillow.fromarray(noise(20, 30)).quantize(4)
    opaque = np.dstack([pixels, np.full((9, 14), 255, np.uint8)])
    transparent = np.zeros((12, 16, 4), np.uint8)
    transparent[:, 8:] = (200, 180, 160, 255)  # black lies under the transparent half
    inks = np.zeros((16, 48, 4), np.uint8)  # white, cyan, black
    inks[:, 16:32, 0] = inks[:, 32:, 3] = 255
    floats = np.linspace(0, 1, 8 * 8 * 3, dtype=np.float32).reshape(8, 8, 3)
    odd = floats.copy()
    odd[0, :3, 0] = (-1, np.nan, np.inf)
    deep = noise(7, 9, 1, np.uint16)
    return {
        "3-png.jpg": encoded(BLOCKS, "PNG"),
        "10-1x1.png": encoded(noise(1, 1), "PNG"),
        "10-1x9.png": png(1, 9, 8, 2, b"".join(b"\0" + row.tobytes() for row in noise(9, 1))),
        "10-9x1.png": png(9, 1, 8, 2, b"\0" + noise(1, 9).tobytes()),
        "11-narrow.png": encoded(noise(3, 70), "PNG"),
        "12-1-bit.png": few_bits(1),
        "12-2-bit.png": few_bits(2),
        "12-4-bit.png": few_bits(4),
        "12-palette.png": encoded(palette, "PNG", bits=2),
        "12-palette-transparent.png": encoded(palette, "PNG", transparency=bytes([0, 128])),
        "12-key.png": encoded(pixels, "PNG", transparency=tuple(pixels[0, 0].tolist())),
        "13-gray.png": encoded(noise(5, 6, 1), "PNG"),
        "13-gray.jpg": encoded(BLOCKS[..., :1], "JPEG"),
        "13-gray-opacity.png": encoded(noise(5, 6, 2) | 1, "PNG"),
        "14-opaque.png": encoded(opaque, "PNG"),
        "14-transparent.png": encoded(transparent, "PNG"),
        "15-deep.png": encoded(deep, "PNG"),
        "15-dark.png": encoded(deep % 256, "PNG"),
        "15-deep-opacity.png": deep_with_opacity(),
        "15-deep.tif": tiff(noise(7, 9, 3, np.uint16), photometric="rgb"),
        "17-float.tif": tiff(floats, photometric="rgb"),
        "17-odd.tif": tiff(odd, photometric="rgb"),
        "18-cmyk.jpg": encoded(Pillow.fromarray(inks, "CMYK"), "JPEG", quality=100),
        "18-cmyk.tif": encoded(Pillow.fromarray(inks, "CMYK"), "TIFF"),
    }


def unusual() -> dict[str, bytes]:
    """Row 49: sound files of kinds that are seldom met; nobody here reads those called ``no``."""
    deep, frames = noise(7, 9, 1, np.uint16)[..., 0] >> 4, [Pillow.fromarray(255 - BLOCKS)]
    vips = pyvips.Image.new_from_array(BLOCKS).copy(interpretation="srgb")
    several = {"save_all": True, "append_images": frames, "duration": 70}
    colours = noise(7, 9)
    return {
        "49-no-12-bit.jpg": imagecodecs.jpeg8_encode(deep, bitspersample=12),
        "49-no-jpeg-ls.jpg": imagecodecs.jpegls_encode(colours),
        "49-no-long.tif": tiff(deep.astype(np.uint32), photometric="minisblack"),
        "49-no-signed.tif": tiff(deep.astype(np.int16), photometric="minisblack"),
        "49-no-lerc.tif": tiff(colours, compression="lerc", photometric="rgb"),
        "49-lossless.jpg": imagecodecs.jpeg8_encode(colours, lossless=True),
        "49-restarts.jpg": encoded(BLOCKS, "JPEG", restart_marker_blocks=1),
        "49-more-behind.jpg": encoded(BLOCKS, "JPEG") + 99 * b"more",
        "49-10-bit.tif": tiff(deep >> 2, bitspersample=10, photometric="minisblack"),
        "49-12-bit.jp2": imagecodecs.jpeg2k_encode(deep, bitspersample=12, reversible=True),
        "49-zstandard.tif": tiff(colours, compression="zstd", photometric="rgb"),
        "49-big-end-first.tif": tiff(colours, bigtiff=True, byteorder=">", photometric="rgb"),
        "49-interlaced.png": vips.pngsave_buffer(interlace=True),
        "49-animated.avif": encoded(BLOCKS, "AVIF", **several),
        "49-thousand.pgm": b"P5\n9 7\n1000\n" + (deep >> 3).astype(">u2").tobytes(),
        "49-packed.tga": encoded(BLOCKS, "TGA", compression="tga_rle"),
    }


def described() -> dict[str, bytes]:
    """Rows 19 to 22: good pictures with much beside their pixels."""
    files = {
        f"20-turned-{orientation}.png": encoded(BLOCKS, "PNG", exif=camera(orientation))
        for orientation in range(1, 9)
    }
    jpeg, frames = encoded(BLOCKS, "JPEG", quality=95), [noise(8, 8)[::step] for step in (1, -1)]
    several = {"save_all": True, "append_images": [Pillow.fromarray(frames[1])]}
    xmp = b"http://ns.adobe.com/xap/1.0/\0"
    return files | {
        "19-wide-gamut.png": encoded(BLOCKS, "PNG", icc_profile=PROFILE),
        "19-wide-gamut.jpg": encoded(BLOCKS, "JPEG", icc_profile=PROFILE),
        "20-turned.jpg": encoded(BLOCKS, "JPEG", quality=95, exif=camera(6)),
        "20-turned.webp": encoded(BLOCKS, "WEBP", lossless=True, exif=camera(8)),
        "20-turned.avif": encoded(BLOCKS, "AVIF", quality=95, exif=camera(6)),
        "20-thumbnail.jpg": encoded(BLOCKS, "JPEG", exif=with_thumbnail()),
        "21-corrupt-exif.jpg": spliced(jpeg, b"Exif\0\0II*\0" + b"\xf7" * 60),
        "21-corrupt-xmp.jpg": spliced(jpeg, xmp + b"\xff\0 no XML <"),
        "21-huge-exif.png": png(
            2, 1, 8, 0, bytes(3), chunk(b"eXIf", b"II*\0\x08\0\0\0" + bytes(2**24))
        ),
        "22-gif.gif": encoded(frames[0], "GIF", duration=70, loop=0, **several),
        "22-webp.webp": encoded(frames[0], "WEBP", lossless=True, duration=70, **several),
        "22-png.png": encoded(frames[0], "PNG", duration=70, **several),
        "22-tif.tif": encoded(frames[0], "TIFF", **several),
    }


def blocks_beside() -> dict[str, bytes]:
    """Row 51: MakerNotes that point into themselves, three fields of IPTC, a long packet of XMP."""
    fields = b"".join(b"\x1c\2" + bytes([number]) + b"\0\5field" for number in (5, 80, 120))
    resource = b"Photoshop 3.0\x008BIM\4\4\0\0" + struct.pack(">I", len(fields)) + fields
    segment = b"\xff\xed" + struct.pack(">H", 2 + len(resource) + len(fields) % 2) + resource
    jpeg, info = encoded(BLOCKS, "JPEG"), PngInfo()
    words = " ".join(map(str, range(20_000)))
    packet = f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF><!--{words}--></rdf:RDF></x:xmpmeta>'
    info.add_itxt("XML:com.adobe.xmp", packet)
    return {
        "note.jpg": encoded(BLOCKS, "JPEG", exif=rich("<")),
        "iptc.jpg": jpeg[:2] + segment + bytes(len(fields) % 2) + jpeg[2:],
        "xmp.png": encoded(BLOCKS, "PNG", pnginfo=info),
    }


NAMES = (
    *(b"27-latin-\xe9.png", b"28-emoji\xf0\x9f\x98\x80.png", b"28-new\nline.png", b"-28-dash.png"),
    *(b" 28-space.png", "28-caf\u00e9.png".encode(), "28-nai\u0308ve.png".encode()),
    b"28-" + b"n" * 248 + b".png",
)


def fill(folder: Path) -> None:
    for name, data in (refused_files() | kinds() | unusual() | described()).items():
        (folder / name).write_bytes(data)
    for bits in (10, 12):
        deep_avif(folder / f"16-{bits}-bits.avif", bits)
    for name in NAMES:
        with open(os.fsencode(folder) + b"/" + name, "wb") as file:
            file.write(encoded(noise(3, 4), "PNG"))
    os.mkfifo(folder / "24-fifo.png")
    with socket.socket(socket.AF_UNIX) as listener, contextlib.chdir(folder):
        listener.bind("24-socket.png")  # of at most 107 bytes
    (folder / "24-device.png").symlink_to("/dev/zero")
    (folder / "24-folder.png").mkdir()
    (folder / "25-loop.png").symlink_to("25-loop.png")
    (folder / "25-dangling.png").symlink_to("nowhere.png")
    (folder / "25-up").symlink_to(".")
    (folder / "26-unreadable.png").symlink_to("/proc/self/mem")  # whose every read is an error


def deep_avif(path: Path, bits: int) -> None:
    """The middle gray of ``bits`` bits. Pillow writes no more than 8."""
    gray = np.full((32, 32, 3), 2**15, np.uint16)
    picture = pyvips.Image.new_from_array(gray).copy(interpretation="rgb16")
    picture.heifsave(str(path), compression="av1", bitdepth=bits)
