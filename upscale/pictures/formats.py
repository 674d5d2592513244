"""A record for each format, with all that is known of it. No decoder is imported here."""

from pathlib import Path

from upscale.pictures.containers import damage, losses
from upscale.pictures.metadata import iptc
from upscale.pictures.record import Format, Saving

__all__ = [
    "ALIASES",
    "FORMATS",
    "PICTURE_SUFFIXES",
    "WRITABLE",
    "format_of",
    "own_suffix",
    "suffix_of",
]


def _always(descriptor: int) -> bool:
    return True


FORMATS = (
    Format(
        name="PNG",
        suffixes=(".png", ".apng"),
        begins=rb"\x89PNG\r\n\x1a\n",
        loader="png",
        ends_early=damage.png_ends_early,
        media_type="image/png",
        saving=Saving(
            saver="png",
            code_points="chunks",
            texts="all",
            depth=16,
            frames=True,
            joined=True,
            # Without a filter, level 6 takes as long and makes photographs 1.8 times as large.
            options={"compression": 3, "filter": "avg"},
        ),
    ),
    Format(
        name="JPEG",
        suffixes=(".jpg", ".jpeg", ".jpe", ".jfif"),
        read_suffixes=(".mpo",),
        begins=rb"\xff\xd8\xff",
        loader="jpeg",
        ends_early=damage.jpeg_ends_early,
        lossy=_always,
        media_type="image/jpeg",
        saving=Saving(
            saver="jpeg",
            side_limit=65_500,
            opacity=False,
            lossy=True,
            lossless=False,
            longest_xmp=60_000,  # which libvips still writes
            iptc=iptc.wrapped,
            longest_iptc=65_533,  # in a segment (ISO/IEC 10918-1, B.1.1.4)
            texts="comment",
            longest_comment=65_533,
            options={"Q": 95, "subsample_mode": "off"},
            # libjpeg needs 6 bytes of memory per pixel for it
            size_options=lambda pixels, size: {"optimize_coding": pixels <= 2**25},
        ),
    ),
    Format(
        name="WebP",
        suffixes=(".webp",),
        begins=rb"RIFF....WEBP",
        loader="webp",
        pages=True,
        ends_early=damage.riff_ends_early,
        lossy=losses.webp_is_lossy,
        media_type="image/webp",
        saving=Saving(
            saver="webp",
            whole=True,
            side_limit=16_383,
            gray=False,
            frames=True,
            lossy=True,
            options={"Q": 92, "effort": 4},
            lossy_options={"kmax": 1},  # whole frames; others miss changes of up to 17 levels
        ),
    ),
    Format(  # before TIFF, since many of these are TIFF files
        name="RAW",
        suffixes=(".dng", ".nef", ".cr2", ".cr3", ".arw", ".raf", ".orf", ".rw2", ".pef"),
        begins=rb"FUJIFILMCCD-RAW|II\x1a\0\0\0HEAPCCDR|IIR[OS]|MMOR|IIU\0|FOVb|\0MRM|.{4}ftypcrx "
        rb"|II\*\0|MM\0\*",
        doubtful=True,
        decoder="camera_raw",
        extra="raw",
    ),
    Format(
        name="TIFF",
        suffixes=(".tif", ".tiff"),
        begins=rb"II[*+]\0|MM\0[*+]",
        loader="tiff",
        pages=True,
        ends_early=damage.tiff_ends_early,
        lossy=losses.tiff_is_lossy,
        saving=Saving(
            saver="tiff",
            depth=16,
            frames=True,
            exif="directory",
            longest_exif=2**31 - 1,
            iptc=bytes,
            options={"compression": "deflate", "predictor": "horizontal"},
            size_options=lambda pixels, size: {"bigtiff": size > 2**31},
        ),
    ),
    Format(
        name="HEIC",
        suffixes=(".heic", ".heif", ".hif"),
        begins=rb".{4}ftyp",
        doubtful=True,
        decoder="heif.heic",
        extra="heif",
        lossy=_always,
    ),
    Format(
        name="AVIF",
        suffixes=(".avif",),
        begins=rb".{4}ftyp(avi[fs]|mif1|msf1|miaf)",
        loader="heif",
        ends_early=damage.boxes_end_early,
        lossy=_always,
        media_type="image/avif",
        saving=Saving(
            saver="heif",
            whole=True,
            code_points="boxes",
            side_limit=16_384,  # of libvips; a file may have 65,536
            depth=12,
            depth_with_opacity=8,  # with more, opacity is not exact
            depth_option="bitdepth",
            gray=False,
            lossy=True,
            options={"compression": "av1", "Q": 80, "effort": 4},
        ),
    ),
    Format(
        name="GIF",
        suffixes=(".gif",),
        begins=rb"GIF8",
        loader="gif",
        pages=True,
        media_type="image/gif",
        saving=Saving(
            saver="gif",
            whole=True,
            side_limit=65_535,
            colours=256,
            frames=True,
            lossless=False,
            exif="none",
            texts="comment",
            options={"interpalette_maxerror": 0, "keep_duplicate_frames": True},
        ),
    ),
    Format(
        name="BMP",
        suffixes=(".bmp", ".dib"),
        begins=rb"BM.{12}[\x0c-\x7c]\0\0\0|\x0c\0\0\0.{4}\x01\0[\x01\x04\x08\x18]\0|"
        rb"[\x28\x34\x38\x6c\x7c]\0\0\0.{8}\x01\0[\x01\x02\x04\x08\x10\x18\x20]\0[\0-\x06]\0\0\0",
        decoder="bmp",
    ),
    Format(
        name="PNM",
        suffixes=(".ppm", ".pgm", ".pbm", ".pnm", ".pam", ".pfm"),
        begins=rb"P[1-7Ff]\s|P[1-6]#",
        decoder="netpbm",
    ),
    Format(name="HDR", suffixes=(".hdr",), begins=rb"#\?(RADIANCE|RGBE)\s", decoder="radiance"),
    Format(
        name="JPEG 2000",
        suffixes=(".jp2", ".j2k"),
        begins=rb"\0\0\0\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51",
        decoder="jpeg2000",
        lossy=_always,
    ),
    Format(
        name="JPEG XL",
        suffixes=(".jxl",),
        begins=rb"\0\0\0\x0cJXL \r\n\x87\n|\xff\x0a",
        decoder="jpeg_xl",
        extra="jxl",
        lossy=_always,
    ),
    Format(
        name="DDS",
        suffixes=(".dds",),
        begins=rb"DDS \x7c\0\0\0",
        decoder="pillow",
        plugin="DDS",
        lossy=losses.dds_is_lossy,
    ),
    Format(
        name="QOI",
        suffixes=(".qoi",),
        begins=rb"qoif.{8}[\x03\x04][\0\x01]",
        decoder="pillow",
        plugin="QOI",
    ),
    Format(  # last: it has no signature, only fields that few other files happen to fit
        name="TGA",
        suffixes=(".tga",),
        begins=rb".(\0[\x02\x03\x0a\x0b]\0{5}|\x01[\x01\x09].{5}).{4}(?!\0\0)..(?!\0\0).."
        rb"[\x08\x0f\x10\x18\x20][\0-\x2f]",
        decoder="pillow",
        plugin="TGA",
    ),
)
"""The formats, in the order in which a file's content is compared with them."""

