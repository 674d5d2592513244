"""Netpbm and PFM: every maximum keeps its full range."""

import numpy as np
import pytest
from decoding import CHANNELS, Reading
from raw_pictures import noise


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("top", [1, 7, 100, 255, 256, 1000, 4095, 65535])
@pytest.mark.parametrize("channels", [1, 3])
def test_every_maximum_reaches_full_white(
    read: Reading, plain: bool, top: int, channels: int
) -> None:
    samples = noise(4, 5, channels, top).astype(np.int64)
    samples[0, 0] = top
    letter = {(1, False): 5, (3, False): 6, (1, True): 2, (3, True): 3}[channels, plain]
    if plain:
        body = " ".join(map(str, samples.ravel())).encode()
    else:
        body = samples.astype("u1" if top < 256 else ">u2").tobytes()
    full = 255 if top < 256 else 65535
    found = read(b"P%d # a comment\n5 4\n#\n%d\n" % (letter, top) + body).pixels
    assert found.dtype == (np.uint8 if top < 256 else np.uint16)
    np.testing.assert_array_equal(found, np.floor(samples * full / top + 0.5))


@pytest.mark.parametrize("data", [b"P1\n3 2\n1 0 1\n# c\n010", b"P4\n3 2\n\xa0\x40"])
def test_bits_are_black_where_they_are_set(read: Reading, data: bytes) -> None:
    assert read(data).pixels[..., 0].tolist() == [[0, 255, 0], [255, 0, 255]]


@CHANNELS
@pytest.mark.parametrize("top", [255, 1000])
def test_pam_is_read_with_its_opacity(read: Reading, channels: int, top: int) -> None:
    samples = noise(3, 5, channels, top)
    kind = {1: b"GRAYSCALE", 2: b"GRAYSCALE_ALPHA", 3: b"RGB", 4: b"RGB_ALPHA"}[channels]
    head = b"P7\nWIDTH 5\n# comment\nHEIGHT 3\nDEPTH %d\nMAXVAL %d\nTUPLTYPE %s\nENDHDR\n"
    body = samples.astype("u1" if top == 255 else ">u2").tobytes()
    found = read(head % (channels, top, kind) + body).pixels
    full = 255 if top == 255 else 65535
    np.testing.assert_array_equal(found, np.floor(samples.astype(float) * full / top + 0.5))


def test_pam_of_other_channels_is_refused(read: Reading) -> None:
    head = b"P7\nWIDTH 1\nHEIGHT 1\nDEPTH 4\nMAXVAL 255\nTUPLTYPE CMYK\nENDHDR\n"
    assert read.code(head + b"1234") == "unsupported-format"


def test_further_pictures_in_a_file_are_not_dropped_in_silence(read: Reading) -> None:
    (warning,) = read(b"P5 1 1 255\n\x01P5 1 1 255\n\x02").warnings
    assert "first" in warning


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("letter", [b"f", b"F"])
def test_pfm_is_read_from_the_bottom_up(read: Reading, order: str, letter: bytes) -> None:
    samples = np.random.default_rng(0).random((3, 4, 3 if letter == b"F" else 1), np.float32)
    head = b"P%s\n4 3\n%s\n" % (letter, b"-1.0" if order == "<" else b"1.0")
    found = read(head + samples[::-1].astype(f"{order}f4").tobytes())
    np.testing.assert_array_equal(found.pixels, np.rint(samples * 65535.0).astype(np.uint16))
    assert "16 bits" in found.warnings[0]


@pytest.mark.parametrize(
    "data",
    [
        b"P1\n8 8\n0 1 1",
        b"P2\n3 1\n255\n1 2",
        b"P4\n9 9\n" + bytes(17),
        b"P5\n4 4\n255\n" + bytes(15),
        b"P6\n4 4\n65535\n" + bytes(95),
        b"Pf\n4 4\n-1.0\n" + bytes(63),
    ],
)
def test_netpbm_that_is_cut_is_refused(read: Reading, data: bytes) -> None:
    assert read.code(data) == "truncated"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"P5 is a postcode", "not-an-image"),
        (b"P5\n0 4\n255\n", "not-an-image"),
        (b"P5 12\n3", "not-an-image"),
        (b"P7\nWIDTH 1\nENDHDR\n", "not-an-image"),
        (b"P7\n" + b"x\n" * 40, "not-an-image"),
        (b"P5\n1 1\n70000\n\0\0", "decode-error"),
        (b"P5\n1 1\n100\n\x65", "decode-error"),
        (b"P2\n1 1\n100\nab", "decode-error"),
        (b"P1\n1 1\n7", "decode-error"),
    ],
)
def test_netpbm_that_cannot_be_is_refused(read: Reading, data: bytes, code: str) -> None:
    assert read.code(data) == code
