"""A page of `upscale compare`, read back, and pictures to put into it."""

import base64
import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from upscale.batch import run as batch
from upscale.batch.planning.job import Job
from upscale.cli.reports.report import Report
from upscale.cli.terminal.bars import Bars
from upscale.errors import UpscaleError
from upscale.viewing.compare import write_page

Pixels = npt.NDArray[Any]

RED, BLUE, GREEN = (200, 30, 30), (20, 40, 210), (10, 160, 60)


def noise(width: int, height: int, seed: int = 1) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def saved(path: Path, pixels: Pixels | tuple[int, int, int], **options: Any) -> Path:
    if isinstance(pixels, tuple):
        Image.new("RGB", (400, 300), pixels).save(path, **options)
    else:
        Image.fromarray(pixels).save(path, **options)
    return path


class Page(HTMLParser):
    """Reads a page as HTML; independent of how it was written."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.images: list[tuple[str, bytes]] = []
        self.texts: dict[str, list[str]] = {"script": [], "style": []}
        self.policy = ""
        self._tag: str | None = None
        self.text = path.read_text("utf-8")
        self.feed(self.text)
        self.close()
        self.data = json.loads(self.texts["script"][0])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._tag = tag if tag in self.texts else None
        found = {name: value or "" for name, value in attrs}
        if self._tag:
            self.texts[tag].append("")
        if tag == "img":
            kind, _, data = found["src"].removeprefix("data:").partition(";base64,")
            self.images.append((kind, base64.b64decode(data, validate=True)))
        if tag == "meta" and found.get("http-equiv") == "Content-Security-Policy":
            self.policy = found["content"]

    def handle_endtag(self, tag: str) -> None:
        self._tag = None

    def handle_data(self, data: str) -> None:
        if self._tag:
            self.texts[self._tag][-1] += data

    @property
    def labels(self) -> list[str]:
        return [picture["label"] for picture in self.data["pictures"]]

    def column(self, title: str) -> list[str]:
        index = self.data["columns"].index(title)
        return [picture["cells"][index] for picture in self.data["pictures"]]


def page_of(folder: Path, *pictures: Path, **more: Any) -> Page:
    write_page(pictures, folder / "page.html", **more)
    return Page(folder / "page.html")


def run_report(path: Path, outputs: dict[Path, str], **common: object) -> Path:
    """Have the program write a report on outputs that came out as it is said here."""
    with Bars() as bars, Report(bars, False, path, many=True) as written:
        written.settings = lambda result: {"device": "cpu", "tile": 320, "overlap": 16, **common}
        for output, status in outputs.items():
            error = UpscaleError("no") if status == "failed" else None
            job = Job(Path("photo.png"), output)
            written.add(batch.Result(job, status, 1.25, error, (100, 75), (400, 300)))
        written.summarize(0, many=True)
    return path
