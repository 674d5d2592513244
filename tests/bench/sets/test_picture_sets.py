"""Folders of several layouts, what is read of their pictures, and the digest of a set."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from handmade_sets import encoded, pixels, write
from PIL import Image

from upscale.bench.sets.picture_sets import pixel_digest, read_folder, read_hr
from upscale.errors import InputError


def test_a_colour_and_a_gray_picture(tmp_path: Path) -> None:
    for channels in (1, 3):
        (tmp_path / "one.png").write_bytes(encoded(pixels(0, channels)))
        found = read_hr(tmp_path / "one.png")
        assert found.dtype == np.uint8
        assert (found == pixels(0, channels)).all()


def test_a_palette_becomes_rgb(tmp_path: Path) -> None:
    picture = Image.fromarray(pixels(1)).quantize(8)
    picture.save(tmp_path / "one.png")
    assert (read_hr(tmp_path / "one.png") == np.asarray(picture.convert("RGB"))).all()


@pytest.mark.parametrize("channels", [2, 4])
def test_opacity_is_dropped_where_all_is_opaque_only(tmp_path: Path, channels: int) -> None:
    samples = pixels(2, channels)
    samples[..., -1] = 255
    path = tmp_path / "one.png"
    Image.fromarray(samples).save(path)
    assert (read_hr(path) == samples[..., :-1]).all()
    samples[2, 4, -1] = 254
    Image.fromarray(samples).save(path)
    with pytest.raises(InputError, match=r"one\.png"):
        read_hr(path)


def test_16_bits_are_refused(tmp_path: Path) -> None:
    Image.fromarray(np.full((4, 4), 4711, np.uint16)).save(tmp_path / "deep.png")
    with pytest.raises(InputError, match=r"deep\.png"):
        read_hr(tmp_path / "deep.png")


@pytest.mark.parametrize("name", ["moving.png", "moving.gif", "moving.webp"])
def test_an_animation_is_refused(tmp_path: Path, name: str) -> None:
    frames = [Image.fromarray(pixels(index, 3, 16, 16)) for index in range(3)]
    frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:])
    with pytest.raises(InputError, match=name):
        read_hr(tmp_path / name)


def test_the_digest_is_what_its_description_says(tmp_path: Path) -> None:
    (tmp_path / "one.png").write_bytes(encoded(np.full((2, 1, 3), 7, np.uint8)))
    (tmp_path / "two.png").write_bytes(encoded(np.full((1, 2, 1), 9, np.uint8)))
    own = [hashlib.sha256(b"2 1 3\n" + b"\7" * 6), hashlib.sha256(b"1 2 1\n" + b"\11" * 2)]
    lines = sorted(each.hexdigest() + "\n" for each in own)
    expected = hashlib.sha256("".join(lines).encode()).hexdigest()
    assert pixel_digest(tmp_path.iterdir()) == expected


def test_the_digest_knows_neither_names_nor_order_nor_format(tmp_path: Path) -> None:
    for folder, kind, order in (("a", "png", (0, 1, 2)), ("b", "bmp", (2, 0, 1))):
        (tmp_path / folder).mkdir()
        for place, index in enumerate(order):
            path = tmp_path / folder / f"{place}.{kind}"
            path.write_bytes(encoded(pixels(index), kind))
    first, second = (sorted((tmp_path / name).iterdir()) for name in "ab")
    assert pixel_digest(first) == pixel_digest(second) == pixel_digest(reversed(first))


@pytest.mark.parametrize("change", ["sample", "shape", "gray", "twice", "missing"])
def test_the_digest_knows_every_sample_and_shape(tmp_path: Path, change: str) -> None:
    gray = np.repeat(pixels(0, 1), 3, axis=2)
    write_to = [gray, pixels(1)]
    other = {
        "sample": [gray, pixels(1) ^ (np.arange(45).reshape(3, 5, 3) == 44)],
        "shape": [gray.reshape(5, 3, 3), pixels(1)],
        "gray": [gray[..., :1], pixels(1)],
        "twice": [gray, pixels(1), pixels(1)],
        "missing": [gray],
    }[change]
    digests = []
    for name, arrays in (("a", write_to), ("b", other)):
        (tmp_path / name).mkdir()
        for index, samples in enumerate(arrays):
            data = encoded(np.asarray(samples, np.uint8))
            (tmp_path / name / f"{index}.png").write_bytes(data)
        digests.append(pixel_digest(sorted((tmp_path / name).iterdir())))
    assert digests[0] != digests[1]


def test_a_folder_of_pictures(tmp_path: Path) -> None:
    folder = tmp_path / "holiday"
    write(folder, "a10.png", "a2.bmp", ".hidden.png", "._a2.png")
    (folder / "readme.txt").write_text("no picture")
    (folder / "deeper.png").mkdir()
    found = read_folder(folder, 4, print)
    assert (found.name, found.folder, found.lr_folder) == ("holiday", folder, None)
    assert [(pair.name, pair.hr.name, pair.lr) for pair in found.pairs] == [
        ("a2", "a2.bmp", None),
        ("a10", "a10.png", None),
    ]


@pytest.mark.parametrize("hr", ["HR", "hr"])
@pytest.mark.parametrize(
    ("lr", "form"),
    [
        ("LRbicx4", "{}.png"),
        ("LR_bicubic/X4", "{}x4.png"),
        ("LR_bicubic_x4", "{}_x4.bmp"),
        ("lr_x4", "{}.png"),
        ("LR/x4", "{}.png"),
        ("LR", "{}.png"),
    ],
)
def test_a_folder_with_hr_and_lr_in_it(tmp_path: Path, hr: str, lr: str, form: str) -> None:
    folder = tmp_path / "holiday"
    write(folder / hr, "one.png", "two.png")
    write(folder / "LRbicx2", "one.png", "two.png")
    write(folder / "LR_unknown" / "X4", "one.png", "two.png")
    write(folder / lr, form.format("one"), form.format("two"))
    found = read_folder(folder, 4, print)
    assert found.name == "holiday"
    assert found.folder == folder / hr
    assert found.lr_folder is not None
    assert found.lr_folder.samefile(folder / lr)
    assert [pair.lr and pair.lr.name for pair in found.pairs] == [
        form.format("one"),
        form.format("two"),
    ]
    inner = read_folder(folder / hr, 4, print)
    assert (inner.name, inner.lr_folder) == ("holiday", found.lr_folder)


def test_lr_that_is_not_whole_is_not_used(tmp_path: Path) -> None:
    write(tmp_path / "HR", "one.png", "two.png")
    write(tmp_path / "LRbicx4", "one.png")
    told: list[str] = []
    found = read_folder(tmp_path, 4, told.append)
    assert found.lr_folder is None
    assert [pair.lr for pair in found.pairs] == [None, None]
    (line,) = told
    assert "two.png" in line


def test_two_pictures_of_one_name_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "HR", "one.png", "one.bmp")
    with pytest.raises(InputError, match=r"one\.bmp"):
        read_folder(tmp_path, 4, print)
