"""The store of decoded pictures beside pictures that the test itself has made."""

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import tifffile
from faulty_files import cut, refused_files
from forked import Forked
from handmade import Frame, apng, png
from PIL import Image

from upscale.errors import OutputError, UsageError
from upscale.pixels.degrade import blur_and_subsample, degrade
from upscale.training.data.store import Store, open_store

Samples = npt.NDArray[Any]

HEIGHT, WIDTH = 22, 33
"""Sides of most pictures here: no multiples of 4."""

SCALE, PATCH = 4, 12

GIBIBYTE_QUARTER = 256 * 2**20
"""Bytes that a store leaves free."""


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("UPSCALE_CACHE", str(folder))
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "pictures"
    path.mkdir()
    return path


def noise(
    height: int = HEIGHT,
    width: int = WIDTH,
    channels: int = 3,
    seed: int = 0,
    dtype: type[Any] = np.uint8,
) -> Samples:
    top = np.iinfo(dtype).max
    shape = (height, width, channels)
    return np.random.default_rng(seed).integers(0, top, shape, dtype, endpoint=True)


def save(path: Path, samples: Samples) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(png(samples, 8 * samples.dtype.itemsize))


def opened(folder: Path, lr: Path | None = None, **more: Any) -> Store:
    return open_store(folder, lr, SCALE, PATCH, **more)


def names(store: Store) -> list[str]:
    return [item.name for item in store.items]


