"""Prepares a study: every result under a random name, and the key beside it."""

import hashlib
import random
import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from upscale import __version__
from upscale.bench.contenders import Contender, System, Task
from upscale.bench.gallery import write_picture
from upscale.bench.measure import pair_of
from upscale.bench.sets.picture_sets import Pair, PictureSet, pixel_digest
from upscale.errors import OutputError, UsageError
from upscale.files import make_ready, part_beside, publish, sweep_folders_of, unwritable, whole
from upscale.metrics.protocol import Protocol
from upscale.pixels.baselines import BASELINES, Levels
from upscale.rating.key import Key, Origin, key_to_json
from upscale.rating.study import Calibration, Mode, Shown, Study, identity_of, to_json

__all__ = ["ORIGINAL", "Maker", "Plan", "RatedSet", "check_target", "prepare"]

ORIGINAL = "HR"
"""Name of the original pictures in tables."""

CALIBRATIONS = 20
"""Most pictures from which raters learn the scale (Ledig et al. 2017, section 3.4)."""

REPEATED = 0.1
"""Default share of repeated trials."""

Maker = Callable[[], Contender]
"""Makes a contender on demand, so that one model at a time is in memory."""


@dataclass(frozen=True)
class RatedSet:
    """A set of pictures to rate."""

    pictures: PictureSet
    """The originals."""
    protocol: Protocol
    """The rules for making LR from them."""
    makers: Sequence[Maker]
    """The contenders."""


@dataclass(frozen=True)
class Plan:
    """The plan of a study."""

    sets: Sequence[RatedSet]
    """The sets to rate."""
    mode: Mode
    """The kind of question."""
    calibration: tuple[PictureSet, Protocol] | None = None
    """Pictures from outside the sets; None for pairs."""
    original: bool = True
    """Whether the HR pictures are shown, too."""
    repeats: int | None = None
    """Number of trials that each rater sees twice; None: a tenth."""
    seed: int | None = None
    """Seed of the raters' orders; None: random."""


def check_target(folder: Path, key: Path) -> None:
    """Raise OutputError if a study or its key already exists."""
    for path in (folder, key):
        if path.exists():
            raise OutputError(
                f"{path}: already exists, and answers may belong to it; give another place",
                code="output-exists",
            )
    if key.absolute().is_relative_to(folder.absolute()):
        raise UsageError(
            f"--key {key}: is inside the study, where raters could see it; give a place outside"
        )


