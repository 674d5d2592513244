"""Parts of all pictures: each picture is in one, and stays there."""

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from program import EXACT, encoded, inside, noise

from upscale.errors import UsageError
from upscale.fleet.shard import Shard

PATHS = st.sets(st.text(min_size=1, max_size=20), max_size=12)

ALBUM = ("a.png", "a.jpg.png", "b/a.png", "b/c/été.png", "b/c/d 7.png", "e/1.png")


def parts(paths: set[str], count: int) -> list[set[str]]:
    return [{path for path in paths if Shard(index, count).has(path)} for index in range(count)]


@given(PATHS, PATHS, st.integers(1, 12))
def test_parts_cover_everything_once_and_nothing_moves_when_more_come(paths, more, count):
    before, after = parts(paths, count), parts(paths | more, count)
    assert sum(map(len, before)) == len(paths)
    assert set().union(*before) == paths
    for one, other in zip(before, after, strict=True):
        assert one == other & paths


@pytest.mark.parametrize(
    ("path", "digest"),  # the first 16 digits that `printf '%s' PATH | sha256sum` prints
    [("a.png", "7f071235805fbf58"), ("2024/été.jpg", "71434b7e18a6fcfb")],
)
def test_the_part_is_the_hash_of_the_path(path, digest):
    for count in (1, 7, 16, 100_000):
        assert Shard(int(digest, 16) % count, count).has(path)
    assert Shard(int(digest, 16) % 4096, 4096).has(unicodedata.normalize("NFD", path))


def test_a_name_that_is_not_unicode_has_a_part():
    assert sum(Shard(index, 3).has("b/\udcff.png") for index in range(3)) == 1


def test_a_word_names_a_part():
    assert Shard.of_word("3/16", {}) == Shard(3, 16)
    assert str(Shard(3, 16)) == "3/16"
    assert Shard(3, 16).name == "shard-00003-of-00016"


@pytest.mark.parametrize(
    "word", ["", "3", "16/16", "-1/4", "1/0", "a/b", "0/100001", "1/4/2", "٣/4"]
)
def test_another_word_is_refused(word):
    with pytest.raises(UsageError) as found:
        Shard.of_word(word, {})
    assert word in str(found.value)


def array(task: int, numbers: range | tuple[int, ...]) -> dict[str, str]:
    values = {"ID": task, "MIN": min(numbers), "MAX": max(numbers), "COUNT": len(numbers)}
    if isinstance(numbers, range):
        values["STEP"] = numbers.step
    return {f"SLURM_ARRAY_TASK_{name}": str(value) for name, value in values.items()}


@pytest.mark.parametrize("numbers", [range(16), range(1, 17), range(10, 40, 7), range(5, 6)])
def test_the_tasks_of_an_array_of_slurm_are_all_parts(numbers):
    found = [Shard.of_word("auto", array(task, numbers)) for task in numbers]
    assert found == [Shard(index, len(numbers)) for index in range(len(numbers))]


@pytest.mark.parametrize("numbers", [(1, 2, 7), (0, 1, 2, 10), (3, 4, 6)])
def test_every_task_of_an_uneven_array_is_refused(numbers):
    for task in numbers:
        with pytest.raises(UsageError):
            Shard.of_word("auto", array(task, numbers))


def test_a_completion_of_kubernetes_is_a_part_of_so_many():
    assert Shard.of_word("auto/8", {"JOB_COMPLETION_INDEX": "7"}) == Shard(7, 8)
    assert Shard.of_word("auto/16", array(9, (3, 9))) == Shard(9, 16)  # two tasks made again
    for word, index in (("auto", "0"), ("auto/8", "8"), ("auto/8", "")):
        with pytest.raises(UsageError):
            Shard.of_word(word, {"JOB_COMPLETION_INDEX": index})
    for word in ("auto", "auto/8"):
        with pytest.raises(UsageError):
            Shard.of_word(word, {})


@pytest.fixture
def album(tmp_path: Path) -> Path:
    for index, name in enumerate(ALBUM):
        path = tmp_path / "album" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded(noise(5, 6, index)))
    return tmp_path


def test_the_runs_of_all_parts_are_the_run_of_the_whole(album: Path, repeating: str) -> None:
    words = ("album", "--model", repeating, *EXACT, "--json")
    whole = inside(album, *words, "-o", "whole")
    parted = [inside(album, *words, "-o", "parts", "--shard", f"{i}/4") for i in range(4)]
    assert [found.status for found in (whole, *parted)] == [0] * 5
    told = [line["input"] for found in parted for line in found.records[:-1]]
    assert sorted(told) == sorted(line["input"] for line in whole.records[:-1])
    assert len(told) == len(ALBUM)
    made, again = (
        {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.png")}
        for folder in (album / "whole", album / "parts")
    )
    assert made == again


def test_collisions_are_settled_alike_in_all_parts(album: Path, repeating: str) -> None:
    (album / "album" / "a.webp").write_bytes(encoded(noise(4, 4, 9), "WEBP"))
    words = ("album", "-o", "large", "--format", "png", "--model", repeating, "--json", "--dry-run")
    whole = {line["input"]: line["output"] for line in inside(album, *words).records[:-1]}
    for index in range(3):
        found = inside(album, *words, "--shard", f"{index}/3")
        for line in found.records[:-1]:
            assert line["output"] == whole.pop(line["input"])
    assert not whole


def test_a_part_without_a_picture_is_done(album: Path, repeating: str) -> None:
    empty = next(i for i in range(99) if not any(Shard(i, 99).has(name) for name in ALBUM))
    for more in ((), ("--dry-run",), ("--workers", "2")):
        found = inside(album, "album", "--model", repeating, "--shard", f"{empty}/99", *more)
        assert found.status == 0
        assert f"{empty}/99" in found.said
        assert not list((album / "album").rglob("*_x4.png"))


@pytest.mark.parametrize("words", [("album", "--watch"), ("-",), ("a.png", "-o", "-")])
def test_what_has_no_parts_is_refused(tmp_path: Path, words: tuple[str, ...]) -> None:
    (tmp_path / "album").mkdir()
    found = inside(tmp_path, *words, "--shard", "0/2")
    assert found.status == 2
    assert "--shard" in found.said
