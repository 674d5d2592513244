"""The peak of a stretch, against memory that is known to have been touched."""

import numpy as np
import torch

from upscale.bench.peak_memory import CLEAR, PeakMemory

SIZE = 96 * 2**20


def test_a_peak_is_seen_and_does_not_count_for_the_next_stretch() -> None:
    if not CLEAR.exists():
        assert PeakMemory(torch.device("cpu")).read() is None
        return
    before = PeakMemory(torch.device("cpu"))
    quiet = before.read()
    held = np.ones(SIZE, np.uint8)
    loud = before.read()
    del held
    after = PeakMemory(torch.device("cpu")).read()
    assert quiet is not None
    assert loud is not None
    assert after is not None
    assert SIZE * 0.9 < loud - quiet < SIZE * 1.5
    assert after < loud - SIZE * 0.5
