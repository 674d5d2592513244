"""What each file format can hold: a table, and the two questions asked of it. No decoder here."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from upscale.errors import InputError, OutputError, UsageError

__all__ = [
    "ALIASES",
    "FORMATS",
    "MAX_PIXELS",
    "MAX_SIDE",
    "Encoding",
    "Format",
    "check_format",
    "check_pixels",
    "sniff",
    "suffix_of",
]

MAX_PIXELS = 2**28
"""Pixels of an input above which it is taken for a decompression bomb (16384 × 16384)."""

MAX_SIDE = 1_000_000
"""Pixels a side above which an input is refused, whatever its other side is."""


@dataclass(frozen=True)
class Format:
    """What a file format can hold, and libvips' options to save it.

    ``side_limit``: pixels a side; ``depth``: bits a sample; ``frames``: several frames or pages;
    ``iptc``: IPTC data; ``lossy``: has a quality to choose; ``lossless``: can be exact.
    """

    side_limit: int
    opacity: bool
    depth: int
    frames: bool
    iptc: bool
    lossy: bool
    lossless: bool
    options: dict[str, Any]


FORMATS: dict[str, Format] = {
    ".png": Format(2**31 - 1, True, 16, True, False, False, True, {"compression": 6}),
    ".jpg": Format(
        *(65_500, False, 8, False, True, True, False),
        {"Q": 95, "subsample_mode": "off", "optimize_coding": True},
    ),
    ".webp": Format(16_383, True, 8, True, False, True, True, {"Q": 92, "effort": 4}),
    ".tif": Format(
        *(2**31 - 1, True, 16, True, True, False, True),
        {"compression": "deflate", "predictor": "horizontal"},
    ),
    ".avif": Format(
        *(65_536, True, 12, False, False, True, True), {"compression": "av1", "Q": 80, "effort": 4}
    ),
    ".gif": Format(
        *(65_535, True, 8, True, False, False, False),
        {"interpalette_maxerror": 0, "keep_duplicate_frames": True},
    ),
}
ALIASES = {".jpeg": ".jpg", ".jpe": ".jpg", ".jfif": ".jpg", ".tiff": ".tif", ".apng": ".png"}

SIGNATURES = (
    (b"\x89PNG", 0, ".png"),
    (b"\xff\xd8\xff", 0, ".jpg"),
    (b"WEBP", 8, ".webp"),
    (b"II", 0, ".tif"),
    (b"MM", 0, ".tif"),
    (b"ftypavi", 4, ".avif"),
    (b"GIF8", 0, ".gif"),
)


WHOLE_FRAMES = {"kmax": 1}
"""For WebP: between two whole frames libwebp leaves out what has changed by up to 17 levels."""


TWO_PASSES = 2**25
"""Pixels up to which a JPEG's codes are made for it, for which libjpeg keeps 6 bytes of each."""


@dataclass(frozen=True)
class Encoding:
    """How outputs are saved: ``quality`` 1 to 100 or None for each format's own; ``lossless``;
    ``strip``: nothing but pixels, profile and the key to resume by.
    """

    quality: int | None = None
    lossless: bool = False
    strip: bool = False

    def check(self, suffix: str | None) -> None:
        """Raise UsageError for what ``suffix`` (None: not known yet) cannot be asked for."""
        if self.quality is not None and not 1 <= self.quality <= 100:
            raise UsageError(f"quality is {self.quality}; it must lie in 1 to 100")
        if self.quality is not None and self.lossless:
            raise UsageError("--quality and --lossless exclude each other")
        if suffix is None:
            return
        if self.lossless and not FORMATS[suffix].lossless:
            lossless = ", ".join(name[1:] for name, each in FORMATS.items() if each.lossless)
            raise UsageError(f"{suffix[1:]} has no lossless form; use one of {lossless}")
        if self.quality is not None and not FORMATS[suffix].lossy:
            lossy = ", ".join(name[1:] for name, each in FORMATS.items() if each.lossy)
            raise UsageError(f"{suffix[1:]} has no quality to choose; {lossy} have")

    def depth(self, suffix: str, channels: int) -> int:
        """Return the greatest bits a sample that a picture of ``channels`` is saved with.

        AVIF's opacity is exact with 8 bits only, unless all is lossless.
        """
        chosen = FORMATS[suffix]
        inexact = suffix == ".avif" and channels in (2, 4) and not self.lossless
        return 8 if inexact else chosen.depth

    def options(self, suffix: str, depth: int, pixels: int = 0) -> dict[str, Any]:
        """Return libvips' options for a picture of ``pixels`` that is saved with ``depth`` bits a
        sample.
        """
        chosen = FORMATS[suffix]
        options = dict(chosen.options)
        if chosen.lossy and self.lossless and chosen.lossless:
            options |= {"lossless": True}
        elif chosen.lossy and self.quality is not None:
            options |= {"Q": self.quality}
        if suffix == ".webp" and not self.lossless:
            options |= WHOLE_FRAMES
        if suffix == ".jpg" and pixels > TWO_PASSES:
            options["optimize_coding"] = False
        if chosen.depth == 12:
            options |= {"bitdepth": depth}
        return options


def suffix_of(path: Path) -> str:
    """Return a name's suffix as `FORMATS` spells it: ``.jpg`` for ``A.JPEG``."""
    suffix = path.suffix.lower()
    return ALIASES.get(suffix, suffix)


def sniff(head: bytes) -> str:
    """Return the suffix to write for a picture that begins with ``head``: its own, or ``.png``."""
    found = (suffix for start, at, suffix in SIGNATURES if head[at:].startswith(start))
    return next(found, ".png")


def check_format(path: Path, width: int, height: int) -> Format:
    """Return ``path``'s format; OutputError where it is unknown or cannot hold a frame's size."""
    suffix = suffix_of(path)
    if suffix not in FORMATS:
        raise OutputError(
            f"{path}: cannot write {suffix or 'a file without a suffix'}; "
            f"write one of {', '.join(FORMATS)}",
            code="unsupported-format",
        )
    limit = FORMATS[suffix].side_limit
    if max(width, height) > limit:
        raise OutputError(
            f"{path}: {width} × {height} is more than the {limit:,} pixels a side that "
            f"{suffix} holds; write .png or .tif",
            code="too-large-for-format",
        )
    return FORMATS[suffix]


def check_pixels(path: Path, width: int, height: int, max_pixels: int, frames: int = 1) -> None:
    """Raise InputError for a size, from a header, that is taken for a decompression bomb.

    ``width``, ``height``: of one frame; ``max_pixels``: of all, and `MAX_SIDE` goes with it.
    """
    side = MAX_SIDE * max(1, max_pixels // MAX_PIXELS)
    if width * height * frames > max_pixels or max(width, height) > side:
        of_frames = f" of {frames} frames" if frames > 1 else ""
        raise InputError(
            f"{path}: {width} × {height}{of_frames} is more than {max_pixels:,} pixels, or "
            f"{side:,} a side; raise --max-pixels if you trust the file",
            code="too-large",
        )
