"""Fetches a picture, unless its output is up to date."""

from collections.abc import Mapping
from dataclasses import replace

from upscale.batch.resume import already_there, keys_of
from upscale.batch.work import Result
from upscale.errors import InputError, OutputError, UpscaleError
from upscale.fleet.carrying.cargo import Cargo
from upscale.fleet.carrying.depot import Depot
from upscale.fleet.carrying.marks import Marks, source_of
from upscale.models.choice import Choice
from upscale.stores.store import store_of
from upscale.stores.vendor import Entry

__all__ = ["arrive"]


def arrive(
    cargo: Cargo, depot: Depot, settings: Mapping[str, str], overwrite: bool
) -> Cargo | Result:
    """Return ``cargo`` with its input fetched, or its result if that is already known.

    The output's metadata decide first, for one request. If they name another origin, the picture is
    read, since its content may be the same under another tag. Without metadata the output is
    fetched, too, and a batch reads its key. ``settings``: digests by model.
    """
    try:
        found = _arrive(cargo, depot, settings, overwrite)
    except UpscaleError as error:
        found = Result(cargo, "failed", error=cargo.tell(error))
    if isinstance(found, Result):
        depot.drop(cargo)
    return found


def _arrive(
    cargo: Cargo, depot: Depot, settings: Mapping[str, str], overwrite: bool
) -> Cargo | Result:
    there = _there(cargo) if cargo.departs else None
    if cargo.arrives and not (cargo.etag and cargo.size):
        cargo = _described(cargo)
    made = Marks() if there is None else Marks.of(there.metadata)
    models = {digest: name for name, digest in settings.items()}
    known = made.settings in models
    if known and made.source and made.source == source_of(cargo.etag, cargo.size):
        return Result(cargo, "skipped", choice=Choice(models[made.settings]))
    if made.key and made.settings and not (known or overwrite):
        raise already_there(cargo.task.output)
    unknown = there is not None and not made.key
    if cargo.arrives:
        depot.reserve(cargo, cargo.size + (there.size if there is not None and unknown else 0))
        store_of(cargo.task.input).fetch(cargo.task.input, cargo.input, cargo.etag)
    if made.key:
        for model, key in keys_of(cargo.input, settings).items():
            if made.key == key:
                return Result(cargo, "skipped", choice=Choice(model))
        if not overwrite:
            raise already_there(cargo.task.output)
    elif there is not None:
        store_of(there.url).fetch(there.url, cargo.output, there.etag)
    return cargo


def _there(cargo: Cargo) -> Entry | None:
    """Return the existing object at the output's place."""
    url = cargo.task.output
    try:
        return store_of(url).head(url)
    except InputError as error:
        raise OutputError(str(error), code=error.code) from error


def _described(cargo: Cargo) -> Cargo:
    """Ask the store for facts on the input that the task lacks."""
    url = cargo.task.input
    entry = store_of(url).head(url)
    if entry is None:
        raise InputError(f"{url}: this object does not exist; check the spelling, capitals count")
    return replace(cargo, size=entry.size, etag=entry.etag)
