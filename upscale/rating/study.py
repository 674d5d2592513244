"""A study: pictures under random names, and the manifest that lists them.

    study/manifest.json        how it is done, and each picture's scene, size and sha256
    study/pictures/NAME.png
    study/ratings/CODE.jsonl   what each rater answered
    study.key.json             which picture and system each NAME is; it lies apart

Showing the study needs no key, and does not reveal the systems.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from upscale.errors import InputError, UsageError

__all__ = [
    "Calibration",
    "Mode",
    "Shown",
    "Study",
    "damaged",
    "identity_of",
    "read_file",
    "read_study",
    "to_json",
]

MANIFEST, KIND, VERSION = "manifest.json", "rating study", 1

Mode = Literal["scores", "pairs"]
"""The kind of question: a score from 1 to 5 for one picture, or which of two is better."""


@dataclass(frozen=True)
class Shown:
    """A picture for raters."""

    name: str
    """Random name; its file is ``pictures/NAME.png``."""
    scene: int
    """The same for all versions of one picture."""
    width: int
    """In pixels."""
    height: int
    """In pixels."""
    sha256: str
    """sha256 of the file."""


@dataclass(frozen=True)
class Calibration:
    """Two versions of one picture outside the test sets, from which raters learn the scale."""

    worst: Shown
    """Enlarged by nearest neighbour; example of a 1."""
    best: Shown
    """The original; example of a 5."""


@dataclass(frozen=True)
class Study:
    """The contents of ``manifest.json``."""

    folder: Path
    """Its folder."""
    identity: str
    """Digest of the manifest; every rating carries it."""
    mode: Mode
    """The kind of question."""
    seed: int
    """Seed of each rater's order, together with the code."""
    repeats: int
    """Number of trials that each rater sees a second time."""
    protocol: Mapping[str, Any]
    """The rules by which the pictures were made."""
    pictures: tuple[Shown, ...]
    """All pictures of the test, in the order of their names."""
    calibration: tuple[Calibration, ...]
    """Examples that are shown first; empty for pairs."""

    @cached_property
    def trials(self) -> int:
        """Number of answers per rater."""
        if self.mode == "scores":
            return len(self.pictures) + self.repeats
        counts = Counter(self.scenes.values()).values()
        return sum(count * (count - 1) // 2 for count in counts) + self.repeats

    @cached_property
    def scenes(self) -> dict[str, int]:
        """The scene of each picture of the test, by its name."""
        return {each.name: each.scene for each in self.pictures}

    def file(self, shown: Shown) -> Path:
        """Return the file of a picture."""
        return self.folder / "pictures" / f"{shown.name}.png"

    @property
    def every(self) -> tuple[Shown, ...]:
        """The pictures of the test and those of the calibration."""
        pairs = [(each.worst, each.best) for each in self.calibration]
        return (*self.pictures, *(shown for pair in pairs for shown in pair))

    def check(self) -> None:
        """Raise InputError for a picture that is missing or not the one that was prepared."""
        for shown in self.every:
            path = self.file(shown)
            try:
                digest = hashlib.sha256(path.read_bytes()).hexdigest()
            except OSError as error:
                raise InputError(
                    f"{path}: this picture of the study cannot be read ({error.strerror}); copy "
                    "the study folder again"
                ) from error
            if digest != shown.sha256:
                raise InputError(
                    f"{path}: is not the picture that was prepared (sha256 {digest}, expected "
                    f"{shown.sha256}); copy the study folder again",
                    code="changed",
                )


def to_json(study: Study) -> bytes:
    """Return the manifest of a study."""
    found = asdict(study)
    del found["folder"], found["identity"]
    return (json.dumps({"kind": KIND, "version": VERSION, **found}, indent=1) + "\n").encode()


def identity_of(manifest: bytes) -> str:
    """Return the digest that names the study in ratings and key."""
    return hashlib.sha256(manifest).hexdigest()[:16]


def read_study(folder: Path) -> Study:
    """Read ``manifest.json``. Raises UsageError if it is missing, InputError for a bad one."""
    path = folder / MANIFEST
    if not path.is_file():
        raise UsageError(
            f"{folder}: is not a study; give the folder that upscale rate prepare wrote"
        )
    data, found = read_file(path, KIND)
    try:
        study = Study(
            folder,
            identity_of(data),
            _mode(found["mode"]),
            int(found["seed"]),
            int(found["repeats"]),
            dict(found["protocol"]),
            _shown(found["pictures"]),
            tuple(
                Calibration(*_shown([each["worst"], each["best"]])) for each in found["calibration"]
            ),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise damaged(path) from error
    if any(not name.isalnum() for name in (each.name for each in study.every)):
        raise damaged(path)
    return study


def read_file(path: Path, kind: str) -> tuple[bytes, dict[str, Any]]:
    """Read a file of a study of this ``kind``: its bytes and its contents. Raises InputError."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: the {kind} cannot be read ({error.strerror})") from error
    try:
        found = json.loads(data)
    except ValueError as error:
        raise damaged(path) from error
    if not isinstance(found, dict) or found.get("kind") != kind:
        raise InputError(f"{path}: is not the {kind}")
    if found.get("version") != VERSION:
        raise InputError(f"{path}: was written by a newer upscale; update this one")
    return data, found


def _mode(word: str) -> Mode:
    if word == "scores":
        return "scores"
    if word == "pairs":
        return "pairs"
    raise ValueError(word)


def _shown(values: Sequence[Mapping[str, Any]]) -> tuple[Shown, ...]:
    return tuple(Shown(**value) for value in values)


def damaged(path: Path) -> InputError:
    """Return the error for a file of a study that is not as it was written."""
    return InputError(f"{path}: is damaged; copy it again from where it was prepared")
