"""What holds for every decoder; floating point becomes 16 bits or is refused."""

import os
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from decoding import TURNED_JXL, Reading, bmp, box, hdr, packed_hdr, saved
from PIL import Image as Pillow
from raw_pictures import noise

from upscale.errors import InputError
from upscale.pictures.decoders import netpbm
from upscale.pictures.decoders.base import from_float
from upscale.pictures.formats import format_of


def test_floating_point_within_0_to_1_becomes_16_bits() -> None:
    found = from_float(Path("a"), np.array([0, -0.0, 0.25, 1], np.float64))
    assert found.dtype == np.uint16
    assert found.tolist() == [0, 0, 16384, 65535]


def test_linear_light_gets_the_curve_of_srgb() -> None:
    linear = np.array([0, 0.002, 0.0031308, 0.214, 1], np.float32)
    found = from_float(Path("a"), linear, linear=True) / 65535
    assert found.tolist() == pytest.approx([0, 0.02584, 0.040449, 0.5, 1], abs=2e-4)


@pytest.mark.parametrize("wrong", [-0.001, 1.001, np.nan, np.inf, -np.inf])
def test_floating_point_outside_0_to_1_is_refused(wrong: float) -> None:
    with pytest.raises(InputError, match=r"^a: .*\b0 to 1\b") as caught:
        from_float(Path("a"), np.array([0.5, wrong], np.float32))
    assert caught.value.code == "unsupported-format"


@pytest.mark.parametrize(
    ("module", "extra", "data"),
    [
        ("pillow_heif", "heif", box(b"ftyp", b"heic\0\0\0\0mif1heic")),
        ("OpenImageIO", "jxl", TURNED_JXL),
        ("brotli", "jxl", TURNED_JXL + box(b"brob", b"Exif", b"x")),
        ("rawpy", "raw", b"FUJIFILMCCD-RAW " + bytes(500)),
    ],
)
def test_a_missing_extra_is_named(
    read: Reading, monkeypatch: pytest.MonkeyPatch, module: str, extra: str, data: bytes
) -> None:
    if module == "brotli":
        pytest.importorskip("OpenImageIO")
    monkeypatch.setitem(sys.modules, module, None)
    assert read.code(data) == "unsupported-format"
    with pytest.raises(InputError, match=rf"pip install 'upscale\[{extra}\]'"):
        read(data)


def test_a_bomb_is_measured_without_decoding(read: Reading) -> None:
    """Neither the readers nor their packages are asked for more than the header."""
    bombs = {
        "BMP": bmp((40_000, 30_000), 24, []),
        "PNM": b"P6 40000 30000 255\n",
        "HDR": hdr(b"-Y 30000 +X 40000", b""),
        "JPEG 2000": b"\xff\x4f\xff\x51"
        + struct.pack(">HH8IH", 41, 0, 40_000, 30_000, 0, 0, 9, 9, 0, 0, 1)
        + b"\7\1\1",
        # 40000 × 30000: selector 2 and 18 bits of 29999, the ratio 4 : 3
        "JPEG XL": b"\xff\x0a" + (2 << 1 | 29_999 << 3 | 3 << 21).to_bytes(8, "little"),
    }
    for kind, data in bombs.items():
        assert read.kind(data) == kind
        with read.path.open("rb") as file:
            found = format_of(data, file.fileno())
            assert found is not None
            assert found.size(read.path, file.fileno()) == (40_000, 30_000)


def test_the_position_in_the_file_is_left_alone(read: Reading) -> None:
    read.path.write_bytes(b"P5 1 1 255\n\x01")
    with read.path.open("rb") as file:
        netpbm.decode(read.path, file.fileno())
        assert os.lseek(file.fileno(), 0, os.SEEK_CUR) == 0


def test_the_readers_are_quiet(read: Reading, capfd: pytest.CaptureFixture[str]) -> None:
    read.code(packed_hdr()[:-9])
    data = saved(Pillow.fromarray(noise(48, 64, 3)), "JPEG2000", no_jp2=True)
    read.code(data[:50] + bytes(80) + data[130:])
    assert capfd.readouterr() == ("", "")


def test_no_package_is_imported_before_it_is_needed() -> None:
    script = "import sys, upscale.pictures.formats; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert not {"cv2", "PIL", "pillow_heif", "OpenImageIO", "rawpy"}.intersection(
        run.stdout.split()
    )
