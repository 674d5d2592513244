"""``--shard I/N``: one of N parts of all pictures, without communication between machines.

A picture's part is the SHA-256 of its path below the input. So machines with other mount points
agree, and no picture moves when others are added. All parts must plan in the same way: they find
the whole tree and name every output before they take one part of the jobs. So each picture gets the
name that a single machine would give it.
"""

import hashlib
import os
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from upscale.errors import UsageError

__all__ = ["Shard"]

MOST_SHARDS = 100_000
"""The name of a receipt has five digits."""


@dataclass(frozen=True)
class Shard:
    """A part of all pictures."""

    index: int
    """Number of the part, from 0."""
    count: int
    """Number of parts."""

    def __str__(self) -> str:
        """Return it as the user types it."""
        return f"{self.index}/{self.count}"

    @property
    def name(self) -> str:
        """Name of its receipt, without a suffix: ``shard-00003-of-00016``."""
        return f"shard-{self.index:05}-of-{self.count:05}"

    def has(self, relative: str) -> bool:
        """Return whether a picture is in this part.

        ``relative``: its path with slashes below the input. Its characters count as composed, since
        a Mac's disk may decompose them.
        """
        path = unicodedata.normalize("NFC", relative).encode("utf-8", "surrogatepass")
        return int.from_bytes(hashlib.sha256(path).digest()[:8]) % self.count == self.index

    @classmethod
    def of_word(cls, word: str, environment: Mapping[str, str] = os.environ) -> "Shard":
        """Read ``I/N``, or get I from the scheduler: ``auto/N``, or ``auto`` if it also knows N.

        Slurm states the task of an array and the number of tasks; Kubernetes states only the
        completion of an indexed job. Raises UsageError.
        """
        found = re.fullmatch(r"(auto|\d{1,9})(?:/(\d{1,9}))?", word, re.ASCII)
        if found is None or (found[1] != "auto" and found[2] is None):
            raise UsageError(
                f"--shard {word!r} is not a part: give I/N with I from 0, such as 0/4 to 3/4, or "
                "auto in a Slurm array, or auto/N in an indexed Kubernetes job"
            )
        if found[2] is None:
            return _slurm_array(environment)
        count = int(found[2])
        index = _scheduled(environment) if found[1] == "auto" else int(found[1])
        if not 0 < count <= MOST_SHARDS:
            raise UsageError(f"--shard {word}: give from 1 to {MOST_SHARDS:,} parts")
        if index >= count:
            raise UsageError(
                f"--shard {word}: this is part {index}, and the parts are 0 to {count - 1}; "
                "the first is 0"
            )
        return cls(index, count)


def _scheduled(environment: Mapping[str, str]) -> int:
    """Return the number of this process among several."""
    for name in ("JOB_COMPLETION_INDEX", "SLURM_ARRAY_TASK_ID"):
        if name in environment:
            return _number(environment, name)
    raise UsageError(
        "--shard auto: neither JOB_COMPLETION_INDEX (a Kubernetes job with completionMode: "
        "Indexed) nor SLURM_ARRAY_TASK_ID (sbatch --array) is set; give I/N"
    )


def _slurm_array(environment: Mapping[str, str]) -> Shard:
    """Return the part of a task of an array whose numbers are evenly spaced."""
    if "SLURM_ARRAY_TASK_ID" not in environment:
        if "JOB_COMPLETION_INDEX" in environment:
            raise UsageError(
                "--shard auto: Kubernetes does not state the number of completions; give auto/N "
                "with the completions of the job as N"
            )
        raise UsageError(
            "--shard auto: SLURM_ARRAY_TASK_ID is not set; start it with sbatch --array, or give "
            "I/N"
        )
    task, first, last, count = (
        _number(environment, f"SLURM_ARRAY_TASK_{name}") for name in ("ID", "MIN", "MAX", "COUNT")
    )
    step = _number({"SLURM_ARRAY_TASK_STEP": "1", **environment}, "SLURM_ARRAY_TASK_STEP") or 1
    index, rest = divmod(task - first, step)
    if rest or first + step * (count - 1) != last or not 0 <= index < count <= MOST_SHARDS:
        raise UsageError(
            "--shard auto: the array is not a row of evenly spaced numbers; use --array=0-15, or "
            "--shard auto/N, which takes the task's number as the part"
        )
    return Shard(index, count)


def _number(environment: Mapping[str, str], name: str) -> int:
    word = environment.get(name, "")
    if not (word.isascii() and word.isdecimal()):
        raise UsageError(f"--shard auto: {name} is {word!r}, not a whole number; give I/N")
    return int(word)
