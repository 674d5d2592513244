"""Make the README's pictures from tests/data/osprey.png: docs/before-after.png, docs/alpha.png.

python benchmarks/pictures.py
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

ROOT = Path(__file__).parents[1]
PHOTO = ROOT / "tests" / "data" / "osprey.png"
ALPHAS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
EYE = (190, 225, 350, 385)


def upscaled(folder: Path, name: str, *options: str) -> Image.Image:
    target = folder / f"{name}.png"
    command = [sys.executable, "-m", "upscale", str(PHOTO), "-o", str(target), *options]
    subprocess.run(command, check=True)
    return Image.open(target)


def labelled(panels: list[tuple[str, Image.Image]]) -> Image.Image:
    width = sum(panel.width for _, panel in panels)
    height = panels[0][1].height
    strip = Image.new("RGB", (width, height + 28), "white")
    draw, font = ImageDraw.Draw(strip), ImageFont.load_default(18)
    left = 0
    for title, panel in panels:
        strip.paste(panel, (left, 28))
        draw.text((left + panel.width / 2, 14), title, "black", font, anchor="mm")
        left += panel.width
    return strip


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photo = Image.open(PHOTO)
        before = photo.resize((4 * photo.width, 4 * photo.height), Image.Resampling.BICUBIC)
        panels = [
            ("128 x 128, enlarged by bicubic", before),
            ("upscale", upscaled(folder, "srgan")),
        ]
        labelled(panels).save(ROOT / "docs" / "before-after.png", optimize=True)
        strip = [
            (f"alpha {alpha}", upscaled(folder, f"{alpha}", "--alpha", str(alpha)).crop(EYE))
            for alpha in ALPHAS
        ]
        labelled(strip).save(ROOT / "docs" / "alpha.png", optimize=True)


if __name__ == "__main__":
    main()
