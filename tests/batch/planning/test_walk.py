"""What is found below a folder: pictures only, in order, whatever else lies there."""

import os
import socket
from contextlib import chdir, nullcontext
from pathlib import Path

import pytest
from effort import effort
from hypothesis import given
from hypothesis import strategies as st

from upscale.batch.planning.walk import PICTURE_SUFFIXES, Found, Walk, file_identity, natural

ALL = ("**",)


def fill(root: Path, *names: str) -> Path:
    """Make a file of one byte for each name, a folder where it ends with a slash."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith("/"):
            path.mkdir(exist_ok=True)
        else:
            path.write_bytes(b"x")
    return root


def below(
    root: Path,
    pattern: tuple[str, ...] = ALL,
    follow_links: bool = False,
    exclude: Path | None = None,
) -> list[Found]:
    identity = file_identity(exclude) if exclude else None
    return Walk(pattern, follow_links, identity).below(root, Path())


def names(found: list[Found]) -> list[str]:
    assert all(each.walked for each in found)
    return [str(each.relative) for each in found if each.problem is None]


def problems(found: list[Found]) -> dict[str, str]:
    return {str(each.relative): str(each.problem) for each in found if each.problem is not None}


# What is taken


def test_pictures_are_found_in_all_folders_and_other_files_left_alone(tmp_path: Path) -> None:
    fill(tmp_path, "a.png", "b/c.jpg", "b/d/e.tif", "text.txt", "b/none", "b/.xmp", "empty/")
    found = below(tmp_path)
    assert names(found) == ["a.png", "b/c.jpg", "b/d/e.tif"]
    assert [each.path for each in found] == [tmp_path / each.relative for each in found]
    assert [each.size for each in found] == [1, 1, 1]


SUFFIXES = """
    png apng jpg jpeg jpe webp tif tiff avif gif bmp ppm pgm pbm pnm pam pfm hdr jp2 j2k jxl
    heic heif hif dng nef cr2 cr3 arw raf orf rw2 pef