def cropped(samples: Samples) -> Samples:
    height, width = (length // SCALE * SCALE for length in samples.shape[:2])
    return samples[:height, :width]


def of_store(store: Store, name: str) -> Samples:
    return store.hr(names(store).index(name))


# What is in it


def test_it_holds_the_cropped_pictures_and_their_reductions(folder: Path) -> None:
    sizes = {"a.png": (12, 12), "b.png": (HEIGHT, WIDTH), "deep/c.png": (15, 40), "d.png": (64, 13)}
    pictures = {name: noise(*size, seed=n) for n, (name, size) in enumerate(sizes.items())}
    for name, samples in pictures.items():
        save(folder / name, samples)
    store = opened(folder)
    assert sorted(names(store)) == sorted(pictures)
    assert store.scale == SCALE
    for index, item in enumerate(store.items):
        hr = cropped(pictures[item.name])
        assert (item.height, item.width) == hr.shape[:2]
        assert np.array_equal(store.hr(index), hr)
        assert np.array_equal(store.lr(index), degrade(hr, SCALE))
        assert store.hr(index).dtype == store.lr(index).dtype == np.uint8


@pytest.mark.parametrize("scale", [1, 2, 3])
def test_other_scales(folder: Path, scale: int) -> None:
    pictures = [noise(seed=seed) for seed in range(3)]
    for index, samples in enumerate(pictures):
        save(folder / f"{index}.png", samples)
    store = open_store(folder, None, scale, 6)
    for index, samples in enumerate(pictures):
        hr = samples[: HEIGHT // scale * scale, : WIDTH // scale * scale]
        assert np.array_equal(store.hr(index), hr)
        assert np.array_equal(store.lr(index), degrade(hr, scale))


def pale(samples: Samples) -> Samples:
    """To 8 bits, by the nearest level: 65535 is 255 times 257."""
    return np.floor(samples / 257 + 0.5).astype(np.uint8)


def three(samples: Samples) -> Samples:
    return np.repeat(samples[..., :1], 3, axis=2)


GRAY, GRAY_CLEAR, COLOUR, CLEAR = (noise(channels=channels) for channels in (1, 2, 3, 4))
DEEP_GRAY, DEEP, DEEP_CLEAR = (noise(channels=n, dtype=np.uint16) for n in (1, 3, 4))
OTHER = noise(seed=9)


def gif(path: Path) -> None:
    """Two frames of pure colours, which a palette keeps."""
    frames = [Image.new("RGB", (WIDTH, HEIGHT), colour) for colour in ("#f00000", "#00f000")]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=100)


def turned(path: Path) -> None:
    exif = Image.Exif()
    exif[274] = 6  # a quarter turn clockwise
    Image.fromarray(np.rot90(COLOUR)).save(path, exif=exif)


KINDS: dict[str, tuple[Callable[[Path], object], Samples]] = {
    "gray.png": (lambda path: path.write_bytes(png(GRAY, 8)), three(GRAY)),
    "gray-opacity.png": (lambda path: path.write_bytes(png(GRAY_CLEAR, 8)), three(GRAY_CLEAR)),
    "opacity.png": (lambda path: path.write_bytes(png(CLEAR, 8)), CLEAR[..., :3]),
    "deep.png": (lambda path: path.write_bytes(png(DEEP, 16)), pale(DEEP)),
    "deep-gray.png": (lambda path: path.write_bytes(png(DEEP_GRAY, 16)), three(pale(DEEP_GRAY))),
    "deep-opacity.png": (
        lambda path: path.write_bytes(png(DEEP_CLEAR, 16)),
        pale(DEEP_CLEAR)[..., :3],
    ),
    "deep.tif": (lambda path: tifffile.imwrite(path, DEEP), pale(DEEP)),
    "animated.png": (
        lambda path: path.write_bytes(apng([Frame(COLOUR, (1, 10)), Frame(OTHER, (1, 10))], 0)),
        COLOUR,
    ),
    "animated.gif": (gif, np.broadcast_to(np.uint8([240, 0, 0]), COLOUR.shape)),
    "turned.png": (turned, COLOUR),
    "UPPER.BMP": (lambda path: Image.fromarray(COLOUR).save(path), COLOUR),
}


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_picture_becomes_three_channels_of_8_bits(folder: Path, name: str) -> None:
    write, expected = KINDS[name]
    write(folder / name)
    told: list[str] = []
    store = opened(folder, notify=told.append)
    for word, kinds in {
        "opacity": ("opacity", ".gif"),
        "gray": ("gray",),
        "frames": ("anim",),
    }.items():
        assert any(word in text for text in told) == any(kind in name for kind in kinds), word
    assert np.array_equal(store.hr(0), cropped(expected))


def test_every_level_of_16_bits_becomes_the_nearest_of_8(folder: Path) -> None:
    levels = np.arange(65536, dtype=np.uint16).reshape(256, 256, 1)
    save(folder / "levels.png", levels)
    assert np.array_equal(opened(folder).hr(0), three(pale(levels)))


def test_a_file_is_a_folder_of_one(folder: Path) -> None:
    save(folder / "a.png", COLOUR)
    save(folder / "b.png", OTHER)
    store = opened(folder / "b.png")
    assert names(store) == ["b.png"]
    assert np.array_equal(store.hr(0), cropped(OTHER))


@pytest.mark.parametrize("name", ["@photos", "a[1]", "what?", "@", "-"])
def test_odd_names_of_folders_are_only_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    save(tmp_path / name / "a.png", COLOUR)
    monkeypatch.chdir(tmp_path)
    assert names(opened(Path(name))) == ["a.png"]


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are text there")
def test_names_that_are_not_utf8(folder: Path) -> None:
    name = os.fsdecode(b"\xff\n.png")
    save(folder / name, COLOUR)
    assert names(opened(folder)) == [name]


# Once


def test_pictures_are_decoded_once(folder: Path) -> None:
    for seed in range(3):
        save(folder / f"{seed}.png", noise(seed=seed))

    def state(store: Store) -> dict[str, tuple[int, int]]:
        stats = {path.name: path.stat() for path in store.folder.iterdir()}
        return {name: (stat.st_ino, stat.st_mtime_ns) for name, stat in stats.items()}

    steps: list[tuple[int, int]] = []
    first = opened(folder, progress=lambda done, total: steps.append((done, total)))
    assert steps == [(1, 3), (2, 3), (3, 3)]
    before = state(first)
    second = opened(folder, progress=lambda done, total: steps.append((done, total)))
    assert len(steps) == 3
    assert second == first
    assert state(second) == before


def test_runs_share_a_store_where_it_is_the_same(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(folder / "a.png", noise(24, 36))
    save(folder / "small.png", noise(16, 16))
    first = open_store(folder, None, 4, 12).folder
    assert open_store(folder, None, 4, 16).folder == first
    monkeypatch.chdir(folder)
    for same in (Path(), folder / ".." / folder.name):
        assert open_store(same, None, 4, 12).folder == first
    assert names(open_store(folder, None, 4, 20)) == ["a.png"]
    assert len({first, open_store(folder, None, 4, 20).folder}) == 2
    assert len({first, open_store(folder, None, 2, 12).folder}) == 2


def test_a_picture_that_is_replaced_makes_a_new_store(folder: Path) -> None:
    save(folder / "a.png", COLOUR)
    save(folder / "b.png", COLOUR)
    first = opened(folder)
    save(folder / "b.png", OTHER)
    second = opened(folder)
    assert second.folder != first.folder
    assert np.array_equal(second.hr(1), cropped(OTHER))
    assert np.array_equal(first.hr(1), cropped(COLOUR))  # a run that is at work keeps its own


def test_the_digest_is_that_of_the_pixels(folder: Path, tmp_path: Path) -> None:
    for seed in range(3):
        save(folder / f"{seed}.png", noise(seed=seed))
    store = opened(folder)
    expected = hashlib.sha256()
    for seed in range(3):
        hr = cropped(noise(seed=seed))
        expected.update(hr.tobytes())
        expected.update(degrade(hr, SCALE).tobytes())
    assert store.digest == expected.hexdigest()

    elsewhere = tmp_path / "else" / "where"
    shutil.copytree(folder, elsewhere)
    assert opened(elsewhere).digest == store.digest
    samples = noise(seed=1)
    samples[5, 7, 1] ^= 1
    save(elsewhere / "1.png", samples)
    assert opened(elsewhere).digest != store.digest


def test_the_digest_sees_order_and_lr(folder: Path, tmp_path: Path) -> None:
    save(folder / "a.png", COLOUR)
    save(folder / "b.png", OTHER)
    save(tmp_path / "swapped" / "a.png", OTHER)
    save(tmp_path / "swapped" / "b.png", COLOUR)
    for name, samples in {"a": COLOUR, "b": OTHER}.items():
        save(tmp_path / "lr" / f"{name}.png", 255 - degrade(cropped(samples), SCALE))
    digests = {opened(folder).digest, opened(tmp_path / "swapped").digest}
    assert len(digests | {opened(folder, tmp_path / "lr").digest}) == 3


# What is left out


def test_broken_and_small_pictures_are_left_out_and_said(folder: Path) -> None:
    save(folder / "good.png", COLOUR)
    save(folder / "narrow.png", noise(40, PATCH - 1))
    save(folder / "flat.png", noise(PATCH - 1, 40))
    (folder / "cut.png").write_bytes(cut(png(COLOUR, 8)))
    (folder / "text.jpg").write_text("no picture")
    (folder / "empty.webp").touch()
    (folder / "notes.txt").write_text("not looked at")
    told: list[str] = []
    store = opened(folder, notify=told.append)
    assert names(store) == ["good.png"]
    for name in ("cut.png", "text.jpg", "empty.webp"):
        (line,) = (line for line in told if name in line)
        told.remove(line)
    (small,) = told
    assert small.startswith(f"{folder}: 2 pictures ")


def test_every_faulty_file_is_left_out(folder: Path) -> None:
    save(folder / "good.png", COLOUR)
    refused = {name: file for name, file in refused_files().items() if not name.startswith("32")}
    for name, content in refused.items():
        (folder / name).write_bytes(content)
    told: list[str] = []
    assert names(opened(folder, notify=told.append)) == ["good.png"]
    for name in refused:
        assert any(name in line for line in told), name


def test_what_is_left_out_is_said_again(folder: Path) -> None:
    save(folder / "good.png", COLOUR)
    (folder / "cut.png").write_bytes(cut(png(COLOUR, 8)))
    told: list[str] = []
    opened(folder, notify=told.append)
    again: list[str] = []
    opened(folder, notify=again.append)
    assert again == told
    assert len(told) == 1


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are none")
def test_odd_things_in_the_folder_are_left_out(folder: Path, tmp_path: Path) -> None:
    save(folder / "good.png", COLOUR)
    save(tmp_path / "aside" / "behind.png", OTHER)
    os.mkfifo(folder / "pipe.png")
    (folder / "gone.png").symlink_to("nowhere.png")
    (folder / "loop").symlink_to(folder)
    (folder / "link").symlink_to(tmp_path / "aside")
    told: list[str] = []
    store = opened(folder, notify=told.append)
    assert sorted(names(store)) == ["good.png", "link/behind.png"]
    assert any("gone.png" in line for line in told)


@pytest.mark.parametrize("side", range(PATCH, PATCH + SCALE))
def test_a_picture_as_large_as_the_patch_is_kept(folder: Path, side: int) -> None:
    save(folder / "a.png", noise(side, side))
    assert opened(folder).hr(0).shape == (PATCH, PATCH, 3)


def test_only_small_pictures(folder: Path) -> None:
    save(folder / "a.png", noise(PATCH - 1, 99))
    with pytest.raises(UsageError, match=rf"^{folder}: .* {PATCH} × {PATCH} .* --hr-patch$"):
        opened(folder)


def test_only_broken_pictures(folder: Path) -> None:
    for content in (cut(png(COLOUR, 8)), b"no picture"):
        (folder / "cut.png").write_bytes(content)
        with pytest.raises(UsageError, match=f"^{folder}: "):
            opened(folder)


@pytest.mark.parametrize("name", ["", "nowhere", "*.png"])
def test_no_pictures(folder: Path, name: str) -> None:
    (folder / "notes.txt").write_text("nothing to see")
    with pytest.raises(UsageError, match=f"^{re.escape(str(folder / name))}: "):
        opened(folder / name)


# Pairs


def inverted(samples: Samples) -> Samples:
    """LR that nobody would make of ``samples``."""
    return 255 - degrade(cropped(samples), SCALE)


def test_lr_of_the_same_name(folder: Path, tmp_path: Path) -> None:
    save(folder / "deep" / "a.png", COLOUR)
    (tmp_path / "lr" / "deep").mkdir(parents=True)
    Image.fromarray(inverted(COLOUR)).save(tmp_path / "lr" / "deep" / "ax4.bmp")
    store = opened(folder, tmp_path / "lr")
    assert np.array_equal(store.hr(0), cropped(COLOUR))
    assert np.array_equal(store.lr(0), inverted(COLOUR))


@pytest.mark.parametrize("size", [(5, 9), (6, 8), (22, 33), (8, 5)])
def test_sizes_that_do_not_fit_are_left_out_and_said(
    folder: Path, tmp_path: Path, size: tuple[int, int]
) -> None:
    for name in ("a", "b"):
        save(folder / f"{name}.png", COLOUR)
        save(tmp_path / "lr" / f"{name}.png", inverted(COLOUR))
    save(tmp_path / "lr" / "b.png", noise(*size))
    told: list[str] = []
    assert names(opened(folder, tmp_path / "lr", notify=told.append)) == ["a.png"]
    (line,) = told
    assert line.startswith(f"{tmp_path}/lr/b.png: ")


def test_a_broken_partner_is_left_out_and_said(folder: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        save(folder / f"{name}.png", COLOUR)
        save(tmp_path / "lr" / f"{name}.png", inverted(COLOUR))
    (tmp_path / "lr" / "b.png").write_bytes(cut(png(inverted(COLOUR), 8)))
    told: list[str] = []
    assert names(opened(folder, tmp_path / "lr", notify=told.append)) == ["a.png"]
    (line,) = told
    assert str(tmp_path / "lr" / "b.png") in line


def test_another_lr_is_another_store(folder: Path, tmp_path: Path) -> None:
    save(folder / "a.png", COLOUR)
    made = opened(folder)
    save(tmp_path / "lr" / "a.png", inverted(COLOUR))
    given = opened(folder, tmp_path / "lr")
    save(tmp_path / "lr" / "a.png", noise(5, 8))
    replaced = opened(folder, tmp_path / "lr")
    assert len({made.folder, given.folder, replaced.folder}) == 3
    assert np.array_equal(replaced.lr(0), noise(5, 8))


@pytest.mark.parametrize("sigma", [1.6, 0.7])
def test_a_blur_makes_another_lr_and_another_store(folder: Path, sigma: float) -> None:
    save(folder / "a.png", COLOUR)
    made, blurred = opened(folder), opened(folder, sigma=sigma)
    assert np.array_equal(blurred.hr(0), made.hr(0))
    assert np.array_equal(blurred.lr(0), blur_and_subsample(cropped(COLOUR), SCALE, sigma))
    assert len({made.digest, blurred.digest, opened(folder, sigma=2 * sigma).digest}) == 3
    assert opened(folder, sigma=sigma).folder == blurred.folder


# Disks


@pytest.fixture
def disk(cache: Path) -> Iterator[Callable[[int], None]]:
    """Put the cache on a disk of some bytes."""

    def mount(size: int) -> None:
        cache.mkdir(exist_ok=True)
        command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(cache)]
        done = os.name == "posix" and subprocess.run(command, capture_output=True, check=False)
        if not done or done.returncode:
            pytest.skip("only root can mount a small disk")

    yield mount
    if cache.is_mount():
        subprocess.run(["umount", "--lazy", str(cache)], check=True)


@pytest.mark.parametrize(("spare", "fits"), [(-8192, False), (8192, True)])
def test_too_little_disk_is_found_before_decoding(
    folder: Path, disk: Callable[[int], None], cache: Path, spare: int, fits: bool
) -> None:
    save(folder / "a.png", noise(400, 400))
    save(folder / "b.png", noise(400, 200))
    samples = 3 * (400 * 400 + 400 * 200)
    disk(samples + samples // 16 + GIBIBYTE_QUARTER + spare)
    done: list[int] = []
    if fits:
        assert len(opened(folder, progress=lambda n, total: done.append(n)).items) == 2
        return
    with pytest.raises(OutputError, match=rf"^{cache}/.* 0\.3 GB.* UPSCALE_CACHE "):
        opened(folder, progress=lambda n, total: done.append(n))
    assert done == []
    assert not [path for path in cache.rglob("*") if path.is_file() and path.stat().st_size]


def test_a_cache_that_cannot_be_a_folder(folder: Path, cache: Path) -> None:
    save(folder / "a.png", COLOUR)
    cache.write_text("a file")
    with pytest.raises(OutputError, match=f"^{cache}/.* UPSCALE_CACHE "):
        opened(folder)


# Several processes, and those that end early

WORKER = """
import os, signal, sys, time
from pathlib import Path
from upscale.training.data.store import open_store

folder, mark, fate = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
decoded = []

def progress(done, total):
    decoded.append(done)
    if fate == "dies" and done == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    if fate == "lingers" and done == 1:
        print("decoding", flush=True)
        sys.stdin.readline()

mark.touch()
while len(list(mark.parent.iterdir())) < int(sys.argv[4]):
    time.sleep(0.001)
say = lambda text: print(text, flush=True)
store = open_store(folder, None, 4, 12, progress, say)
print(len(decoded), store.digest)
"""


def start(folder: Path, mark: Path, fate: str, together: int) -> Forked:
    mark.parent.mkdir(exist_ok=True)
    words = (str(folder), str(mark), fate, str(together))
    return Forked(*words, folder=folder, environment=os.environ, program=WORKER)


def fill(folder: Path, count: int = 12) -> None:
    for seed in range(count):
        save(folder / f"{seed}.png", noise(seed=seed))


def content(cache: Path) -> set[str]:
    return {path.name for path in cache.rglob("*") if path.is_file() and path.stat().st_size}


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="no SIGKILL")
def test_what_a_killed_process_left_is_no_store(folder: Path, tmp_path: Path, cache: Path) -> None:
    fill(folder)
    process = start(folder, tmp_path / "marks" / "0", "dies", 1)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    assert any(path.is_dir() for path in (cache / "training").iterdir())  # it did leave something
    done: list[int] = []
    store = opened(folder, progress=lambda n, total: done.append(n))
    assert len(done) == len(store.items) == 12
    (place,) = (path for path in store.folder.parent.iterdir() if path.is_dir())
    assert place == store.folder
    assert content(cache) == {"hr", "lr", "index.json"}
    assert not list(cache.rglob("*.part"))


def test_processes_that_come_at_once_decode_once(folder: Path, tmp_path: Path) -> None:
    fill(folder)
    processes = [start(folder, tmp_path / "marks" / str(n), "lives", 3) for n in range(3)]
    outputs = [process.communicate(timeout=60)[0].splitlines()[-1].split() for process in processes]
    assert [process.returncode for process in processes] == [0] * 3
    assert sorted(int(decoded) for decoded, _ in outputs) == [0, 0, 12]
    assert {digest.decode() for _, digest in outputs} == {opened(folder).digest}


def test_a_process_says_that_it_waits_for_another(folder: Path, tmp_path: Path) -> None:
    fill(folder, 3)
    first = start(folder, tmp_path / "marks" / "0", "lingers", 1)
    assert first.stdout.readline() == b"decoding\n"
    second = start(folder, tmp_path / "marks" / "1", "lives", 1)
    assert b"waiting" in second.stdout.readline()
    said = [process.communicate(b"\n", timeout=60)[0] for process in (first, second)]
    outputs = [text.splitlines()[-1].split() for text in said]
    assert [first.returncode, second.returncode] == [0, 0]
    assert [int(decoded) for decoded, _ in outputs] == [3, 0]
    assert outputs[0][1] == outputs[1][1]


def test_an_interrupt_leaves_nothing(folder: Path, cache: Path) -> None:
    fill(folder)

    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        opened(folder, progress=interrupt)
    assert content(cache) == set()
    assert len(opened(folder).items) == 12


def test_the_index_is_plain_json(folder: Path) -> None:
    save(folder / "a.png", COLOUR)
    store = opened(folder)
    index = json.loads((store.folder / "index.json").read_text("ascii"))
    assert index["digest"] == store.digest
