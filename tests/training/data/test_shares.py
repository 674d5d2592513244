"""``--data`` in words, and back."""

from pathlib import Path

import pytest

from upscale.errors import UsageError
from upscale.training.data.shares import Share, read_share, trained_on


@pytest.mark.parametrize(
    ("word", "folder", "share"),
    [
        ("div2k", "div2k", 1),
        ("div2k:4", "div2k", 4),
        ("some/where/ost:0.25", "some/where/ost", 0.25),
        ("a:b:2", "a:b", 2),
        ("xx:1e-3", "xx", 0.001),
        (r"C:\pictures", r"C:\pictures", 1),
        (r"C:\pictures:4", r"C:\pictures", 4),
        ("C:/pictures", "C:/pictures", 1),
        ("C:4", "C:4", 1),  # the folder 4 of a drive
        ("./a:4", "./a", 4),
        (r"\\server\share:2", r"\\server\share", 2),
        ("div2k:", "div2k:", 1),
        ("div2k:four", "div2k:four", 1),
        ("div2k:-4", "div2k:-4", 1),
        ("div2k:1.2.3", "div2k:1.2.3", 1),
        (":4", ":4", 1),
    ],
)
def test_words(word: str, folder: str, share: float) -> None:
    assert read_share(word) == Share(Path(folder), share)


@pytest.mark.parametrize("word", ["div2k:0", "div2k:0.0", "div2k:1e999"])
def test_a_share_that_is_none_is_refused(word: str) -> None:
    with pytest.raises(UsageError, match=f"--data {word}"):
        read_share(word)


def test_a_path_that_is_there_is_no_share(tmp_path: Path) -> None:
    (tmp_path / "day:4").mkdir()
    found = read_share(str(tmp_path / "day:4"))
    assert found == Share(tmp_path / "day:4")
    assert read_share(str(found)) == found
    assert read_share(f"{tmp_path / 'day:4'}:2") == Share(tmp_path / "day:4", 2.0)


@pytest.mark.parametrize("share", [1.0, 4.0, 0.1, 1 / 3, 1e-9, 1e20])
@pytest.mark.parametrize("folder", ["div2k", "a:4", "a:b", "d", r"C:\x", "deep/er"])
def test_what_is_written_is_read_as_the_same(folder: str, share: float) -> None:
    made = Share(Path(folder), share)
    if folder != "a:4" or share != 1:
        assert read_share(str(made)) == made
    assert read_share(str(read_share(str(made)))) == read_share(str(made))


def test_pictures_inside_a_folder_are_trained_on(tmp_path: Path) -> None:
    inside, beside = tmp_path / "hr" / "valid", tmp_path / "hr-valid"
    for folder in (inside, beside):
        folder.mkdir(parents=True)
    shares = (read_share(f"{tmp_path}/other"), read_share(f"{tmp_path}/hr:4"))
    assert trained_on(inside, shares)
    assert trained_on(inside / ".." / ".." / "hr", shares)
    assert not trained_on(beside, shares)
    assert not trained_on(tmp_path, shares)
