"""The sets that ``upscale data pull`` knows: those of ``sets.toml``, and the benchmark's."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from upscale.bench.sets.datasets import Dataset, read_datasets, source_of
from upscale.models.fetching.sources import Source

__all__ = ["TrainingSet", "read_sets"]

TO_MEASURE = "to measure on, not to train on"


@dataclass(frozen=True)
class TrainingSet:
    """One set of pictures."""

    name: str
    """Its name on the command line."""
    title: str
    """Its name in papers."""
    pictures: int
    """Number of pictures; 0 if unknown."""
    licence: str
    """The licence that its authors state."""
    paper: str
    """Paper that published it."""
    sources: tuple[Source, ...]
    """Archives, in the order in which they are tried."""
    part: str = ""
    """Folder of the archive that holds the set's pictures."""
    note: str = ""
    """A note for the user."""

    @property
    def size(self) -> int:
        """Bytes to fetch; 0 if unknown."""
        return self.sources[0].size


@cache
def read_sets() -> dict[str, TrainingSet]:
    """Return the sets that can be fetched, by name; training sets come first."""
    stanzas = tomllib.loads((Path(__file__).parent / "sets.toml").read_text("utf-8"))
    found = {
        name: TrainingSet(
            name=name,
            sources=tuple(source_of(source) for source in stanza.pop("source")),
            **stanza,
        )
        for name, stanza in stanzas.items()
    }
    measured = {name: _of_bench(each) for name, each in read_datasets().items() if each.sources}
    return found | measured


def _of_bench(dataset: Dataset) -> TrainingSet:
    about = (dataset.name, dataset.title, dataset.pictures, dataset.licence, dataset.paper)
    return TrainingSet(*about, dataset.sources, note=TO_MEASURE)
