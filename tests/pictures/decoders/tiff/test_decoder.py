"""A matrix of TIFF's colours, planes, samples and compressions: right colours, or a refusal.

tifffile writes the samples; what they mean is computed from the definitions (TIFF 6.0), but for
Lab (LittleCMS through Pillow, from the same samples).
"""

import io
import itertools
import struct
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image as Pillow
from PIL import ImageCms

from upscale.errors import InputError
from upscale.pictures.reading import reader

HEIGHT, WIDTH = 20, 33
COLOURS = {"minisblack": 1, "miniswhite": 1, "rgb": 3, "palette": 1, "separated": 4}
COLOURS |= {"cielab": 3, "icclab": 3, "ycbcr": 3}
COMPRESSIONS = [None, "lzw", "deflate", "packbits", "lzma", "zstd"]
KINDS = ["u6", "u8", "u10", "u12", "u14", "u16", "f2", "f4", "f8"]
OPACITIES = [None, "unassalpha", "assocalpha"]
PALETTE = np.random.default_rng(0).integers(0, 256, (3, 256)) * 257


def slope(channels: int) -> np.ndarray:
    """Samples in [0, 1] that differ in each direction; the last one never is 0."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH] / (WIDTH - 1)
    planes = [x, y, (x + y) / 2, (1 - x) / 2, 0.2 + y / 2]
    return np.stack([*planes[: channels - 1], 0.3 + x / 2], -1)


def of_kind(part: np.ndarray, kind: str) -> np.ndarray:
    if kind[0] == "f":
        return part.astype(kind)
    bits = int(kind[1:])
    return np.rint(part * (2**bits - 1)).astype(np.uint8 if bits <= 8 else np.uint16)


def part_of(samples: np.ndarray, kind: str) -> np.ndarray:
    return samples / (1 if kind[0] == "f" else 2 ** int(kind[1:]) - 1)


def wrote(samples: np.ndarray, photometric: str, kind: str, **options: object) -> bytes:
    if kind[0] == "u" and int(kind[1:]) % 8:
        options["bitspersample"] = int(kind[1:])
    if photometric == "ycbcr":
        options["extratags"] = [(530, 3, 2, (1, 1), True)]
    if photometric == "palette":
        options["colormap"] = PALETTE.astype(np.uint16)
    if samples.shape[2] == 1:
        samples = samples[..., 0]
    elif options.get("planarconfig") == "separate":
        samples = np.moveaxis(samples, -1, 0)
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, samples, photometric=photometric, metadata=None, **options)
    return buffer.getvalue()


def read(path: Path, data: bytes) -> np.ndarray:
    """The rows, as parts of the greatest sample."""
    path.write_bytes(data)
    header = reader.read_header(path)
    picture = reader.read(path)
    pixels = picture.pixels[0 : picture.pixels.shape[0]]
    assert (header.channels, header.depth) == (pixels.shape[2], pixels.dtype.itemsize * 8)
    return pixels / np.iinfo(pixels.dtype).max


def meaning(part: np.ndarray, photometric: str) -> np.ndarray:
    """Colours in [0, 1] by their definition."""
    if photometric == "miniswhite":
        return 1 - part
    if photometric == "palette":
        return PALETTE.T[np.rint(part[..., 0] * 255).astype(int)] / 65535
    if photometric == "ycbcr":
        luma, cb, cr = np.moveaxis(part, -1, 0)
        red, blue = luma + 1.402 * (cr - 128 / 255), luma + 1.772 * (cb - 128 / 255)
        green = (luma - 0.299 * red - 0.114 * blue) / 0.587
        return np.stack([red, green, blue], -1).clip(0, 1)
    return part


def lab(photometric: str, bits: int) -> tuple[np.ndarray, np.ndarray]:
    """Samples of Lab that sRGB holds, and their sRGB colours by LittleCMS."""
    x, y, z = np.moveaxis(slope(3), -1, 0)
    unit, top = 2 ** (bits - 8), 2**bits - 1
    if photometric == "icclab" and bits == 16:
        top = 0xFF00
    lightness, a, b = 30 + 40 * x, 40 * y - 10, 30 - 40 * z
    moved = 128 if photometric == "icclab" else 0
    planes = [lightness * top / 100, (a + moved) * unit, (b + moved) * unit]
    samples = np.rint(np.stack(planes, -1)).astype(int) % 2**bits
    eight = np.rint(np.stack([lightness * 2.55, a, b], -1)).astype(int).astype(np.uint8)
    picture = Pillow.frombytes("LAB", (WIDTH, HEIGHT), eight.tobytes())  # signed, as in CIELab
    profiles = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    turned = ImageCms.profileToProfile(picture, *profiles, outputMode="RGB")
    return samples.astype(f"u{bits // 8}"), np.asarray(turned) / 255


REFUSED = {
    "ycbcr": {*KINDS} - {"u8"},
    "cielab": {*KINDS} - {"u8", "u16"},
    "icclab": {*KINDS} - {"u8", "u16"},
}


@pytest.mark.slow
@pytest.mark.parametrize("tile", [None, (16, 16)], ids=["strips", "tiles"])
@pytest.mark.parametrize("planes", ["contig", "separate"])
@pytest.mark.parametrize("photometric", [*COLOURS])
def test_every_combination_is_right_or_refused(
    tmp_path: Path, photometric: str, planes: str, tile: tuple[int, int] | None
) -> None:
    path, tried = tmp_path / "a.tif", 0
    inks: dict[str | None, np.ndarray] = {}
    layout = {"tile": tile} if tile else {"rowsperstrip": 7}
    for kind, opacity in itertools.product(KINDS, OPACITIES):
        channels = COLOURS[photometric] + (opacity is not None)
        if photometric == "palette" and (kind != "u8" or opacity):
            continue
        if planes == "separate" and channels == 1:
            continue
        part = slope(channels)
        if opacity == "assocalpha":
            part[..., :-1] *= part[..., -1:]
        samples, seen = of_kind(part, kind), None
        if photometric in ("cielab", "icclab") and kind in ("u8", "u16") and not opacity:
            samples, seen = lab(photometric, int(kind[1:]))
        refused = kind in REFUSED.get(photometric, ())
        refused |= photometric in ("ycbcr", "cielab", "icclab") and opacity is not None
        refused |= opacity == "assocalpha" and photometric in ("miniswhite", "separated")
        packed = kind in ("u8", "u16", "f4") and not opacity
        for compression in COMPRESSIONS if packed else [None]:
            options = {"planarconfig": planes if channels > 1 else None, "compression": compression}
            options |= {"extrasamples": [opacity]} if opacity else {}
            data = wrote(samples, photometric, kind, **options, **layout)
            case, tried = (kind, opacity, compression), tried + 1
            if refused:
                path.write_bytes(data)
                with pytest.raises(InputError) as caught:
                    reader.read(path)
                assert caught.value.code == "unsupported-format", case
                continue
            found = read(path, data)
            if seen is not None:
                assert abs(found - seen).max() * 255 <= 3, case  # Pillow has 8 bits of Lab
                continue
            if photometric == "separated":
                if opacity not in inks:
                    eight = wrote(of_kind(part[..., :4], "u8"), photometric, "u8")
                    inks[opacity] = read(path, eight)
                expected = np.concatenate([inks[opacity], part[..., 4:]], -1)
                assert abs(found - expected).max() * 255 <= (4 if kind == "u6" else 2), case
                continue
            stored = part_of(samples, kind)
            if opacity == "assocalpha":
                stored[..., :-1] = (stored[..., :-1] / stored[..., -1:]).clip(0, 1)
            colour = meaning(stored[..., : COLOURS[photometric]], photometric)
            expected = np.concatenate([colour, stored[..., COLOURS[photometric] :]], -1)
            assert found.shape == expected.shape, case
            limit = 4 if opacity == "assocalpha" and kind in ("u6", "u8") else 1
            assert abs(found - expected).max() * 255 <= limit, case
    assert tried or planes == "separate"


def code_of(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    with pytest.raises(InputError) as caught:
        reader.read(path)
    assert str(path) in str(caught.value)
    return caught.value.code


def handmade(data: bytes, more: dict[int, tuple[int, int, int]]) -> bytes:
    """One strip of ``data`` behind its directory (little-endian): kind, count and value by tag."""
    more = {256: (4, 1, WIDTH), 257: (4, 1, HEIGHT), 278: (4, 1, HEIGHT), 258: (3, 1, 8)} | more
    more |= {273: (4, 1, 8 + 6 + 12 * (len(more) + 2)), 279: (4, 1, len(data))}
    table = b"".join(struct.pack("<HHII", tag, *more[tag]) for tag in sorted(more))
    return struct.pack("<2sHIH", b"II", 42, 8, len(more)) + table + bytes(4) + data


@pytest.mark.parametrize("across", [1, 2, 4])
@pytest.mark.parametrize("down", [1, 2])
def test_chroma_that_pixels_share_is_repeated(tmp_path: Path, across: int, down: int) -> None:
    columns, rows = -(-WIDTH // across), -(-HEIGHT // down)
    random = np.random.default_rng(0)
    luma = random.integers(0, 256, (rows * down, columns * across), np.uint8)
    chroma = random.integers(0, 256, (rows, columns, 2), np.uint8)
    units = b""
    for row, column in itertools.product(range(rows), range(columns)):
        top, left = row * down, column * across
        units += luma[top : top + down, left : left + across].tobytes()
        units += chroma[row, column].tobytes()
    said = {259: (3, 1, 1), 262: (3, 1, 6), 277: (3, 1, 3), 530: (3, 2, across | down << 16)}
    found = read(tmp_path / "a.tif", handmade(units, said))
    whole = np.kron(chroma, np.ones((down, across, 1), np.uint8))
    stored = np.concatenate([luma[..., None], whole], -1)[:HEIGHT, :WIDTH]
    assert abs(found - meaning(stored / 255, "ycbcr")).max() * 255 <= 1


@pytest.mark.parametrize("shared", [(0, 2), (2, 0)])
def test_chroma_that_no_pixels_share_is_damage(tmp_path: Path, shared: tuple[int, int]) -> None:
    across, down = shared
    said = {259: (3, 1, 1), 262: (3, 1, 6), 277: (3, 1, 3), 530: (3, 2, across | down << 16)}
    data = handmade(bytes(WIDTH * HEIGHT * 3), said)
    assert code_of(tmp_path / "a.tif", data) == "decode-error"


@pytest.mark.parametrize(
    ("tag", "numbers"),
    [(529, (1, 1, 0, 1, 0, 1)), (532, (7, 1, 7, 1, 128, 1, 255, 1, 128, 1, 255, 1))],
)
def test_ycbcr_that_no_colours_lead_to_is_damage(
    tmp_path: Path, tag: int, numbers: tuple[int, ...]
) -> None:
    more = [(530, 3, 2, (1, 1), True), (tag, 5, len(numbers) // 2, numbers, True)]
    samples = of_kind(slope(3), "u8")
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, samples, photometric="ycbcr", metadata=None, extratags=more)
    assert code_of(path, path.read_bytes()) == "decode-error"


@pytest.mark.parametrize("kind", ["u12", "f2"])
def test_what_is_said_of_a_picture_is_kept_and_turns_it(tmp_path: Path, kind: str) -> None:
    samples = of_kind(slope(3), kind)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = wrote(
        samples,
        "rgb",
        kind,
        iccprofile=profile,
        resolution=(300, 200),
        resolutionunit="INCH",
        description="A harbour",
        extratags=[(274, 3, 1, 6, True), (700, 1, 4, b"<x/>", True)],
    )
    (tmp_path / "a.tif").write_bytes(data)
    picture = reader.read(tmp_path / "a.tif")
    header = reader.read_header(tmp_path / "a.tif")
    assert picture.pixels.shape == (WIDTH, HEIGHT, 3)
    assert (header.width, header.height, header.depth) == (HEIGHT, WIDTH, 16)
    turned = np.rot90(part_of(samples, kind), -1)
    assert abs(picture.pixels / 65535 - turned).max() <= 1 / 65535
    assert picture.metadata.icc == profile
    assert b"A harbour" in (picture.metadata.exif or b"")
    assert np.allclose(picture.metadata.resolution, (300 / 25.4, 200 / 25.4))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("compression", ["lzw", "zstd"])
def test_differences_are_added_up_in_both_orders(
    tmp_path: Path, order: str, big: bool, compression: str
) -> None:
    for kind in ("u16", "f4"):
        samples, buffer = of_kind(slope(2), kind), io.BytesIO()
        tifffile.imwrite(
            buffer,
            np.moveaxis(samples, -1, 0),
            photometric="minisblack",
            planarconfig="separate",
            extrasamples=["unassalpha"],
            byteorder=order,
            bigtiff=big,
            compression=compression,
            predictor=True,
        )
        found = read(tmp_path / "a.tif", buffer.getvalue())
        assert abs(found - part_of(samples, kind)).max() <= 1 / 65535


def test_bytes_may_be_stored_backwards(tmp_path: Path) -> None:
    samples = of_kind(slope(1), "u12")
    stored = np.packbits((samples[..., None] >> np.arange(12)[::-1] & 1).reshape(HEIGHT, -1), 1)
    turned = np.packbits(np.unpackbits(stored[..., None], axis=2)[..., ::-1], axis=2).tobytes()
    said = {258: (3, 1, 12), 259: (3, 1, 1), 262: (3, 1, 1), 266: (3, 1, 2), 277: (3, 1, 1)}
    found = read(tmp_path / "a.tif", handmade(turned, said))
    assert abs(found - part_of(samples, "u12")).max() <= 1 / 65535


def test_pages_of_one_kind_are_frames_and_others_are_left_out(tmp_path: Path) -> None:
    first, second = of_kind(slope(1), "u12")[..., 0], of_kind(1 - slope(1), "u12")[..., 0]
    for pages, count in (((first, second), 2), ((first, second[:-1]), 1)):
        with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
            for page in pages:
                writer.write(page, bitspersample=12, photometric="minisblack", metadata=None)
        picture = reader.read(tmp_path / "a.tif")
        assert picture.frames == reader.read_header(tmp_path / "a.tif").frames == count
        assert len(picture.warnings) == (count == 1)
        expected = np.concatenate([first, second][:count])[..., None]
        assert abs(picture.pixels / 65535 - part_of(expected, "u12")).max() <= 1 / 65535


def test_a_second_page_that_libvips_would_read_wrongly_is_left_out(tmp_path: Path) -> None:
    samples = of_kind(slope(3), "u8")
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        writer.write(samples, photometric="rgb", metadata=None)
        ones = [(530, 3, 2, (1, 1), True)]
        writer.write(samples, photometric="ycbcr", metadata=None, extratags=ones)
    picture = reader.read(tmp_path / "a.tif")
    assert np.array_equal(picture.pixels, samples)
    assert (picture.frames, len(picture.warnings)) == (1, 1)


@pytest.mark.parametrize("kind", ["u24", "i1", "i2", "u4", "u8", "c8"])
def test_other_samples_are_sound_but_not_read(tmp_path: Path, kind: str) -> None:
    options = {"bitspersample": 24} if kind == "u24" else {}
    samples = np.ones((8, 8), "u4" if kind == "u24" else kind)
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, samples, photometric="minisblack", **options)
    assert code_of(tmp_path / "a.tif", buffer.getvalue()) == "unsupported-format"


@pytest.mark.parametrize("compression", ["jpeg2000", "jpegxl", "png", "lerc"])
def test_other_compressions_are_sound_but_not_read(tmp_path: Path, compression: str) -> None:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, of_kind(slope(3), "u8"), photometric="rgb", compression=compression)
    assert code_of(tmp_path / "a.tif", buffer.getvalue()) == "unsupported-format"


def test_jpeg_of_12_bits_is_sound_but_not_read(tmp_path: Path) -> None:
    data = imagecodecs.jpeg8_encode(of_kind(slope(1), "u12")[..., 0], bitspersample=12)
    said = {258: (3, 1, 12), 259: (3, 1, 7), 262: (3, 1, 1), 277: (3, 1, 1)}
    assert code_of(tmp_path / "a.tif", handmade(data, said)) == "unsupported-format"
    assert code_of(tmp_path / "a.jpg", data) == "unsupported-format"


def test_old_jpeg_in_tiles_is_not_read(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    Pillow.fromarray(of_kind(slope(3), "u8")).save(buffer, "JPEG")
    said = {259: (3, 1, 6), 262: (3, 1, 6), 277: (3, 1, 3), 322: (3, 1, 48), 323: (3, 1, 32)}
    said |= {324: (4, 1, 200), 325: (4, 1, 100)}
    assert code_of(tmp_path / "a.tif", handmade(buffer.getvalue(), said)) == "unsupported-format"


@pytest.mark.parametrize("compression", [None, "lzw", "deflate", "packbits", "lzma"])
def test_a_page_that_is_cut_or_damaged_is_refused(tmp_path: Path, compression: str | None) -> None:
    samples = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    data = wrote(samples, "ycbcr", "u8", compression=compression)
    assert code_of(tmp_path / "a.tif", data[: len(data) * 3 // 4]) == "truncated"
    if compression in ("deflate", "lzma"):
        half = len(data) // 2
        broken = data[:half] + bytes(200) + data[half + 200 :]
        assert code_of(tmp_path / "a.tif", broken) == "decode-error"
