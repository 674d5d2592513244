"""Stores a result."""

from collections.abc import Mapping
from dataclasses import replace

from upscale.batch.resume import already_there
from upscale.batch.work import Result
from upscale.errors import OutputError, UpscaleError
from upscale.fleet.carrying.cargo import Cargo
from upscale.fleet.carrying.depot import Depot
from upscale.fleet.carrying.marks import Marks, source_of
from upscale.stores.store import Store, store_of

__all__ = ["concerns_all", "depart"]

FOR_ALL = ("store-denied", "store-credentials", "no-such-bucket")


def depart(
    result: Result, cargo: Cargo, depot: Depot, settings: Mapping[str, str], overwrite: bool
) -> Result:
    """Write a result to its store; return what happened.

    The object appears complete or not at all. If several workers make the same picture, one writes
    it and the others return ``skipped``; with ``overwrite`` the last one stays.
    """
    url = cargo.task.output
    model = "" if result.choice is None else result.choice.model
    marks = Marks(result.key, source_of(cargo.etag, cargo.size), settings.get(model, ""))
    try:
        store = store_of(url)
        if overwrite:
            store.replace(url, cargo.output, marks.metadata)
        elif not store.create(url, cargo.output, marks.metadata):
            if _key_of(store, cargo) != result.key:
                raise already_there(url)
            return replace(result, status="skipped")
    except UpscaleError as error:
        return Result(cargo, "failed", result.seconds, cargo.tell(error), choice=result.choice)
    except OSError as error:
        gone = OutputError(
            f"{url}: cannot be stored, since its temporary file is gone ({error.strerror}); "
            "run again",
            code="spool",
        )
        return Result(cargo, "failed", result.seconds, gone, choice=result.choice)
    finally:
        depot.drop(cargo)
    return result


def _key_of(store: Store, cargo: Cargo) -> str | None:
    """Return the key of the object that was there first."""
    from upscale.pictures.writing.key import read_key

    url = cargo.task.output
    found = store.head(url)
    if found is None:
        return None
    if key := Marks.of(found.metadata).key:
        return key
    store.fetch(url, cargo.output, found.etag)  # the result is no longer needed
    return read_key(cargo.output)


def concerns_all(error: UpscaleError | None) -> bool:
    """Return whether every other picture of a run would meet this error."""
    if isinstance(error, OutputError):
        return error.code in (OutputError.code, *FOR_ALL)
    return error is not None and error.code == "store-credentials"
