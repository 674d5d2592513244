"""The strip's levels."""

import numpy as np

from upscale.viewing.sheets.strip import to_levels


def test_16_bits_become_8_and_opacity_lets_gray_through() -> None:
    deep = np.array([[[0], [257 * 7], [257 * 7 + 128], [257 * 7 + 129], [65535]]], np.uint16)
    assert to_levels(deep).ravel().tolist() == [0, 7, 7, 8, 255]
    clear = np.array([[[200, 0], [200, 255], [0, 51]]], np.uint8)
    assert to_levels(clear).ravel().tolist() == [128, 200, 102]
    clear = np.array([[[200, 100, 0, 0], [200, 100, 0, 255]]], np.uint8)
    assert to_levels(clear).tolist() == [[[128, 128, 128], [200, 100, 0]]]
