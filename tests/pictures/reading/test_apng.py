"""Animated PNG: each frame as it is to be seen, damage named, and files that others read."""

import io
import itertools
import os
import shutil
import struct
import subprocess
import tracemalloc
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import pyvips
from effort import effort
from handmade import Frame, chunk, png
from handmade import apng as animation
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow
from PIL import ImageCms

from upscale.errors import InputError
from upscale.pictures.reading import apng, reader

Samples = npt.NDArray[np.generic]
Parts = list[tuple[bytes, bytes]]

NONE, BACKGROUND, PREVIOUS = range(3)
SOURCE, OVER = range(2)
DISPOSES = pytest.mark.parametrize("dispose", [NONE, BACKGROUND, PREVIOUS])
BLENDS = pytest.mark.parametrize("blend", [SOURCE, OVER])
WITH_FFMPEG = pytest.mark.skipif(not shutil.which("ffmpeg"), reason="ffmpeg is not installed")

DELAY = (1, 25)
ONE = np.full((1, 1, 3), 9)


def noise(height: int, width: int, channels: int, depth: int = 8, seed: int = 0) -> Samples:
    return np.random.default_rng(seed).integers(0, 2**depth, (height, width, channels))


def scenes(channels: int, dispose: int, blend: int, levels: int) -> bytes:
    """A whole frame and four parts at random places; opacity in as many ``levels``."""
    random, height, width = np.random.default_rng(dispose), 7, 9
    frames = []
    for index in range(5):
        high, wide = random.integers(1, (height, width)) if index else (height, width)
        samples = random.integers(0, 256, (high, wide, channels))
        if channels == 4:
            samples[..., 3] = random.integers(0, levels, (high, wide)) * 255 // (levels - 1)
        left, top = random.integers(0, width - wide + 1), random.integers(0, height - high + 1)
        frames.append(Frame(samples, DELAY, left, top, dispose, blend if index else SOURCE))
    return animation(frames, 0)


def parts_of(data: bytes) -> Parts:
    """The chunks of a PNG, all lengths and checksums compared."""
    parts, at = [], 8
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        parts.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
        assert chunk(*parts[-1]) == data[at : at + 12 + length]
        at += 12 + length
    return parts


def joined(parts: Parts) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def of_stills(*stills: bytes) -> bytes:
    """An APNG of PNGs with one header, whole frame after whole frame, each shown 40 ms."""
    parts = parts_of(stills[0])[:-2]
    parts.insert(1, (b"acTL", struct.pack(">II", len(stills), 0)))
    sequence = itertools.count()
    size = parts[0][1][:8]
    for still in stills:
        control = struct.pack(">I8sIIHHBB", next(sequence), size, 0, 0, *DELAY, 0, 0)
        parts.append((b"fcTL", control))
        data = dict(parts_of(still))[b"IDAT"]
        later = still is not stills[0]
        number = struct.pack(">I", next(sequence)) if later else b""
        parts.append((b"fdAT" if later else b"IDAT", number + data))
    return joined([*parts, (b"IEND", b"")])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.png"


def read(path: Path, data: bytes) -> tuple[apng.Timing, list[Samples]]:
    path.write_bytes(data)
    with path.open("rb") as file:
        timing = apng.timing(path, file.fileno())
        frames = list(apng.frames(path, file.fileno()))
    assert len(frames) == timing.count == len(timing.delays)
    for frame in frames:
        assert frame.shape == (timing.height, timing.width, timing.channels)
        assert frame.dtype == (np.uint16 if timing.depth == 16 else np.uint8)
    return timing, frames


def animated(path: Path, data: bytes) -> bool:
    path.write_bytes(data)
    with path.open("rb") as file:
        return apng.is_animated(file.fileno())


@contextmanager
def allocated() -> Iterator[Callable[[], int]]:
    """Yield what tells how many bytes Python has had at once since."""
    tracemalloc.start()
    try:
        yield lambda: tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def refusal(path: Path, data: bytes) -> str:
    with pytest.raises(InputError) as caught:
        read(path, data)
    assert str(caught.value).startswith(f"{path}: ")
    return caught.value.code


def with_opacity(frame: Samples) -> npt.NDArray[np.float64]:
    """Colours multiplied by opacity, and opacity: (H, W, 4) of 0 to 255."""
    colour, opacity = frame[..., :3], frame[..., 3:]
    if frame.shape[2] == 3:
        opacity = np.full((*frame.shape[:2], 1), 255)
    return np.concatenate([colour * (opacity / 255), opacity], axis=2)


