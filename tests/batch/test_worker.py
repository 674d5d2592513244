"""A codec process, asked as its pool asks it: a reply to each message, whatever the file."""

import os
import select
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from upscale.batch.codec import Codec
from upscale.batch.resume import keys_of
from upscale.batch.worker import Decoded, Finish, Probe, Probed, Read, Skipped, Write
from upscale.errors import InputError, OutputError, UpscaleError
from upscale.models.choice import Choice
from upscale.pictures.limits import MAX_PIXELS
from upscale.pictures.writing.encoding import Encoding
from upscale.pictures.writing.key import read_key
from upscale.pixels.image import Header, Layout, Metadata, Pixels
from upscale.pixels.spool import IN_MEMORY, StoredRows

SETTINGS = {"a": "settings"}


class Talk:
    """Sends messages to a process and takes its replies, for which it waits some seconds."""

    def __init__(self) -> None:
        self.codec = Codec(debug=True)
        self.process = self.codec._process

    def ask(self, message: Any, seconds: float = 10) -> Any:
        self.codec.pipe.send(message)
        ready, _, _ = select.select([self.process.stdout], [], [], seconds)
        assert ready, "no reply"
        return self.codec.pipe.receive()

    def end(self) -> int:
        self.codec.pipe.hang_up()
        return self.process.wait(5)


@pytest.fixture(scope="module")
def shared() -> Iterator[Talk]:
    talk = Talk()
    with talk.process:
        yield talk
        talk.process.kill()


@pytest.fixture
def codec(shared: Talk, tmp_path: Path) -> Talk:
    """A process that is ready for a request, as after each test it should be."""
    assert isinstance(shared.ask(probe(tmp_path / "missing", tmp_path / "none")), InputError)
    return shared


def noise(height: int, width: int, channels: int = 3) -> Pixels:
    random = np.random.default_rng(0)
    found: Pixels = random.integers(0, 255, (height, width, channels), np.uint8)
    return found


def probe(path: Path, output: Path, overwrite: bool = False, most: int = MAX_PIXELS) -> Probe:
    return Probe(
        path, output, SETTINGS, None, overwrite, most, False, False, output.with_suffix(".part")
    )


def reading(path: Path, output: Path, overwrite: bool = False, most: int = MAX_PIXELS) -> Read:
    return Read(
        path, output, SETTINGS, None, overwrite, most, False, False, output.with_suffix(".part")
    )


def writing(output: Path, pixels: Pixels, key: str = "0" * 32, **more: Any) -> Write:
    height, width, channels = pixels.shape
    part = more.pop("part", output.with_suffix(".part"))
    layout = Layout(width, height, channels, 8)
    return Write(output, layout, Metadata(**more), Encoding(), key, part)


def test_a_header_is_told_without_pixels(codec: Talk, photo: Path, tmp_path: Path) -> None:
    found = codec.ask(probe(photo, tmp_path / "out.png"))
    assert found == Probed(Header(14, 9, 3, 8, 1), Choice("a"))


def test_pixels_come_with_the_key_of_their_result(codec: Talk, photo: Path, tmp_path: Path) -> None:
    found = codec.ask(reading(photo, tmp_path / "out.png"))
    assert isinstance(found, Decoded)
    assert found.key == keys_of(photo, SETTINGS)["a"]
    np.testing.assert_array_equal(found.image.pixels, noise(9, 14))
    assert [*tmp_path.iterdir()] == [photo]


def test_many_rows_stay_behind_in_the_scratch_file(codec: Talk, tmp_path: Path) -> None:
    side = int((IN_MEMORY / 3) ** 0.5) + 1
    Pillow.new("RGB", (side, side), (1, 2, 3)).save(tmp_path / "a.tif")
    request = reading(tmp_path / "a.tif", tmp_path / "out.png")
    found = codec.ask(request)
    rows = found.image.pixels
    assert isinstance(rows, StoredRows)
    assert (rows.path, rows.shape) == (request.scratch, (side, side, 3))
    assert {*map(tuple, rows[side - 1 :].reshape(-1, 3))} == {(1, 2, 3)}


def test_rows_become_a_file_that_is_then_skipped(codec: Talk, photo: Path, tmp_path: Path) -> None:
    output, pixels = tmp_path / "out.png", noise(9, 14)[::-1]
    key = codec.ask(reading(photo, output)).key
    assert codec.ask(writing(output, pixels, key)) is None
    for row in pixels:
        assert codec.ask(row[None]) is None
        assert not output.exists()
    assert codec.ask(Finish()) == []
    np.testing.assert_array_equal(np.asarray(Pillow.open(output)), pixels)
    assert read_key(output) == key
    for request in (probe(photo, output), reading(photo, output), reading(photo, output, True)):
        assert codec.ask(request) == Skipped("a")


