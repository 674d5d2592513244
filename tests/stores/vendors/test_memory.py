"""What fsspec itself sees in memory. What all stores do is in ``tests/stores/test_store.py``."""

from pathlib import Path

import fsspec
from stored import QUICK, Kept

from upscale.stores.store import Store
from upscale.stores.vendors.memory import Memory


def test_other_programs_of_the_process_share_it(tmp_path: Path) -> None:
    kept = Kept(Store(Memory(), QUICK), "memory://shared", tmp_path)
    kept.create("a/b.png", b"pixels", **{"upscale-key": "1f"})
    assert fsspec.filesystem("memory").cat_file("/shared/a/b.png") == b"pixels"
    fsspec.filesystem("memory").pipe_file("/shared/a/b.png", b"other")
    entry = kept.store.head(kept.url("a/b.png"))
    assert entry is not None
    assert (entry.size, entry.metadata) == (5, {})
