"""GIF beside Pillow and ffmpeg: what each frame shows, and what is refused."""

import io
import shutil
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from upscale.errors import InputError
from upscale.pictures.reading import gif
from upscale.pictures.reading.reader import read, read_header

WIDTH, HEIGHT = 16, 12
RNG = np.random.default_rng(0)
PALETTE = RNG.integers(0, 256, (256, 3), np.uint8)
KEY = 7
"""The colour that is not drawn, where one is."""

Placed = tuple[int, int, int, int, int, bool]
"""Left, top, width, height, what becomes of it, and whether a colour is not drawn."""

ALL = (0, 0, WIDTH, HEIGHT)


def codes(width: int, height: int) -> bytes:
    """Codes of random colours, as Pillow packs them into a GIF."""
    picture = Pillow.fromarray(RNG.integers(0, 256, (height, width), np.uint8))
    picture.putpalette(PALETTE.tobytes())
    buffer = io.BytesIO()
    picture.save(buffer, "GIF", optimize=False, interlace=False)
    data = buffer.getvalue()
    begin = data.index(b",\0\0\0\0", 13 + 768) + 10
    return data[begin:-1]


def made(*frames: Placed, screen: tuple[int, int] = (WIDTH, HEIGHT)) -> bytes:
    """A GIF of frames that each last 50 ms and stand where they are told."""
    parts = [b"GIF89a", struct.pack("<HHBBB", *screen, 0xF7, 3, 0), PALETTE.tobytes()]
    for left, top, width, height, dispose, keyed in frames:
        parts.append(b"!\xf9\4" + struct.pack("<BHBB", dispose << 2 | keyed, 5, KEY, 0))
        parts.append(b"," + struct.pack("<HHHHB", left, top, width, height, 0))
        parts.append(codes(width, height))
    return b"".join((*parts, b";"))


def of_pillow(path: Path) -> list[np.ndarray]:
    with Pillow.open(path) as picture:
        shown = []
        for number in range(picture.n_frames):
            picture.seek(number)
            shown.append(np.asarray(picture.convert("RGBA")))
    return shown


def of_ffmpeg(path: Path) -> list[np.ndarray]:
    words = ["ffmpeg", "-v", "error", "-i", str(path), "-vsync", "0"]
    words += ["-f", "rawvideo", "-pix_fmt", "rgba", "-"]
    data = subprocess.run(words, capture_output=True, check=True).stdout
    return list(np.frombuffer(data, np.uint8).reshape(-1, HEIGHT, WIDTH, 4))


def ours(path: Path) -> list[np.ndarray]:
    found = read(path)
    header = read_header(path)
    assert (header.width, header.height, header.frames) == (WIDTH, HEIGHT, found.frames)
    assert header.channels == found.pixels.shape[2]
    frames = [np.asarray(found.frame(number)) for number in range(found.frames)]
    opaque = np.full((HEIGHT, WIDTH, 1), 255, np.uint8)
    return [each if each.shape[2] == 4 else np.dstack([each, opaque]) for each in frames]


