"""Frames through pipes: each exact and in its place, and an end to every kind of trouble."""

import errno
import io
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np
import pytest
from forked import Forked
from program import fork, inside

from upscale.errors import InputError, OutputError
from upscale.models.engines import ENGINES
from upscale.models.loading import load_model
from upscale.models.model import Model
from upscale.pixels.image import Pixels
from upscale.upscaling.raw_video import AHEAD, enlarge_frames
from upscale.upscaling.target import Target
from upscale.upscaling.tiling import Tiling

WIDTH, HEIGHT = 6, 4
LENGTH = WIDTH * HEIGHT * 3
EXACT = ("--precision", "fp32", "--device", "cpu")


@pytest.fixture(scope="module")
def weights(repeating: str) -> str:
    return repeating


@pytest.fixture(scope="module")
def model(weights: str) -> Model:
    return load_model(weights, device="cpu", precision="fp32")


@pytest.fixture
def pipe() -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    """What is read from, and what is written to."""
    ends = os.pipe()
    with open(ends[0], "rb") as source, open(ends[1], "wb") as sink:
        yield source, sink


def video(frames: int, width: int = WIDTH, height: int = HEIGHT) -> Pixels:
    random = np.random.default_rng(frames)
    found: Pixels = random.integers(0, 255, (frames, height, width, 3), np.uint8)
    return found


def nearest(frames: Pixels) -> bytes:
    return np.repeat(np.repeat(frames, 4, 1), 4, 2).tobytes()


def enlarged(source: IO[bytes], sink: IO[bytes], model: Model, target: Target = Target()) -> int:  # noqa: B008 - frozen
    sizes = target.sizes(WIDTH, HEIGHT, model.scale)
    return enlarge_frames(source, sink, (WIDTH, HEIGHT), sizes, model, Tiling(0, 0))


@pytest.mark.parametrize("frames", [0, 1, 2, AHEAD, 3 * AHEAD + 1])
def test_frames_come_out_in_order_and_exact(model: Model, frames: int) -> None:
    sink = io.BytesIO()
    assert enlarged(io.BytesIO(video(frames).tobytes()), sink, model) == frames
    assert sink.getvalue() == nearest(video(frames))


def test_frames_of_ncnn_come_out_too() -> None:
    """Its rows lie in memory channel by channel."""
    made = []
    for engine in ENGINES:
        sink = io.BytesIO()
        model = load_model("realesr-general", device="cpu", precision="fp32", engine=engine)
        assert enlarged(io.BytesIO(video(2).tobytes()), sink, model) == 2
        made.append(np.frombuffer(sink.getvalue(), np.uint8).astype(int))
    assert len(made[0]) == 2 * LENGTH * 16
    assert np.abs(made[0] - made[1]).max() <= 1


def test_a_writer_that_breaks_ends_the_run(model: Model) -> None:
    class Sink(io.BytesIO):
        def write(self, frame: object) -> int:
            raise LookupError("a fault of the program")

    with pytest.raises(LookupError, match="a fault"):
        enlarged(io.BytesIO(video(2).tobytes()), Sink(), model)


def test_frames_may_have_any_size_and_take_two_passes(model: Model) -> None:
    sink = io.BytesIO()
    source = np.full((3, HEIGHT, WIDTH, 3), (7, 77, 177), np.uint8)
    target = Target(size=(45, 44), fit="fill")
    assert enlarged(io.BytesIO(source.tobytes()), sink, model, target) == 3
    assert sink.getvalue() == bytes((7, 77, 177)) * (3 * 45 * 44)


def test_progress_counts_frames(model: Model) -> None:
    counted: list[int] = []
    sizes = Target().sizes(WIDTH, HEIGHT, model.scale)
    source = io.BytesIO(video(3).tobytes())
    size = (WIDTH, HEIGHT)
    enlarge_frames(source, io.BytesIO(), size, sizes, model, Tiling(0, 0), counted.append)
    assert counted == [1, 2, 3]


