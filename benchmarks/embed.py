"""Put weights into upscale/embedded/, and print their hashes for weights.toml.

    python benchmarks/embed.py srresnet=runs/psnr/best.safetensors srgan=runs/gan/best.safetensors
    python benchmarks/embed.py niqe realesr-general

NAME=FILE embeds a generator trained here: its batch-norm folded away, its numbers rounded to
float16, with the metadata of its run. NAME=FILE,FILE blends two generators at alpha .5, with the
metadata of the second. A NAME that ends with .safetensors is the path of the file to make. NAME
alone fetches the last source of the manifest by its pinned hash and converts it as `upscale models
pull` does, a generator's numbers rounded to float16. The results are deterministic: a file made
again has the same hash. (For the 12 KB of niqe, pip fetches gigabytes, which basicsr depends on.)
"""

import sys
import tempfile
from pathlib import Path

import torch

from upscale.metrics import niqe
from upscale.models.cache import write_converted
from upscale.models.checkpoints.convert import Checkpoint, read_checkpoint, write_checkpoint
from upscale.models.checkpoints.interpolation import interpolate
from upscale.models.fetching.download import download
from upscale.models.fetching.sources import sha256_of
from upscale.models.manifest import Entry, read_manifest
from upscale.models.weights import convert_generator
from upscale.networks.fold import fold_batch_norm
from upscale.networks.spec import StateDict

ROOT = Path(__file__).parents[1]


def embed_trained(target: Path, file: Path, other: Path | None = None) -> None:
    found = read_checkpoint(file)
    spec, state, origin = found.spec, found.state, found.origin
    if other is not None:
        state = interpolate(read_checkpoint(other), found, 0.5).state
    if spec.normalization == "batch":
        spec, state = fold_batch_norm(spec, state)
    halves = {key: tensor.half() for key, tensor in state.items()}
    assert all(bool(torch.isfinite(tensor).all()) for tensor in halves.values())
    write_checkpoint(target, Checkpoint(spec, halves, origin))


def embed_fetched(name: str, target: Path) -> None:
    entry = read_manifest()[name]
    original = entry.sources[-1]
    convert = niqe.convert_niqe if entry.role == "niqe" else halves_of
    with tempfile.TemporaryDirectory() as folder:
        raw = download(original, Path(folder), lambda done, total: None)[0]
        write_converted(raw, target, entry, original, convert)


def halves_of(raw: Path, entry: Entry) -> tuple[StateDict, dict[str, object]]:
    state, spec = convert_generator(raw, entry)
    return {key: tensor.half() for key, tensor in state.items()}, spec


def main(words: list[str]) -> None:
    for word in words:
        name, _, file = word.partition("=")
        target = ROOT / "upscale" / "embedded" / f"{name}.safetensors"
        if name.endswith(".safetensors"):
            target = Path(name)
        if file:
            *other, last = map(Path, file.split(","))
            embed_trained(target, last, *other)
        else:
            embed_fetched(name, target)
        target.chmod(0o644)
        print(f"{target.name}: {target.stat().st_size} bytes, sha256 {sha256_of(target)}")


if __name__ == "__main__":
    main(sys.argv[1:])
