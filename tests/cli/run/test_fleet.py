"""The command with several workers: what it says and leaves is that of one process."""

from pathlib import Path

import pytest
from program import EXACT, Outcome, encoded, inside, noise


@pytest.fixture
def album(tmp_path: Path) -> Path:
    (tmp_path / "album" / "deeper").mkdir(parents=True)
    for index, name in enumerate(("a.png", "b.png", "deeper/c.png")):
        (tmp_path / "album" / name).write_bytes(encoded(noise(7 + index // 2, 9, index)))
    (tmp_path / "album" / "text.png").write_text("no picture")
    return tmp_path


def told(found: Outcome) -> list[dict[str, object]]:
    """What is reported, without the order and the seconds of pictures."""
    lines = [{**line, "seconds": None} for line in found.records]
    return [*sorted(lines[:-1], key=lambda line: str(line["input"])), lines[-1]]


def test_the_report_is_that_of_one_process(album: Path, repeating: str) -> None:
    words = ("album", "-o", "large", "--model", repeating, *EXACT, "--json")
    alone = inside(album, *words)
    made = {path: path.read_bytes() for path in (album / "large").rglob("*.png")}
    again = inside(album, *words)
    for path in made:
        path.unlink()
    shared = inside(album, *words, "--workers", "2")
    assert (shared.status, len(made)) == (1, 3)
    assert told(shared) == told(alone)
    assert {path: path.read_bytes() for path in (album / "large").rglob("*.png")} == made
    assert told(inside(album, *words, "--workers", "2")) == told(again)


@pytest.mark.parametrize("words", [("nowhere",), ("auto", "--watch"), ("auto", "--raw", "8x8")])
def test_a_cluster_that_cannot_be_is_a_mistake(
    album: Path, repeating: str, words: tuple[str, ...]
) -> None:
    outcome = inside(album, "album", "--model", repeating, "--cluster", *words)
    assert outcome.status == 2
    assert "cluster" in outcome.said
    assert list(album.rglob("*_x4.png")) == []
