"""The sets that ``upscale data pull`` knows: those of ``sets.toml``, and the benchmark's."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from upscale.bench.sets.datasets import Dataset, read_datasets
from upscale.models.fetching.sources import Member, Source

__all__ = ["TrainingSet", "read_sets"]

TO_MEASURE = "to measure on, not to train on"


@dataclass(frozen=True)
class TrainingSet:
    """One set of pictures."""

    name: str
    """The word that a user gives."""
    title: str
    """As papers write the name."""
    pictures: int
    """How many there are; 0: not known."""
    licence: str
    """As its authors state it."""
    paper: str
    """Where it was published."""
    sources: tuple[Source, ...]
    """In the order in which they are tried; each is one archive."""
    part: str = ""
    """A folder of the archive; only the pictures in it belong to the set."""
    note: str = ""
    """What a user must know."""

    @property
    def size(self) -> int:
        """Bytes to fetch; 0: not known."""
        return self.sources[0].size


@cache
def read_sets() -> dict[str, TrainingSet]:
    """Return the sets that can be fetched, by name, those to train on first."""
    stanzas = tomllib.loads((Path(__file__).parent / "sets.toml").read_text("utf-8"))
    found = {
        name: TrainingSet(
            name=name,
            sources=tuple(_source(dict(source)) for source in stanza.pop("source")),
            **stanza,
        )
        for name, stanza in stanzas.items()
    }
    measured = {name: _of_bench(each) for name, each in read_datasets().items() if each.sources}
    return found | measured


def _source(values: dict[str, Any]) -> Source:
    member = Member(values.pop("file"), values.pop("sha256", None))
    return Source(members=(member,), **values)


def _of_bench(dataset: Dataset) -> TrainingSet:
    about = (dataset.name, dataset.title, dataset.pictures, dataset.licence, dataset.paper)
    return TrainingSet(*about, dataset.sources, note=TO_MEASURE)
