"""Folders of a training and their shares: ``--data div2k:4 --data ost:1``."""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from upscale.errors import UsageError

__all__ = ["Share", "read_share", "trained_on"]

WORD = re.compile(r"(?P<folder>.+):(?P<share>[\d.]+(e[-+]?\d+)?)", re.DOTALL | re.IGNORECASE)
DRIVE = re.compile("[a-z]", re.IGNORECASE)


@dataclass(frozen=True)
class Share:
    """One ``--data``."""

    folder: Path
    """Folder of HR pictures, or one picture."""
    share: float = 1.0
    """Its share of the patches, relative to the sum over all folders."""

    def __str__(self) -> str:
        """Write it as `read_share` reads it, whichever files exist then."""
        plain = self.share == 1 and WORD.fullmatch(str(self.folder)) is None
        folder = f"./{self.folder}" if DRIVE.fullmatch(str(self.folder)) else str(self.folder)
        number = int(self.share) if self.share.is_integer() else self.share
        return str(self.folder) if plain else f"{folder}:{number}"

    def absolute(self) -> "Share":
        """Return it with an absolute path."""
        return replace(self, folder=self.folder.absolute())


def read_share(word: str) -> Share:
    r"""Return the folder and share that ``word`` names; without a share, 1.

    An existing path is a path, even with a colon. A letter before the colon is a drive (``C:4``);
    write a folder with a one-letter name as ``./a:4``. Raises UsageError for a share that is not
    above 0.
    """
    found = WORD.fullmatch(word)
    if found is None or DRIVE.fullmatch(found["folder"]) or Path(word).exists():
        return Share(Path(word))
    try:
        share = float(found["share"])
    except ValueError:  # such as that of 1.2.3
        return Share(Path(word))
    if not 0 < share < math.inf:
        raise UsageError(f"--data {word}: the share after the colon must be a number above 0")
    return Share(Path(found["folder"]), share)


def trained_on(folder: Path, shares: Iterable[Share]) -> bool:
    """Return whether ``folder`` is one of ``shares``, or lies in one."""
    valid = folder.resolve()
    return any(each.folder.resolve() in (valid, *valid.parents) for each in shares)
