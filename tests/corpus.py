"""Every kind of picture, each made from pixels and metadata that are known beforehand.

``python tests/corpus.py FOLDER`` writes them all. A `Case` says what a reader has to find in its
file; nothing of it comes from a reader.
"""

import io
import struct
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyvips
import tifffile
from handmade import (
    ASCII,
    BYTE,
    LONG,
    PALETTE,
    RATIONAL,
    SHORT,
    UNDEFINED,
    Fields,
    Frame,
    apng,
    chunk,
    cmyk_profile,
    exif_block,
    gray_profile,
    iptc_segment,
    png,
    rgb_profile,
)
from PIL import ExifTags, Image, ImageCms
from PIL.PngImagePlugin import PngInfo

__all__ = ["CAMERA", "CAPTION", "DPI", "Camera", "Case", "cases", "make", "nearest"]

Pixels = npt.NDArray[Any]  # uint8 or uint16

DTYPES: tuple[type[Any], ...] = (np.uint8, np.uint16)

HEIGHT, WIDTH = 13, 17
"""Of pictures in lossless formats."""

BLOCK = 16
"""Side of the flat squares of which pictures in lossy formats are made."""

DPI = 300

XMP = (
    b'<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
    b'rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:format>kept</dc:format>'
    b'</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
)
CAPTION = b"A caption"


@dataclass(frozen=True)
class Camera:
    """What the pictures with EXIF say of where they come from."""

    make: str = "Maker"
    changed: str = "2020:01:02 03:04:05"
    taken: str = "2019:06:07 08:09:10"
    latitude: tuple[float, float, float] = (48.0, 12.0, 30.5)
    maker_note: bytes = b"NOTE\0\1\2\3 only the maker reads this"


CAMERA = Camera()


@dataclass(frozen=True, repr=False)
class Case:
    """A picture and what is true of it.

    ``pixels``: (frames · H, W, C), upright, uint8 or uint16, C = 1 gray, 2 gray and opacity, 3
    RGB, 4 RGB and opacity; a decoder may differ by ``tolerance`` levels. ``suffix``: of the output
    where no format is asked for. ``delays``: ms per frame; ``plays``: how often an animation runs,
    0 for ever. ``first_only``: there are further pages that cannot be kept. ``optional``: not every
    build has a reader. ``profile``, ``xmp``, ``caption``: bytes that must survive; ``exif``: that
    of `CAMERA`, with ``thumbnail`` in the file and a maker's note if ``noted``.
    """

    name: str
    pixels: Pixels
    encode: Callable[[], bytes]
    suffix: str = ".png"
    tolerance: int = 0
    frames: int = 1
    delays: tuple[int, ...] = ()
    plays: int = 0
    first_only: bool = False
    optional: bool = False
    profile: bytes | None = None
    exif: bool = False
    noted: bool = False
    thumbnail: bytes = b""
    xmp: bytes | None = None
    caption: bytes | None = None
    dpi: float | None = None

    def __repr__(self) -> str:
        """Return the name: the rest would fill a page."""
        return f"Case({self.name!r})"

    @property
    def stem(self) -> str:
        """The name without its suffix, which no other case has."""
        return Path(self.name).stem


# Pixels


def noise(channels: int, dtype: type[Any] = np.uint8, seed: int = 0) -> Pixels:
    top = top_of(dtype)
    shape = (HEIGHT, WIDTH, channels)
    return np.random.default_rng(seed).integers(0, top, shape, dtype, True)


def blocks(channels: int = 3, seed: int = 0) -> Pixels:
    """(48, 64, C) in flat squares, which lossy formats keep; no two sides are alike."""
    shape = (3, 4, channels)
    levels = np.random.default_rng(seed).integers(16, 240, shape, np.uint8, True)
    return np.kron(levels, np.ones((BLOCK, BLOCK, 1), np.uint8))


def tinted(seed: int = 0) -> Pixels:
    """As `blocks`, in one tint: nothing to smear where colour is kept at half the size."""
    return blocks(1, seed) // 2 + np.array([90, 64, 30], np.uint8)


