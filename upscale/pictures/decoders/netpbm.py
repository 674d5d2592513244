"""PBM, PGM, PPM, PAM and PFM, read without a library, so that any maximum becomes full white.

Pillow 13.0 reads 16-bit RGB as 8 bits and refuses PAM. OpenCV 5.0 and OpenImageIO 3.2 do not scale
a maximum such as 1000 to full white, and neither reads gray with opacity.

Layout: the manual pages of Netpbm, and Debevec's of PFM. Of a file that holds several pictures, the
first is read.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from upscale.pictures.containers.damage import AGAIN, cut, damaged, no_image, unsupported
from upscale.pictures.decoders.base import Decoded, from_float, read_all, rounding_warning, widen

__all__ = ["decode", "size"]

HEADER = 2**16
"""Bytes within which a header, its comments included, ends."""

GAP = rb"(?:\s|#[^\r\n]*+)++"
NUMBER = GAP + rb"(\d{1,9})"
BITS = re.compile(rb"P[14]" + NUMBER + GAP + rb"(\d{1,9})\s")
INTEGERS = re.compile(rb"P[2356]" + NUMBER + GAP + rb"(\d{1,9})" + GAP + rb"(\d{1,9})\s")
FLOATS = re.compile(rb"P[Ff]\s++(\d{1,9})\s++(\d{1,9})\s++([-+.\deE]{1,32})\s")
PAM = re.compile(rb"P7\s*?\n(.*?\n)?ENDHDR[ \t\r]*\n", re.DOTALL)

PLAIN = (b"P1", b"P2", b"P3")

CHANNELS = {"BLACKANDWHITE": 1, "GRAYSCALE": 1, "RGB": 3}
CHANNELS |= {f"{name}_ALPHA": number + 1 for name, number in CHANNELS.items()}


@dataclass(frozen=True)
class _Header:
    """``top``: the maximum of a sample, 0 for PFM; ``end``: of the header, where pixels begin."""

    kind: bytes
    width: int
    height: int
    channels: int
    top: int
    end: int
    big_endian: bool = True


def size(path: Path, descriptor: int) -> tuple[int, int]:
    """Return (width, height) from the header. Raises InputError."""
    header = _header(path, read_all(descriptor, HEADER))
    return header.width, header.height


def decode(path: Path, descriptor: int) -> Decoded:
    """Decode to 8 bits if the maximum is at most 255, otherwise to 16. Raises InputError."""
    data = read_all(descriptor)
    header = _header(path, data[:HEADER])
    shape = (header.height, header.width, header.channels)
    if header.kind in (b"PF", b"Pf"):
        floats = np.dtype(">f4" if header.big_endian else "<f4")
        samples = _packed(path, data, header, floats, header.width).reshape(shape)
        warnings = (rounding_warning(path),)
        return Decoded(np.ascontiguousarray(from_float(path, samples[::-1])), warnings=warnings)
    if header.kind == b"P4":
        packed = _packed(path, data, header, np.dtype("u1"), (header.width + 7) // 8)
        bits = np.unpackbits(packed.reshape(header.height, -1), axis=1)
        pixels = (bits[:, : header.width, None] ^ 1) * np.uint8(255)
        return Decoded(pixels, warnings=_further(path, data, header, packed.nbytes))
    if header.kind in PLAIN:
        samples = _plain(path, data, header).reshape(shape)
    else:
        dtype = np.dtype("u1" if header.top <= 255 else ">u2")
        samples = _packed(path, data, header, dtype, header.width).reshape(shape)
    if int(samples.max()) > header.top:
        raise damaged(path, f"is damaged (it has samples above its maximum of {header.top})")
    return Decoded(
        widen(samples, header.top), warnings=_further(path, data, header, samples.nbytes)
    )


def _further(path: Path, data: bytes, header: _Header, length: int) -> tuple[str, ...]:
    """Return a warning if another picture begins behind the ``length`` bytes of the first."""
    rest = data[header.end + length :][:16]
    if header.kind in PLAIN or not re.match(rb"\s*P[1-7]\s", rest):
        return ()
    return (f"{path}: holds several pictures; only the first is read",)


def _header(path: Path, head: bytes) -> _Header:
    kind = head[:2]
    if kind == b"P7":
        return _pam_header(path, head)
    form = {b"P1": BITS, b"P4": BITS, b"PF": FLOATS, b"Pf": FLOATS}.get(kind, INTEGERS)
    found = form.match(head)
    if not found:
        raise no_image(path, f"is not a picture, or its PNM header is damaged; {AGAIN}")
    channels = 3 if kind in (b"P3", b"P6", b"PF") else 1
    big_endian, top = True, 1
    if form is FLOATS:
        big_endian, top = not found[3].startswith(b"-"), 0
    elif form is INTEGERS:
        top = int(found[3])
    return _checked(
        path, _Header(kind, int(found[1]), int(found[2]), channels, top, found.end(), big_endian)
    )


def _pam_header(path: Path, head: bytes) -> _Header:
    found = PAM.match(head)
    if not found:
        raise no_image(path, f"is not a picture, or its PAM header is damaged; {AGAIN}")
    fields: dict[str, str] = {}
    for line in (found[1] or b"").decode("latin-1").splitlines():
        name, _, value = line.strip().partition(" ")
        if name and not name.startswith("#"):
            fields[name] = value.strip()
    numbers = [fields.get(name, "") for name in ("WIDTH", "HEIGHT", "DEPTH", "MAXVAL")]
    if not all(re.fullmatch(r"[0-9]{1,9}", number) for number in numbers):
        raise no_image(path, f"is not a picture, or its PAM header lacks a size; {AGAIN}")
    width, height, channels, top = map(int, numbers)
    kind = fields.get("TUPLTYPE", "")
    if not 1 <= channels <= 4 or (kind and CHANNELS.get(kind) != channels):
        raise unsupported(
            path,
            f"a PAM of {channels} channels ({kind or 'no name'}) is not read; convert it to PNG",
        )
    return _checked(path, _Header(b"P7", width, height, channels, top, found.end()))


def _checked(path: Path, header: _Header) -> _Header:
    if 0 in (header.width, header.height):
        raise no_image(path, "has no pixels")
    if header.kind not in (b"PF", b"Pf") and not 1 <= header.top <= 65535:
        raise damaged(path, f"has a maximum of {header.top}, which must be 1 to 65535")
    return header


def _packed(
    path: Path, data: bytes, header: _Header, dtype: np.dtype[Any], row: int
) -> npt.NDArray[Any]:
    number = header.height * row * header.channels
    if len(data) - header.end < number * dtype.itemsize:
        raise cut(path)
    return np.frombuffer(data, dtype, number, header.end)


def _plain(path: Path, data: bytes, header: _Header) -> npt.NDArray[np.int64]:
    """Read samples that are decimal numbers; in P1 they are single digits, and 1 is black."""
    text = re.sub(rb"#[^\r\n]*+", b"", data[header.end :])
    number = header.height * header.width * header.channels
    if header.kind == b"P1":
        figures = np.frombuffer(text, np.uint8)
        figures = figures[figures > ord(" ")][:number]
        samples: npt.NDArray[np.int64] = (figures == ord("0")).astype(np.int64)
        fine = bool(((figures | 1) == ord("1")).all())
    else:
        fine = re.fullmatch(rb"[\d\s]*+", text) is not None
        samples = np.array(np.fromstring(text if fine else b"", np.int64, sep=" ")[:number])
    if not fine:
        raise damaged(path, "is damaged (it has other characters among its numbers)")
    if len(samples) < number:
        raise cut(path)
    return samples
