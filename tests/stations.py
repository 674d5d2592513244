"""Pictures for stations, and terms under which stations make them."""

from pathlib import Path

import torch
from codecs_seen import noise
from PIL import Image as Pillow

from upscale.batch.methods import Making
from upscale.batch.order import Order
from upscale.fleet.cluster.station import Terms
from upscale.fleet.task import Task

__all__ = ["draw", "terms_of"]


def draw(folder: Path, count: int) -> list[Task]:
    """Save ``count`` small pictures, each another, and return what makes them larger."""
    (folder / "in").mkdir()
    for index in range(count):
        Pillow.fromarray(noise(7, 9 + index)).save(folder / "in" / f"{index}.png")
    names = map(str, range(count))
    return [Task(f"{folder}/in/{name}.png", f"{folder}/out/{name}_x4.png") for name in names]


def terms_of(model: str, folder: Path) -> Terms:
    making = Making(model, device="cpu")
    return Terms(making, Order(), processes=1, threads=torch.get_num_threads(), folder=str(folder))