def prepare(
    plan: Plan,
    folder: Path,
    key: Path,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Study:
    """Make every picture of a study, and write the study to ``folder`` and its key to ``key``.

    ``progress``: pictures made, and in all. Raises UsageError for a study that cannot be shown
    (fewer than two pictures or systems, a system twice), InputError for a picture that cannot be
    read, OutputError. If it fails, it leaves nothing behind.
    """
    check_target(folder, key)
    if sum(len(rated.pictures.pairs) for rated in plan.sets) < 2:
        raise UsageError(
            "a study needs at least two pictures, so that none is shown twice in succession"
        )
    others = _outside(plan)
    make_ready(folder.absolute().parent)
    sweep_folders_of(folder.absolute())
    part = part_beside(folder)
    try:
        part.mkdir()
        made = list(_versions(plan, part, progress))
        rules = plan.calibration[1] if plan.calibration else Protocol()
        calibration = tuple(_calibration(part, others, rules))
        study = _study(plan, folder, made, calibration)
        (part / "manifest.json").write_bytes(to_json(study))
        study = replace(study, identity=identity_of(to_json(study)))
        with whole(key) as file:
            origins = {shown.name: origin for shown, origin in made}
            file.write_bytes(key_to_json(Key(study.identity, origins)))
        publish(part, folder)
    except OSError as error:
        raise unwritable(folder, error) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
        if not folder.exists():
            key.unlink(missing_ok=True)
    return study


def _study(
    plan: Plan,
    folder: Path,
    made: Sequence[tuple[Shown, Origin]],
    calibration: tuple[Calibration, ...],
) -> Study:
    seed = secrets.randbelow(2**31) if plan.seed is None else plan.seed
    protocol = {
        "program": f"upscale {__version__}",
        "sets": [
            {
                "pictures": len(rated.pictures.pairs),
                "scale": rated.protocol.scale,
                "degradation": rated.protocol.degradation,
                "precision": rated.protocol.precision,
            }
            for rated in plan.sets
        ],
    }
    shown = sorted((shown for shown, _ in made), key=lambda each: each.name)
    study = Study(folder, "", plan.mode, seed, 0, protocol, tuple(shown), calibration)
    most = study.trials
    if plan.repeats is not None and plan.repeats > most:
        raise UsageError(
            f"--repeats {plan.repeats}: only {most} trials can be repeated; give at most {most}"
        )
    repeats = -(-most // int(1 / REPEATED)) if plan.repeats is None else plan.repeats
    return replace(study, repeats=repeats)


def _versions(
    plan: Plan, part: Path, progress: Callable[[int, int], None]
) -> Iterator[tuple[Shown, Origin]]:
    """Yield every picture of the test from every system as soon as it is made."""
    count = sum(len(rated.pictures.pairs) for rated in plan.sets)
    scenes = iter(random.SystemRandom().sample(range(count), count))
    total = sum(len(t.pictures.pairs) * (len(t.makers) + plan.original) for t in plan.sets)
    done = 0
    for rated in plan.sets:
        labels: list[str] = []
        numbers = [next(scenes) for _ in rated.pictures.pairs]
        for make in (*rated.makers, *([_original] if plan.original else [])):
            contender = make()
            labels += [system.label for system in contender.systems]
            if len(set(labels)) < len(labels):
                raise UsageError(f"the system {labels[-1]} is given twice")
            for scene, pair in zip(numbers, rated.pictures.pairs, strict=True):
                hr, lr = pair_of(pair, rated.protocol)
                made = contender.enlarge(Task(pair.name, lr, hr))
                for system, sr in zip(contender.systems, made, strict=True):
                    name = rated.pictures.name
                    origin = Origin(name, pair.name, system.label, system.model, system.alpha)
                    yield _keep(part, sr, scene), origin
                done += 1
                progress(done, total)
        if len(labels) < 2:
            raise UsageError("a study needs at least two systems")


def _original() -> Contender:
    """Return HR as a contender."""
    return Contender(
        (System(ORIGINAL, "hr", timed=False),), lambda task: iter([task.hr]), torch.device("cpu")
    )


def _outside(plan: Plan) -> list[Pair]:
    """Return the calibration pictures that are not in the test, by pixels and names.

    Raises UsageError if none is left.
    """
    if plan.mode == "pairs":
        return []
    every = [pair for rated in plan.sets for pair in rated.pictures.pairs]
    names = {pair.name.casefold() for pair in every}
    digests = {pixel_digest([pair.hr]) for pair in every}
    found: list[Pair] = []
    for pair in plan.calibration[0].pairs if plan.calibration else ():
        apart = pair.name.casefold() not in names and pixel_digest([pair.hr]) not in digests
        if apart and len(found) < CALIBRATIONS:
            found.append(pair)
    if not found:
        raise UsageError(
            "--calibration: all its pictures are in the test, by their pixels or names; raters "
            "need other pictures to learn the scale, so give another set or folder"
        )
    return found


def _calibration(part: Path, pairs: Sequence[Pair], protocol: Protocol) -> Iterator[Calibration]:
    """Yield the calibration pictures."""
    for number, pair in enumerate(pairs):
        hr, lr = pair_of(pair, protocol)
        worst = BASELINES["nearest"](lr, protocol.scale)
        yield Calibration(_keep(part, worst, number), _keep(part, hr, number))


def _keep(part: Path, pixels: Levels, scene: int) -> Shown:
    """Write a picture under a random name."""
    name = secrets.token_hex(8)
    path = part / "pictures" / f"{name}.png"
    write_picture(path, pixels)
    height, width = pixels.shape[:2]
    return Shown(name, scene, width, height, hashlib.sha256(path.read_bytes()).hexdigest())
