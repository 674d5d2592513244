"""Frames of a picture are parts of its rows."""

import numpy as np

from upscale.pixels.image import Image


def test_frames_share_the_rows_of_their_picture() -> None:
    pixels = np.arange(3 * 2 * 5 * 3, dtype=np.uint8).reshape(6, 5, 3)
    image = Image(pixels, frames=3)
    assert image.height == 2
    for index in range(3):
        frame = image.frame(index)
        assert np.array_equal(frame[:], pixels[2 * index : 2 * index + 2])
        assert np.shares_memory(frame[:], pixels)


def test_a_picture_has_one_frame_unless_it_says_otherwise() -> None:
    image = Image(np.zeros((4, 3, 1), np.uint16))
    assert (image.frames, image.height) == (1, 4)
    assert np.array_equal(image.frame(0)[:], image.pixels[:])
