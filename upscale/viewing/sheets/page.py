"""A page of pictures and text, in the font that comes with Pillow: it looks the same everywhere."""

import math
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from upscale.pixels.baselines import Levels

__all__ = [
    "BACKGROUND",
    "DIM_TEXT",
    "MARGIN",
    "TEXT",
    "Colour",
    "Page",
    "drawable",
    "font_of",
    "leading",
    "length_of",
    "wrapped",
]

Colour = tuple[int, int, int]

BACKGROUND: Colour = (38, 38, 38)
TEXT: Colour = (240, 240, 240)
DIM_TEXT: Colour = (190, 190, 190)
"""The colours of titles, and of the text beside and under pictures. None has a tint, so that the
eye judges the colours of the pictures only."""

MARGIN = 24
"""Pixels around a page."""

SPELT = str.maketrans({"α": "alpha", "×": "x", "–": "-", "—": "-", "−": "-", "\u00a0": " "})
"""Spellings of characters that the font lacks."""

LARGE = 24
"""Size of the font at which a character is drawn to see whether the font has it."""


def drawable(text: str) -> str:
    """Spell what the font lacks: ``α`` as alpha, letters without accents, the rest as ``?``."""
    return "".join(map(_spelt, text.translate(SPELT)))


def _spelt(letter: str) -> str:
    if _has_glyph(letter):
        return letter
    return "".join(filter(_has_glyph, unicodedata.normalize("NFKD", letter))) or "?"


@lru_cache(maxsize=4096)
def _has_glyph(letter: str) -> bool:
    if letter in " \n":
        return True
    if not letter.isprintable():
        return False
    font = font_of(LARGE)
    drawn, missing = (font.getmask(each) for each in (letter, "\uffff"))
    return (drawn.size, bytes(drawn)) != (missing.size, bytes(missing))


@lru_cache
def font_of(size: int) -> ImageFont.FreeTypeFont:
    """Return the font at ``size`` pixels per em."""
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont)
    return font


def length_of(text: str, size: int) -> int:
    """Return how many pixels wide a line of text is."""
    return math.ceil(font_of(size).getlength(text))


def leading(size: int) -> int:
    """Return the pixels from one line of text to the next."""
    return round(size * 1.3)


def wrapped(text: str, width: int, size: int) -> list[str]:
    """Spell ``text`` by `drawable` and break it into lines of at most ``width`` pixels.

    Lines break at line ends. One that is too long breaks at double spaces, then at spaces, then
    within a word. Empty text has no lines.
    """
    lines: list[str] = []
    for paragraph in drawable(text).split("\n") if text else ():
        whole = length_of(paragraph, size) <= width
        for part in [paragraph] if whole else filter(None, paragraph.split("  ")):
            lines += _filled(part.split(" "), width, size)
    return lines


def _filled(words: Sequence[str], width: int, size: int) -> list[str]:
    lines = [""]
    for word in words:
        longer = f"{lines[-1]} {word}" if lines[-1] else word
        if length_of(longer, size) <= width:
            lines[-1] = longer
            continue
        lines += [word] if lines[-1] else []
        lines[-1] = word
        while length_of(lines[-1], size) > width and len(lines[-1]) > 1:
            line = lines[-1]
            fits = (n for n in range(len(line) - 1, 0, -1) if length_of(line[:n], size) <= width)
            first = next(fits, 1)
            lines[-1:] = [line[:first], line[first:]]
    return lines


class Page:
    """A page that grows with its contents; coordinates are pixels from its top left."""

    def __init__(self) -> None:
        """Begin an empty page."""
        self._pictures: list[tuple[int, int, Levels]] = []
        self._texts: list[tuple[int, int, str, int, Colour]] = []
        self._width = self._height = 0

    def _reach(self, right: int, bottom: int) -> int:
        self._width, self._height = max(self._width, right), max(self._height, bottom)
        return bottom

    def add(self, left: int, top: int, picture: Levels) -> int:
        """Place a picture, (h, w, 3), uint8; return its bottom."""
        self._pictures.append((left, top, picture))
        return self._reach(left + picture.shape[1], top + picture.shape[0])

    def write(self, left: int, top: int, lines: Sequence[str], size: int, colour: Colour) -> int:
        """Place lines of text at ``size`` pixels per em; return their bottom."""
        for line in lines:
            self._texts.append((left, top, line, size, colour))
            top = self._reach(left + length_of(line, size), top + leading(size))
        return top

    def drawn(self) -> Levels:
        """Return the page, with `MARGIN` at the right and the bottom: (H, W, 3), uint8."""
        sheet = Image.new("RGB", (self._width + MARGIN, self._height + MARGIN), BACKGROUND)
        for left, top, picture in self._pictures:
            if picture.size:
                sheet.paste(Image.fromarray(picture), (left, top))
        draw = ImageDraw.Draw(sheet)
        for left, top, line, size, colour in self._texts:
            draw.text((left, top), line, colour, font_of(size))
        return np.asarray(sheet)
