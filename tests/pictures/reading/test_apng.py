"""Animated PNG: each frame as it is to be seen, damage named, and files that others read."""

import itertools
import struct
import tracemalloc
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from animations import (
    BACKGROUND,
    BLENDS,
    DELAY,
    DISPOSES,
    NONE,
    ONE,
    OVER,
    PREVIOUS,
    SOURCE,
    WITH_FFMPEG,
    Samples,
    animated,
    joined,
    noise,
    parts_of,
    read,
    read_by_ffmpeg,
    read_by_opencv,
    read_by_pillow,
    scenes,
    with_opacity,
)
from effort import effort
from handmade import Frame, chunk, png
from handmade import apng as animation

from upscale.errors import InputError
from upscale.pictures.reading import apng, reader


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.png"


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


@pytest.mark.slow
def test_a_file_of_nothing_but_chunks_is_given_up(path: Path) -> None:
    """Each of many takes as much work as each of few, until there are too many."""
    head = joined(parts_of(animation([Frame(ONE, DELAY)] * 2, 0))[:2])
    much = [head + chunk(b"zzZz", b"") * number for number in (10, 110, 1110, 2**20)]
    few, more, many = (effort(lambda: refusal(path, data))[0] for data in much[:3])  # noqa: B023
    assert many - more == pytest.approx(10 * (more - few), rel=0.1)
    assert refusal(path, much[3]) == "decode-error"
