"""Matches the pictures of another program to those of a set.

The name of a result begins with that of its picture. In a picture's name, an ending ``_HR`` or
``_GT`` and the marks of the scale, ``_SRF_4``, ``_x4`` or ``x4``, do not count. The rest of the
result's name begins with a mark (``_``, ``-``, ``.``, a space or a bracket) or with ``x4``. Case
does not matter. So ``img_001_SRF_4_HR.png`` has the result ``img_001_SRF_4_SR.png``, and
``baby.png`` has ``baby.png``, ``babyx4.png``, ``baby_RCAN_x4.png`` or ``baby_out.png``; for the
pictures ``baby`` and ``baby_2``, the longer name wins. A file that ends in ``_HR``, ``_GT`` or
``_LR`` is not a result. If several files fit one picture, as in a folder with the results of
several programs, those with the name of ``--results`` in the rest count.
"""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from upscale.bench.sets.picture_sets import Pair, PictureSet, folders_called, pictures_in, read_hr
from upscale.errors import InputError, UsageError
from upscale.networks.pipeline import LUMA
from upscale.pictures.reading.reader import read_header
from upscale.pixels.baselines import Levels

__all__ = ["core_of", "find_results", "read_result"]

MARKS = r"_\-. (\["
TRUTH = re.compile(rf"[{MARKS}](hr|gt|lr)$")
SHOWN = 3
"""Number of pictures that a message names; it counts the others."""


def core_of(stem: str, scale: int) -> str:
    """Return a picture's name in small letters, without endings such as ``_HR`` and ``x4``."""
    core = stem.casefold()
    endings = re.compile(rf"([{MARKS}](hr|gt)|[{MARKS}]srf[{MARKS}]?{scale}|[{MARKS}]?x{scale})$")
    while found := endings.search(core):
        if not found.start():
            break
        core = core[: found.start()]
    return core


def find_results(name: str, folder: Path, pictures: PictureSet, scale: int) -> dict[str, Path]:
    """Return the file of each picture, by the names of ``pictures.pairs``.

    The files lie in ``folder``, or in a folder in it with the set's name. Raises UsageError if
    ``folder`` is not a folder, InputError (``no-result``, ``two-results``, ``odd-size``) if a
    picture has no result, more than one, or one of another size.
    """
    if not folder.is_dir():
        raise UsageError(f"--results {name}={folder}: is not a folder; give NAME=DIR")
    place = pictures.folder.resolve()
    place = place.parent if place.name.casefold() == "hr" else place
    called = (Path(pictures.name).name, place.name)
    inner = [each for word in called for each in folders_called(folder, word)]
    folder = next((each for each in inner if pictures_in(each)), folder)
    fitting = _fitting(pictures_in(folder), [pair.name for pair in pictures.pairs], scale)
    chosen = {picture: _named(name, files, scale) for picture, files in fitting.items()}
    two = {picture: files for picture, files in chosen.items() if len(files) > 1}
    if two:
        told = "; ".join(
            f"{picture}: {', '.join(file.name for file in files)}"
            for picture, files in list(two.items())[:SHOWN]
        )
        raise InputError(
            f"{folder}: several files fit {_count(len(two))} ({told}); keep one file for each, or "
            "give --results a name that their file names contain, such as --results "
            f"SRCNN={folder}",
            code="two-results",
        )
    missing = [picture for picture, files in chosen.items() if not files]
    if missing:
        more = f" and {len(missing) - SHOWN} more" if len(missing) > SHOWN else ""
        raise InputError(
            f"{folder}: holds no result of {', '.join(missing[:SHOWN])}{more} of {pictures.name}; "
            f"a result begins with the picture's name, as in {missing[0]}.png or "
            f"{missing[0]}_x{scale}.png. Add what is missing, or rename it",
            code="no-result",
        )
    found = {picture: files[0] for picture, files in chosen.items()}
    for pair in pictures.pairs:
        _check_size(found[pair.name], pair, scale)
    return found


def _fitting(
    files: Sequence[Path], pictures: Sequence[str], scale: int
) -> dict[str, dict[Path, str]]:
    """Return the results of each picture, each with the rest of its name."""
    cores = {picture: core_of(picture, scale) for picture in pictures}
    found: dict[str, dict[Path, str]] = {picture: {} for picture in pictures}
    for file in files:
        stem = file.stem.casefold()
        begins = [
            (len(core), picture)
            for picture, core in cores.items()
            if stem.startswith(core) and _follows(stem[len(core) :], scale)
        ]
        if not begins or TRUTH.search(stem):
            continue
        longest = max(begins)[0]
        for length, picture in begins:
            if length == longest:
                found[picture][file] = stem[length:]
    return found


def _follows(rest: str, scale: int) -> bool:
    return not rest or re.match(rf"[{MARKS}]|x{scale}(?![0-9])", rest) is not None


def _named(name: str, files: dict[Path, str], scale: int) -> list[Path]:
    """Return all files, or if there are several, those with ``name`` in the rest."""
    word = name.casefold()
    rests = {file: re.sub(rf"x{scale}(?![0-9])", "", rest) for file, rest in files.items()}
    whole = [file for file, rest in rests.items() if word in re.split(f"[{MARKS})\\]]", rest)]
    same = whole or [file for file, rest in rests.items() if word in rest]
    return same if len(files) > 1 and same else list(files)


def _count(pictures: int) -> str:
    return "one picture" if pictures == 1 else f"{pictures} pictures"


def _check_size(file: Path, pair: Pair, scale: int) -> None:
    """Raise InputError if a result has neither the size of HR nor that of cropped HR."""
    truth, made = read_header(pair.hr), read_header(file)
    whole = truth.width, truth.height
    cut = tuple(length - length % scale for length in whole)
    if (made.width, made.height) not in (whole, cut):
        raise InputError(
            f"{file}: has {made.width} × {made.height} pixels, but {pair.hr.name} needs {cut[0]} "
            f"× {cut[1]}; enlarge {cut[0] // scale} × {cut[1] // scale} pixels by {scale}, and do "
            "not crop the edges",
            code="odd-size",
        )


def read_result(file: Path, shape: tuple[int, ...]) -> Levels:
    """Decode a result to ``shape`` (H, W, C) of its HR, cropped to that size.

    If HR is gray, a colour result becomes its luma, as our own results do; if HR has colour, a gray
    result is Y alone. Raises InputError as `read_hr` does.
    """
    pixels = read_hr(file)[: shape[0], : shape[1]]
    if pixels.shape[:2] != shape[:2]:
        raise InputError(
            f"{file}: has changed during the measurement; run the command again", code="odd-size"
        )
    if shape[2] == 1 and pixels.shape[2] == 3:
        gray = np.floor(pixels @ np.array(LUMA) + 0.5)
        return np.asarray(gray[..., None], np.uint8)
    return np.ascontiguousarray(pixels)
