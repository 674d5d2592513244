"""A GIF's blocks as Pillow writes them: what they say of frames, and which are damaged."""

import io
from pathlib import Path

import pytest
from PIL import Image as Pillow

from upscale.errors import InputError
from upscale.pictures.containers import gif

FIRST = Pillow.linear_gradient("L").resize((19, 17))


def saved(**options: object) -> bytes:
    buffer = io.BytesIO()
    FIRST.save(buffer, "GIF", **options)
    return buffer.getvalue()


def scanned(path: Path, data: bytes) -> tuple[gif.Timing, list[gif.Frame]]:
    path.write_bytes(data)
    with path.open("rb") as file:
        return gif.scan(path, file.fileno())


def test_a_still_picture_is_one_frame_of_opaque_colours(tmp_path: Path) -> None:
    timing, (frame,) = scanned(tmp_path / "a.gif", saved(interlace=False))
    assert (timing.count, timing.delays, timing.loop) == (1, (), 1)
    assert (timing.width, timing.height, timing.channels, timing.depth) == (19, 17, 3, 8)
    assert (frame.left, frame.top, frame.width, frame.height) == (0, 0, 19, 17)
    assert not frame.interlaced
    assert frame.transparent is None
    assert frame.covers(19, 17)
    assert not frame.covers(20, 17)


def test_interlacing_transparency_and_comments_are_seen(tmp_path: Path) -> None:
    data = saved(
        interlace=True, transparency=3, optimize=False, comment=b"x" * 600, disposal=2, duration=70
    )
    timing, (frame,) = scanned(tmp_path / "a.gif", data)
    assert frame.interlaced
    assert (frame.transparent, frame.dispose, timing.channels) == (3, gif.BACKGROUND, 4)


def test_time_and_repetitions_are_those_that_were_saved(tmp_path: Path) -> None:
    others = [FIRST.rotate(180), FIRST.point(lambda value: value // 2)]
    data = saved(save_all=True, append_images=others, duration=[10, 20, 30], loop=5)
    timing, frames = scanned(tmp_path / "a.gif", data)
    assert (timing.delays, timing.loop) == ((10, 20, 30), 6)
    assert len(frames) == timing.count == 3


@pytest.mark.parametrize("bits", [0, 9, 255])
def test_codes_of_an_impossible_size_are_damaged(tmp_path: Path, bits: int) -> None:
    data = saved()
    codes = scanned(tmp_path / "a.gif", data)[1][0].data
    at = data.index(codes)
    with pytest.raises(InputError) as caught:
        scanned(tmp_path / "a.gif", data[:at] + bytes([bits]) + data[at + 1 :])
    assert caught.value.code == "decode-error"


def test_a_gif_cut_anywhere_before_its_last_byte_is_called_cut(tmp_path: Path) -> None:
    data = saved()
    for length in range(13, len(data) - 1, 7):
        with pytest.raises(InputError) as caught:
            scanned(tmp_path / "a.gif", data[:length])
        assert caught.value.code == "truncated"
    assert scanned(tmp_path / "a.gif", data[:-1])[0].count == 1


@pytest.mark.parametrize("last", [b"", b"\x01garbage", b";"])
def test_a_gif_without_a_frame_is_refused(tmp_path: Path, last: bytes) -> None:
    with pytest.raises(InputError):
        scanned(tmp_path / "a.gif", b"GIF89a\t\0\7\0\0\0\0" + last)
