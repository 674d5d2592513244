"""Finds inputs and names outputs at addresses on demand."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from upscale.batch.planning.naming import Naming, originals
from upscale.batch.planning.walk import is_pattern
from upscale.cli.run.course import Source
from upscale.cli.run.local import find, no_pictures
from upscale.cli.run.options import Options
from upscale.cli.terminal.bars import Bars
from upscale.errors import UsageError
from upscale.fleet.manifests.manifest import Manifest, open_manifest
from upscale.fleet.origins import Origin, is_folder, origins_at
from upscale.fleet.outputs import Outputs
from upscale.fleet.sources import is_manifest, named_in, root_of
from upscale.fleet.task import Receipt, Task
from upscale.stores.urls import is_url, join

__all__ = ["Stored", "find_stored"]


@dataclass(frozen=True)
class Stored:
    """The inputs on the command line, some of them addresses."""

    options: Options
    many: bool
    """Whether there may be several pictures."""
    passed_over: Counter[str]
    """Numbers of objects and files so far that no reader supports, by kind."""
    manifests: tuple[Manifest, ...] = ()
    """The opened manifests."""

    @property
    def is_summed_up(self) -> bool:
        """Whether a last line sums up all results."""
        return self.many

    def source(self, naming: Naming, bars: Bars) -> Source:
        """Return `tasks`, whose number is not known beforehand."""
        return Source(self.tasks(naming), None if self.many else 1)

    def tasks(self, naming: Naming) -> Iterator[Task | Receipt]:
        """Name the output of each picture; yield only those of the requested part.

        Raises UpscaleError, for wrong usage before the first task.
        """
        options = self.options
        assert options.output is not None
        outputs = Outputs(options.output, naming, options.on_collision, many=self.many)
        origins = self._origins(naming)
        first = next(origins, None)
        if first is None:
            raise no_pictures(options, self.passed_over)
        shard = options.shard
        return (
            task
            for origin in chain([first], origins)
            # before a part is taken: all parts name alike, and each reports what it cannot read
            for task in [origin if isinstance(origin, Receipt) else outputs.task(origin)]
            if shard is None or isinstance(origin, Receipt) or shard.has(origin.relative)
        )

    def _origins(self, naming: Naming) -> Iterator[Origin | Receipt]:
        words, output = self.options.inputs, self.options.output or ""
        root = root_of(words) if self.manifests else ""
        for manifest in self.manifests:
            exclude = output if is_url(output) else ""
            yield from named_in(manifest, root, exclude=exclude, passed_over=self._pass_over)
        for word in words:
            if _is_manifest(word, root) or word == root:
                continue
            if is_url(word):
                yield from origins_at(
                    word,
                    recursive=self.options.recursive,
                    exclude=_below(output, word),
                    passed_over=self._pass_over,
                )
            else:
                found = find(replace(self.options, inputs=(word,)), True, self._pass_over)
                for each in originals(found, naming):
                    below = each.relative.as_posix()
                    yield Origin(
                        *(str(each.path), below), each.size, problem=each.problem, skip=each.skip
                    )

    def _pass_over(self, kind: str) -> None:
        self.passed_over.update([kind])


def find_stored(options: Options) -> Stored:
    """Check the inputs on the command line. Raises UpscaleError."""
    for word in filter(is_url, options.inputs):
        if join(word, "") == join(options.output or "", ""):
            raise UsageError(f"{word}: is both input and output; choose another -o")
    words = options.inputs
    address = next(filter(is_url, words), "")
    manifests = [word for word in words if _is_manifest(word, address)]
    if manifests:
        root_of(words)
    many = len(words) > 1 or bool(manifests) or any(map(_is_many, words))
    return Stored(options, many, Counter(), tuple(open_manifest(word[1:]) for word in manifests))


def _is_manifest(word: str, root: str) -> bool:
    """Return whether a word is a manifest; below the address ``root``, lists are, too."""
    return is_manifest(word) or (word.startswith("@") and is_url(root))


def _is_many(word: str) -> bool:
    if is_url(word):
        return is_folder(word)
    return Path(word).is_dir() or (not Path(word).exists() and (word[0] == "@" or is_pattern(word)))


def _below(output: str, word: str) -> str:
    """Return the output's address if it is in the folder ``word``."""
    return output if is_url(output) and join(output, "").startswith(join(word, "")) else ""
