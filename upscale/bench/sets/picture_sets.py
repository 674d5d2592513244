"""A folder of HR pictures, with or without LR ones."""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from upscale.batch.planning.walk import is_picture, natural
from upscale.errors import InputError, UsageError
from upscale.files import unreadable
from upscale.pictures.reading.reader import read

__all__ = [
    "Notify",
    "Pair",
    "PictureSet",
    "folders_called",
    "pictures_in",
    "pixel_digest",
    "read_folder",
    "read_hr",
    "told_apart",
]

Notify = Callable[[str], None]


@dataclass(frozen=True)
class Pair:
    """A picture: its HR file, and its LR file if the set has one."""

    name: str
    """Name of the HR file without its suffix."""
    hr: Path
    """The file to measure against."""
    lr: Path | None = None
    """The file to enlarge; None to make it from HR."""


@dataclass(frozen=True)
class PictureSet:
    """Pictures to measure with, in natural order."""

    name: str
    """Its name in tables."""
    folder: Path
    """Folder of the HR files."""
    pairs: tuple[Pair, ...]
    """The pictures, in natural order."""
    lr_folder: Path | None = None
    """Folder of the LR files, one for each HR file."""


def read_folder(folder: Path, scale: int, notify: Notify, parts: Iterable[str] = ()) -> PictureSet:
    """Pair the pictures of ``folder``, or of HR/ in it, with the LR files for ``scale``.

    ``parts``: further folders in it with pictures, if they exist.
    """
    hr_folder = next(iter(folders_called(folder, "HR")), folder)
    own = hr_folder.resolve()
    name = own.parent.name if own.name.casefold() == "hr" else own.name
    pictures: dict[str, Path] = {}
    places = [hr_folder, *(hr_folder / part for part in parts if (hr_folder / part).is_dir())]
    for path in (path for place in places for path in pictures_in(place)):
        if path.stem in pictures:
            raise InputError(
                f"{path}: has the same name as {pictures[path.stem].name}; keep one of the two"
            )
        pictures[path.stem] = path
    pairs = tuple(Pair(stem, path) for stem, path in pictures.items())
    lr_folder = _lr_folder(hr_folder, scale)
    if lr_folder is None:
        return PictureSet(name, hr_folder, pairs)
    lr = {path.stem: path for path in pictures_in(lr_folder)}
    paired = []
    for pair in pairs:
        stems = (pair.name, f"{pair.name}x{scale}", f"{pair.name}_x{scale}")
        fitting = [lr[stem] for stem in stems if stem in lr]
        if not fitting:
            notify(f"{lr_folder}: is not used, because it holds no LR picture of {pair.hr.name}")
            return PictureSet(name, hr_folder, pairs)
        paired.append(replace(pair, lr=fitting[0]))
    return PictureSet(name, hr_folder, tuple(paired), lr_folder)


def told_apart(found: Iterable[PictureSet]) -> list[PictureSet]:
    """Add the parent folder's name to sets of one name. Raises UsageError."""
    sets = list(found)
    names = [each.name for each in sets]
    for index, each in enumerate(sets):
        if names.count(each.name) > 1:
            around = each.folder.resolve()
            around = around.parent if around.name.casefold() == "hr" else around
            sets[index] = replace(each, name=f"{around.parent.name}/{each.name}")
    if len({each.name for each in sets}) < len(sets):
        raise UsageError("a set is given twice; give each set once")
    return sets


def _lr_folder(hr_folder: Path, scale: int) -> Path | None:
    """Return the folder of the LR files of ``hr_folder``, None if there are none for ``scale``.

    Beside HR/: LRbicx4, LR_bicubic/X4, LR/x4, LR; beside DIV2K_valid_HR:
    DIV2K_valid_LR_bicubic/X4; in a folder without HR in its name: the same as beside HR/.
    """
    name = hr_folder.resolve().name.casefold()
    beside = name.endswith("hr")
    root, prefix = (hr_folder.resolve().parent, name[:-2]) if beside else (hr_folder, "")
    found = {}
    for child in _children(root):
        form = child.name.casefold()
        if form.startswith(f"{prefix}lr") and child.is_dir():
            form = form.removeprefix(prefix).replace("_", "").replace("-", "")
            found[form] = child
            found |= {f"{form}/{each.name.casefold()}": each for each in _children(child)}
    stems = ("lrbic", "lrbicubic", "lr")
    forms = [f"{stem}{by}x{scale}" for by in ("", "/") for stem in stems] + ["lr"]
    folders = [found[form] for form in forms if form in found and found[form].is_dir()]
    return next((folder for folder in folders if pictures_in(folder)), None)


def folders_called(folder: Path, name: str) -> list[Path]:
    """Return the folders in ``folder`` called ``name`` in any case, the exact one first."""
    same = [child for child in _children(folder) if child.name.casefold() == name.casefold()]
    return sorted((child for child in same if child.is_dir()), key=lambda each: each.name != name)


def _children(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir(), key=natural)
    except OSError as error:
        raise InputError(unreadable(folder, error)) from error


def pictures_in(folder: Path) -> list[Path]:
    """Return the pictures directly in a folder, in natural order."""
    return [path for path in _children(folder) if is_picture(path) and path.is_file()]


def pixel_digest(paths: Iterable[Path]) -> str:
    """Return a digest of pictures, independent of their names, order and format.

    A picture's digest is the sha256 of ``HEIGHT WIDTH CHANNELS``, a line feed and its samples, row
    by row, as `read_hr` gives them. The set's is the sha256 of those, as sorted hexadecimal digits
    with a line feed after each.
    """
    digests = []
    for path in paths:
        pixels = read_hr(path)
        head = " ".join(map(str, pixels.shape)) + "\n"
        digests.append(hashlib.sha256(head.encode() + pixels.tobytes()).hexdigest() + "\n")
    return hashlib.sha256("".join(sorted(digests)).encode()).hexdigest()


def read_hr(path: Path) -> npt.NDArray[np.uint8]:
    """Decode a picture to measure against: (H, W, C), uint8, C = 1 gray or 3 RGB.

    Full opacity is dropped. Raises InputError as `upscale.pictures.reading.reader.read` does, and
    for transparent pixels, 16-bit samples and several frames, for which figures have no meaning.
    """
    image = read(path)
    if image.frames > 1:
        raise InputError(f"{path}: has {image.frames} frames; a benchmark needs single pictures")
    pixels = np.asarray(image.pixels[:])
    if pixels.dtype != np.uint8:
        raise InputError(
            f"{path}: has 16 bits per sample; benchmarks are defined for 8, so convert it first"
        )
    if pixels.shape[2] in (2, 4):
        if (pixels[..., -1] != 255).any():
            raise InputError(f"{path}: has transparent pixels; flatten it first")
        pixels = pixels[..., :-1]
    return np.ascontiguousarray(pixels)