WRITABLE: dict[str, Saving] = {each.suffixes[0]: each.saving for each in FORMATS if each.saving}
"""How each format that can be written is saved, by its usual suffix."""

ALIASES = {
    alias: each.suffixes[0] for each in FORMATS if each.saving for alias in each.suffixes[1:]
}
"""The usual suffix for each other suffix of a format that can be written."""

PICTURE_SUFFIXES = {name for each in FORMATS for name in (*each.suffixes, *each.read_suffixes)}
"""Suffixes, in small letters, by which files in a folder are taken for pictures."""


def format_of(head: bytes, descriptor: int) -> Format | None:
    """Return the format of an open file by its content; None: it is not known.

    ``head``: its first 512 bytes.
    """
    return next((each for each in FORMATS if each.matches(head, descriptor)), None)


def own_suffix(head: bytes, descriptor: int) -> str:
    """Return the suffix for the output of an open picture: its format's, or ``.png``."""
    found = format_of(head, descriptor)
    return found.suffixes[0] if found and found.saving else ".png"


def suffix_of(path: Path) -> str:
    """Return the suffix of a name, spelt as in `WRITABLE`: ``.jpg`` for ``A.JPEG``."""
    suffix = path.suffix.lower()
    return ALIASES.get(suffix, suffix)