def code_of(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read(path)
    assert str(path) in str(caught.value)
    return caught.value.code


@pytest.mark.parametrize("reference", [of_pillow, of_ffmpeg])
@pytest.mark.parametrize(
    "frames",
    [
        [(*ALL, 1, False), (2, 2, 6, 6, 0, False), (8, 4, 6, 6, 1, False)],
        [(*ALL, 1, False), (2, 2, 6, 6, 3, False), (8, 4, 6, 6, 3, True), (0, 0, 4, 4, 1, False)],
        [(*ALL, 1, True), (2, 2, 12, 8, 2, True), (1, 4, 14, 6, 1, True), (*ALL, 3, True)],
        [(*ALL, 2, True), (2, 2, 12, 8, 2, True), (3, 3, 3, 3, 1, False)],
        [(*ALL, 2, True), (4, 1, 9, 9, 3, True), (1, 4, 14, 6, 2, True), (0, 0, 4, 4, 1, False)],
    ],
    ids=["kept", "restored", "cleared", "cleared at first", "all"],
)
def test_frames_are_drawn_as_two_others_draw_them(
    tmp_path: Path, frames: list[Placed], reference: object
) -> None:
    if reference is of_ffmpeg and shutil.which("ffmpeg") is None:
        pytest.skip("ffmpeg is not here")
    path = tmp_path / "a.gif"
    path.write_bytes(made(*frames))
    assert callable(reference)
    for found, shown in zip(ours(path), reference(path), strict=True):
        np.testing.assert_array_equal(found[..., 3], shown[..., 3])
        np.testing.assert_array_equal(found[found[..., 3] > 0], shown[shown[..., 3] > 0])


def test_what_no_frame_has_drawn_is_transparent(tmp_path: Path) -> None:
    """As browsers show it; Pillow and ffmpeg fill it with the background, which they ignore."""
    path = tmp_path / "a.gif"
    path.write_bytes(made((2, 3, 8, 7, 1, False), (6, 6, 10, 6, 1, False)))
    first, second = (frame[..., 3] for frame in ours(path))
    wanted = np.zeros((HEIGHT, WIDTH), np.uint8)
    wanted[3:10, 2:10] = 255
    np.testing.assert_array_equal(first, wanted)
    wanted[6:, 6:] = 255
    np.testing.assert_array_equal(second, wanted)
    shown = of_pillow(path)[1]
    np.testing.assert_array_equal(ours(path)[1][wanted > 0], shown[wanted > 0])


@pytest.mark.parametrize("dispose", [2, 3, 4])
def test_what_is_cleared_is_transparent_though_no_colour_is(tmp_path: Path, dispose: int) -> None:
    path = tmp_path / "a.gif"
    path.write_bytes(made((*ALL, dispose, False), (2, 3, 8, 7, 1, False)))
    first, second = (frame[..., 3] for frame in ours(path))
    assert (first == 255).all()
    assert second[3:10, 2:10].min() == 255
    assert second.sum() == 255 * 56


def test_a_frame_that_reaches_beyond_the_canvas_is_cropped_as_ffmpeg_does(tmp_path: Path) -> None:
    if shutil.which("ffmpeg") is None:
        pytest.skip("ffmpeg is not here")
    path = tmp_path / "a.gif"
    path.write_bytes(made((*ALL, 1, False), (10, 8, 10, 10, 1, False)))
    np.testing.assert_array_equal(ours(path), of_ffmpeg(path))


def test_a_canvas_without_size_takes_that_of_its_first_frame(tmp_path: Path) -> None:
    path = tmp_path / "a.gif"
    path.write_bytes(made((*ALL, 1, False), screen=(0, 0)))
    assert read(path).pixels.shape == (HEIGHT, WIDTH, 3)


@pytest.mark.parametrize(("repeats", "plays"), [(None, 1), (0, 0), (3, 4)])
def test_time_is_that_of_the_file(tmp_path: Path, repeats: int | None, plays: int) -> None:
    """NETSCAPE's number is that of repetitions, 0 being for ever."""
    pictures = [Pillow.fromarray(RNG.integers(0, 256, (9, 9, 3), np.uint8)) for _ in range(3)]
    options: dict[str, object] = {} if repeats is None else {"loop": repeats}
    times = [30, 0, 250]
    pictures[0].save(
        tmp_path / "a.gif", save_all=True, append_images=pictures[1:], duration=times, **options
    )
    found = read(tmp_path / "a.gif")
    assert (found.delays, found.loop) == ((30, 0, 250), plays)


@pytest.mark.parametrize("interlace", [False, True])
def test_a_still_picture_is_read_as_pillow_reads_it(tmp_path: Path, interlace: bool) -> None:
    picture = Pillow.fromarray(RNG.integers(0, 256, (30, 41), np.uint8))
    picture.putpalette(PALETTE.tobytes())
    picture.save(tmp_path / "a.gif", interlace=interlace)
    found = read(tmp_path / "a.gif")
    np.testing.assert_array_equal(found.pixels, np.asarray(picture.convert("RGB")))
    assert (found.frames, found.delays) == (1, ())


@pytest.mark.parametrize("bits", [0, 9, 12, 255])
def test_codes_of_an_impossible_size_are_refused(tmp_path: Path, bits: int) -> None:
    data = bytearray(made((*ALL, 1, False)))
    data[data.index(b",", 13 + 768 + 8) + 10] = bits
    (tmp_path / "a.gif").write_bytes(data)
    assert code_of(tmp_path / "a.gif") == "decode-error"


def test_codes_that_end_before_their_pixels_are_refused(tmp_path: Path) -> None:
    """34 bytes that would be 12337 × 1 pixels of black: a clear code, then the end."""
    head = b"GIF89a" + struct.pack("<HHBBB", 12337, 1, 0, 0, 0)
    frame = b"," + struct.pack("<HHHHB", 0, 0, 12337, 1, 0) + b"\2\2\x2c\0\0;"
    (tmp_path / "a.gif").write_bytes(head + frame)
    assert code_of(tmp_path / "a.gif") in ("truncated", "decode-error")


@pytest.mark.parametrize("cut", [14, 500, 790, 800, 850, 1000, -3])
def test_a_gif_that_is_cut_is_refused(tmp_path: Path, cut: int) -> None:
    (tmp_path / "a.gif").write_bytes(made((*ALL, 1, False))[:cut])
    assert code_of(tmp_path / "a.gif") in ("truncated", "decode-error", "not-an-image")


def test_a_frame_larger_than_allowed_is_refused_though_its_canvas_is_small(tmp_path: Path) -> None:
    (tmp_path / "a.gif").write_bytes(made((*ALL, 1, False), (0, 0, 300, 300, 1, False)))
    with pytest.raises(InputError) as caught:
        read(tmp_path / "a.gif", max_pixels=2 * WIDTH * HEIGHT)
    assert caught.value.code == "too-large"


def test_a_frame_without_pixels_draws_nothing(tmp_path: Path) -> None:
    data = made((*ALL, 1, False), (3, 3, 1, 1, 1, False))
    at = data.rindex(b"," + struct.pack("<HHHH", 3, 3, 1, 1))
    data = data[: at + 5] + bytes(4) + data[at + 9 :]
    path = tmp_path / "a.gif"
    path.write_bytes(data)
    with path.open("rb") as file:
        first, second = gif.frames(path, file.fileno(), 1000)
    np.testing.assert_array_equal(first, second)