def opacity(pixels: Pixels, least: int = 1) -> Pixels:
    """Replace the last channel by clear, half, and full thirds from left to right."""
    top = top_of(pixels.dtype)
    third = pixels.shape[1] // 3
    pixels = pixels.copy()
    pixels[:, :third, -1] = 0
    pixels[:, third : 2 * third, -1] = np.maximum(pixels[:, third : 2 * third, -1], least)
    pixels[:, 2 * third :, -1] = top
    return pixels


def opaque(pixels: Pixels) -> Pixels:
    pixels = pixels.copy()
    pixels[..., -1] = top_of(pixels.dtype)
    return pixels


def cut_out(dtype: type[Any] = np.uint8) -> Pixels:
    """A flat disk with a soft rim, and black under transparency, as cut-outs are saved."""
    top = top_of(dtype)
    rows, columns = np.mgrid[:48, :48] - 23.5
    cover = (18.5 - np.hypot(rows, columns)).clip(0, 1)
    colour = np.array([200, 40, 60]) / 255 * top
    pixels = np.concatenate((np.broadcast_to(colour, (48, 48, 3)), cover[..., None] * top), 2)
    pixels = np.round(pixels).astype(dtype)
    pixels[pixels[..., 3] == 0] = 0
    return pixels


def nearest(pixels: Pixels, scale: int) -> Pixels:
    """(H · scale, W · scale, C): each pixel repeated."""
    return pixels.repeat(scale, 0).repeat(scale, 1)


def bare(pixels: Pixels) -> Pixels:
    """Drop the channel axis of a gray picture."""
    return pixels[..., 0] if pixels.shape[-1] == 1 else pixels


def top_of(dtype: npt.DTypeLike) -> int:
    """The highest level: 255 or 65535."""
    return int(2 ** (8 * np.dtype(dtype).itemsize)) - 1


def turned(upright: Pixels, orientation: int) -> Pixels:
    """Return what is stored where the tag (TIFF 6.0, 274) makes it ``upright`` again."""
    x = upright
    ways: tuple[Pixels, ...] = (
        *(x, x[:, ::-1], x[::-1, ::-1], x[::-1], x.swapaxes(0, 1)),
        *(np.rot90(x, 1), x[::-1, ::-1].swapaxes(0, 1), np.rot90(x, -1)),
    )
    return ways[orientation - 1]


# Encoders


