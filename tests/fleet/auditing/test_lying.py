"""What lies there is looked up by name, whatever the order."""

from pathlib import Path

import pytest

from upscale.fleet.auditing.lying import Lying, pictures_in


def test_names_are_explained_in_any_order_and_the_rest_comes_sorted() -> None:
    odd = b"caf\xe9.png".decode("utf-8", "surrogateescape")
    with Lying(iter(["b.png", "a.png", odd, "sub/c.png", "a.png"])) as lying:
        assert lying.explain("sub/c.png")
        assert lying.explain("b.png")
        assert lying.explain("b.png")
        assert not lying.explain("d.png")
        assert list(lying.unexplained()) == ["a.png", odd]


def test_pictures_in_a_folder_are_those_at_any_depth(tmp_path: Path) -> None:
    for name in ("a.png", "sub/deep/b.JPG", "report.jsonl", ".a.png.1.0a0a0a0a.part", ".h.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert sorted(pictures_in(str(tmp_path))) == ["a.png", "sub/deep/b.JPG"]


@pytest.mark.parametrize("name", ["out", "out/"])
def test_pictures_in_a_store_are_those_below_an_address(tmp_path: Path, name: str) -> None:
    from carried import Kept

    kept = Kept(tmp_path)
    for key in ("out/a.png", "out/sub/b.png", "out/shard-0.jsonl", "out2/c.png"):
        kept.put(key, b"")
    assert sorted(pictures_in(kept.url(name))) == ["a.png", "sub/b.png"]
