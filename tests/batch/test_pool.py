"""Codec processes that die at the worst time: no wait without end, nothing left behind."""

import contextlib
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from codecs_seen import SOON, Endless, codecs, kill, noise, request, wait_until
from PIL import Image as Pillow

from upscale.batch.pool import CodecPool, Picture
from upscale.batch.worker import Decoded, Read, Skipped, Write
from upscale.errors import InputError, OutputError, UpscaleError
from upscale.pictures.limits import MAX_PIXELS
from upscale.pictures.writing.encoding import Encoding
from upscale.pixels.image import Layout, Metadata, Pixels

pytestmark = [
    pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="there is no /proc"),
    pytest.mark.usefixtures("nothing_left"),
]

LEAVING = 2.0
"""Seconds that a signal may take to end a run."""


def writing(read: Read, height: int, width: int, part: Path | None = None) -> Write:
    part = part or read.output.with_suffix(".part")
    return Write(read.output, Layout(width, height, 3, 8), Metadata(), Encoding(), "0" * 32, part)


def finish(picture: Picture, pixels: Pixels, part: Path | None = None) -> list[str]:
    """Send the result of a picture and wait for it to be written."""
    picture.open(writing(picture.request, pixels.shape[0], pixels.shape[1], part))
    picture.write(pixels)
    picture.finish()
    return picture.written.result(SOON)


def raised(picture: Picture, reading: bool = False) -> UpscaleError:
    with pytest.raises(UpscaleError) as caught:
        (picture.decoded if reading else picture.written).result(SOON)
    return caught.value


def saved(folder: Path, count: int) -> list[str]:
    """Save pictures of 1, 2, … rows, and return their names."""
    names = [f"{number}.png" for number in range(count)]
    for number, name in enumerate(names):
        Pillow.fromarray(noise(number + 1, 5)).save(folder / name)
    return names


# Pictures through a pool


def test_pictures_go_through_few_processes_each_by_itself(tmp_path: Path) -> None:
    names = saved(tmp_path, 7)
    with CodecPool(2) as pool:
        pictures = [pool.start(request(tmp_path / name)) for name in names]
        for picture in pictures:
            decoded = picture.decoded.result(SOON)
            assert isinstance(decoded, Decoded)
            assert finish(picture, np.asarray(decoded.image.pixels)[::-1]) == []
    for number, name in enumerate(names):
        made = np.asarray(Pillow.open(tmp_path / name.replace(".", "_x4.")))
        np.testing.assert_array_equal(made, noise(number + 1, 5)[::-1])


def test_decoded_pictures_keep_no_process_from_others(tmp_path: Path) -> None:
    names = saved(tmp_path, 5)
    with CodecPool(1) as pool:
        pictures = [pool.start(request(tmp_path / name)) for name in names]
        assert all(isinstance(each.decoded.result(SOON), Decoded) for each in pictures)
        for picture in reversed(pictures):  # small ones are handed over without waiting
            picture.open(writing(picture.request, 3, 3))
            picture.write(noise(3, 3))
            picture.finish()
        assert [each.written.result(SOON) for each in pictures] == [[]] * 5