def read_by_pillow(data: bytes) -> list[Samples]:
    with Pillow.open(io.BytesIO(data)) as found:
        frames = []
        for index in range(found.n_frames):
            found.seek(index)
            frames.append(np.asarray(found))
    return frames


def read_by_opencv(data: bytes) -> list[Samples]:
    done, found = cv2.imdecodeanimation(np.frombuffer(data, np.uint8))
    assert done
    order = {3: [2, 1, 0], 4: [2, 1, 0, 3]}
    return [frame[..., order[frame.shape[2]]] for frame in found.frames]


def read_by_ffmpeg(path: Path, data: bytes, shape: tuple[int, ...], form: str) -> list[Samples]:
    path.write_bytes(data)
    command = ["ffmpeg", "-v", "error", "-f", "apng", "-i", str(path), "-vsync", "passthrough"]
    command += ["-f", "rawvideo", "-pix_fmt", form, "-"]
    raw = subprocess.run(command, capture_output=True, check=True).stdout
    return list(np.frombuffer(raw, "<u2" if form.endswith("le") else "u1").reshape(-1, *shape))


# How frames are drawn

RED, CLEAR, GRAY = (200, 0, 0, 255), (0, 0, 0, 0), (100, 100, 100, 100)
BLUE, UNSEEN = (0, 0, 200, 51), (0, 90, 0, 0)
MIXED = (61, 61, 139, 131)
"""Blue over gray: opacity 1/5 + 4/5 · 100/255 = 131/255; its share of blue is 51/131."""


@pytest.mark.parametrize(
    ("dispose", "blend", "second", "third"),
    [
        (NONE, SOURCE, (RED, BLUE, BLUE), (UNSEEN, BLUE, BLUE)),
        (BACKGROUND, SOURCE, (RED, BLUE, BLUE), (UNSEEN, CLEAR, CLEAR)),
        (PREVIOUS, SOURCE, (RED, BLUE, BLUE), (UNSEEN, CLEAR, GRAY)),
        (NONE, OVER, (RED, BLUE, MIXED), (RED, BLUE, MIXED)),
        (BACKGROUND, OVER, (RED, BLUE, MIXED), (RED, CLEAR, CLEAR)),
        (PREVIOUS, OVER, (RED, BLUE, MIXED), (RED, CLEAR, GRAY)),
    ],
)
def test_each_way_to_draw_and_to_clear(
    path: Path, dispose: int, blend: int, second: object, third: object
) -> None:
    frames = [
        Frame(np.array([[RED, CLEAR, GRAY]]), DELAY),
        Frame(np.array([[BLUE, BLUE]]), DELAY, 1, 0, dispose, blend),
        Frame(np.array([[UNSEEN]]), DELAY, 0, 0, NONE, blend),
    ]
    found = read(path, animation(frames, 0))[1]
    assert [frame.tolist() for frame in found] == [
        [[list(pixel) for pixel in row]] for row in ((RED, CLEAR, GRAY), second, third)
    ]


def over(above: Sequence[int], below: Sequence[int], full: int) -> list[int]:
    """One pixel over another in exact fractions, rounded to the nearest."""
    front, back = Fraction(above[-1], full), Fraction(below[-1], full)
    opacity = front + back * (1 - front)
    if not opacity:
        return list(below)
    mixed = [
        (front * one + back * (1 - front) * other) / opacity
        for one, other in zip(above[:-1], below[:-1], strict=True)
    ]
    return [int(value + Fraction(1, 2)) for value in (*mixed, opacity * full)]


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("channels", [2, 4])
def test_drawing_over_is_exact(path: Path, channels: int, depth: int) -> None:
    below, above = noise(70, 3, channels, depth), noise(70, 3, channels, depth, 1)
    below[:9, 0, -1] = above[5:15, 0, -1] = 0
    below[20:29, 0, -1] = above[25:35, 0, -1] = 2**depth - 1
    parts = parts_of(of_stills(png(below, depth), png(above, depth)))
    kind, control = parts[4]
    assert kind == b"fcTL"
    parts[4] = (kind, control[:-1] + bytes([OVER]))
    found = read(path, joined(parts))[1]
    expected = [
        [over(one, other, 2**depth - 1) for one, other in zip(*rows, strict=True)]
        for rows in zip(above.tolist(), below.tolist(), strict=True)
    ]
    np.testing.assert_array_equal(found[0], below)
    np.testing.assert_array_equal(found[1], expected)