"""


@pytest.mark.parametrize("suffix", SUFFIXES.split())
def test_a_suffix_in_any_case_is_a_pictures(tmp_path: Path, suffix: str) -> None:
    assert f".{suffix}" in PICTURE_SUFFIXES
    fill(tmp_path, f"a.{suffix}", f"b.{suffix.upper()}", f"c.{suffix}x")
    assert names(below(tmp_path)) == [f"a.{suffix}", f"b.{suffix.upper()}"]


def test_hidden_files_and_folders_are_left_alone(tmp_path: Path) -> None:
    fill(tmp_path, ".a.png", ".trash/b.png", "c/.d/e.png", ".photo_x4.1.part", "f.png")
    assert names(below(tmp_path)) == ["f.png"]


def test_a_hidden_root_is_what_was_asked_for(tmp_path: Path) -> None:
    fill(tmp_path, ".album/a.png")
    assert names(below(tmp_path / ".album")) == ["a.png"]


def test_a_folder_that_is_named_like_a_picture_is_a_folder(tmp_path: Path) -> None:
    fill(tmp_path, "x.png/a.png", "y.png/")
    found = below(tmp_path)
    assert (names(found), problems(found)) == (["x.png/a.png"], {})


def test_without_recursion_folders_are_left_alone(tmp_path: Path) -> None:
    fill(tmp_path, "a.png", "b/c.png", "x.png/d.png")
    (tmp_path / "link.png").symlink_to("b")
    assert names(below(tmp_path, ("*",), follow_links=True)) == ["a.png"]


def test_a_folder_is_not_entered_where_it_is_excluded(tmp_path: Path) -> None:
    fill(tmp_path, "in/a.png", "in/large/a_big.png", "in/large/more/b.png")
    large = tmp_path / "in" / "large"
    assert names(below(tmp_path / "in", exclude=large)) == ["a.png"]
    assert names(below(tmp_path / "in", ("*", "*.png"), exclude=large)) == []
    assert names(below(large, exclude=large)) == ["a_big.png", "more/b.png"]


@pytest.mark.parametrize(
    "name",
    [b"emoji \xf0\x9f\x98\x80.png", b"new\nline.png", b"-dash.png", b" space.png", b"\xe9\xff.png"],
    ids=ascii,
)
def test_names_of_every_kind_are_found(tmp_path: Path, name: bytes) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_bytes(b"x")
    (found,) = below(tmp_path)
    assert os.fsencode(found.path.name) == name


# Order


def test_numbers_are_sorted_by_value_and_folders_among_the_files(tmp_path: Path) -> None:
    order = ["A1.png", "a2.png", "a10.png", "album 2/z.png", "album 10/a.png", "b.png"]
    fill(tmp_path, *reversed(order))
    assert names(below(tmp_path)) == order


@given(st.lists(st.text("aA0129é", min_size=1, max_size=5), unique=True))
def test_the_order_is_total(words: list[str]) -> None:
    paths = [Path(word) for word in words]
    backwards = paths[::-1]
    assert sorted(paths, key=natural) == sorted(backwards, key=natural)
    assert len({str(natural(path)) for path in paths}) == len(paths)


# Patterns


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("*.png", "a.png"),
        ("*", "a.png e.jpg"),
        ("**/*.png", "a.png b/a.png b/c/a.png d/a.png"),
        ("**", "a.png b/a.png b/c/a.png b/c/d.jpg d/a.png e.jpg"),
        ("*/a.png", "b/a.png d/a.png"),
        ("b/**", "b/a.png b/c/a.png b/c/d.jpg"),
        ("**/c/*", "b/c/a.png b/c/d.jpg"),
        ("**/**/d.jpg", "b/c/d.jpg"),
        ("[bd]/?.png", "b/a.png d/a.png"),
        ("[!b]/?.png", "d/a.png"),
        (".*/*", ".h/a.png"),
        ("*/../*", ""),
        ("*.dat", "f.dat"),
        ("**/*.da[t]", ""),
    ],
)
def test_a_pattern_is_matched_a_level_at_a_time(tmp_path: Path, pattern: str, found: str) -> None:
    fill(tmp_path, "a.png", "b/a.png", "b/c/a.png", "b/c/d.jpg", "d/a.png", "e.jpg", "f.dat")
    fill(tmp_path, ".h/a.png", ".h.png")
    assert names(below(tmp_path, tuple(pattern.split("/")))) == found.split()


def test_a_pattern_enters_no_folder_that_cannot_match(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path, "2020/a.png", "2020/deep/b.png", "other/c.png")
    entered: list[str] = []
    listing = os.scandir

    def scandir(path: Path) -> object:
        entered.append(Path(path).name)
        return listing(path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert names(below(tmp_path, ("20*", "*.png"))) == ["2020/a.png"]
    assert entered == [tmp_path.name, "2020"]


# Links


def test_a_link_to_a_picture_is_one(tmp_path: Path) -> None:
    fill(tmp_path, "in/", "elsewhere/a.png")
    (tmp_path / "in" / "link.png").symlink_to("../elsewhere/a.png")
    assert names(below(tmp_path / "in")) == ["link.png"]


def test_links_to_folders_are_followed_only_when_asked(tmp_path: Path) -> None:
    fill(tmp_path, "in/", "elsewhere/deep/a.png")
    (tmp_path / "in" / "link").symlink_to("../elsewhere")
    (tmp_path / "in" / "link.png").symlink_to("../elsewhere/deep")
    found = below(tmp_path / "in")
    assert (names(found), problems(found)) == ([], {})
    assert names(below(tmp_path / "in", follow_links=True)) == ["link/deep/a.png"]


def test_a_link_up_is_reported_once_and_is_no_failure(tmp_path: Path) -> None:
    fill(tmp_path, "in/a.png", "in/b/c.png")
    (tmp_path / "in" / "b" / "up").symlink_to("..")
    (tmp_path / "in" / "self").symlink_to(".")
    found = below(tmp_path / "in", follow_links=True)
    assert names(found) == ["a.png", "b/c.png"]
    assert problems(found).keys() == {"b/up", "self"}
    assert all(each.skip for each in found if each.problem)
    assert problems(below(tmp_path / "in")) == {}


def test_a_folder_keeps_its_place_beside_a_link_to_it(tmp_path: Path) -> None:
    fill(tmp_path, "z/deep/a.png")
    (tmp_path / "a").symlink_to("z")
    (tmp_path / "b").symlink_to("z/deep")
    found = below(tmp_path, follow_links=True)
    assert (names(found), problems(found)) == (["z/deep/a.png"], {})


def test_links_that_double_at_each_level_end_in_time(tmp_path: Path) -> None:
    for level in range(40):
        fill(tmp_path, f"{level}/")
        for name in "ab":
            (tmp_path / str(level) / name).symlink_to(f"../{level + 1}")
    fill(tmp_path, "40/a.png")
    assert names(below(tmp_path / "0", follow_links=True)) == [f"{'a/' * 40}a.png"]


@pytest.mark.parametrize("target", ["nowhere.png", "link.png", "a.png/x"])
def test_a_link_that_leads_nowhere_is_a_failure_of_its_own(tmp_path: Path, target: str) -> None:
    fill(tmp_path, "a.png")
    (tmp_path / "link.png").symlink_to(target)
    (tmp_path / "notes.txt").symlink_to("nowhere")
    found = below(tmp_path)
    assert names(found) == ["a.png"]
    assert "link.png: is a link" in problems(found)["link.png"]
    assert [(each.problem.code, each.skip) for each in found if each.problem] == [
        ("io-error", False)
    ]


def test_a_lost_folder_is_told_where_links_are_followed(tmp_path: Path) -> None:
    (tmp_path / "album").symlink_to("nowhere")
    (tmp_path / "loop").symlink_to("loop")
    assert problems(below(tmp_path)) == {}
    assert problems(below(tmp_path, follow_links=True)).keys() == {"album", "loop"}


# What cannot be read


def test_what_is_no_regular_file_is_skipped_and_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo.png")
    os.mkfifo(tmp_path / "fifo")
    with socket.socket(socket.AF_UNIX) as listener, chdir(tmp_path):
        listener.bind("socket.png")
    (tmp_path / "device.png").symlink_to("/dev/null")
    found = below(tmp_path)
    assert {str(each.relative) for each in found if each.skip} == {
        f"{kind}.png" for kind in ("fifo", "socket", "device")
    }
    for name, message in problems(found).items():
        assert f"a {name[:-4]}" in message.lower()
        assert "regular" in message


def test_a_folder_that_cannot_be_listed_is_told_and_the_rest_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path, "a/1.png", "locked/2.png", "z/3.png")
    listing = os.scandir

    def scandir(path: Path) -> object:
        if Path(path).name == "locked":
            raise PermissionError(13, os.strerror(13))
        return listing(path)

    monkeypatch.setattr(os, "scandir", scandir)
    found = below(tmp_path)
    assert names(found) == ["a/1.png", "z/3.png"]
    assert os.strerror(13) in problems(found)["locked"]


def test_files_and_folders_that_vanish_are_no_failure_of_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path, "a.png", "b.png", "gone/c.png")
    with os.scandir(tmp_path) as listing:
        entries = list(listing)
    (tmp_path / "a.png").unlink()
    (tmp_path / "gone" / "c.png").unlink()
    (tmp_path / "gone").rmdir()
    scandir = os.scandir
    monkeypatch.setattr(
        os, "scandir", lambda path: nullcontext(entries) if path == tmp_path else scandir(path)
    )
    found = below(tmp_path)
    assert (names(found), problems(found)) == (["b.png"], {})
    assert problems(below(tmp_path / "gone")).keys() == {"."}


def test_a_tree_deeper_than_a_path_can_be_is_no_crash(tmp_path: Path) -> None:
    with chdir(tmp_path):
        for _ in range(25):  # of 200 bytes each: more than the 4096 of a path
            os.mkdir("d" * 200)
            os.chdir("d" * 200)
        fill(Path(), "a.png")
    fill(tmp_path, "b.png")
    found = below(tmp_path)
    assert names(found) == ["b.png"]
    assert len(problems(found)) == 1


def effort_for(folder: Path, number: int) -> int:
    """What it takes to find ``number`` files in ten folders."""
    fill(folder, *(f"{each % 10}/{each}.png" for each in range(number)))
    taken, found = effort(lambda: below(folder))
    assert len(found) == number
    return taken


def test_a_file_more_takes_no_longer_where_there_are_many(tmp_path: Path) -> None:
    few, more, many = (effort_for(tmp_path / str(number), number) for number in (10, 110, 1110))
    assert many - more == pytest.approx(10 * (more - few), rel=0.1)
