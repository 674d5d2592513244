"""What is found of metadata in a file: the first block of each kind, and what is left out."""

from dataclasses import dataclass
from typing import Literal

from upscale.pixels.image import Text

__all__ = ["EXIF", "Blocks", "Gathering", "Kind", "plain"]

Kind = Literal["exif", "xmp", "iptc", "icc"]

NAMES: dict[Kind, str] = {"exif": "EXIF", "xmp": "XMP", "iptc": "IPTC", "icc": "colour profile"}
EXIF = b"Exif\0\0"


@dataclass(frozen=True)
class Blocks:
    """What a file holds; None: nothing of this kind."""

    exif: bytes | None = None
    """Begins with ``Exif`` and two zeros."""
    xmp: bytes | None = None
    iptc: bytes | None = None
    """Datasets, without Photoshop's wrapping."""
    icc: bytes | None = None
    texts: tuple[Text, ...] = ()
    doubts: tuple[str, ...] = ()
    """What is left out, each the end of a sentence that begins with the file's name."""


def plain(data: bytes) -> str:
    """Return a text whose file does not say how it is encoded."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


class Gathering:
    """The first block of each kind counts, as exiftool has it; a different one later is named."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._first: dict[Kind, bytes] = {}
        self._texts: dict[Text, None] = {}
        self._doubts: dict[str, None] = {}

    def add(self, kind: Kind, block: bytes) -> None:
        """Take the next block of a kind."""
        block = EXIF + block.removeprefix(EXIF) if kind == "exif" else block
        if self._first.setdefault(kind, block) != block:
            self.doubt(f"has a second, different {NAMES[kind]}, which is left out")

    def say(self, keyword: str, text: str, language: str = "") -> None:
        """Take the next text, unless it is empty.

        One whose keyword has a colon is a program's own and tells of the old file: sizes and
        dates of ImageMagick, what thumbnails are of.
        """
        text = text.rstrip("\0")
        if text and ":" not in keyword:
            self._texts[Text(keyword, text, language)] = None

    def doubt(self, sentence: str) -> None:
        """Say what is left out."""
        self._doubts[sentence] = None

    def blocks(self) -> Blocks:
        """Return what was taken."""
        return Blocks(**self._first, texts=tuple(self._texts), doubts=tuple(self._doubts))