@DISPOSES
@BLENDS
@pytest.mark.parametrize(("levels", "tolerance"), [(2, 0), (256, 3)])
def test_frames_are_those_that_opencv_shows(
    path: Path, dispose: int, blend: int, levels: int, tolerance: int
) -> None:
    """It rounds towards zero at each step, hence the tolerance."""
    data = scenes(4, dispose, blend, levels)
    for ours, theirs in zip(read(path, data)[1], read_by_opencv(data), strict=True):
        np.testing.assert_allclose(with_opacity(ours), with_opacity(theirs), atol=tolerance)


@WITH_FFMPEG
@pytest.mark.parametrize(("dispose", "blend"), [(NONE, OVER), (BACKGROUND, OVER), (PREVIOUS, OVER)])
def test_frames_are_those_that_ffmpeg_shows(path: Path, dispose: int, blend: int) -> None:
    data = scenes(4, dispose, blend, 2)
    theirs = read_by_ffmpeg(path, data, (7, 9, 4), "rgba")
    for one, other in zip(read(path, data)[1], theirs, strict=True):
        np.testing.assert_array_equal(with_opacity(one), with_opacity(other))


@DISPOSES
@pytest.mark.parametrize("channels", [3, 4])
def test_frames_are_those_that_pillow_shows(path: Path, channels: int, dispose: int) -> None:
    """Without blending over; and where an opaque picture is cleared, Pillow has it black."""
    data = scenes(channels, dispose, SOURCE, 256)
    for ours, theirs in zip(read(path, data)[1], read_by_pillow(data), strict=True):
        np.testing.assert_allclose(
            with_opacity(ours)[..., :3], with_opacity(theirs)[..., :3], atol=1e-9
        )


def test_the_first_frame_has_nothing_to_go_back_to(path: Path) -> None:
    frames = [
        Frame(np.array([[RED, GRAY]]), DELAY, dispose=PREVIOUS),
        Frame(np.array([[BLUE]]), DELAY),
    ]
    assert read(path, animation(frames, 0))[1][1].tolist() == [[list(BLUE), list(CLEAR)]]


def test_a_default_image_that_is_no_frame_is_left_out(path: Path) -> None:
    whole = noise(4, 5, 3)
    frames = [Frame(whole, DELAY), Frame(whole[::-1], DELAY)]
    timing, found = read(path, animation(frames, 3, hidden=255 - whole))
    assert (timing.count, timing.loop) == (2, 3)
    np.testing.assert_array_equal(found, [whole, whole[::-1]])


# Channels and depth


@pytest.mark.parametrize(
    ("depth", "channels"), [*itertools.product((8, 16), (1, 2, 3, 4)), (1, 1), (2, 1), (4, 1)]
)
@pytest.mark.parametrize("interlaced", [False, True])
def test_frames_keep_channels_and_depth(
    path: Path, depth: int, channels: int, interlaced: bool
) -> None:
    samples = [noise(11, 13, channels, depth, seed) for seed in range(3)]
    stills = [png(one, depth, interlaced=interlaced) for one in samples]
    timing, found = read(path, of_stills(*stills))
    full = max(depth, 8)
    assert (timing.channels, timing.depth) == (channels, full)
    factor = (2**full - 1) // (2**depth - 1)
    np.testing.assert_array_equal(found, np.array(samples) * factor)


@pytest.mark.parametrize("opacity", [b"", b"\x80", b"\xff\x00\x80"])
def test_a_palette_holds_for_all_frames(path: Path, opacity: bytes) -> None:
    palette = np.array([[1, 2, 3], [4, 5, 6], [70, 80, 90]])
    chunks = chunk(b"PLTE", bytes(palette.ravel().tolist()))
    if opacity:
        chunks += chunk(b"tRNS", opacity)
        column = np.array([*opacity, 255, 255])[:3]
        palette = np.hstack([palette, column[:, None]])
    indices = [noise(5, 6, 1, seed=seed) % 3 for seed in range(2)]
    found = read(path, of_stills(*(png(one, 8, 3, chunks) for one in indices)))[1]
    np.testing.assert_array_equal(found, [palette[one[..., 0]] for one in indices])


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_colour_key_becomes_opacity(path: Path, channels: int, depth: int) -> None:
    samples = [noise(5, 6, channels, depth, seed) for seed in range(2)]
    key = samples[1][2, 3]
    chunks = chunk(b"tRNS", key.astype(">u2").tobytes())
    found = read(path, of_stills(*(png(one, depth, None, chunks) for one in samples)))[1]
    for ours, one in zip(found, samples, strict=True):
        opacity = (one != key).any(axis=2, keepdims=True) * (2**depth - 1)
        np.testing.assert_array_equal(ours, np.concatenate([one, opacity], axis=2))


