"""Inputs → jobs: the place of every output is chosen and checked before anything is made."""

import contextlib
import os
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from upscale.batch.planning.folders import Folders, Standing, existing, folded, is_writable
from upscale.batch.planning.job import Job, Policy
from upscale.batch.planning.naming import Naming, originals, told_apart
from upscale.batch.planning.walk import Found, is_picture
from upscale.errors import InputError, OutputError, UsageError
from upscale.pictures.formats import WRITABLE, suffix_of
from upscale.system import unnameable

__all__ = ["Destination", "plan", "prepare_output"]


@dataclass(frozen=True)
class Destination:
    """Where outputs go: a folder, or one file."""

    path: Path
    is_file: bool = False
    """Whether ``path`` is the output itself, and not the folder of outputs."""


def prepare_output(
    output: Path | None, many: bool, found: Iterable[Found] = (), *, make: bool = True
) -> Destination | None:
    """Check, before anything else is done, that outputs can be written, and return where they go.

    ``output``: a file, a folder, or None for the places beside ``found``; then None is returned.
    ``many``: it must be a folder, since there are several inputs, or folders. With one input, a
    name with a suffix is a file unless it is an existing folder. ``make``: make a missing folder
    (False for a dry run).

    Raises OutputError if nothing can be made or written there, and UsageError for a file if a
    folder is needed, a format that cannot be written, or a name that the system does not take.
    """
    if output is None:
        folders = {each.path.parent for each in found if each.problem is None}
        if folders and not any(map(is_writable, folders)):
            raise _unwritable(min(folders))
        return None
    is_file = not many and not os.path.isdir(output) and output.suffix != ""
    if many and not os.path.isdir(output) and (os.path.exists(output) or is_picture(output)):
        raise UsageError(f"{output}: is a file's name; name a folder for several pictures with -o")
    if is_file and suffix_of(output) not in WRITABLE:
        raise UsageError(
            f"{output}: {output.suffix} cannot be written; write one of {', '.join(WRITABLE)}, or "
            "name a folder"
        )
    for part in output.parts[1 if output.anchor else 0 :]:
        if part != ".." and (why := unnameable(part)):
            raise UsageError(f"{output}: {part!r} cannot be a name: {why}; choose another with -o")
    folder = output.parent if is_file else output
    if make:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(
                f"{folder}: cannot be made ({error.strerror}); choose another folder with -o"
            ) from error
    else:
        folder = existing(folder)
    if not os.path.isdir(folder) or not is_writable(folder):
        raise _unwritable(folder)
    return Destination(output, is_file)


def plan(
    found: Iterable[Found],
    destination: Destination | None,
    naming: Naming,
    *,
    strict: bool = True,
    on_collision: Policy = "fail",
) -> list[Job]:
    """Choose the place of every output, and find collisions, before anything is made.

    ``destination``: from `prepare_output`; None: beside each input. Folders below it are named, not
    made. ``naming``: how outputs are named. ``on_collision``: what is done with all but the first
    of several inputs that would get the same output; names are compared without case and Unicode's
    composition, as some file systems do.

    Outputs of an earlier run are left out: those that `originals` knows, and every input that is
    itself the output of another job. A place that leaves the destination, or that no file can take,
    is a problem of its job.

    Raises UsageError for an output that would replace its input, and for jobs that still share an
    output; that error names all of them. Without ``strict`` (in a watch) these are problems of
    their jobs.
    """
    folders = Folders(None if destination is None or destination.is_file else destination.path)
    jobs = [_job(each, naming, destination, folders) for each in originals(found, naming)]
    if on_collision != "fail":
        jobs = _apart(jobs, folders, naming, on_collision)
    made = {folders.place(job.output) for job in jobs if job.problem is None}
    jobs = [
        job
        for job in jobs
        if (place := folders.place(job.input)) not in made or place == folders.place(job.output)
    ]
    replaced = {job.input: error for job in jobs if (error := _replaced(job)) is not None}
    shared = [same for same in _alike(jobs, folders) if len(same) > 1]
    if strict:
        for error in replaced.values():
            raise error
        if shared:
            raise _clash(shared)
    clashes = {job.input: _clash([same]) for same in shared for job in same}
    return [
        replace(job, problem=job.problem or replaced.get(job.input) or clashes.get(job.input))
        for job in jobs
    ]


def _alike(jobs: list[Job], folders: Folders) -> list[list[Job]]:
    """Return the jobs that have no problem yet, grouped by their output."""
    alike: defaultdict[tuple[Standing, str], list[Job]] = defaultdict(list)
    for job in jobs:
        if job.problem is None:
            alike[folders.standing(job.output.parent), folded(job.output.name)].append(job)
    return list(alike.values())


def _apart(jobs: list[Job], folders: Folders, naming: Naming, policy: Policy) -> list[Job]:
    """Return the jobs, all but the first of those with one output renamed or skipped."""
    later = {job.input: same[0] for same in _alike(jobs, folders) for job in same[1:]}
    found = []
    for job in jobs:
        first = later.get(job.input)
        if first is None or job.input == first.input:
            found.append(job)
        elif policy == "skip":
            sentence = f"{job.input}: skipped; {first.input} becomes {job.output}"
            found.append(replace(job, problem=InputError(sentence, code="usage"), skip=True))
        else:
            output = job.output.with_name(naming.name(told_apart(job.input)))
            found.append(replace(job, output=output, beside=first.input))
    return found


def _job(found: Found, naming: Naming, destination: Destination | None, folders: Folders) -> Job:
    name = naming.name(found.path)
    leaves = found.leaves
    if destination is None:
        output = found.path.with_name(name)
    elif destination.is_file:
        output = destination.path
    else:
        output = destination.path / (Path() if leaves else found.relative.parent) / name
    problem = found.problem
    if folders.root is not None and leaves:
        problem = InputError(
            f"{found.path}: lies outside the current folder, so its output would leave "
            f"{folders.root}; list it by a path below the current folder, or leave out -o",
            code="outside-output",
        )
    if problem is None and (obstacle := folders.obstacle(output.parent)) is not None:
        kind, sentence, code = obstacle
        problem = kind(f"{found.path}: {sentence}; choose another folder with -o", code=code)
    if problem is None and (why := unnameable(output.name)):
        problem = OutputError(
            f"{found.path}: cannot become {output.name}: {why}; choose another --name"
        )
    if problem is None and os.path.isdir(output):
        problem = OutputError(
            f"{found.path}: its output {output} is a folder; rename the folder, or choose another "
            "--name or -o",
            code="output-exists",
        )
    skip = found.skip and problem is found.problem
    return Job(found.path, output, found.size, problem, skip)


def _replaced(job: Job) -> UsageError | None:
    """Return the error for an output that would replace its own input."""
    with contextlib.suppress(OSError):
        if job.problem is None and job.output.samefile(job.input):
            return UsageError(f"{job.input}: would be written over itself; choose another -o")
    return None


def _clash(shared: list[list[Job]]) -> UsageError:
    """Return the error that names all jobs with one output."""
    told = []
    for same in shared:
        inputs = " and ".join(str(job.input) for job in same)
        outputs = " or ".join(dict.fromkeys(str(job.output) for job in same))
        told.append(f"{inputs} would {'both' if len(same) == 2 else 'all'} become {outputs}")
    return UsageError(
        "; ".join(told)
        + "; use --on-collision rename or skip, {ext} in --name, or different folders"
    )


def _unwritable(folder: Path) -> OutputError:
    return OutputError(f"{folder}: cannot be written to; choose another folder with -o")
