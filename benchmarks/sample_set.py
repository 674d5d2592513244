"""Makes the pictures of the set `sample` in `upscale/bench/sets/sample/`; run it in the repository.

    pip install scikit-image && python benchmarks/sample_set.py

Four are crops of photographs that come with scikit-image (0.26), without any other change: `fur`
of its `cat` (CC0, Stefan van der Walt), `wood` of its `coffee` (CC0, Rachel Michetti), `suit` of
its `astronaut` (NASA, public domain) and `grass` (CC0, linolafett), which is gray. `text` is drawn
in Aileron, the font in Pillow (CC0). None of them has trained or chosen anything here.
"""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from skimage import data

FOLDER = Path(__file__).parents[1] / "upscale" / "bench" / "sets" / "sample"

SIDE = 256

FINER = 8
"""Pixels of the drawing for each of the picture."""

CROPS = {
    "fur": (data.cat, 195, 0),
    "wood": (data.coffee, 340, 100),
    "suit": (data.astronaut, 90, 250),
    "grass": (data.grass, 128, 128),
}
"""Photograph, left and top."""

SENTENCE = "Light falls on leaves, and a lens keeps what the eye forgets. 0123456789 & @ % {x} [y]"


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, (photograph, left, top) in CROPS.items():
        crop = photograph()[top : top + SIDE, left : left + SIDE]
        save(name, Image.fromarray(np.ascontiguousarray(crop)))
    save("text", drawn())


def drawn() -> Image.Image:
    """A page in letters of 7 to 40 pixels, a ruler and a chart, drawn finer and averaged."""
    words = SENTENCE.split()
    page = Image.new("RGB", (SIDE * FINER, SIDE * FINER), (250, 247, 238))
    draw = ImageDraw.Draw(page)
    top = 6
    inks = [(20, 20, 24), (150, 24, 30), (18, 60, 120), (30, 90, 50)]
    for number, size in enumerate((40, 24, 16, 12, 10, 9, 8, 7)):
        font = ImageFont.load_default(size * FINER)
        text = " ".join(words[number:] + words[:number])
        draw.text((8 * FINER, top * FINER), text, inks[number % 4], font)
        top += round(size * 1.3)
    draw.rectangle((8 * FINER, 180 * FINER, 248 * FINER, 248 * FINER), (28, 34, 48))
    draw.text(
        (16 * FINER, 184 * FINER),
        "lines per pixel",
        (235, 200, 90),
        ImageFont.load_default(11 * FINER),
    )
    left = 16.0
    while left < 240:  # bars, ever narrower
        width = 5 * (1 - left / 260) + 0.6
        draw.rectangle(
            tuple(round(each * FINER) for each in (left, 202, left + width, 222)), (240, 240, 240)
        )
        left += 2 * width
    for number in range(12):
        end = (16 + 20 * number, 244 - 14 * abs(np.sin(number)))
        draw.line(
            [(128 * FINER, 244 * FINER), tuple(at * FINER for at in end)], (120, 190, 220), FINER
        )
    return page.resize((SIDE, SIDE), Image.Resampling.BOX)


def save(name: str, picture: Image.Image) -> None:
    picture.save(FOLDER / f"{name}.png", optimize=True)
    print(name, picture.mode, picture.size, (FOLDER / f"{name}.png").stat().st_size)


if __name__ == "__main__":
    main()