def test_an_opaque_picture_gets_opacity_only_where_it_is_cleared(path: Path) -> None:
    whole, part = noise(4, 5, 3), noise(2, 2, 3)

    def channels(*frames: Frame, hidden: Samples | None = None) -> int:
        return read(path, animation(frames, 0, hidden))[0].channels

    full, cleared = Frame(whole, DELAY), Frame(whole, DELAY, dispose=BACKGROUND)
    corner = Frame(part, DELAY)
    assert channels(full, corner, full) == 3
    assert channels(full, cleared, full, cleared) == 3
    assert channels(full, Frame(part, DELAY, dispose=PREVIOUS), corner) == 3
    assert channels(cleared, corner) == 4
    assert channels(Frame(whole, DELAY, dispose=PREVIOUS), corner) == 4
    assert channels(full, cleared, Frame(whole, DELAY, dispose=PREVIOUS), corner) == 4
    assert channels(corner, full, hidden=whole) == 4
    found = read(path, animation([cleared, corner], 0))[1][1]
    np.testing.assert_array_equal(found[:2, :2, :3], part)
    assert (found[:2, :2, 3] == 255).all()
    assert (found[2:] == 0).all()
    assert (found[:, 2:] == 0).all()


# Timing


@pytest.mark.parametrize(
    ("delay", "expected"),
    [
        ((1, 25), 40),
        ((3, 0), 30),
        ((1, 30), 33),
        ((2, 3), 667),
        ((0, 1), 0),
        ((65535, 1), 65535000),
    ],
)
def test_delays_are_in_milliseconds(path: Path, delay: tuple[int, int], expected: int) -> None:
    frames = [Frame(ONE, delay), Frame(ONE, DELAY)]
    timing = read(path, animation(frames, 7))[0]
    assert timing == apng.Timing(2, (expected, 40), 7, 1, 1, 3, 8)


def test_timing_does_not_look_at_pixels(path: Path) -> None:
    parts = parts_of(animation([Frame(ONE, DELAY)] * 2, 0))
    header = struct.pack(">IIBBBBB", 40_000, 40_000, 16, 6, 0, 0, 0)
    controls = [struct.pack(">IIIIIHHBB", i, 40_000, 40_000, 0, 0, *DELAY, 0, 0) for i in (0, 1)]
    parts[0], parts[2], parts[4] = (
        (b"IHDR", header),
        (b"fcTL", controls[0]),
        (b"fcTL", controls[1]),
    )
    path.write_bytes(joined(parts))
    with path.open("rb") as file, allocated() as peak:
        timing = apng.timing(path, file.fileno())
        assert peak() < 2**20
    assert (timing.width, timing.height, timing.depth) == (40_000, 40_000, 16)


# What is animated


def test_what_is_an_animation_is_told_from_its_chunks(path: Path) -> None:
    two, still = animation([Frame(ONE, DELAY)] * 2, 0), png(ONE, 8)
    assert animated(path, two)
    assert animated(path, animation([Frame(ONE, DELAY)] * 2, 0, hidden=ONE))
    assert not animated(path, animation([Frame(ONE, DELAY)], 0))
    assert not animated(path, still)
    assert not animated(path, b"")
    assert not animated(path, b"\xff\xd8\xff" + two)
    parts = parts_of(two)
    profile = (b"iCCP", b"p\0\0" + zlib.compress(bytes(noise(1000, 1000, 1)), 0))
    assert animated(path, joined([parts[0], profile, *parts[1:]]))
    late = parts_of(still)
    assert not animated(path, joined([*late[:2], parts[1], late[2]]))


@pytest.mark.parametrize("announced", [0, 1, 3, 2**31])
def test_a_wrong_number_of_frames_is_refused(path: Path, announced: int) -> None:
    parts = parts_of(animation([Frame(ONE, DELAY)] * 2, 0))
    parts[1] = (b"acTL", struct.pack(">II", announced, 0))
    assert animated(path, joined(parts))
    assert refusal(path, joined(parts)) == "decode-error"


