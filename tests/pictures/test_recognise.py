"""Loss is told by content: files of other programs' encoders, whatever they are called."""

import io
import os
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image
from raw_pictures import dng

from upscale.pictures.containers.losses import LOSSY_TIFF
from upscale.pictures.recognise import lossy_format

PIXELS = np.random.default_rng(0).integers(0, 256, (16, 24, 3), np.uint8)

Lossy = Callable[[bytes], bool]


@pytest.fixture
def lossy(tmp_path: Path) -> Lossy:
    """What is said of a file that holds these bytes; its name says nothing."""

    def of(data: bytes) -> bool:
        (tmp_path / "picture").write_bytes(data)
        return lossy_format(tmp_path / "picture") is not None

    return of


def saved(name: str, mode: str = "RGB", **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(PIXELS).convert(mode).save(buffer, name, **options)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "mode", "options"),
    [
        ("JPEG", "RGB", {}),
        ("JPEG", "CMYK", {"quality": 100, "progressive": True}),
        ("MPO", "RGB", {}),
        ("WEBP", "RGB", {}),
        ("WEBP", "RGBA", {"exact": True}),
        ("WEBP", "RGB", {"icc_profile": b"odd", "exif": b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0"}),
        ("AVIF", "RGB", {}),
        ("JPEG2000", "RGB", {"irreversible": True}),
        ("JPEG2000", "RGB", {"no_jp2": True}),
        ("TIFF", "RGB", {"compression": "jpeg"}),
        ("TIFF", "RGB", {"compression": "jpeg", "big_tiff": True}),
    ],
)
def test_these_lose(lossy: Lossy, name: str, mode: str, options: dict[str, object]) -> None:
    assert lossy(saved(name, mode, **options))


@pytest.mark.parametrize(
    ("name", "mode", "options"),
    [
        ("PNG", "RGB", {}),
        ("GIF", "P", {}),
        ("BMP", "RGB", {}),
        ("PPM", "RGB", {}),
        ("WEBP", "RGB", {"lossless": True}),
        ("WEBP", "RGBA", {"lossless": True, "icc_profile": b"odd"}),
        ("TIFF", "RGB", {}),
        *(("TIFF", "RGB", {"compression": kind}) for kind in ("tiff_lzw", "packbits", "zstd")),
        ("TIFF", "RGB", {"compression": "tiff_adobe_deflate", "big_tiff": True}),
        ("TIFF", "1", {"compression": "group4"}),
    ],
)
def test_these_do_not(lossy: Lossy, name: str, mode: str, options: dict[str, object]) -> None:
    assert not lossy(saved(name, mode, **options))


@pytest.mark.parametrize("frames", [2, 5])
@pytest.mark.parametrize("lossless", [True, False])
def test_the_frames_of_an_animated_webp_are_looked_at(
    lossy: Lossy, frames: int, lossless: bool
) -> None:
    more = [Image.fromarray(np.roll(PIXELS, 3 * each, 1)) for each in range(1, frames)]
    data = saved("WEBP", save_all=True, append_images=more, lossless=lossless, exif=b"Exif\0\0x")
    assert b"ANMF" in data
    assert lossy(data) is not lossless


def test_one_frame_with_loss_is_enough(lossy: Lossy) -> None:
    """Made by hand, by the container's specification: no encoder at hand mixes the two at will."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)

    exact, lost = (saved("WEBP", lossless=each)[12:] for each in (True, False))
    for frames, expected in (([exact, exact], False), ([exact, lost], True)):
        body = chunk(b"VP8X", bytes(10)) + chunk(b"ICCP", b"VP8 VP8 \0") + chunk(b"ANIM", bytes(6))
        body += b"".join(chunk(b"ANMF", bytes(16) + frame) for frame in frames)
        assert lossy(b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body) is expected


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("tile", [None, (16, 16)])
def test_both_orders_and_both_sizes_of_tiff_are_read(
    lossy: Lossy, order: str, big: bool, tile: tuple[int, int] | None
) -> None:
    pytest.importorskip("imagecodecs")
    for compression, expected in (("jpeg", True), ("webp", True), ("zlib", False), (None, False)):
        buffer = io.BytesIO()
        tifffile.imwrite(
            buffer,
            np.tile(PIXELS, (2, 2, 1)),
            compression=compression,
            photometric="rgb",
            byteorder=order,
            bigtiff=big,
            tile=tile,
        )
        assert lossy(buffer.getvalue()) is expected, compression


def test_the_first_picture_of_a_tiff_counts(lossy: Lossy) -> None:
    pytest.importorskip("imagecodecs")
    for kinds, expected in ((("jpeg", None), True), ((None, "jpeg"), False)):
        buffer = io.BytesIO()
        with tifffile.TiffWriter(buffer) as writer:
            for kind in kinds:
                writer.write(PIXELS, compression=kind, photometric="rgb")
        assert lossy(buffer.getvalue()) is expected


def test_the_numbers_of_lossy_compressions_are_those_of_tifffile() -> None:
    known = tifffile.COMPRESSION
    names = {known(number).name for number in LOSSY_TIFF}
    assert names == {
        *("OJPEG", "JPEG", "JPEG2000", "WEBP", "JPEGXL", "JPEG_LOSSY", "JPEGXL_DNG"),
        *("APERIO_JP2000_YCBC", "APERIO_JP2000_RGB"),
    }


@pytest.mark.parametrize("options", [{}, {"use_container": True}, {"lossless": True}])
def test_jpeg_xl_loses(lossy: Lossy, options: dict[str, object]) -> None:
    codecs = pytest.importorskip("imagecodecs")
    plain = options.keys() - {"use_container"}
    data = codecs.jpegxl_encode(PIXELS, **{key: options[key] for key in plain})
    if "use_container" in options:
        stream = struct.pack(">I", 8 + len(data)) + b"jxlc" + data
        kind = b"\0\0\0\x14ftypjxl \0\0\0\0jxl "
        data = b"\0\0\0\x0cJXL \r\n\x87\n" + kind + stream
    assert lossy(data)


@pytest.mark.parametrize("brand", [b"heic", b"mif1", b"avif"])
def test_heic_and_avif_lose_whatever_brand_comes_first(lossy: Lossy, brand: bytes) -> None:
    heif = pytest.importorskip("pillow_heif")
    buffer = io.BytesIO()
    heif.encode("RGB", (24, 16), PIXELS.tobytes(), buffer, quality=50)
    data = buffer.getvalue() if brand != b"avif" else saved("AVIF")
    assert lossy(data)
    assert lossy(data[:8] + (brand if brand != b"avif" else b"mif1") + data[12:])


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_raw_does_not_lose(lossy: Lossy, compression: str | None) -> None:
    assert not lossy(dng(compression=compression)[0])
    for head in (b"FUJIFILMCCD-RAW ", b"\0\0\0\x18ftypcrx \0\0\0\1crx isom", b"IIU\0\x18\0\0\0"):
        assert not lossy(head + bytes(600))


def test_radiance_does_not_lose(lossy: Lossy) -> None:
    assert not lossy(b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 1 +X 1\n" + bytes(4))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"II",
        b"II*\0",
        b"MM\0*\xff\xff\xff\xff" + bytes(20),
        b"II+\0\x08\0\0\0" + b"\xff" * 16,
        b"RIFF\xff\xff\xff\xffWEBP",
        b"RIFF\x10\0\0\0WEBPVP8L\xff\xff\xff\xff",
        b"RIFF\x10\0\0\0WEBP" + bytes(10**6),
        b"RIFF\x10\0\0\0WAVEVP8 \0\0\0\0",
        b"\xff\xd8",
        b"a text",
        bytes(1000),
    ],
)
def test_what_no_reader_takes_is_said_not_to_lose(lossy: Lossy, data: bytes) -> None:
    assert lossy(data) is False


def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo.jpg")  # to open it would wait for ever
    (tmp_path / "folder.jpg").mkdir()
    (tmp_path / "link.jpg").symlink_to("nowhere")
    for name in ("fifo.jpg", "folder.jpg", "link.jpg", "none.jpg", "n" * 300):
        assert lossy_format(tmp_path / name) is None


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_what_may_not_be_read_is_said_not_to_lose(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(saved("JPEG"))
    (tmp_path / "a.jpg").chmod(0)
    assert lossy_format(tmp_path / "a.jpg") is None


def test_no_file_stays_open(tmp_path: Path) -> None:
    for name, data in (("a", saved("JPEG")), ("b", b"II*\0"), ("c", b""), ("d", saved("WEBP"))):
        (tmp_path / name).write_bytes(data)
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    for name in "abcde" * 20:
        lossy_format(tmp_path / name)
    after = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    assert after == before