def test_a_change_of_input_or_settings_ends_the_skipping(
    codec: Talk, photo: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out.png"
    codec.ask(writing(output, noise(2, 2), keys_of(photo, SETTINGS)["a"]))
    codec.ask(noise(2, 2))
    codec.ask(Finish())
    for request in (replace(probe(photo, output), settings={"a": "others"}), probe(photo, output)):
        if request.settings == SETTINGS:
            photo.write_bytes(photo.read_bytes() + b"\0")
        reply = codec.ask(request)
        assert isinstance(reply, OutputError)
        assert reply.code == "output-exists"


@pytest.mark.parametrize("kind", ["empty", "text", "folder", "dangling", "foreign"])
def test_another_file_in_the_way_is_an_error_unless_it_may_go(
    codec: Talk, photo: Path, tmp_path: Path, kind: str
) -> None:
    output = tmp_path / "out.png"
    if kind == "folder":
        output.mkdir()
    elif kind == "dangling":
        output.symlink_to("nowhere")
    elif kind == "foreign":
        output.write_bytes(photo.read_bytes())
    else:
        output.write_text("" if kind == "empty" else "text")
    reply = codec.ask(reading(photo, output))
    assert isinstance(reply, OutputError)
    assert reply.code == "output-exists"
    assert isinstance(codec.ask(reading(photo, output, overwrite=True)), Decoded)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no FIFOs")
def test_a_fifo_in_the_way_is_no_wait(photo: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "out.png")
    talk = Talk()
    with talk.process:
        try:
            assert isinstance(talk.ask(probe(photo, tmp_path / "out.png"), 2), OutputError)
        finally:
            talk.process.kill()


@pytest.mark.parametrize(
    ("content", "code"), [(b"", "not-an-image"), (b"\x89PNG\r\n\x1a\n", "not-an-image|truncated")]
)
def test_errors_are_replies_and_the_next_file_is_read(
    codec: Talk, photo: Path, tmp_path: Path, content: bytes, code: str
) -> None:
    (tmp_path / "bad.png").write_bytes(content)
    for make in (probe, reading):
        reply = codec.ask(make(tmp_path / "bad.png", tmp_path / "out.png"))
        assert isinstance(reply, UpscaleError)
        assert reply.code in code.split("|")
        assert str(tmp_path / "bad.png") in str(reply)
    assert isinstance(codec.ask(reading(photo, tmp_path / "out.png")), Decoded)


def test_an_error_keeps_its_code_and_kind_on_the_way(
    codec: Talk, photo: Path, tmp_path: Path
) -> None:
    reply = codec.ask(probe(photo, tmp_path / "out.png", most=10))
    assert (type(reply), reply.code, reply.exit_code) == (InputError, "too-large", 1)


def test_a_writing_that_cannot_begin_is_a_reply(codec: Talk, tmp_path: Path) -> None:
    pixels = noise(4, 4)
    nowhere = writing(tmp_path / "a.png", pixels, part=tmp_path / "no" / "a.part")
    for request in (nowhere, writing(tmp_path / "a.xyz", pixels)):
        reply = codec.ask(request)
        assert isinstance(reply, OutputError)
    assert not [*tmp_path.iterdir()]


def test_what_fails_at_the_end_leaves_nothing_and_ends_the_writing(
    codec: Talk, photo: Path, tmp_path: Path
) -> None:
    output, pixels = tmp_path / "a.png", noise(4, 4)
    output.mkdir()  # which no file can replace
    assert codec.ask(writing(output, pixels)) is None
    assert codec.ask(pixels) is None
    assert isinstance(codec.ask(Finish()), OutputError)
    assert {*tmp_path.iterdir()} == {output, photo}


def test_warnings_are_the_last_reply(codec: Talk, tmp_path: Path) -> None:
    pixels = noise(4, 4, 4)
    codec.ask(writing(tmp_path / "a.jpg", pixels))
    codec.ask(pixels)
    (warning,) = codec.ask(Finish())
    assert "opacity" in warning


@pytest.mark.parametrize("when", ["at once", "after a picture", "while writing"])
def test_it_ends_when_its_input_does(photo: Path, tmp_path: Path, when: str) -> None:
    talk = Talk()
    with talk.process:
        if when == "after a picture":
            talk.ask(reading(photo, tmp_path / "out.png"))
        if when == "while writing":
            talk.ask(writing(tmp_path / "out.png", noise(64, 64)))
            talk.ask(noise(1, 64))
        assert talk.end() == 0
    assert [*tmp_path.iterdir()] == [photo]


def test_it_ends_when_nobody_listens(photo: Path, tmp_path: Path) -> None:
    talk = Talk()
    with talk.process:
        assert talk.process.stdout is not None
        talk.process.stdout.close()
        talk.codec.pipe.send(reading(photo, tmp_path / "out.png"))
        assert talk.process.wait(5) == 0