@pytest.mark.parametrize("control", [struct.pack(">II", 5, 0), bytes(8), bytes(3)])
def test_an_animation_that_contradicts_itself_shows_its_still_picture(
    path: Path, control: bytes
) -> None:
    still = noise(3, 4, 3)
    parts = parts_of(animation([Frame(still, DELAY), Frame(still // 2, DELAY)], 0))
    parts[1] = (b"acTL", control)
    path.write_bytes(joined(parts))
    found = reader.read(path)
    np.testing.assert_array_equal(found.pixels, still)
    assert found.frames == reader.read_header(path).frames == 1
    (warning,) = found.warnings
    assert str(path) in warning


# Files that are refused


def test_a_file_that_was_cut_anywhere_is_truncated(path: Path) -> None:
    data = animation([Frame(noise(3, 4, 4), DELAY)] * 3, 0)
    assert {refusal(path, data[:kept]) for kept in range(8, len(data))} == {"truncated"}


def test_no_flipped_bit_changes_a_frame_in_silence(path: Path) -> None:
    data = bytearray(animation([Frame(noise(2, 2, 4), DELAY), Frame(ONE[:, :, [0] * 4], DELAY)], 0))
    timing, frames = read(path, data)
    passed = []
    for at, bit in itertools.product(range(len(data)), (0, 5, 7)):  # 5: the case of a letter
        data[at] ^= 1 << bit
        try:
            found = read(path, data)
        except InputError as error:
            assert error.code in ("truncated", "decode-error")  # noqa: PT017
        else:
            passed.append(at)
            assert found[0] == timing
            np.testing.assert_array_equal(found[1], frames)
        data[at] ^= 1 << bit
    assert set(passed) <= set(
        range(len(data) - 4, len(data))
    )  # the checksum of nothing, at the end


Numbers = dict[str, int]
FIELDS = ["sequence", "width", "height", "left", "top", "numerator", "denominator"]
FIELDS += ["dispose", "blend"]


def with_control(index: int, **changes: int) -> bytes:
    """Three frames, of which the last is a part; then fields of one fcTL chunk are changed."""
    whole = noise(4, 5, 4)
    frames = [Frame(whole, DELAY), Frame(whole, DELAY), Frame(whole[:2, :3], DELAY, 2, 2)]
    parts = parts_of(animation(frames, 0))
    places = [place for place, (kind, _) in enumerate(parts) if kind == b"fcTL"]
    fields = dict(
        zip(FIELDS, struct.unpack(">IIIIIHHBB", parts[places[index]][1]), strict=True), **changes
    )
    parts[places[index]] = (b"fcTL", struct.pack(">IIIIIHHBB", *fields.values()))
    return joined(parts)


@pytest.mark.parametrize(
    ("index", "changes"),
    [
        (2, {"left": 3}),
        (2, {"top": 3}),
        (2, {"left": 2**32 - 3}),
        (2, {"top": 2**31}),
        (1, {"left": 1}),
        (0, {"left": 1, "width": 4}),
        (0, {"height": 3}),
        (2, {"width": 0}),
        (2, {"height": 0}),
        (2, {"height": 1, "width": 5, "left": 1}),
        (1, {"height": 3, "numerator": 0, "width": 6}),
        (2, {"dispose": 3}),
        (2, {"blend": 2}),
        (0, {"sequence": 1}),
        (1, {"sequence": 0}),
        (2, {"sequence": 4}),
    ],
    ids=str,
)
def test_a_frame_that_cannot_be_is_refused(path: Path, index: int, changes: Numbers) -> None:
    """Outside of the canvas, empty, or out of order."""
    assert len(read(path, with_control(index))[1]) == 3
    assert refusal(path, with_control(index, **changes)) == "decode-error"


HEADER, CONTROLS, FIRST, DATA, SECOND, MORE, END = range(7)


@pytest.mark.parametrize(
    "order",
    [
        (HEADER, FIRST, DATA, SECOND, MORE, END),
        (HEADER, CONTROLS, CONTROLS, FIRST, DATA, SECOND, MORE, END),
        (HEADER, FIRST, DATA, CONTROLS, SECOND, MORE, END),
        (HEADER, CONTROLS, FIRST, SECOND, DATA, MORE, END),
        (HEADER, CONTROLS, FIRST, DATA, MORE, SECOND, END),
        (HEADER, CONTROLS, FIRST, DATA, SECOND, END),
        (HEADER, CONTROLS, FIRST, SECOND, MORE, DATA, END),
        (HEADER, CONTROLS, FIRST, DATA, SECOND, DATA, END),
        (HEADER, CONTROLS, DATA, FIRST, DATA, SECOND, MORE, END),
        (HEADER, CONTROLS, FIRST, SECOND, MORE, END),
        (CONTROLS, HEADER, FIRST, DATA, SECOND, MORE, END),
        (HEADER, HEADER, CONTROLS, FIRST, DATA, SECOND, MORE, END),
        (HEADER, CONTROLS, END),
    ],
)
def test_chunks_in_another_order_are_refused(path: Path, order: Sequence[int]) -> None:
    """Numbered anew, so that it is not the numbers that are wrong."""
    parts = parts_of(animation([Frame(ONE, DELAY)] * 2, 0))
    chosen, sequence = [parts[index] for index in order], itertools.count()
    numbered = [
        (kind, struct.pack(">I", next(sequence)) + body[4:])
        if kind in (b"fcTL", b"fdAT")
        else (kind, body)
        for kind, body in chosen
    ]
    assert refusal(path, joined(numbered)) == "decode-error"


@pytest.mark.parametrize(
    ("index", "part"),
    [
        (HEADER, (b"IHDR", bytes(12))),
        (HEADER, (b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 5, 0, 0, 0))),
        (HEADER, (b"IHDR", struct.pack(">IIBBBBB", 1, 1, 3, 2, 0, 0, 0))),
        (HEADER, (b"IHDR", struct.pack(">IIBBBBB", 0, 1, 8, 2, 0, 0, 0))),
        (HEADER, (b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 3, 0, 0, 0))),
        (CONTROLS, (b"acTL", struct.pack(">I", 2))),
        (CONTROLS, (b"acTL", struct.pack(">II", 2, 2**31))),
        (FIRST, (b"fcTL", bytes(25))),
        (FIRST, (b"fcTL", bytes(4))),
        (DATA, (b"IDAT", b"")),
        (MORE, (b"fdAT", b"\0\0")),
        (MORE, (b"fdAT", b"\0\0\0\2")),
        (MORE, (b"fdAT", b"\0\0\0\2" + zlib.compress(b"\0\1\2"))),
        (MORE, (b"fdAT", b"\0\0\0\2" + zlib.compress(b"\7\1\2\3"))),
        (MORE, (b"fdAT", b"\0\0\0\2" + zlib.compress(b"\0\1\2\3")[:-1])),
        (MORE, (b"\0dAT", b"")),
        (END, (b"tEXt", b"")),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_chunk_with_another_content_is_refused(
    path: Path, index: int, part: tuple[bytes, bytes]
) -> None:
    parts = parts_of(animation([Frame(ONE, DELAY)] * 2, 0))
    parts[index] = part
    expected = "truncated" if index == END else "decode-error"
    assert refusal(path, joined(parts)) == expected


def test_data_may_come_in_many_pieces_with_text_between_frames(path: Path) -> None:
    parts = parts_of(animation([Frame(noise(4, 5, 3, seed=seed), DELAY) for seed in (0, 1)], 0))
    sequence, torn = itertools.count(), list[tuple[bytes, bytes]]()
    for kind, body in parts:
        if kind == b"IDAT":
            torn += [(kind, b""), *((kind, body[at : at + 7]) for at in range(0, len(body), 7))]
        elif kind == b"fdAT":
            pieces = [b"", *(body[4:][at : at + 7] for at in range(0, len(body) - 4, 7))]
            torn += [(kind, struct.pack(">I", next(sequence)) + piece) for piece in pieces]
        elif kind == b"fcTL":
            torn += [(b"tEXt", b"a\0b"), (kind, struct.pack(">I", next(sequence)) + body[4:])]
        else:
            torn.append((kind, body))
    found = read(path, joined(torn))[1]
    np.testing.assert_array_equal(found, [noise(4, 5, 3), noise(4, 5, 3, seed=1)])


def test_a_bomb_in_a_frame_does_no_harm(path: Path) -> None:
    parts = parts_of(animation([Frame(ONE, DELAY)] * 2, 0))
    bomb = zlib.compress(bytes(2**27), 9)
    parts[MORE] = (b"fdAT", b"\0\0\0\2" + bomb)
    data = joined(parts)
    with allocated() as peak:
        assert read(path, data)[1][1].tolist() == [[[0, 0, 0]]]
        assert peak() < 2**24


def test_a_file_of_nothing_but_chunks_is_given_up(path: Path) -> None:
    """Each of many takes as much work as each of few, until there are too many."""
    head = joined(parts_of(animation([Frame(ONE, DELAY)] * 2, 0))[:2])
    much = [head + chunk(b"zzZz", b"") * number for number in (10, 110, 1110, 2**20)]
    few, more, many = (effort(lambda: refusal(path, data))[0] for data in much[:3])  # noqa: B023
    assert many - more == pytest.approx(10 * (more - few), rel=0.1)
    assert refusal(path, much[3]) == "decode-error"


# Writing


def vips_png(pixels: Samples, **metadata: object) -> bytes:
    """A picture as libvips encodes it, which is how frames arrive."""
    stream = pyvips.Image.new_from_array(pixels)
    names = ("b-w", "srgb") if pixels.dtype == np.uint8 else ("grey16", "rgb16")
    stream = stream.copy(interpretation=names[pixels.shape[2] > 2])
    for name, value in metadata.items():
        kind = pyvips.GValue.blob_type
        stream.set_type(kind, name.replace("_", "-"), value)
    return bytes(stream.copy(xres=11.811, yres=11.811).pngsave_buffer())


def write(path: Path, stills: Sequence[bytes], delays: Sequence[int], loop: int = 0) -> bytes:
    with path.open("wb") as file:
        assembler = apng.Assembler(file.fileno(), len(stills), delays, loop)
        for still in stills:
            before = file.tell()
            assembler.add(still)
            assert os.fstat(file.fileno()).st_size > before
        assembler.finish()
    return path.read_bytes()


def several(channels: int, dtype: type = np.uint8, count: int = 3) -> list[Samples]:
    depth = np.dtype(dtype).itemsize * 8
    return [noise(31, 45, channels, depth, seed).astype(dtype) for seed in range(count)]


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_pillow_reads_what_was_written(path: Path, channels: int) -> None:
    pixels = several(channels)
    data = write(path, [vips_png(one) for one in pixels], (40, 1000, 70), 5)
    for one, found in zip(pixels, read_by_pillow(data), strict=True):
        np.testing.assert_array_equal(found.reshape(one.shape), one)
    with Pillow.open(path) as found:
        assert (found.is_animated, found.info["loop"]) == (True, 5)
        assert not found.default_image
        durations = []
        for index in range(found.n_frames):
            found.seek(index)
            durations.append(found.info["duration"])
    assert durations == [40, 1000, 70]


@pytest.mark.parametrize("channels", [3, 4])
def test_opencv_reads_what_was_written(path: Path, channels: int) -> None:
    pixels = several(channels)
    data = write(path, [vips_png(one) for one in pixels], (40, 1000, 70), 5)
    for one, found in zip(pixels, read_by_opencv(data), strict=True):
        np.testing.assert_array_equal(found[..., :channels], one)
    _, found = cv2.imdecodeanimation(np.frombuffer(data, np.uint8))
    assert list(found.durations) == [40, 1000, 70]
    assert found.loop_count == 5


@WITH_FFMPEG
@pytest.mark.parametrize(("channels", "form"), [(3, "rgb48le"), (4, "rgba64le")])
def test_ffmpeg_reads_16_bits_as_written(path: Path, channels: int, form: str) -> None:
    pixels = several(channels, np.uint16)
    data = write(path, [vips_png(one) for one in pixels], (40, 1000, 70))
    found = read_by_ffmpeg(path, data, (31, 45, channels), form)
    np.testing.assert_array_equal(found, pixels)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_what_was_written_is_read_the_same(path: Path, channels: int, dtype: type) -> None:
    pixels = several(channels, dtype)
    data = write(path, [vips_png(one) for one in pixels], (0, 65_535, 33), 2)
    timing, found = read(path, data)
    np.testing.assert_array_equal(found, pixels)
    assert animated(path, data)
    assert timing == apng.Timing(
        3, (0, 65_535, 33), 2, 45, 31, channels, 8 * np.dtype(dtype).itemsize
    )


def test_metadata_are_those_of_the_first_frame(path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif, xmp = Pillow.Exif(), b"<x:xmpmeta xmlns:x='adobe:ns:meta/'></x:xmpmeta>"
    exif[0x10F] = "Maker"
    blocks = {"icc_profile_data": profile, "exif_data": exif.tobytes(), "xmp_data": xmp}
    pixels = several(3)
    stills = [vips_png(one, **(blocks if one is pixels[0] else {})) for one in pixels]
    parts = parts_of(write(path, stills, (40,) * 3))
    own = [part for part in parts_of(stills[0])[1:] if part[0] not in (b"IDAT", b"IEND")]
    assert [part for part in parts if part[0] in dict(own)] == own
    with Pillow.open(path) as found:
        assert found.info["icc_profile"] == profile
        assert found.getexif()[0x10F] == "Maker"
        assert found.info["dpi"] == pytest.approx((300, 300), abs=0.1)
    first = pyvips.Image.new_from_file(str(path))
    assert (first.get("icc-profile-data"), first.get("xmp-data")) == (profile, xmp)


def test_each_chunk_stands_where_it_should(path: Path) -> None:
    pixels = np.repeat(several(3), 9, axis=1)
    stills = [vips_png(one, icc_profile_data=b"") for one in pixels]
    parts = parts_of(write(path, stills, (40,) * 3))
    kinds = [kind for kind, _ in itertools.groupby(kind for kind, _ in parts)]
    assert kinds[:2] == [b"IHDR", b"acTL"]
    assert kinds[-7:] == [b"fcTL", b"IDAT", b"fcTL", b"fdAT", b"fcTL", b"fdAT", b"IEND"]
    assert b"pHYs" in kinds[2:-7]
    numbers = [body[:4] for kind, body in parts if kind in (b"fcTL", b"fdAT")]
    assert numbers == [struct.pack(">I", number) for number in range(len(numbers))]
    for kind, body in parts:
        if kind == b"fcTL":
            assert struct.unpack(">IIII", body[4:20]) == (45, 279, 0, 0)
            assert body[24:] == bytes([NONE, SOURCE])


def terms(delay: int) -> tuple[int, ...]:
    """Numerator and denominator as they are written for one delay."""
    reader, writer = os.pipe()
    apng.Assembler(writer, 1, [delay], 0).add(png(ONE, 8))
    os.close(writer)
    with os.fdopen(reader, "rb") as file:
        control = next(body for kind, body in parts_of(file.read()) if kind == b"fcTL")
    return struct.unpack(">HH", control[20:24])


@given(st.integers(0, 65_535))
def test_delays_are_written_exactly(delay: int) -> None:
    assert Fraction(*terms(delay)) == Fraction(delay, 1000)


@pytest.mark.parametrize("delay", [65_537, 70_000, 100_001, 999_999, 65_534_999, 10**9])
def test_a_long_delay_is_written_as_near_as_can_be(delay: int) -> None:
    wanted = Fraction(delay, 1000)
    nearest = min(
        (Fraction(min(65_535, round(wanted * below)), below) for below in range(1, 1001)),
        key=lambda term: abs(term - wanted),
    )
    assert abs(Fraction(*terms(delay)) - wanted) <= abs(nearest - wanted)


def test_frames_that_are_not_as_announced_are_refused(path: Path) -> None:
    wide, high = vips_png(np.zeros((3, 4, 3), np.uint8)), vips_png(np.zeros((4, 3, 3), np.uint8))
    with path.open("wb") as file:
        with pytest.raises(ValueError, match="2 frames with 1"):
            apng.Assembler(file.fileno(), 2, [40], 0)
        with pytest.raises(ValueError, match="0 frames"):
            apng.Assembler(file.fileno(), 0, [], 0)
        assembler = apng.Assembler(file.fileno(), 2, [40, 40], 0)
        assembler.add(wide)
        with pytest.raises(ValueError, match="frame 2"):
            assembler.add(high)
        with pytest.raises(ValueError, match="1 frames of 2"):
            assembler.finish()
        assembler.add(wide)
        with pytest.raises(ValueError, match="one too many"):
            assembler.add(wide)
        assembler.finish()
    assert len(read(path, path.read_bytes())[1]) == 2


@pytest.mark.skipif(not shutil.which("ffprobe"), reason="ffmpeg is not installed")
def test_ffprobe_finds_frames_and_durations(path: Path) -> None:
    write(path, [vips_png(one) for one in several(3)], (40, 1000, 70))
    command = ["ffprobe", "-v", "error", "-f", "apng", "-show_entries", "packet=pts_time", "-of"]
    run = subprocess.run([*command, "csv=p=0", str(path)], capture_output=True, check=True)
    assert [float(line) for line in run.stdout.decode().split()] == pytest.approx([0, 0.04, 1.04])
