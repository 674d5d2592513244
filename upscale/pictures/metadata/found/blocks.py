"""What is found of metadata in a file: the first block of each kind, and what is left out."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["EXIF", "Blocks", "Gathering", "Kind"]

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
    doubts: tuple[str, ...] = ()
    """What is left out, each the end of a sentence that begins with the file's name."""


class Gathering:
    """The first block of each kind counts, as exiftool has it; a different one later is named."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._first: dict[Kind, bytes] = {}
        self._doubts: dict[str, None] = {}

    def add(self, kind: Kind, block: bytes) -> None:
        """Take the next block of a kind."""
        block = EXIF + block.removeprefix(EXIF) if kind == "exif" else block
        if self._first.setdefault(kind, block) != block:
            self.doubt(f"has a second, different {NAMES[kind]}, which is left out")

    def doubt(self, sentence: str) -> None:
        """Say what is left out."""
        self._doubts[sentence] = None

    def blocks(self) -> Blocks:
        """Return what was taken."""
        return Blocks(**self._first, doubts=tuple(self._doubts))