def saved(picture: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def pillow(pixels: Pixels, kind: str, **options: Any) -> bytes:
    return saved(Image.fromarray(np.ascontiguousarray(bare(pixels))), kind, **options)


def in_inks(inks: Pixels, kind: str, **options: Any) -> bytes:
    picture = Image.frombytes("CMYK", inks.shape[1::-1], inks.tobytes())
    return saved(picture, kind, **options)


def tiff(pixels: npt.NDArray[Any], **options: Any) -> bytes:
    buffer = io.BytesIO()
    order = {key: options.pop(key) for key in ("bigtiff", "byteorder") if key in options}
    with tifffile.TiffWriter(buffer, **order) as writer:
        writer.write(pixels, metadata=None, **options)
    return buffer.getvalue()


def avif(pixels: Pixels, bits: int) -> bytes:
    """Lossless; samples of 10 or 12 bits are taken from the upper bits of 16."""
    space = "srgb" if bits == 8 else "rgb16"
    picture = pyvips.Image.new_from_array(pixels, interpretation=space)
    return bytes(picture.heifsave_buffer(compression="av1", lossless=True, bitdepth=bits, effort=1))


def quantized(pixels: Pixels) -> tuple[Pixels, Pixels]:
    """A palette (N, 3) and indices (H, W, 1) of a picture of few colours."""
    colours, indices = np.unique(pixels.reshape(-1, 3), axis=0, return_inverse=True)
    return colours, indices.reshape(*pixels.shape[:2], 1).astype(np.uint8)


def exif(
    width: int, height: int, orientation: int = 1, thumbnail: bytes = b"", order: str = "<"
) -> bytes:
    """The EXIF of `CAMERA`, of a stored picture of ``width`` × ``height``.

    ``orientation`` 0: without the tag.
    """
    degrees, minutes, seconds = CAMERA.latitude
    place = [int(degrees), 1, int(minutes), 1, round(seconds * 10), 10]
    first: Fields = {
        0x10F: (ASCII, CAMERA.make.encode() + b"\0"),
        0x11A: (RATIONAL, [DPI, 1]),
        0x11B: (RATIONAL, [DPI, 1]),
        0x128: (SHORT, 2),
        0x132: (ASCII, CAMERA.changed.encode() + b"\0"),
    }
    if orientation:
        first[0x112] = (SHORT, orientation)
    details: Fields = {
        0x9000: (UNDEFINED, b"0232"),
        0x9003: (ASCII, CAMERA.taken.encode() + b"\0"),
        0x927C: (UNDEFINED, CAMERA.maker_note),
        0xA002: (LONG, width),
        0xA003: (LONG, height),
    }
    gps: Fields = {0: (BYTE, b"\2\3\0\0"), 1: (ASCII, b"N\0"), 2: (RATIONAL, place)}
    return exif_block((first, details, gps), thumbnail, order)


def tiff_fields(block: bytes) -> Image.Exif:
    """EXIF and XMP as fields of a TIFF file."""
    fields = Image.Exif()
    fields.load(block)
    for directory in (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo):
        fields.get_ifd(directory)
    fields[ExifTags.Base.XMLPacket] = XMP
    return fields


def with_xmp() -> PngInfo:
    chunks = PngInfo()
    chunks.add_itxt("XML:com.adobe.xmp", XMP.decode())
    return chunks


SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
WIDE = rgb_profile()


# The kinds


def _png() -> Iterator[Case]:
    for depth in (1, 2, 4, 8, 16):
        samples = noise(1, np.uint16) >> (16 - depth)
        levels = samples.astype(np.uint32) * (65535 if depth == 16 else 255) // (2**depth - 1)
        pixels = levels.astype(np.uint16 if depth == 16 else np.uint8)
        yield Case(f"png-gray-{depth}.png", pixels, partial(png, samples, depth))
        key = int(samples[0, 0, 0])
        visible = (samples != key) * top_of(pixels.dtype)
        keyed = np.concatenate((pixels, visible.astype(pixels.dtype)), 2)
        marked = chunk(b"tRNS", struct.pack(">H", key))
        yield Case(f"png-gray-{depth}-key.png", keyed, partial(png, samples, depth, 0, marked))
        if depth <= 8:
            yield from _png_palette(depth)
    for channels in (2, 3, 4):
        for dtype in DTYPES:
            pixels = noise(channels, dtype)
            pixels = pixels if channels == 3 else opacity(pixels)
            depth = pixels.itemsize * 8
            for interlaced in (False, True):
                name = f"png-{channels}-{depth}{'-interlaced' * interlaced}.png"
                yield Case(name, pixels, partial(png, pixels, depth, interlaced=interlaced))
            if channels != 3:
                whole = opaque(pixels)
                yield Case(f"png-{channels}-{depth}-opaque.png", whole, partial(png, whole, depth))
                continue
            visible = np.full((HEIGHT, WIDTH, 1), top_of(pixels.dtype), dtype)
            visible[0, 0] = 0
            keyed = np.concatenate((pixels, visible), 2)
            marked = chunk(b"tRNS", struct.pack(">3H", *pixels[0, 0].tolist()))
            yield Case(f"png-3-{depth}-key.png", keyed, partial(png, pixels, depth, 2, marked))
    for height, width in ((1, 1), (1, 9), (9, 1)):
        pixels = noise(3)[:height, :width]
        yield Case(f"png-{width}x{height}.png", pixels, partial(png, pixels, 8))
    dark = noise(3, np.uint16) % 256
    yield Case("png-dark-16.png", dark, partial(png, dark, 16))
    for dtype in DTYPES:
        pixels = cut_out(dtype)
        depth = pixels.itemsize * 8
        yield Case(f"png-cut-out-{depth}.png", pixels, partial(png, pixels, depth))


def _png_palette(depth: int) -> Iterator[Case]:
    count = min(2**depth, 200)
    colours = np.random.default_rng(depth).integers(0, 255, (count, 4), np.uint8, True)
    colours[0, 3], colours[-1, 3] = 0, 255
    indices = noise(1, np.uint16) % count
    palette = chunk(b"PLTE", colours[:, :3].tobytes())
    clear = chunk(b"tRNS", colours[:-1, 3].tobytes())  # what is left out is opaque
    for name, chunks, channels in (("", palette, 3), ("-clear", palette + clear, 4)):
        pixels = colours[indices[..., 0], :channels]
        yield Case(
            f"png-palette-{depth}{name}.png",
            pixels,
            partial(png, indices, depth, PALETTE, chunks),
        )
    yield Case(
        f"png-palette-{depth}-interlaced.png",
        colours[indices[..., 0], :3],
        partial(png, indices, depth, PALETTE, palette, interlaced=True),
    )


def _jpeg() -> Iterator[Case]:
    plain = Case("jpeg-rgb.jpg", blocks(), bytes, ".jpg", 3)

    def case(name: str, pixels: Pixels, **options: Any) -> Case:
        options = {"quality": 95, "subsampling": "4:4:4", **options}
        return replace(
            plain, name=name, pixels=pixels, encode=partial(pillow, pixels, "JPEG", **options)
        )

    yield case("jpeg-rgb.jpg", blocks())
    yield case("jpeg-420.jpg", tinted(1), subsampling="4:2:0")
    yield case("jpeg-progressive.jpg", blocks(seed=2), progressive=True)
    yield case("jpeg-gray.jpg", blocks(1))
    yield case("jpeg-restart.jpg", blocks(seed=3), restart_marker_blocks=1)
    for height, width in ((1, 1), (1, 9), (9, 1)):
        pixels = np.full((height, width, 3), (200, 100, 50), np.uint8)
        yield case(f"jpeg-{width}x{height}.jpg", pixels)
    inks, rgb = _inks()
    options = {"icc_profile": cmyk_profile(), "quality": 95, "subsampling": "4:4:4"}
    yield replace(
        plain,
        name="jpeg-cmyk.jpg",
        pixels=rgb,
        encode=partial(in_inks, inks, "JPEG", **options),
        tolerance=6,
    )
    inks, rgb = _printed()
    yield replace(
        plain,
        name="jpeg-cmyk-bare.jpg",
        pixels=rgb,
        encode=partial(in_inks, inks, "JPEG", quality=95),
        tolerance=60,
    )


def _inks() -> tuple[Pixels, Pixels]:
    """CMYK in flat squares, and what `cmyk_profile` makes of it in sRGB."""
    inks = blocks(4)
    picture = Image.frombytes("CMYK", inks.shape[1::-1], inks.tobytes())
    rgb = ImageCms.profileToProfile(
        picture,
        io.BytesIO(cmyk_profile()),
        ImageCms.createProfile("sRGB"),
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        "RGB",
    )
    return inks, np.asarray(rgb)


def _printed() -> tuple[Pixels, Pixels]:
    """Full inks without a profile, and about what offset printing makes of them (SWOP)."""
    inks = np.zeros((BLOCK, 5 * BLOCK, 4), np.uint8)
    for ink in range(4):
        inks[:, (ink + 1) * BLOCK : (ink + 2) * BLOCK, ink] = 255
    colours = [(255, 255, 255), (0, 174, 239), (236, 0, 140), (255, 242, 0), (35, 31, 32)]
    rgb = np.repeat(np.array([colours], np.uint8), BLOCK, 1).repeat(BLOCK, 0)
    return inks, rgb


def _webp() -> Iterator[Case]:
    def case(name: str, pixels: Pixels, tolerance: int = 0, **options: Any) -> Case:
        return Case(name, pixels, partial(pillow, pixels, "WEBP", **options), ".webp", tolerance)

    yield case("webp-lossy.webp", tinted(4), 5, quality=98)
    half = np.concatenate((tinted(5), blocks(1, seed=6)), 2)
    half[:, : 2 * BLOCK, 3] = 255
    yield case("webp-lossy-opacity.webp", half, 5, quality=98)
    yield case("webp-lossless.webp", blocks(seed=6), lossless=True)
    clear = opacity(blocks(4, seed=7))
    yield case("webp-opacity.webp", clear, lossless=True, exact=True)
    yield case("webp-cut-out.webp", cut_out(), lossless=True, exact=True)
    yield case("webp-1x1.webp", np.full((1, 1, 3), 77, np.uint8), lossless=True)


def _tiff() -> Iterator[Case]:
    def case(name: str, pixels: Pixels, **options: Any) -> Case:
        channels = pixels.shape[-1]
        extra = ["unassalpha"] if channels in (2, 4) else None
        given = {
            "photometric": "rgb" if channels > 2 else "minisblack",
            "planarconfig": None if channels == 1 else "contig",
            "extrasamples": extra,
            **options,
        }
        return Case(f"tiff-{name}.tif", pixels, partial(tiff, bare(pixels), **given), ".tif")

    for channels in (1, 2, 3, 4):
        for dtype in DTYPES:
            pixels = noise(channels, dtype)
            pixels = opacity(pixels) if channels in (2, 4) else pixels
            yield case(f"{channels}-{pixels.itemsize * 8}", pixels)
    wide = np.tile(noise(3, np.uint16), (4, 4, 1))
    yield case("strips", wide, rowsperstrip=5, compression="zlib")
    yield case("tiles", wide, tile=(16, 32))
    yield case("tiles-deflate", wide, tile=(32, 16), compression="zlib")
    yield case("big", noise(3), bigtiff=True)
    yield case("big-endian", noise(3, np.uint16), byteorder=">")
    yield case("big-big-endian", opacity(noise(4, np.uint16)), bigtiff=True, byteorder=">")
    yield case("opaque", opaque(noise(4, np.uint16)))
    yield case("dark-16", noise(3, np.uint16) % 256)
    yield case("1x1", noise(1, np.uint16)[:1, :1])
    for dtype in DTYPES:
        pixels = noise(3, dtype)
        planes = np.ascontiguousarray(np.moveaxis(pixels, 2, 0))
        yield replace(
            case(f"planar-{pixels.itemsize * 8}", pixels),
            encode=partial(tiff, planes, photometric="rgb", planarconfig="separate"),
        )
    yield replace(
        case("min-is-white", noise(1)),
        encode=partial(tiff, 255 - noise(1)[..., 0], photometric="miniswhite"),
    )
    for compression in ("tiff_lzw", "tiff_adobe_deflate", "packbits"):
        yield replace(
            case(compression.removeprefix("tiff_"), noise(3)),
            encode=partial(pillow, noise(3), "TIFF", compression=compression),
        )
    bits = noise(1) // 128
    yield replace(
        case("1-bit", bits * 255),
        encode=partial(pillow, bits.astype(bool), "TIFF", compression="group4"),
    )
    colours, indices = quantized(noise(3) // 64 * 85)
    yield replace(case("palette", colours[indices[..., 0]]), encode=partial(_palette, "TIFF"))
    for channels in (1, 3):
        levels = np.random.default_rng(channels).random((HEIGHT, WIDTH, channels), np.float32)
        levels[0, :2] = [[0], [1]]
        pixels = np.round(levels.astype(np.float64) * 65535).astype(np.uint16)
        name = "gray" if channels == 1 else "rgb"
        kind = "minisblack" if channels == 1 else "rgb"
        yield replace(
            case(f"float-{name}", pixels),
            encode=partial(tiff, bare(levels), photometric=kind),
            tolerance=1,
        )
    inks, rgb = _inks()
    yield replace(
        case("cmyk", rgb),
        encode=partial(in_inks, inks, "TIFF", icc_profile=cmyk_profile()),
        tolerance=3,
    )
    pages = np.concatenate([noise(3, np.uint16, seed) for seed in range(3)])
    yield replace(
        case("pages", pages),
        encode=partial(tiff, pages.reshape(3, HEIGHT, WIDTH, 3), photometric="rgb"),
        frames=3,
    )
    yield replace(case("pages-of-two-sizes", noise(3)), encode=_two_sizes, first_only=True)


def _palette(kind: str) -> bytes:
    colours, indices = quantized(noise(3) // 64 * 85)
    picture = Image.fromarray(indices[..., 0], "P")
    picture.putpalette(colours.tobytes())
    buffer = io.BytesIO()
    picture.save(buffer, kind)
    return buffer.getvalue()


def _two_sizes() -> bytes:
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as writer:
        for page in (noise(3), noise(3)[:5, :7]):
            writer.write(page, photometric="rgb", metadata=None)
    return buffer.getvalue()


def _avif() -> Iterator[Case]:
    plain = blocks(seed=8)
    yield Case("avif-8.avif", plain, partial(avif, plain, 8), ".avif", 1)
    clear = opacity(blocks(4, seed=9))
    yield Case("avif-8-opacity.avif", clear, partial(avif, clear, 8), ".avif", 1)
    for bits in (10, 12):
        samples = blocks(4, seed=bits).astype(np.uint16) * (2**bits // 256)
        samples[:BLOCK, :BLOCK, :3], samples[:BLOCK, -BLOCK:, :3] = 0, 2**bits - 1
        samples[..., 3] = 2**bits - 1
        for channels, name in ((3, ""), (4, "-opaque")):
            stored = samples[..., :channels] << (16 - bits)
            levels = samples[..., :channels] * 65535.0 / (2**bits - 1)
            pixels = np.round(levels).astype(np.uint16)
            case = Case(f"avif-{bits}{name}.avif", pixels, bytes, ".avif", 2)
            yield replace(case, encode=partial(avif, stored, bits))


def _animations() -> Iterator[Case]:
    frames = [_scene(index) for index in range(3)]
    tall = np.concatenate(frames)
    delays = (100, 250, 40)
    rest = [Image.fromarray(frame) for frame in frames[1:]]
    together = {"save_all": True, "append_images": rest, "duration": list(delays)}

    yield Case("gif-still.gif", frames[0], partial(pillow, frames[0], "GIF"), ".gif")
    yield Case("gif-clear.gif", _clear_scene(0), partial(_clear_gif, 1), ".gif")
    animated = Case("", tall, bytes, frames=3, delays=delays)
    for plays, options in ((0, {"loop": 0}), (1, {})):
        yield replace(
            animated,
            name=f"gif-plays-{plays}.gif",
            encode=partial(pillow, frames[0], "GIF", **together, **options),
            suffix=".gif",
            plays=plays,
        )
    yield replace(
        animated,
        name="gif-moving-clear.gif",
        pixels=np.concatenate([_clear_scene(index) for index in range(3)]),
        encode=partial(_clear_gif, 3),
        suffix=".gif",
    )
    exact = {"lossless": True, "exact": True, "minimize_size": False}
    for plays in (0, 3):
        yield replace(
            animated,
            name=f"webp-plays-{plays}.webp",
            encode=partial(pillow, frames[0], "WEBP", loop=plays, **together, **exact),
            suffix=".webp",
            plays=plays,
        )
    clear = [_clear_scene(index, 128) for index in range(3)]
    together["append_images"] = [Image.fromarray(frame) for frame in clear[1:]]
    yield replace(
        animated,
        name="webp-moving-clear.webp",
        pixels=np.concatenate(clear),
        encode=partial(pillow, clear[0], "WEBP", **together, **exact),
        suffix=".webp",
    )
    whole = [Frame(frame, (delay, 1000)) for frame, delay in zip(frames, delays, strict=True)]
    for plays in (0, 3):
        yield replace(
            animated, name=f"apng-{plays}.png", encode=partial(apng, whole, plays), plays=plays
        )
    yield replace(
        animated, name="apng-hidden.png", encode=partial(apng, whole, 0, hidden=255 - frames[0])
    )
    yield _composed()


def _scene(index: int) -> Pixels:
    """(32, 48, 3): four flat colours, and a square that moves."""
    colours = np.array(
        [[[30, 60, 90], [200, 180, 20]], [[90, 200, 120], [240, 240, 240]]], np.uint8
    )
    pixels = colours.repeat(BLOCK, 0).repeat(BLOCK * 3 // 2, 1)
    pixels[8 : 8 + BLOCK, BLOCK * index : BLOCK * (index + 1)] = (220, 30, 40)
    return pixels


def _clear_scene(index: int, level: int = 255) -> Pixels:
    """The square of `_scene` alone, on nothing; ``level``: its opacity."""
    pixels = np.zeros((32, 48, 4), np.uint8)
    pixels[8 : 8 + BLOCK, BLOCK * index : BLOCK * (index + 1)] = (220, 30, 40, level)
    return pixels


def _clear_gif(count: int) -> bytes:
    pictures = [Image.fromarray(_clear_scene(index)) for index in range(count)]
    buffer = io.BytesIO()
    options = {"save_all": True, "append_images": pictures[1:], "duration": [100, 250, 40]}
    pictures[0].save(buffer, "GIF", disposal=2, **(options | {"loop": 0} if count > 1 else {}))
    return buffer.getvalue()


def _composed() -> Case:
    """An APNG of parts: one is drawn over, the next replaces, a third follows what is cleared."""
    base = blocks(4, seed=10)[:32, :48]
    base[..., 3] = 255
    patch = np.full((8, 10, 4), (250, 10, 20, 0), np.uint8)
    patch[2:6, 2:8, 3] = 255
    over, replaced, cleared = base.copy(), base.copy(), base.copy()
    over[6:10, 7:13] = patch[2:6, 2:8]
    replaced[:] = over
    replaced[20:28, 30:40] = patch
    cleared[:] = over
    cleared[20:28, 30:40] = 0
    parts = [
        Frame(base, (1, 10)),
        Frame(patch, (2, 10), 5, 4, blend=1),
        Frame(patch, (3, 10), 30, 20, dispose=1),
        Frame(patch[:1, :1], (4, 10), 0, 0, blend=1),
    ]
    pixels = np.concatenate((base, over, replaced, cleared))
    delays = (100, 200, 300, 400)
    return Case("apng-parts.png", pixels, partial(apng, parts, 0), frames=4, delays=delays)


def _others() -> Iterator[Case]:
    rgb, gray = noise(3), noise(1)
    for name, pixels in (("rgb", rgb), ("gray", gray)):
        yield Case(f"bmp-{name}.bmp", pixels, partial(pillow, pixels, "BMP"))
        yield Case(f"ppm-{name}.ppm", pixels, partial(pillow, pixels, "PPM"))
        yield replace(
            Case(f"jpeg2000-{name}.jp2", pixels, partial(pillow, pixels, "JPEG2000")),
            optional=True,
        )
    colours, indices = quantized(rgb // 64 * 85)
    yield Case("bmp-palette.bmp", colours[indices[..., 0]], partial(_palette, "BMP"))
    bits = gray // 128
    yield Case("bmp-1-bit.bmp", bits * 255, partial(pillow, bits.astype(bool), "BMP"))
    yield Case("pbm-1-bit.pbm", bits * 255, partial(pillow, bits.astype(bool), "PPM"))
    deep = noise(3, np.uint16)
    head = f"{WIDTH} {HEIGHT} 65535\n".encode()
    yield Case("ppm-16.ppm", deep, lambda: b"P6\n" + head + deep.astype(">u2").tobytes())
    grey = noise(1, np.uint16)
    yield Case("pgm-16.pgm", grey, lambda: b"P5\n" + head + grey.astype(">u2").tobytes())
    text = f"P3\n# in words\n{WIDTH} {HEIGHT}\n255\n{' '.join(map(str, rgb.ravel()))}\n"
    yield Case("ppm-text.ppm", rgb, text.encode)
    clear = opacity(noise(4))
    yield Case("jpeg2000-opacity.jp2", clear, partial(pillow, clear, "JPEG2000"), optional=True)
    yield Case("jpeg2000-16.jp2", grey, partial(pillow, grey, "JPEG2000"), optional=True)


def _orientations() -> Iterator[Case]:
    pixels = blocks(seed=11)
    for orientation in range(1, 9):
        stored = turned(pixels, orientation)
        height, width, _ = stored.shape
        said = {"exif": exif(width, height, orientation)}
        options: dict[str, dict[str, Any]] = {
            "jpg": {"quality": 95, "subsampling": "4:4:4", "dpi": (DPI, DPI), **said},
            "png": {"dpi": (DPI, DPI), **said},
            "webp": {"lossless": True, **said},
        }
        for (ending, given), kind in zip(options.items(), ("JPEG", "PNG", "WEBP"), strict=True):
            yield Case(
                f"upright-{ending}-{orientation}.{ending}",
                pixels,
                partial(pillow, stored, kind, **given),
                f".{ending}",
                3 if ending == "jpg" else 0,
                exif=True,
                noted=True,
                dpi=None if ending == "webp" else DPI,
            )
        yield Case(
            f"upright-tif-{orientation}.tif",
            pixels,
            partial(pillow, stored, "TIFF", tiffinfo={274: orientation}),
            ".tif",
        )
        yield Case(
            f"upright-avif-{orientation}.avif",
            pixels,
            partial(pillow, stored, "AVIF", quality=100, subsampling="4:4:4", **said),
            ".avif",
            6,
            exif=True,
            noted=True,
        )


def _metadata() -> Iterator[Case]:
    pixels, gray = blocks(seed=12), blocks(1, seed=12)
    lossy = {"quality": 95, "subsampling": "4:4:4"}
    formats: tuple[tuple[str, str, int, dict[str, Any]], ...] = (
        ("jpg", "JPEG", 3, lossy),
        ("png", "PNG", 0, {}),
        ("webp", "WEBP", 0, {"lossless": True}),
        ("tif", "TIFF", 0, {}),
        ("avif", "AVIF", 6, {**lossy, "quality": 100}),
    )
    thumbnail = pillow(pixels[::3, ::4], "JPEG", quality=30)
    height, width, _ = pixels.shape
    for ending, kind, tolerance, options in formats:
        plain = Case("", pixels, bytes, f".{ending}", tolerance)
        for name, profile in (("srgb", SRGB), ("wide", WIDE), ("gray", gray_profile())):
            if name == "gray" and ending not in ("jpg", "png", "tif"):
                continue
            shown = gray if name == "gray" else pixels
            yield replace(
                plain,
                name=f"profile-{name}-{ending}.{ending}",
                pixels=shown,
                encode=partial(pillow, shown, kind, icc_profile=profile, **options),
                profile=profile,
            )
        whole = dict(options)
        has_dpi = ending in ("jpg", "png", "tif")
        if has_dpi:
            whole["dpi"] = (DPI, DPI)
        if ending == "tif":
            whole["exif"] = tiff_fields(exif(width, height))
        else:
            # Pillow takes the orientation out of an AVIF, and the thumbnail with it
            whole["exif"] = exif(width, height, int(ending != "avif"), thumbnail)
            whole |= {"pnginfo": with_xmp()} if ending == "png" else {"xmp": XMP}
        if ending == "jpg":
            whole["extra"] = iptc_segment(CAPTION)
        yield replace(
            plain,
            name=f"metadata-{ending}.{ending}",
            encode=partial(pillow, pixels, kind, icc_profile=WIDE, **whole),
            profile=WIDE,
            exif=True,
            noted=True,
            thumbnail=b"" if ending == "tif" else thumbnail,
            xmp=XMP,
            caption=CAPTION if ending == "jpg" else None,
            dpi=DPI if has_dpi else None,
        )
    big = rgb_profile(40_000)  # more than one segment of a JPEG holds
    yield Case(
        "profile-long-jpg.jpg",
        pixels,
        partial(pillow, pixels, "JPEG", icc_profile=big, **lossy),
        ".jpg",
        3,
        profile=big,
    )
    said = exif(width, height, order=">")
    yield Case(
        "exif-big-endian.jpg",
        pixels,
        partial(pillow, pixels, "JPEG", exif=said, dpi=(DPI, DPI), **lossy),
        ".jpg",
        3,
        exif=True,
        noted=True,
        dpi=DPI,
    )


def cases() -> list[Case]:
    """All cases, not yet encoded; each has a stem of its own."""
    kinds = (_png, _jpeg, _webp, _tiff, _avif, _animations, _others, _orientations, _metadata)
    return [case for kind in kinds for case in kind()]


def make(folder: Path) -> list[Case]:
    """Write every case into ``folder`` and return them."""
    folder.mkdir(parents=True, exist_ok=True)
    found = cases()
    for case in found:
        (folder / case.name).write_bytes(case.encode())
    return found


if __name__ == "__main__":
    print(f"{len(make(Path(sys.argv[1])))} pictures in {sys.argv[1]}")
