"""Texts beside a picture, from each format that has them to each, as Pillow reads them."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, PngImagePlugin
from saved_files import exif_of, noise, save

from upscale.pictures.formats import WRITABLE
from upscale.pictures.reading.reader import read
from upscale.pictures.writing.encoding import Encoding
from upscale.pictures.writing.texts import insert
from upscale.pixels.image import Metadata, Text

PIXELS = noise(8, 8, 3)
LONG = "steps: 20, " * 300
COMMENT = "Gr\u00fc\u00dfe \u20ac"


def source(path: Path, late: bool = False) -> Path:
    """A picture with texts of each kind, and with such as tell of the file only."""
    if path.suffix == ".png":
        texts = PngImagePlugin.PngInfo()
        texts.add_text("Author", "J\u00fcrgen")
        texts.add_itxt("Title", "\u540d\u524d", lang="ja", tkey="Title")
        texts.add_text("parameters", LONG, zip=True)
        texts.add_itxt("Comment", COMMENT, zip=True)
        texts.add_text("Software", "a program")
        texts.add_text("date:create", "2020-02-02")
        texts.add_text("Thumb::Size", "20")
        Image.fromarray(PIXELS).save(path, pnginfo=texts)
        if late:
            data = path.read_bytes()
            begin, end = data.index(b"IDAT") - 4, data.index(b"IEND") - 4
            path.write_bytes(data[:33] + data[begin:end] + data[33:begin] + data[end:])
    elif path.suffix == ".jpg":
        Image.fromarray(PIXELS).save(path, comment=COMMENT.encode())
    else:
        Image.fromarray(PIXELS).quantize().save(path, comment=COMMENT.encode())
    return path


def found(path: Path) -> dict[str, str]:
    with Image.open(path) as picture:
        picture.load()
        if isinstance(picture, PngImagePlugin.PngImageFile):
            return {name: str(text) for name, text in picture.text.items()}
        comment = picture.info.get("comment", b"").decode()
    return {"Comment": comment} if comment else {}


WRITTEN = {
    "Author": "J\u00fcrgen", "Title": "\u540d\u524d", "parameters": LONG,
    "Comment": COMMENT, "Software": "a program",
}  # fmt: skip


@pytest.mark.parametrize("suffix", WRITABLE)
@pytest.mark.parametrize("name", ["a.png", "late.png", "a.jpg", "a.gif"])
def test_texts_are_carried_or_named(tmp_path: Path, name: str, suffix: str) -> None:
    image = read(source(tmp_path / name, late=name == "late.png"))
    known = WRITTEN if name.endswith(".png") else {"Comment": COMMENT}
    assert {each.keyword: each.text for each in image.metadata.texts} == known
    path = tmp_path / f"out{suffix}"
    said = save(path, np.asarray(image.pixels[:3]), image.metadata, key=None)
    kept = {".png": set(known), ".jpg": {"Comment"}, ".gif": {"Comment"}}.get(suffix, set())
    assert found(path) == {each: known[each] for each in kept}
    lost = known.keys() - kept - {"Software"}
    (line,) = [each for each in said if "its texts (" in each] or [""]
    assert {each for each in known if each in line} == lost


def test_a_text_keeps_its_language_and_is_packed_where_it_is_long(tmp_path: Path) -> None:
    image = read(source(tmp_path / "a.png"))
    for frames in (1, 2):
        path = tmp_path / f"out{frames}.png"
        pixels = np.concatenate([np.asarray(image.pixels[:])] * frames)
        save(path, pixels, image.metadata, frames=frames)
        data = path.read_bytes()
        assert b"iTXtTitle\0\0\0ja\0\0" in data
        assert b"zTXtparameters\0\0" in data
        assert read(path).metadata.texts == image.metadata.texts


def test_strip_drops_texts(tmp_path: Path) -> None:
    image = read(source(tmp_path / "a.png"))
    path = tmp_path / "out.png"
    assert save(path, PIXELS, image.metadata, Encoding(strip=True)) == []
    assert read(path).metadata.texts == ()


def test_the_comment_of_a_jpeg_stands_behind_exif(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    save(path, PIXELS, Metadata(exif=exif_of(), texts=(Text("Comment", "a"), Text("Comment", "b"))))
    data = path.read_bytes()
    assert data[2:4] == b"\xff\xe1"  # EXIF, which wants to be first (Exif 2.32, 4.5.4)
    assert [each.text for each in read(path).metadata.texts] == ["a", "b"]
    with Image.open(path) as picture:
        assert picture.getexif()[0x10F] == "Mamiya"


def test_a_comment_longer_than_a_segment_is_named(tmp_path: Path) -> None:
    for length, lost in ((65_533, False), (65_534, True)):
        metadata = Metadata(texts=(Text("Comment", "x" * length),))
        said = save(tmp_path / "a.jpg", PIXELS, metadata)
        assert ["Comment" in each for each in said] == [True] * lost
        assert bool(read(tmp_path / "a.jpg").metadata.texts) != lost


def test_a_damaged_text_is_named(tmp_path: Path) -> None:
    path = source(tmp_path / "a.png")
    data = bytearray(path.read_bytes())
    data[data.index(b"Author") + 8] ^= 1
    path.write_bytes(data)
    image = read(path)
    assert "Author" not in {each.keyword for each in image.metadata.texts}
    assert ["text" in each for each in image.warnings] == [True]


def test_what_is_inserted_moves_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("upscale.pictures.writing.texts.STEP", 7)
    path = tmp_path / "a"
    for at in (0, 5, 7, 40, 50):
        path.write_bytes(bytes(range(50)))
        with path.open("r+b") as file:
            insert(file.fileno(), at, b"twelve bytes")
        plain = bytes(range(50))
        assert path.read_bytes() == plain[:at] + b"twelve bytes" + plain[at:]