def test_a_large_band_goes_in_pieces(photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("upscale.batch.pool.PIECE", 100)
    with CodecPool(1) as pool:
        picture = pool.start(request(photo))
        picture.decoded.result(SOON)
        finish(picture, noise(50, 20))  # 60 bytes a row
        wide = pool.start(request(photo, photo.with_name("wide.png")))
        wide.decoded.result(SOON)
        finish(wide, noise(5, 90))  # a row is more than a piece
    assert np.asarray(Pillow.open(photo.with_name("photo_x4.png"))).shape == (50, 20, 3)
    np.testing.assert_array_equal(
        np.asarray(Pillow.open(photo.with_name("wide.png"))), noise(5, 90)
    )


def test_a_finished_picture_is_skipped_without_any_writing(photo: Path) -> None:
    with CodecPool(1) as pool:
        first = pool.start(request(photo))
        decoded = first.decoded.result(SOON)
        assert isinstance(decoded, Decoded)
        write = writing(first.request, 2, 2)
        first.open(
            Write(write.path, write.layout, write.metadata, Encoding(), decoded.key, write.part)
        )
        first.write(noise(2, 2))
        first.finish()
        first.written.result(SOON)
        second = pool.start(request(photo))
        assert second.decoded.result(SOON) == Skipped("a")
        assert second.written.result(SOON) == []


def test_a_bad_picture_does_not_hold_up_the_next(photo: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_bytes(b"no picture")
    with CodecPool(1) as pool:
        bad, missing, good = (
            pool.start(request(path)) for path in (tmp_path / "bad.png", tmp_path / "no.png", photo)
        )
        assert raised(bad, reading=True).code == "not-an-image"
        assert raised(missing, reading=True).code == "io-error"
        assert finish(good, noise(3, 3)) == []


# Crashes


def test_a_crash_while_reading_costs_one_picture(
    photo: Path, endless: Endless, nothing_left: set[int]
) -> None:
    with CodecPool(1) as pool:
        (pid,) = codecs(nothing_left)
        stuck, good = pool.start(request(endless.path)), pool.start(request(photo))
        endless.await_reader()
        kill([pid])
        assert raised(stuck, reading=True).code == "crashed"
        assert finish(good, noise(3, 3)) == []


@pytest.mark.parametrize("rows", [0, 40])
def test_a_crash_while_writing_costs_one_picture(
    photo: Path, nothing_left: set[int], rows: int
) -> None:
    with CodecPool(1) as pool:
        picture, good = pool.start(request(photo)), pool.start(request(photo))
        picture.decoded.result(SOON)
        picture.open(writing(picture.request, 1000, 20))
        for row in range(rows):
            picture.write(noise(1, 20) + np.uint8(row))
        wait_until(lambda: list(photo.parent.glob("*.part")) and picture.messages.empty())
        kill(codecs(nothing_left))
        with pytest.raises(InputError) as caught:
            write_rows(picture, 900)
        assert caught.value.code == "crashed"
        picture.abandon()
        assert not list(photo.parent.glob("*.part"))
        good.decoded.result(SOON)
        assert finish(good, noise(3, 3)) == []


def write_rows(picture: Picture, rows: int) -> None:
    for _ in range(rows):
        picture.write(noise(1, 20))


def test_a_crash_between_two_pictures_is_not_the_end(photo: Path, nothing_left: set[int]) -> None:
    with CodecPool(1) as pool:
        for number in range(3):
            kill(codecs(nothing_left))
            given_up = pool.start(request(photo))
            with contextlib.suppress(InputError):
                given_up.decoded.result(SOON)
                given_up.abandon()
            picture = pool.start(request(photo, photo.with_name(f"{number}.png")))
            with contextlib.suppress(InputError):
                picture.decoded.result(SOON)
                finish(picture, noise(2, 2))
        assert len(codecs(nothing_left)) == 1


# Errors of the writer, and pictures that are given up


@pytest.mark.parametrize("bands", [1, 400])
def test_an_error_of_the_writer_reaches_whoever_sends_rows(photo: Path, bands: int) -> None:
    nowhere = photo.parent / "none" / "a.part"
    with CodecPool(1) as pool:
        picture, good = pool.start(request(photo)), pool.start(request(photo))
        picture.decoded.result(SOON)
        begin = time.monotonic()
        with pytest.raises(OutputError, match="No such file"):
            finish_in_bands(picture, bands, nowhere)
        assert time.monotonic() - begin < LEAVING
        picture.abandon()
        good.decoded.result(SOON)
        assert finish(good, noise(3, 3)) == []


def finish_in_bands(picture: Picture, bands: int, part: Path) -> None:
    picture.open(writing(picture.request, bands, 50, part))
    for _ in range(bands):
        picture.write(noise(1, 50))
    picture.finish()
    picture.written.result(SOON)


@pytest.mark.parametrize("rows", [None, 0, 30])
def test_a_picture_that_is_given_up_leaves_nothing(photo: Path, rows: int | None) -> None:
    before = photo.with_name("photo_x4.png")
    before.write_bytes(b"before")
    scratch = photo.with_suffix(".scratch")
    read = Read(photo, before, {"a": ""}, None, True, MAX_PIXELS, False, False, scratch)
    with CodecPool(1) as pool:
        picture = pool.start(read)
        picture.decoded.result(SOON)
        if rows is not None:
            picture.open(writing(read, 100, 20))
            for _ in range(rows):
                picture.write(noise(1, 20))
        picture.abandon()
        assert picture.written.result(SOON) == []
        assert before.read_bytes() == b"before"
        good = pool.start(request(photo, photo.with_name("good.png")))
        good.decoded.result(SOON)
        assert finish(good, noise(3, 3)) == []


def test_giving_up_what_has_failed_or_is_done_is_nothing(photo: Path) -> None:
    with CodecPool(1) as pool:
        picture = pool.start(request(photo))
        picture.decoded.result(SOON)
        finish(picture, noise(3, 3))
        picture.abandon()
    assert photo.with_name("photo_x4.png").exists()


def test_giving_up_what_fails_at_that_moment_is_nothing(photo: Path) -> None:
    picture = Picture(request(photo))
    picture.open(writing(picture.request, 2, 1))
    for _ in range(2):
        picture.write(noise(1, 1))
    assert picture.messages.full()
    failing = threading.Timer(0.2, picture.written.set_exception, (InputError("crashed"),))
    failing.start()
    try:
        picture.abandon()
    finally:
        failing.join()


# The end of a pool


class Leaving(BaseException):
    """As a signal would be."""


@pytest.mark.parametrize("what", ["idle", "reading", "decoded", "open", "writing", "waiting"])
def test_whoever_leaves_by_an_error_waits_for_nothing(
    photo: Path, endless: Endless, nothing_left: set[int], what: str
) -> None:
    begin = 0.0

    def leave() -> None:
        nonlocal begin
        with CodecPool(1) as pool:
            if what == "reading":
                pictures = [pool.start(request(endless.path)) for _ in range(5)]
                endless.await_reader()
                assert not any(picture.decoded.done() for picture in pictures)
            if what in ("decoded", "open", "writing", "waiting"):
                picture = pool.start(request(photo))
                picture.decoded.result(SOON)
            if what in ("open", "writing", "waiting"):
                picture.open(writing(picture.request, 10**4, 1000))
            if what == "writing":
                for _ in range(5):
                    picture.write(noise(100, 1000))
            if what == "waiting":
                wait_until(lambda: list(photo.parent.glob("*.part")))
            begin = time.monotonic()
            raise Leaving

    with pytest.raises(Leaving):
        leave()
    assert time.monotonic() - begin < LEAVING
    assert codecs(nothing_left) == []
    assert {*photo.parent.iterdir()} == {photo, endless.path}


@pytest.mark.parametrize("rows", [None, 1, 6])
def test_who_stops_amid_a_picture_and_leaves_waits_for_no_more_of_it(
    photo: Path, rows: int | None, nothing_left: set[int]
) -> None:
    with CodecPool(1) as pool:
        picture = pool.start(request(photo))
        picture.decoded.result(SOON)
        write = writing(picture.request, 9, 9)
        picture.open(write)
        for _ in range(rows or 0):
            picture.write(noise(1, 9))
    assert not write.path.exists()


def test_a_pool_without_processes_ends() -> None:
    with CodecPool(0):
        pass
