"""Checks one output: what would a run do with it, and can it be decoded?"""

import contextlib
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from upscale.batch.codec import Codec
from upscale.batch.order import Method, Order
from upscale.batch.worker import Look, Probe, Skipped
from upscale.errors import InputError, UpscaleError
from upscale.files import part_beside
from upscale.fleet.auditing.finding import Finding, Good
from upscale.fleet.carrying.arrival import arrive
from upscale.fleet.carrying.cargo import Cargo
from upscale.fleet.carrying.depot import Depot
from upscale.fleet.carrying.marks import Marks
from upscale.fleet.task import Task
from upscale.pixels.image import Header
from upscale.stores.store import store_of

__all__ = ["Inspection"]

OF_ONE = ("no-such-object", "object-changed", InputError.code)
"""Codes of errors that concern one input only; any other error of a store ends an audit."""


class Inspection:
    """Checks outputs. Any thread may use it; `close` ends its processes and removes its files."""

    def __init__(self, methods: Mapping[str, Method], order: Order, processes: int) -> None:
        """Start ``processes`` for decoding. Any of ``methods`` may have made an output."""
        self._methods, self._order = methods, order
        self._settings = {name: method.settings for name, method in methods.items()}
        self._depot = Depot()
        _ = self._depot.folder  # threads would make it twice
        self._codecs = [Codec() for _ in range(processes)]
        self._idle: SimpleQueue[Codec] = SimpleQueue()
        for codec in self._codecs:
            self._idle.put(codec)

    def close(self, at_once: bool = False) -> None:
        """End the processes; with ``at_once`` even during their work."""
        for codec in self._codecs:
            if at_once:
                codec.kill()
            codec.close()
        self._depot.close()

    def standing(self, task: Task) -> Finding | Good:
        """Return what a run would do with the output: make it, skip it, or refuse to replace it.

        Raises UpscaleError for a store that does not answer.
        """
        cargo = self._depot.cargo(task)
        try:
            if cargo.arrives or cargo.departs:
                found = arrive(cargo, self._depot, self._settings, overwrite=False)
                if not isinstance(found, Cargo):
                    if found.choice is not None:
                        return Good(task, found.choice.model)
                    assert found.error is not None
                    raise found.error
                cargo = found
            with self._codec() as codec:
                answer = self._probe(codec, cargo)
        except UpscaleError as error:
            if error.code == "output-exists":
                return Finding("stale", task.output, task.input, self._difference(cargo))
            if isinstance(error, InputError) and error.code in OF_ONE:
                return Finding("stale", task.output, task.input, str(error))
            raise
        finally:
            self._depot.drop(cargo)
        if isinstance(answer, Skipped):
            return Good(task, answer.model)
        return Finding("missing", task.output, task.input)

    def _probe(self, codec: Codec, cargo: Cargo) -> Any:
        question = Probe(
            *(cargo.input, cargo.output, self._settings, None),
            overwrite=False,
            max_pixels=sys.maxsize,
            to_srgb=False,
            lenient=False,
            scratch=self._scratch(cargo),
        )
        return codec.call(question, cargo.input)

    def _difference(self, cargo: Cargo) -> str:
        """Describe how an output differs from the requested one."""
        entry = store_of(cargo.task.output).head(cargo.task.output) if cargo.departs else None
        made = Marks() if entry is None else Marks.of(entry.metadata)
        if not made.settings:
            return "of another input, or of other options"
        known = made.settings in self._settings.values()
        return "of another input" if known else "of other options"

    def decode(self, good: Good) -> Finding | Good:
        """Decode an output to its end, and compare its size with that of its input.

        An object is fetched first; its content has to match its metadata. Raises UpscaleError if a
        store does not answer.
        """
        cargo = self._depot.cargo(good.task)
        try:
            with self._codec() as codec:
                if cargo.arrives or cargo.departs:
                    self._fetch(cargo)
                    if not isinstance(self._probe(codec, cargo), Skipped):
                        return self._damaged(good, "its content does not match its metadata")
                reason = self._fault(codec, cargo, self._methods[good.model].scale)
        except UpscaleError as error:
            if cargo.departs and error.code.startswith(("store-", "no-such-bucket")):
                raise
            reason = cargo.told(str(error)).removeprefix(f"{good.task.output}: ")
        finally:
            self._depot.drop(cargo)
        return self._damaged(good, reason) if reason else good

    def _damaged(self, good: Good, reason: str) -> Finding:
        return Finding("damaged", good.task.output, good.task.input, reason)

    def _fetch(self, cargo: Cargo) -> None:
        task = cargo.task
        if cargo.arrives:
            store_of(task.input).fetch(task.input, cargo.input, cargo.etag)
        if cargo.departs:
            store_of(task.output).fetch(task.output, cargo.output)

    def _fault(self, codec: Codec, cargo: Cargo, scale: int) -> str:
        """Return what is wrong with a local output; empty if nothing is."""

        def header(path: Path, to_the_end: bool = False) -> Header:
            look = Look(path, sys.maxsize, self._scratch(cargo), to_the_end)
            found: Header = codec.call(look, path)
            return found

        made, source = header(cargo.output), header(cargo.input)
        sizes = self._order.target.sizes(source.width, source.height, scale)
        if (made.width, made.height) != (sizes.width, sizes.height):
            has, wanted = f"{made.width} × {made.height}", f"{sizes.width} × {sizes.height}"
            return f"{has} pixels in place of {wanted}"
        header(cargo.output, to_the_end=True)
        return ""

    def _scratch(self, cargo: Cargo) -> Path:
        return part_beside(self._depot.folder / f"{cargo.number}")

    @contextlib.contextmanager
    def _codec(self) -> Iterator[Codec]:
        codec = self._idle.get()
        try:
            yield codec
        finally:
            self._idle.put(codec)
