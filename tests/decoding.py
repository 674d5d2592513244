"""What the tests of decoders share: made pictures, and a reading of bytes as a file."""

import base64
import io
import struct
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageCms
from raw_pictures import noise

from upscale.errors import InputError
from upscale.pictures.decoders.base import Decoded
from upscale.pictures.formats import format_of

CUTS = pytest.mark.parametrize("kept", [0.3, 0.6, 0.95])
CHANNELS = pytest.mark.parametrize("channels", [1, 2, 3, 4])

EXIF = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"
"""Nothing but an orientation of 6."""

XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"></x:xmpmeta>'
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()

TURNED_JXL = base64.b64decode(
    "AAAADEpYTCANCocKAAAAFGZ0eXBqeGwgAAAAAGp4bCAAAAEVanhsY/8KCEALhOStYUDCPABqKgkrMsF5HfPt91rmQ8yy"
    "0CJGbIkFDpmnPsKeN4sKAhoJ4c6IO+POkFhdOyGr1erSCQeQdbR1RoCveK6aHbfYksUAMOD/wtKKrzksdZ24ymVnJQ+F"
    "AEVrU1npNFNdfsv7S86P6EAu6/gGOPoKmyubeopKhwVYO1sGaCpbWsqaQ+21cj5RnaZxlgrwVG///Xee8rbeCbRfSP/9"
    "d99Q//23XxHMcqHA19q3IAhuHWYhENIP7EuA2joExV6gtx7gYrPMV2doakLlPcHWDO4UCis3R1FlWz5MgI56BSl3kGkT"
    "mqkGYjRfFzkIAgEATABLGIsVwkHDGT6AIyrq2Kg0YBgA"
)
"""By cjxl 0.7 -d 0: 3 × 2 pixels of RGB that count up from 0 by 14, orientation 6, a profile."""

TURNED_JXL_PROFILE = "3804138c0d0aaa9fc6a27466b68fcb173a5fc9396925b6dc2cfcbdfddfede5f6"
"""Its sha256."""


def blocks(channels: int = 3, top: int = 255) -> np.ndarray:
    """A picture in flat 16 × 16 blocks, which lossy formats keep, and no symmetry."""
    small = noise(3, 4, channels, top)
    return np.kron(small, np.ones((16, 16, 1), small.dtype))


def bare(pixels: np.ndarray) -> np.ndarray:
    """Drop the channel axis of a gray picture, as Pillow and tifffile want it."""
    return pixels[..., 0] if pixels.shape[2] == 1 else pixels


def saved(picture: Pillow.Image, format_name: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, format_name, **options)
    return buffer.getvalue()


class Reading:
    """Reads bytes as a file, through all three functions."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def kind(self, data: bytes) -> str | None:
        self.path.write_bytes(data)
        with self.path.open("rb") as file:
            found = format_of(data[:512], file.fileno())
        return found and found.name

    def __call__(self, data: bytes) -> Decoded:
        self.path.write_bytes(data)
        with self.path.open("rb") as file:
            known = format_of(data[:512], file.fileno())
            assert known is not None
            size = known.size(self.path, file.fileno())
            found = known.decode(self.path, file.fileno())
        assert found.pixels.shape[1::-1] == size
        assert found.pixels.flags.c_contiguous
        return found

    def code(self, data: bytes) -> str:
        with pytest.raises(InputError) as caught:
            self(data)
        assert str(caught.value).startswith(f"{self.path}: ")
        return caught.value.code


QUARTERS = bytes((64, 128, 0, 128))  # mantissas / 256 · 2^(128 − 128)


def hdr(axes: bytes, rows: bytes, head: bytes = b"FORMAT=32-bit_rle_rgbe\n") -> bytes:
    return b"#?RADIANCE\n# comment\n" + head + b"\n" + axes + b"\n" + rows


def packed_hdr() -> bytes:
    """Two rows of 8 pixels, each channel packed by run length."""
    row = b"\2\2\0\x08" + b"".join(b"\x84%c\4%c\1\2\3" % (value, value) for value in QUARTERS[:3])
    return hdr(b"-Y 2 +X 8", 2 * (row + b"\x88\x80"))


def box(kind: bytes, *body: bytes) -> bytes:
    return struct.pack(">I", 8 + sum(map(len, body))) + kind + b"".join(body)


def bmp(
    size: tuple[int, int],
    bits: int,
    rows: Iterable[bytes],
    *,
    header: int = 40,
    packing: int = 0,
    palette: bytes = b"",
    masks: tuple[int, ...] = (),
    padded: bool = True,
) -> bytes:
    """A BMP of ``rows`` as they stand in the file: the last first, if the height is positive."""
    body = b"".join(row + bytes(-len(row) % 4 if padded else 0) for row in rows)
    if header == 12:
        head = struct.pack("<IHHHH", 12, *size, 1, bits)
    else:
        head = struct.pack("<IiiHHIIiiII", 40, *size, 1, bits, packing, len(body), 0, 0, 0, 0)
        head = struct.pack("<I", header) + head[4:] + struct.pack(f"<{len(masks)}I", *masks)
        head = head.ljust(header, b"\0")
    start = 14 + len(head) + len(palette)
    return struct.pack("<2sIII", b"BM", start + len(body), 0, start) + head + palette + body
