"""The metadata found in a file: the first block of each kind, and what is left out."""

from dataclasses import dataclass
from typing import Literal

from upscale.pixels.image import Text

__all__ = ["EXIF", "Blocks", "Gathering", "Kind", "plain"]

Kind = Literal["exif", "xmp", "iptc", "icc"]

NAMES: dict[Kind, str] = {"exif": "EXIF", "xmp": "XMP", "iptc": "IPTC", "icc": "colour profile"}
EXIF = b"Exif\0\0"


@dataclass(frozen=True)
class Blocks:
    """The metadata of a file; None: it has no block of this kind."""

    exif: bytes | None = None
    """Begins with ``Exif`` and two zeros."""
    xmp: bytes | None = None
    iptc: bytes | None = None
    """Datasets, without Photoshop's wrapping."""
    icc: bytes | None = None
    texts: tuple[Text, ...] = ()
    doubts: tuple[str, ...] = ()
    """What is left out: ends of sentences that begin with the file's path and a colon."""


def plain(data: bytes) -> str:
    """Return a text whose encoding is not known: UTF-8 if it is valid, otherwise Latin-1."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


class Gathering:
    """Collects metadata: the first block of each kind counts, as for exiftool.

    If a different one follows, a sentence says so.
    """

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

        A keyword with a colon is a program's own and is about the old file, such as ImageMagick's
        sizes and dates, or a thumbnail's original; such a text is left out.
        """
        text = text.rstrip("\0")
        if text and ":" not in keyword:
            self._texts[Text(keyword, text, language)] = None

    def doubt(self, sentence: str) -> None:
        """Take a sentence on what is left out."""
        self._doubts[sentence] = None

    def blocks(self) -> Blocks:
        """Return what was taken."""
        return Blocks(**self._first, texts=tuple(self._texts), doubts=tuple(self._doubts))
