"""Rows as a benchmark measures them."""

from typing import Any

from upscale.metrics.protocol import Row

PICTURES = {name: {"psnr": 32.0} for name in ("baby", "bird", "butterfly", "head", "woman")}


def row(model: str, system: str | None = None, set: str = "set5", **values: Any) -> Row:
    values = {"pictures": PICTURES, "seconds": 2.0, "megapixels": 0.5} | values
    return Row(set=set, system=system or model, model=model, **values)


SRRESNET = row("srresnet", figures={"psnr": 32.0149, "ssim": 0.89296}, peak_bytes=3 * 2**29)
