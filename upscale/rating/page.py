"""The page for raters, served or as a single file, from the template ``rate.html``."""

import base64
import json
from importlib import resources
from pathlib import Path
from typing import Any

from upscale.errors import InputError, OutputError, UsageError
from upscale.files import unreadable, whole
from upscale.rating.study import Shown, Study
from upscale.viewing.compare import LARGEST
from upscale.viewing.page import filled

__all__ = ["served_page", "write_page"]


def served_page(study: Study) -> bytes:
    """Return the page that gets pictures from its own server and sends it answers."""
    before, after = _page(study, True, "img-src 'self' data:", "connect-src 'self'")
    return before + b"{}" + after


def write_page(study: Study, target: Path) -> None:
    """Write a page that contains all pictures, keeps answers in the browser and exports them.

    Raises UsageError for a study too large for a page, InputError, OutputError.
    """
    if target.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"{target}: the page is HTML; give a name that ends in .html")
    if target.exists():
        raise OutputError(f"{target}: already exists; give another file name", code="output-exists")
    total = sum(study.file(each).stat().st_size for each in study.every)
    if total > LARGEST:
        raise UsageError(
            f"{target}: would hold {total / 1e6:.0f} MB of pictures, and a page holds at most "
            f"{LARGEST / 1e6:.0f}; let raters use upscale rate serve"
        )
    before, after = _page(study, False, "img-src data:")
    with whole(target) as part, part.open("xb") as file:
        file.write(before)
        for number, each in enumerate(study.every):
            file.write(b"," if number else b"{")
            file.write(json.dumps(each.name).encode() + b':"')
            file.write(base64.b64encode(_bytes(study, each)) + b'"')
        file.write(b"}" + after)


def _bytes(study: Study, shown: Shown) -> bytes:
    try:
        return study.file(shown).read_bytes()
    except OSError as error:
        raise InputError(unreadable(study.file(shown), error)) from error


def _page(study: Study, served: bool, *allowed: str) -> tuple[bytes, bytes]:
    """Fill the template; return the parts before and after the pictures."""
    data = {
        "study": study.identity,
        "mode": study.mode,
        "seed": study.seed,
        "repeats": study.repeats,
        "served": served,
        "pictures": [_about(each) for each in study.pictures],
        "calibration": [
            {"worst": _about(each.worst), "best": _about(each.best)} for each in study.calibration
        ],
    }
    template = resources.files("upscale.rating").joinpath("rate.html").read_text("utf-8")
    return filled(template, "upscale rate", data, "sources", *allowed)


def _about(shown: Shown) -> dict[str, Any]:
    return {"name": shown.name, "scene": shown.scene}
