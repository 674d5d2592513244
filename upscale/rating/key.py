"""The key of a study: which picture and system each name is. Whoever shows it needs none."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from upscale.errors import InputError
from upscale.rating.study import VERSION, Study, damaged, read_file

__all__ = ["Key", "Origin", "key_beside", "key_to_json", "read_key"]

KIND = "key of a rating study"


@dataclass(frozen=True)
class Origin:
    """The origin of one picture of a study."""

    set: str
    """Name of its set."""
    picture: str
    """Name of the picture in it."""
    system: str
    """Label of the system that made it."""
    model: str
    """The name, file or baseline behind the system."""
    alpha: float | None = None
    """Alpha of the blend; None: the model as it is."""


@dataclass(frozen=True)
class Key:
    """The contents of the key file."""

    study: str
    """The `Study.identity` that it belongs to."""
    origins: Mapping[str, Origin]
    """Origins by the names of the pictures, in the order of sets and systems."""


def key_to_json(key: Key) -> bytes:
    """Return the key file of a study."""
    return (json.dumps({"kind": KIND, "version": VERSION, **asdict(key)}, indent=1)).encode()


def key_beside(folder: Path) -> Path:
    """Return the default place of a study's key."""
    return folder.absolute().with_name(f"{folder.absolute().name}.key.json")


def read_key(path: Path, study: Study) -> Key:
    """Read the key of a study. Raises InputError for a missing, bad or foreign one."""
    _, found = read_file(path, KIND)
    try:
        origins = {name: Origin(**values) for name, values in found["origins"].items()}
        key = Key(str(found["study"]), origins)
    except (AttributeError, KeyError, TypeError) as error:
        raise damaged(path) from error
    if key.study != study.identity:
        raise InputError(
            f"{path}: is not the key of {study.folder}, or the manifest of the study has changed; "
            "give the right key with --key",
            code="changed",
        )
    if missing := [each.name for each in study.pictures if each.name not in origins]:
        raise InputError(f"{path}: does not name the picture {missing[0]}")
    return key
