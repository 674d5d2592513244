"""Archives that are honest, damaged or hostile."""

import gzip
import re
import tarfile
import zipfile
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from handmade_sets import HUNDRED, encoded, pixels, tarred, zipped

from upscale.bench.sets.archives import unpack
from upscale.models.fetching.sources import SourceError


def special(name: str, kind: bytes, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


def symlink(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, 0o120777 << 16
    return info


PNG = encoded(pixels(0))


REST = dict(list(HUNDRED.items())[1:])


LINK = special("0.png", tarfile.SYMTYPE, "../../../../secret.png")


OUTSIDE = {
    "up": "../evil.png",
    "far up": "BSD100_HR/../../../../evil.png",
    "absolute": "/tmp/upscale-evil.png",
    "backslash": "..\\..\\evil.png",
    "drive": "C:\\evil.png",
}


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return tmp_path / "archive"


@pytest.mark.parametrize(
    ("pack", "finders"), [(tarred, "BSD100_HR/._1.png"), (zipped, "__MACOSX/BSD100_HR/0.png")]
)
def test_pictures_are_written_without_their_folders(archive: Path, pack: Any, finders: str) -> None:
    archive.write_bytes(pack({finders: b"Finder's", "a.txt": b"no picture", **HUNDRED}))
    unpack(archive, archive.with_name("new"), 100)
    assert {path.name: path.read_bytes() for path in archive.with_name("new").iterdir()} == {
        Path(name).name: data for name, data in HUNDRED.items()
    }


@pytest.mark.parametrize("pack", [tarred, zipped])
@pytest.mark.parametrize("name", OUTSIDE.values(), ids=OUTSIDE)
def test_a_path_that_leads_out_is_refused(archive: Path, pack: Any, name: str) -> None:
    archive.write_bytes(pack({name: PNG, **REST}))
    around = (*archive.parents[:3], Path("/tmp"))
    before = [sorted(folder.glob("*evil*")) for folder in around]
    with pytest.raises(SourceError, match=re.escape(repr(name))):
        unpack(archive, archive.with_name("new"), 100)
    assert [sorted(folder.glob("*evil*")) for folder in around] == before
    assert not [*archive.parent.rglob("*evil*")]


LEFT_OUT = {
    "symbolic link": tarred(REST, LINK),
    "hard link": tarred(REST, special("0.png", tarfile.LNKTYPE, "/etc/hostname")),
    "device": tarred(REST, special("0.png", tarfile.CHRTYPE)),
    "FIFO": tarred(REST, special("0.png", tarfile.FIFOTYPE)),
    "link in a zip": zipped(REST, (symlink("0.png"), b"../../../../secret.png")),
    "no picture": tarred({"0.py": b"print()", **REST}),
    "through a link": tarred({"x/1.png": PNG, **dict(list(REST.items())[1:])}, LINK),
}


@pytest.mark.parametrize("data", LEFT_OUT.values(), ids=LEFT_OUT)
def test_what_is_not_a_file_with_a_picture_is_left_out(archive: Path, data: bytes) -> None:
    (archive.parent / "secret.png").write_bytes(PNG)
    archive.write_bytes(data)
    unpack(archive, archive.with_name("new"), 100)
    written = sorted(archive.with_name("new").iterdir())
    assert {path.name for path in written} == {Path(name).name for name in REST}
    assert all(path.is_file() and not path.is_symlink() for path in written)


REFUSED = {
    "too many": (tarred({"100.png": PNG, **HUNDRED}), "100"),
    "one name twice": (tarred({"deeper/1.png": PNG, **REST}), r"1\.png"),
    "cut": (tarred(HUNDRED)[:-700], "archive"),
    "no archive": (b"<html>sign in</html>", "archive"),
    "other": (gzip.compress(b"no tar"), "archive"),
    "cut zip": (zipped(HUNDRED)[200:], "archive"),
}


@pytest.mark.parametrize(("data", "named"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_an_honest_archive_is_refused(archive: Path, data: bytes, named: str) -> None:
    archive.write_bytes(data)
    with pytest.raises(SourceError, match=named):
        unpack(archive, archive.with_name("new"), 100)


def test_a_bomb_is_not_written(archive: Path) -> None:
    """A header that promises 1 GiB, as gzip packs it into one megabyte."""
    info = tarfile.TarInfo("0.png")
    info.size = 2**30
    archive.write_bytes(gzip.compress(info.tobuf() + bytes(2**20)))
    with pytest.raises(SourceError, match=r"0\.png"):
        unpack(archive, archive.with_name("new"), 100)
    assert [*archive.with_name("new").iterdir()] == []


@pytest.mark.parametrize("pack", [tarred, zipped])
def test_folders_may_be_kept_and_chosen(tmp_path: Path, pack: Any) -> None:
    members = {f"set/{part}/{index}.png": PNG for part in ("train", "test") for index in range(2)}
    (tmp_path / "archive").write_bytes(pack(members))

    def place(path: PurePosixPath) -> PurePosixPath | None:
        return path if "train" in path.parts else None

    assert unpack(tmp_path / "archive", tmp_path / "made", 2, place) == 2
    made = sorted(path for path in (tmp_path / "made").rglob("*") if path.is_file())
    assert made == [tmp_path / "made" / "set" / "train" / name for name in ("0.png", "1.png")]