def test_a_frame_may_come_in_small_pieces(model: Model, pipe: tuple[IO[bytes], IO[bytes]]) -> None:
    source, feed = pipe
    sink = io.BytesIO()
    data = video(2).tobytes()

    def drip() -> None:
        for at in range(0, len(data), 25):
            os.write(feed.fileno(), data[at : at + 25])
            time.sleep(0.005)
        feed.close()

    dripping = threading.Thread(target=drip)
    dripping.start()
    assert enlarged(source, sink, model) == 2
    dripping.join()
    assert sink.getvalue() == nearest(video(2))


def test_a_frame_leaves_before_the_next_one_comes(
    model: Model, pipe: tuple[IO[bytes], IO[bytes]]
) -> None:
    source, feed = pipe
    ends = os.pipe()
    with open(ends[0], "rb") as received, open(ends[1], "wb") as sink:
        working = threading.Thread(target=enlarged, args=(source, sink, model))
        working.start()
        for index in range(3):
            feed.write(video(3)[index].tobytes())
            feed.flush()
            assert received.read(16 * LENGTH) == nearest(video(3)[index : index + 1])
        feed.close()
        working.join()


@pytest.mark.parametrize("missing", [1, LENGTH // 2, LENGTH - 1])
@pytest.mark.parametrize("whole", [0, 1, 7])
def test_a_frame_that_is_cut_is_told_and_those_before_it_are_written(
    model: Model, whole: int, missing: int
) -> None:
    sink = io.BytesIO()
    data = video(whole + 1).tobytes()
    with pytest.raises(InputError, match=rf"{LENGTH - missing} of {LENGTH} bytes") as caught:
        enlarged(io.BytesIO(data[:-missing]), sink, model)
    assert caught.value.code == "truncated"
    assert "6x4" in str(caught.value)
    assert sink.getvalue() == nearest(video(whole + 1)[:whole])


class Failing(io.BytesIO):
    """Fails at the second frame."""

    frames = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self._count()
        return super().read(size)

    def write(self, data: object, /) -> int:
        self._count()
        return LENGTH

    def _count(self) -> None:
        self.frames += 1
        if self.frames == 2:
            raise OSError(5, "Input/output error")


def test_an_input_that_fails_is_told(model: Model) -> None:
    sink = io.BytesIO()
    with pytest.raises(InputError, match="Input/output error"):
        enlarged(Failing(video(5).tobytes()), sink, model)
    assert sink.getvalue() == nearest(video(5)[:1])


@pytest.mark.parametrize("frames", [2, 3, 50])
def test_an_output_that_fails_is_told(model: Model, frames: int) -> None:
    with pytest.raises(OutputError, match="Input/output error") as caught:
        enlarged(io.BytesIO(video(frames).tobytes()), Failing(), model)
    assert caught.value.exit_code == 5


def test_an_output_that_is_closed_early_stops_an_endless_input(
    model: Model, pipe: tuple[IO[bytes], IO[bytes]]
) -> None:
    received, sink = pipe
    received.close()
    with open("/dev/zero", "rb") as source, pytest.raises(OutputError, match="Broken pipe"):
        enlarged(source, sink, model)
    with pytest.raises(BrokenPipeError):
        sink.close()


class Slow(io.RawIOBase):
    """Endless, and most of the time in the middle of a read."""

    def read(self, size: int = -1, /) -> bytes:
        time.sleep(0.02)
        if self.closed:
            raise ValueError("read of closed file")
        return bytes(size)


def test_a_source_may_be_closed_while_its_reader_is_at_work(model: Model) -> None:
    before = {*threading.enumerate()}
    with Slow() as source, pytest.raises(OutputError):
        enlarged(source, Failing(), model)
    for thread in {*threading.enumerate()} - before:
        thread.join(2)  # an exception in it would fail this test
        assert not thread.is_alive()


@pytest.mark.parametrize("how", ["ended", "cut", "closed"])
def test_no_thread_is_left(model: Model, how: str) -> None:
    before = {*threading.enumerate()}
    data = video(50).tobytes()
    source = io.BytesIO(data[:-1] if how == "cut" else data)
    try:
        enlarged(source, Failing() if how == "closed" else io.BytesIO(), model)
    except (InputError, OutputError):
        assert how != "ended"
    deadline = time.monotonic() + 1
    while (left := {*threading.enumerate()} - before) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not left


# The command


def test_frames_go_from_file_to_file(tmp_path: Path, weights: str) -> None:
    (tmp_path / "in.rgb").write_bytes(video(3).tobytes())
    words = ("in.rgb", "-o", "out.rgb", "--raw", f"{WIDTH}x{HEIGHT}", "--model", weights, *EXACT)
    found = inside(tmp_path, *words)
    assert found.status == 0, found.said
    assert (tmp_path / "out.rgb").read_bytes() == nearest(video(3))
    assert "24x16" in found.said
    assert "3 frames" in found.said

    again = inside(tmp_path, *words)
    assert (again.status, "--overwrite" in again.said) == (5, True)
    assert (tmp_path / "out.rgb").read_bytes() == nearest(video(3))

    smaller = inside(tmp_path, *words, "--overwrite", "--scale", "2")
    assert smaller.status == 0
    assert (tmp_path / "out.rgb").stat().st_size == 3 * 4 * LENGTH


@pytest.mark.parametrize(
    ("words", "status", "sentence"),
    [
        (["in.rgb", "-o", "out.rgb", "--raw", "6"], 2, "1920x1080"),
        (["in.rgb", "-o", "out.rgb", "--raw", "0x4"], 2, "above 0"),
        (["in.rgb", "--raw", "6x4"], 2, "-o"),
        (["in.rgb", "in.rgb", "-o", "out.rgb", "--raw", "6x4"], 2, "one stream"),
        (["none.rgb", "-o", "out.rgb", "--raw", "6x4"], 1, "none.rgb"),
        ([".", "-o", "out.rgb", "--raw", "6x4"], 1, "directory"),
        (["in.rgb", "-o", "in.rgb/out.rgb", "--raw", "6x4"], 5, "in.rgb/out.rgb"),
        (["in.rgb", "-o", "out.rgb", "--raw", "6x4", "--scale", "99"], 2, "passes"),
        (["in.rgb", "-o", "out.rgb", "--raw", "7x4"], 1, "60 of 84 bytes"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(
    tmp_path: Path, weights: str, words: list[str], status: int, sentence: str
) -> None:
    (tmp_path / "in.rgb").write_bytes(video(2).tobytes())
    found = inside(tmp_path, *words, "--model", weights, *EXACT)
    assert found.status == status
    assert sentence in found.said
    assert "Traceback" not in found.said


def test_frames_are_not_written_over_themselves(tmp_path: Path, weights: str) -> None:
    (tmp_path / "a.rgb").write_bytes(video(2).tobytes())
    words = ("a.rgb", "-o", "./a.rgb", "--raw", "6x4", "--overwrite", "--model", weights)
    found = inside(tmp_path, *words, *EXACT)
    assert (tmp_path / "a.rgb").read_bytes() == video(2).tobytes()
    assert found.status == 2


@pytest.mark.parametrize("words", [["--model", "none.pth"], ["--scale", "99"]])
def test_a_run_that_fails_leaves_the_frames_that_were_there(
    tmp_path: Path, weights: str, words: list[str]
) -> None:
    (tmp_path / "in.rgb").write_bytes(video(1).tobytes())
    (tmp_path / "out.rgb").write_bytes(b"before")
    asked = ("in.rgb", "-o", "out.rgb", "--raw", "6x4", "--overwrite", "--model", weights)
    assert inside(tmp_path, *asked, *words, *EXACT).status != 0
    assert (tmp_path / "out.rgb").read_bytes() == b"before"


@pytest.mark.parametrize("word", ["--dry-run", "--watch"])
def test_a_dry_run_and_a_watch_have_nothing_to_do_with_frames(
    tmp_path: Path, weights: str, word: str
) -> None:
    (tmp_path / "in.rgb").write_bytes(video(1).tobytes())
    words = ("in.rgb", "-o", "out.rgb", "--raw", "6x4", word, "--model", weights, *EXACT)
    assert inside(tmp_path, *words).status == 2
    assert not (tmp_path / "out.rgb").exists()


# Processes on both sides


def words_of(weights: str, size: str) -> list[str]:
    return ["-", "-o", "-", "--raw", size, "--model", weights, *EXACT]


def begun(weights: str, size: str = f"{WIDTH}x{HEIGHT}") -> Forked:
    """Start the command and wait until it is ready for frames."""
    process = fork(Path.cwd(), *words_of(weights, size), OMP_NUM_THREADS="1")
    for line in process.stderr:
        if b"frames of" in line:
            break
    return process


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not there")
def test_ffmpeg_on_both_sides_gets_every_frame(tmp_path: Path, weights: str) -> None:
    size, frames = "64x48", 30
    quiet = ("ffmpeg", "-loglevel", "error", "-nostdin")
    made = (*quiet, "-f", "lavfi", "-i", f"testsrc2=s={size}:r=10", "-frames:v", str(frames))
    raw = ("-f", "rawvideo", "-pix_fmt", "rgb24")
    lossless = ("-c:v", "ffv1", "-pix_fmt", "bgr0", "out.mkv")
    with (
        subprocess.Popen([*made, *raw, "-"], stdout=subprocess.PIPE) as before,
        subprocess.Popen(
            [sys.executable, "-m", "upscale", *words_of(weights, size)],
            stdin=before.stdout,
            stdout=subprocess.PIPE,
        ) as between,
        subprocess.Popen(
            [*quiet, *raw, "-s", "256x192", "-i", "pipe:0", *lossless],
            stdin=between.stdout,
            cwd=tmp_path,
        ) as after,
    ):
        assert [each.wait(60) for each in (before, between, after)] == [0, 0, 0]
    shown = subprocess.run(
        [*quiet, "-i", "out.mkv", *raw, "-"], cwd=tmp_path, stdout=subprocess.PIPE, check=True
    )
    expected = subprocess.run([*made, *raw, "-"], stdout=subprocess.PIPE, check=True)
    truth = np.frombuffer(expected.stdout, np.uint8).reshape(frames, 48, 64, 3)
    assert shown.stdout == nearest(truth)


def test_a_reader_that_goes_ends_the_run_with_a_sentence(weights: str) -> None:
    with begun(weights) as process:
        process.stdout.close()
        process.stdin.write(video(40).tobytes())
        process.stdin.close()
        said = process.stderr.read().decode()
        assert process.wait(20) == 5
    assert os.strerror(errno.EPIPE) in said
    assert "Traceback" not in said


def test_a_signal_ends_a_run_whose_input_and_output_wait(weights: str) -> None:
    with begun(weights, "200x100") as process:
        process.stdin.write(bytes(200 * 100 * 3 * 2))  # more than the pipe behind it takes
        process.stdin.flush()
        time.sleep(0.3)
        begin = time.monotonic()
        process.send_signal(signal.SIGINT)
        status = process.wait(20)
        took = time.monotonic() - begin
        said = process.stderr.read().decode()
    assert status == 130
    assert took < 2
    assert "Fatal" not in said


def test_frames_larger_than_memory_are_refused(weights: str) -> None:
    with begun(weights, "2147483648x2147483648") as process:
        try:
            _, said = process.communicate(b"abc", timeout=2)
        finally:
            process.kill()
    assert process.returncode in (1, 2)
    assert b"Traceback" not in said
