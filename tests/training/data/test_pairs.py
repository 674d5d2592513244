"""HR files and the LR files that belong to them, by name alone."""

import re
from pathlib import Path

import pytest

from upscale.errors import UsageError
from upscale.training.data.pairs import find_pairs


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")


def paired(folder: Path) -> dict[str, str | None]:
    """Pair hr/ with lr/ in ``folder``: the names below them."""
    told: list[str] = []
    pairs = find_pairs(folder / "hr", folder / "lr", 4, told.append)
    assert told == []
    return {
        hr.relative_to(folder / "hr").as_posix(): lr and lr.relative_to(folder / "lr").as_posix()
        for hr, lr in pairs
    }


@pytest.mark.parametrize(
    ("hr", "lr"),
    [
        ("a.png", "a.png"),
        ("a.png", "ax4.png"),
        ("a.png", "a_x4.png"),
        ("a.png", "a.bmp"),
        ("deep/a.png", "deep/ax4.png"),
        ("a[1].png", "a[1].png"),
        ("a.b.png", "a.bx4.png"),
    ],
)
def test_lr_of_the_same_name(tmp_path: Path, hr: str, lr: str) -> None:
    touch(tmp_path / "hr", hr)
    touch(tmp_path / "lr", lr)
    assert paired(tmp_path) == {hr: lr}


def test_neighbours_are_not_taken_for_partners(tmp_path: Path) -> None:
    """Names with dots, other scales and formats, sidecars, and one name in two folders."""
    names = ("a.png", "a.b.png", "ax2.png", "one/c.png", "two/c.png", "a.bmp")
    for folder in ("hr", "lr"):
        touch(tmp_path / folder, *names)
    touch(tmp_path / "lr", "a.aae")
    (tmp_path / "lr" / "a.bak").symlink_to("nowhere")
    assert paired(tmp_path) == {name: name for name in names}


def test_without_a_folder_of_lr_there_are_none(tmp_path: Path) -> None:
    touch(tmp_path, "b.png", "a.png")
    found = find_pairs(tmp_path, None, 4, print)
    assert found == [(tmp_path / "a.png", None), (tmp_path / "b.png", None)]


def test_a_folder_that_is_not_there_is_named_once(tmp_path: Path) -> None:
    told: list[str] = []
    for name in ("nowhere", "empty"):
        (tmp_path / "empty").mkdir(exist_ok=True)
        with pytest.raises(UsageError, match=rf"^{re.escape(str(tmp_path / name))}: "):
            find_pairs(tmp_path / name, None, 4, told.append)
    assert told == []


def test_a_missing_partner_is_named(tmp_path: Path) -> None:
    touch(tmp_path / "hr", "a.png", "b.png")
    touch(tmp_path / "lr", "a.png", "b.txt", "bx2.png", "B2.png", "b.c.png")
    for lr, name in (("lr", "b.png"), ("nowhere", "a.png")):
        with pytest.raises(UsageError, match=rf"^{re.escape(str(tmp_path / lr))}: .* {name}$"):
            find_pairs(tmp_path / "hr", tmp_path / lr, 4, print)
