"""The size of the result: the request, and the sizes for one picture."""

import math
import re
from dataclasses import dataclass
from fractions import Fraction

from upscale.errors import UsageError

__all__ = ["FITS", "Sizes", "Target", "parse_size"]

FITS = ("fit", "fill", "stretch")
"""Within the size; covering it, with edges cut off; or exactly the size, with another aspect."""

LARGEST = 2**31
MOST_PASSES = 2
MEGAPIXEL = 10**6


@dataclass(frozen=True)
class Sizes:
    """The sizes of one picture on the way; lengths in pixels."""

    passes: int
    """Runs of the network, each on the result of the one before."""
    width: int
    """Width of the output."""
    height: int
    resized: tuple[int, int]
    """Width and height that the last result is resampled to."""
    crop: tuple[int, int, int, int] | None
    """Left, top, width and height of the output within ``resized``; None: all of it."""


@dataclass(frozen=True)
class Target:
    """The requested size; without one, that of the network's scale."""

    scale: float | None = None
    """Output pixels per input pixel along each side."""
    size: tuple[int, int] | None = None
    """Width and height in pixels."""
    fit: str = "fit"
    """How a picture with another aspect fits ``size``: one of `FITS`."""
    long_edge: int | None = None
    """The longer side in pixels."""
    megapixels: float | None = None
    """10**6 pixels in all."""

    def check(self) -> None:
        """Raise UsageError for more than one size, and for numbers that make no sense."""
        wanted = {
            "--scale": self.scale,
            "--size": self.size,
            "--long-edge": self.long_edge,
            "--megapixels": self.megapixels,
        }
        asked = [option for option, value in wanted.items() if value is not None]
        if len(asked) > 1:
            raise UsageError(f"{' and '.join(asked)} contradict each other; give only one")
        if self.fit not in FITS:
            raise UsageError(f"--fit {self.fit}: give one of {', '.join(FITS)}")
        if self.fit != "fit" and self.size is None:
            raise UsageError(f"--fit {self.fit} needs --size, a width and a height")
        if self.scale is not None:
            _check_number("--scale", self.scale)
        for length in self.size or ():
            _check_number("--size", length, whole=True)
        if self.long_edge is not None:
            _check_number("--long-edge", self.long_edge, whole=True)
        if self.megapixels is not None:
            _check_number("--megapixels", self.megapixels)

    @property
    def may_enlarge(self) -> bool:
        """Whether the requested size may be larger than the picture."""
        if self.scale is not None:
            return self.scale > 1
        return (self.size, self.long_edge, self.megapixels) != (None, None, None)

    def sizes(self, width: int, height: int, network_scale: int) -> Sizes:
        """Work out the sizes for a picture of ``width`` × ``height`` pixels.

        Sides are rounded to the nearest pixel, halves up, and are at least 1. The network runs
        until its result is as large as the wanted size; one of scale 1 runs once. Raises UsageError
        if two passes are not enough.
        """
        if self.megapixels is not None:
            return self._sizes_of_area(width, height, network_scale)
        if self.size is not None:
            across, down = (Fraction(self.size[0], width), Fraction(self.size[1], height))
            if self.fit != "stretch":
                across = down = (min if self.fit == "fit" else max)(across, down)
        elif self.long_edge is not None:
            across = down = Fraction(self.long_edge, max(width, height))
        elif self.scale is not None:
            across = down = _decimal(self.scale)
        else:
            across = down = Fraction(network_scale)
        passes = self._passes(max(across, down) ** 2, network_scale)
        resized = (_rounded(width * across), _rounded(height * down))
        if self.size is None or self.fit != "fill" or resized == self.size:
            return Sizes(passes, *resized, resized, None)
        left, top = ((made - kept) // 2 for made, kept in zip(resized, self.size, strict=True))
        return Sizes(passes, *self.size, resized, (left, top, *self.size))

    def label(self, network_scale: int) -> str:
        """Name the target in a file name: x4, x2.5, 1920x1080, 3000px, 12mp."""
        if self.size is not None:
            return "{}x{}".format(*self.size)
        if self.long_edge is not None:
            return f"{self.long_edge}px"
        if self.megapixels is not None:
            return f"{_plain(self.megapixels)}mp"
        return f"x{_plain(network_scale if self.scale is None else self.scale)}"

    def _sizes_of_area(self, width: int, height: int, network_scale: int) -> Sizes:
        """Work with the square of the factor, which is the exact quotient of the areas.

        A side of less than a pixel becomes one pixel, and the other side gives way.
        """
        assert self.megapixels is not None
        area = _decimal(self.megapixels) * MEGAPIXEL
        passes = self._passes(area / (width * height), network_scale)
        most = _rounded(area)
        across = min(most, _rounded_root(area * width / height))
        down = min(most, _rounded_root(area * height / width))
        return Sizes(passes, across, down, (across, down), None)

    def _passes(self, squared_factor: Fraction, network_scale: int) -> int:
        if network_scale == 1:
            return 1
        for passes in range(1, MOST_PASSES + 1):
            if squared_factor <= network_scale ** (2 * passes):
                return passes
        raise UsageError(
            f"{self.label(network_scale)} is more than {network_scale**MOST_PASSES} times as large "
            f"as the picture, the most that a network of scale {network_scale} gives in "
            f"{MOST_PASSES} passes; give a smaller size"
        )


def parse_size(text: str) -> tuple[int, int]:
    """Read a width and a height, such as ``1920x1080``. Raises UsageError for anything else."""
    found = re.fullmatch(r"\s*([0-9]{1,10})\s*[xX×]\s*([0-9]{1,10})\s*", text)
    if not found:
        raise UsageError(
            f"{text!r} is not a size; give width and height in pixels, as in 1920x1080"
        )
    width, height = int(found[1]), int(found[2])
    for length in (width, height):
        _check_number("--size", length, whole=True)
    return width, height


def _check_number(option: str, value: float, whole: bool = False) -> None:
    if not (0 < value <= LARGEST and (not whole or value == int(value))):
        kind = "a whole number of pixels" if whole else "a number"
        raise UsageError(f"{option} {value:.10g}: give {kind} above 0 and up to {LARGEST}")


def _decimal(value: float) -> Fraction:
    """Return a number exactly as written: 2.3 is 23/10, which a binary float cannot hold."""
    return Fraction(str(value))


def _rounded(length: Fraction) -> int:
    return max(1, math.floor(length + Fraction(1, 2)))


def _rounded_root(square: Fraction) -> int:
    """Round a root exactly: floor(x + 1/2) = floor((floor(2x) + 1) / 2), 2x being a root too."""
    return max(1, (math.isqrt(math.floor(4 * square)) + 1) // 2)


def _plain(value: float) -> str:
    return str(int(value)) if value == int(value) else str(float(value))
