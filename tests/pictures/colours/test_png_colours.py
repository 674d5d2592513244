"""Chunks that say colours, read in any order and written behind the header."""

import errno
import io
import os
from pathlib import Path

import numpy as np
import pytest
from colour_files import P3, PICTURE, chrm, chunk, cicp, gama, png
from PIL import Image as Pillow

from upscale.pictures.colours.png_colours import Inserter, colour_chunks, signals
from upscale.pictures.colours.signals import Signals
from upscale.pixels.image import CodePoints


def said(path: Path, data: bytes) -> Signals:
    path.write_bytes(data)
    with path.open("rb") as file:
        return signals(file.fileno())


def test_each_chunk_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    found = said(path, png(chrm(P3), gama(0.5)))
    assert found.gamma == 0.5
    assert found.chromaticities == tuple(each for point in P3 for each in point)
    light = chunk(b"cLLI", bytes(range(8)))
    assert said(path, png(light, cicp(9, 18, 0))).code_points == CodePoints(
        9, 18, full_range=False, light=bytes(range(8))
    )


@pytest.mark.parametrize("kept", [0, 8, 20, 33, 40, 60])
def test_a_file_that_is_cut_says_nothing_more(tmp_path: Path, kept: int) -> None:
    found = said(tmp_path / "a.png", png(cicp(12, 13), gama(1.0))[:kept])
    assert found.code_points == (CodePoints(12, 13) if kept > 49 else None)


def test_a_wrong_checksum_says_nothing(tmp_path: Path) -> None:
    wrong = cicp(12, 13)[:-1] + b"\0"
    assert said(tmp_path / "a.png", png(wrong)) == Signals()


def test_chunks_behind_the_pixels_do_not_count(tmp_path: Path) -> None:
    data = png()
    found = said(tmp_path / "a.png", data[:-12] + cicp(12, 13) + data[-12:])
    assert found == Signals()


@pytest.mark.parametrize("pieces", [1, 7, 33, 5000])
def test_chunks_are_put_behind_the_header_of_a_stream(tmp_path: Path, pieces: int) -> None:
    data, points = png(), CodePoints(9, 16, True, bytes(24), bytes(8))
    with (tmp_path / "a.png").open("w+b", buffering=0) as file:
        inserter = Inserter(file.fileno(), colour_chunks(points))
        for at in range(0, len(data), pieces):
            piece = data[at : at + pieces]
            assert inserter.write(piece) == len(piece)
        assert signals(file.fileno()).code_points == points
        found = (tmp_path / "a.png").read_bytes()
    assert found[:33] + found[-len(data) + 33 :] == data
    with Pillow.open(io.BytesIO(found)) as picture:
        np.testing.assert_array_equal(np.asarray(picture), PICTURE)


def test_what_the_system_says_of_a_failed_write_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.touch()
    descriptor = os.open(path, os.O_RDONLY)
    try:
        inserter = Inserter(descriptor, colour_chunks(CodePoints(9, 16)))
        assert inserter.write(png()) == -1
    finally:
        os.close(descriptor)
    assert inserter.failure is not None
    assert inserter.failure.errno == errno.EBADF
