import io
import zipfile
from pathlib import Path

import pytest

from upscale.errors import InputError
from upscale.serving.requests.arrivals import Arrivals, safe_name
from upscale.serving.requests.limits import Limits

HOSTILE = [
    *("../../up.png", "/etc/passwd", "..\\..\\up.png", "C:\\Windows\\win.ini", "C:up.png"),
    *("@list.txt", "-", "--help", "~/.ssh/id_rsa", "file:///etc/passwd", "http://[::1]/x.png"),
    *("hf://a/b/c", "..", ".", "", "a\0b.png", "a\nb.png", "*.png", "[a].png", "$(id).png"),
    *("%2e%2e%2fup.png", "...png", "x" * 400 + ".png", "é" * 400 + ".jpg", "\udcff.png", "CON:"),
]


@pytest.mark.parametrize("name", HOSTILE, ids=repr)
def test_no_name_leads_out_of_its_folder(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as written:
        if name.isprintable() and name.strip("."):
            written.writestr(name, b"2")
        written.writestr("last.png", b"3")
    arrivals = Arrivals(folder, Limits())
    arrivals.add(name, io.BytesIO(b"1"))
    arrivals.add("a.zip", archive)
    assert list(tmp_path.iterdir()) == [folder]
    for each in arrivals.found:
        assert each.path.resolve().is_relative_to(folder.resolve())
        assert not each.leaves
        assert each.path.is_file()
    assert arrivals.found[0].path.read_bytes() == b"1"
    assert arrivals.found[-1].path.read_bytes() == b"3"


def test_what_people_call_their_pictures_stays() -> None:
    for name in ("Ålesund – été 2024 (1).JPG", "写真.png", "a.b.c.tiff", "🦅.webp", "@me.png"):
        assert safe_name(name) == name


def test_a_link_in_an_archive_is_a_file_with_a_path_in_it(tmp_path: Path) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as written:
        link = zipfile.ZipInfo("link.png")
        link.external_attr = 0o120777 << 16
        written.writestr(link, "/etc/passwd")
    arrivals = Arrivals(tmp_path, Limits())
    arrivals.add("a.zip", archive)
    assert not arrivals.found[0].path.is_symlink()
    assert arrivals.found[0].path.read_bytes() == b"/etc/passwd"


def test_equal_names_are_told_apart(tmp_path: Path) -> None:
    arrivals = Arrivals(tmp_path, Limits())
    for number, name in enumerate(["a.png", "A.png", "a.png", "a (2).png"]):
        arrivals.add(name, io.BytesIO(bytes([number])))
    assert [each.path.read_bytes() for each in arrivals.found] == [b"\0", b"\1", b"\2", b"\3"]
    assert len({str(each.relative).casefold() for each in arrivals.found}) == 4


def test_a_file_may_be_called_as_a_folder_is(tmp_path: Path) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as written:
        for name in ("x", "x/y.png", "z/y.png", "z", "x/y.png "):
            written.writestr(name, name)
    arrivals = Arrivals(tmp_path, Limits())
    arrivals.add("a.zip", archive)
    assert [each.path.read_text() for each in arrivals.found] == [
        *("x", "x/y.png", "z/y.png", "z", "x/y.png ")
    ]


def test_too_much_is_refused(tmp_path: Path) -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.png", bytes(10**6))
    assert len(bomb.getvalue()) < 10**4
    with pytest.raises(InputError) as caught:
        Arrivals(tmp_path, Limits(most_bytes=10**5)).add("b.zip", bomb)
    assert caught.value.code == "too-large"
    many = Arrivals(tmp_path, Limits(pictures=2))
    many.add("1.png", io.BytesIO(b"1"))
    many.add("2.png", io.BytesIO(b"2"))
    with pytest.raises(InputError) as caught:
        many.add("3.png", io.BytesIO(b"3"))
    assert caught.value.code == "too-large"
