"""What the words of the command line stand for: files, folders, patterns and lists."""

import io
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upscale.batch.planning.inputs import find_inputs, fixed_part
from upscale.batch.planning.walk import Found
from upscale.errors import InputError, UsageError


@pytest.fixture(autouse=True)
def album(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current folder with a few pictures."""
    monkeypatch.chdir(tmp_path)
    for name in ("album/a.png", "album/2020/b.jpg", "album/2020/c.txt", "a.png", "notes.txt"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(b"x")
    return tmp_path


def places(found: list[Found]) -> list[tuple[str, str]]:
    return [(str(each.path), str(each.relative)) for each in found]


# Files and folders


@pytest.mark.parametrize("kind", [str, Path])
def test_a_file_is_taken_whatever_it_is_called(kind: Callable[[str], str | Path]) -> None:
    found = find_inputs([kind("album/2020/c.txt")])
    assert places(found) == [("album/2020/c.txt", "c.txt")]
    assert (found[0].problem, found[0].walked, found[0].size) == (None, False, 1)


@pytest.mark.parametrize(
    ("word", "recursive", "found"),
    [
        ("album", True, [("album/2020/b.jpg", "2020/b.jpg"), ("album/a.png", "a.png")]),
        ("album/", True, [("album/2020/b.jpg", "2020/b.jpg"), ("album/a.png", "a.png")]),
        ("album", False, [("album/a.png", "a.png")]),
        (".", False, [("a.png", "a.png")]),
        ("album/2020/..", False, [("album/2020/../a.png", "a.png")]),
    ],
)
def test_a_folder_is_walked(word: str, recursive: bool, found: list[tuple[str, str]]) -> None:
    assert places(find_inputs([word], recursive=recursive)) == found


def test_a_link_that_is_named_is_followed(album: Path) -> None:
    (album / "link").symlink_to("album")
    assert places(find_inputs(["link"], recursive=False)) == [("link/a.png", "a.png")]


@pytest.mark.parametrize("name", ["missing.png", "n" * 300, "a.png/b.png", "dangling", "d/" * 3000])
def test_what_is_not_there_is_a_problem_and_the_others_go_on(album: Path, name: str) -> None:
    (album / "dangling").symlink_to("nowhere")
    lost, there = find_inputs([name, "a.png"])
    assert isinstance(lost.problem, InputError)
    assert (lost.problem.code, lost.skip, there.problem) == ("io-error", False, None)
    assert name.strip("/") in str(lost.problem)


def test_what_is_no_regular_file_is_skipped(album: Path) -> None:
    os.mkfifo(album / "pipe")
    (found,) = find_inputs(["pipe"])
    assert found.skip
    assert re.search(r"^pipe: .*FIFO", str(found.problem))


def test_the_output_folder_is_not_entered() -> None:
    found = find_inputs(["album"], exclude=Path("album/2020"))
    assert [each.path.name for each in found] == ["a.png"]
    assert [each.path.name for each in find_inputs(["album"], exclude=Path("none"))] == [
        "b.jpg",
        "a.png",
    ]


# Once each


@pytest.mark.parametrize(
    "again",
    ["a.png", "./a.png", "album/../a.png", "link.png", "linked/../a.png", "{here}/a.png", "?.png"],
)
def test_a_picture_that_is_named_twice_is_done_once(album: Path, again: str) -> None:
    (album / "link.png").symlink_to("a.png")
    (album / "linked").symlink_to("album")
    for words in (["a.png", again], [again, "a.png"]):
        (found,) = find_inputs([word.format(here=album) for word in words])
        assert not found.walked


def test_what_is_walked_and_named_counts_as_named() -> None:
    found = find_inputs(["album", "album/a.png"])
    assert [(each.path.name, each.walked) for each in found] == [("b.jpg", True), ("a.png", False)]


def test_hard_links_are_files_of_their_own(album: Path) -> None:
    os.link("a.png", "b.png")
    assert len(find_inputs(["a.png", "b.png"])) == 2


# Patterns


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("*.png", [("a.png", "a.png")]),
        ("album/*.png", [("album/a.png", "a.png")]),
        ("album/**/*.jpg", [("album/2020/b.jpg", "2020/b.jpg")]),
        ("a*/20*/b.jpg", [("album/2020/b.jpg", "album/2020/b.jpg")]),
        ("album/20*", [("album/2020/b.jpg", "2020/b.jpg")]),
        ("album/2020/*.txt", [("album/2020/c.txt", "c.txt")]),
        ("./a[l]bum/?.png", [("album/a.png", "album/a.png")]),
        ("{here}/a*.png", [("{here}/a.png", "a.png")]),
    ],
)
def test_a_pattern_is_mirrored_below_its_fixed_part(
    album: Path, pattern: str, found: list[tuple[str, str]]
) -> None:
    wanted = [(path.format(here=album), relative) for path, relative in found]
    assert places(find_inputs([pattern.format(here=album)])) == wanted


@pytest.mark.parametrize("pattern", ["*.gif", "none/*", "a.png/*", "**/*.tiff", "album/[b-z].png"])
def test_a_pattern_without_a_match_is_refused(pattern: str) -> None:
    with pytest.raises(UsageError, match=re.escape(pattern)):
        find_inputs(["a.png", pattern])
    assert find_inputs([pattern], strict=False) == []


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(album: Path) -> None:
    for name in ("a[1].png", "a1.png"):
        (album / name).write_bytes(b"x")
    assert places(find_inputs(["a[1].png"])) == [("a[1].png", "a[1].png")]
    assert find_inputs([Path("?.png")])[0].problem is not None


def test_without_recursion_a_pattern_enters_no_folder() -> None:
    assert places(find_inputs(["a*"], recursive=False)) == [("a.png", "a.png")]


# Lists


@pytest.mark.parametrize(
    ("data", "paths"),
    [
        (b"a.png\nalbum/a.png\n", ["a.png", "album/a.png"]),
        (b"a.png\r\n\r\n  \r\nalbum/a.png", ["a.png", "album/a.png"]),
        (b"\xef\xbb\xbfa.png\n", ["a.png"]),
        (b"a.png\0new\nline.png\0", ["a.png", "new\nline.png"]),
        (b" space.png \n-dash.png\n", [" space.png ", "-dash.png"]),
        (b"caf\xe9.png\n", ["caf\udce9.png"]),
        (b"*.png\n@a.png\n-\n", ["*.png", "@a.png", "-"]),
        (b"\n\n", []),
        (b"", []),
    ],
)
@pytest.mark.parametrize("word", ["@list.txt", "@-"])
def test_a_list_has_a_path_a_line(
    album: Path, data: bytes, paths: list[str], word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (album / "list.txt").write_bytes(data)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    for path in paths:
        Path(path).write_bytes(b"x")
    assert places(find_inputs([word])) == [(path, path) for path in paths]


@pytest.mark.parametrize(
    ("entry", "relative"),
    [
        ("album/a.png", "album/a.png"),
        ("./album//a.png", "album/a.png"),
        ("album/2020/../a.png", "album/a.png"),
        ("../x", "../x"),
        ("album/../../x", "../x"),
        ("/x", "/x"),
    ],
)
def test_an_entry_of_a_list_keeps_its_folders(album: Path, entry: str, relative: str) -> None:
    (album / "list.txt").write_text(entry)
    assert [str(each.relative) for each in find_inputs(["@list.txt"])] == [relative]


def test_a_folder_in_a_list_is_walked(album: Path) -> None:
    (album / "list.txt").write_text("album\nmissing\n")
    *found, missing = find_inputs(["@list.txt"])
    assert places(found) == [(path, path) for path in ("album/2020/b.jpg", "album/a.png")]
    assert missing.problem is not None


def test_a_list_that_cannot_be_read_is_refused(
    album: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    for word in ("@none.txt", "@album", "@", "@-"):
        with pytest.raises(UsageError, match=word):
            find_inputs([word])


def test_a_file_whose_name_begins_with_an_at_sign_can_be_given(album: Path) -> None:
    (album / "@x").write_bytes(b"a.png")
    assert places(find_inputs(["./@x"])) == [("@x", "@x")]
    assert places(find_inputs([Path("@x")])) == [("@x", "@x")]
    with pytest.raises(UsageError, match="@x"):
        find_inputs(["@x"])


@given(st.lists(st.binary(min_size=1, max_size=20).filter(bytes.strip), max_size=5))
def test_any_bytes_can_be_a_name_in_a_list(
    tmp_path_factory: pytest.TempPathFactory, entries: list[bytes]
) -> None:
    names = [b"n" + entry.translate(None, b"\0/") for entry in entries]
    path = tmp_path_factory.getbasetemp() / "list"
    path.write_bytes(b"".join(name + b"\0" for name in names))
    found = find_inputs([f"@{path}"])
    assert [os.fsencode(each.relative) for each in found] == list(dict.fromkeys(names))


def test_files_that_look_like_pictures_and_are_not_read_are_told_by_kind(tmp_path: Path) -> None:
    (tmp_path / "mixed" / "folder.svg").mkdir(parents=True)
    (tmp_path / "mixed" / "x").mkdir()
    for name in ("a.png", "b.pdf", "x/c.PDF", "d.mp4", "e.txt", ".f.svg"):
        (tmp_path / "mixed" / name).touch()
    kinds: list[str] = []
    found = find_inputs(["mixed"], passed_over=kinds.append)
    assert [str(each.path) for each in found] == ["mixed/a.png"]
    assert sorted(kinds) == ["PDF", "PDF", "video"]
    kinds.clear()
    find_inputs(["mixed"], recursive=False, passed_over=kinds.append)
    assert sorted(kinds) == ["PDF", "video"]


# Words of other systems


@pytest.mark.parametrize(
    ("path", "folder", "pattern"),
    [
        (PureWindowsPath(r"C:\scans\*.tif"), r"C:\scans", ("*.tif",)),
        (PureWindowsPath(r"\\server\share\**\a?.png"), "\\\\server\\share\\", ("**", "a?.png")),
        (PureWindowsPath(r"\\?\C:\scans\[ab].tif"), r"\\?\C:\scans", ("[ab].tif",)),
        (PureWindowsPath(r"\\?\C:\none\a.tif"), r"\\?\C:\none\a.tif", ()),
        (PurePosixPath("/scans/*/a.tif"), "/scans", ("*", "a.tif")),
        (PurePosixPath("*.tif"), ".", ("*.tif",)),
    ],
)
def test_a_drive_is_no_pattern(path: PurePath, folder: str, pattern: tuple[str, ...]) -> None:
    assert fixed_part(path) == (type(path)(folder), pattern)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-8-sig"])
def test_a_list_of_powershell_or_an_editor_is_read(album: Path, encoding: str) -> None:
    Path("Ä😀.png").write_bytes(b"x")
    text = "Ä😀.png\r\nalbum/a.png\r\n"
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    Path("list.txt").write_bytes((mark + text).encode(encoding))
    assert [each.path for each in find_inputs(["@list.txt"])] == [
        Path("Ä😀.png"),
        Path("album/a.png"),
    ]


def test_a_list_that_is_not_utf_8_is_refused_where_names_are(
    album: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On Windows names are decoded strictly (PEP 529)."""
    Path("list.txt").write_bytes(b"\xc4.png\n")
    monkeypatch.setattr(os, "fsdecode", lambda name: name.decode("utf-8", "surrogatepass"))
    with pytest.raises(UsageError, match=r"@list\.txt"):
        find_inputs(["@list.txt"])


def test_spellings_of_one_file_are_one_input(album: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A link of another case stands for what a file system without case does."""
    os.link("a.png", "A.PNG")
    found = find_inputs(["a.png", "A.PNG"])
    assert [each.path for each in found] == [Path("a.png")]


def test_files_that_differ_by_case_stay_two(album: Path) -> None:
    Path("A.PNG").write_bytes(b"another")
    if Path("A.PNG").samefile("a.png"):
        pytest.skip("this file system knows no case")
    assert len(find_inputs(["a.png", "A.PNG"])) == 2


@pytest.mark.parametrize(
    ("place", "leaves"),
    [
        *((place, True) for place in (r"C:\a.png", "C:a.png", r"\a.png", r"\\server\b\a.png")),
        *((place, True) for place in (r"..\a.png", r"b\..\..\a.png")),
        *((place, False) for place in ("a.png", r"b\a.png", r".\a.png")),
    ],
)
def test_a_place_with_a_drive_leaves_the_output_folder(place: str, leaves: bool) -> None:
    found = Found(Path("a.png"), PureWindowsPath(place))
    assert found.leaves is leaves
    root = PureWindowsPath(r"D:\out")
    inside = (root / place).is_relative_to(root) and ".." not in PureWindowsPath(place).parts
    assert inside is not leaves
