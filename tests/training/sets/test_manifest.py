"""The sets to train on, as their manifest has them."""

import re

import pytest

from upscale.bench.sets.datasets import read_datasets
from upscale.training.sets.manifest import read_sets

SETS = read_sets()


def test_the_sets_of_the_papers_are_there() -> None:
    """Wang et al. 2018 train on DIV2K, Flickr2K and OST, and measure on the benchmark's."""
    fetched = {name for name, each in read_datasets().items() if each.sources}
    assert {"div2k", "flickr2k", "ost", "bsd200"} | fetched == SETS.keys()
    # Agustsson and Timofte 2017; Lim et al. 2017; Martin et al. 2001, BSD300 of 200 and 100
    numbers = {"div2k": 800, "flickr2k": 2650, "bsd300": 300, "bsd200": 200, "set5": 5}
    assert {name: SETS[name].pictures for name in numbers} == numbers


@pytest.mark.parametrize("name", SETS)
def test_each_has_what_is_told_of_it(name: str) -> None:
    entry = SETS[name]
    assert entry.name == name
    assert entry.title
    assert entry.licence
    assert entry.paper
    assert entry.sources
    for source in entry.sources:
        (member,) = source.members
        assert member.path.endswith((".zip", ".tgz", ".tar.gz"))
        assert source.kind == "hub" or (source.kind == "https" and source.place.startswith("https"))
        assert member.sha256 is None or re.fullmatch("[0-9a-f]{64}", member.sha256)
        # What comes by HTTPS alone has nobody who promises a hash.
        assert member.sha256 or source.kind == "hub"


def test_the_archive_of_div2k_is_that_of_tensorflow_datasets() -> None:
    """Its table of checksums has size and SHA-256; another copy has to be the same bytes."""
    for source in SETS["div2k"].sources:
        assert source.size == 3530603713
        assert source.members[0].sha256 == (
            "9d0b9c463f6e35b6c62cc6a930ee2224f670b34c1df841a57670f9acf0f6c335"
        )


@pytest.mark.parametrize("name", [name for name in SETS if name in read_datasets()])
def test_what_tables_measure_on_is_not_recommended(name: str) -> None:
    assert "measure" in SETS[name].note
