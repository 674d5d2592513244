"""Ma's scores of results, computed by another program, from a CSV file.

Ma et al. 2017 judge a picture without its original. The PIRM 2018 challenge computes its perceptual
index from that score and NIQE; we know of no maintained implementation of the score.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from upscale.bench.sets.results import core_of
from upscale.errors import InputError, UsageError
from upscale.files import unreadable

__all__ = ["MaScores"]

COLUMNS = ("system", "picture", "ma")

Key = tuple[str, str, str]
"""Set (or empty), system and picture, in small letters."""


@dataclass(frozen=True)
class MaScores:
    """Scores by set, system and picture."""

    scores: dict[Key, float]
    """Scores from 0 to 10, higher is better."""
    used: set[str] = field(default_factory=set)
    """The systems whose scores were used."""

    @classmethod
    def read(cls, path: Path) -> "MaScores":
        """Read a CSV file with the columns ``system``, ``picture``, ``ma`` and optionally ``set``.

        A picture may have the name of its file. Raises UsageError for a file of another kind,
        InputError for one that cannot be read.
        """
        try:
            with path.open(encoding="utf-8-sig", newline="") as file:
                lines = csv.DictReader(file)
                head = [name.strip().casefold() for name in lines.fieldnames or ()]
                lines.fieldnames = head
                if missing := [name for name in COLUMNS if name not in head]:
                    raise UsageError(
                        f"--ma {path}: has no column {' and '.join(missing)}; its first line must "
                        "be system,picture,ma, with an optional set"
                    )
                return cls(dict(_scored(line, path, lines.line_num) for line in lines))
        except OSError as error:
            raise InputError(f"--ma {unreadable(path, error)}") from error
        except (UnicodeDecodeError, csv.Error) as error:
            raise UsageError(f"--ma {path}: is not a CSV file ({error})") from error

    def of(self, set_name: str, systems: Sequence[str], picture: str, scale: int) -> float | None:
        """Return the score of a result, or None; ``systems``: the row's names."""
        for system in (name.casefold() for name in systems):
            for place in (set_name.casefold(), ""):
                for name in (picture.casefold(), core_of(picture, scale)):
                    if (place, system, name) in self.scores:
                        self.used.add(system)
                        return self.scores[place, system, name]
        return None

    def unused(self) -> list[str]:
        """Return the systems that no row has used."""
        return [
            each for each in dict.fromkeys(key[1] for key in self.scores) if each not in self.used
        ]


def _scored(line: dict[str, str], path: Path, number: int) -> tuple[Key, float]:
    words = {name: (line.get(name) or "").strip() for name in ("set", *COLUMNS)}
    try:
        score = float(words["ma"])
    except ValueError:
        score = -1.0
    if not 0 <= score <= 10 or not words["system"] or not words["picture"]:
        raise UsageError(
            f"--ma {path}, line {number}: needs a system, a picture and a score from 0 to 10, "
            f"not {words['ma']!r}"
        )
    key = words["set"], words["system"], Path(words["picture"]).stem
    return (key[0].casefold(), key[1].casefold(), key[2].casefold()), score
