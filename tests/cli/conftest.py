"""Weights whose work is known to the pixel."""

import pytest
from identity_weights import nearest_weights
from program import flat_weights


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Weights that paint every picture in `program.COLOUR`."""
    path = tmp_path_factory.mktemp("weights") / "flat.pth"
    flat_weights(path)
    return str(path)


@pytest.fixture(scope="module")
def repeating(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Weights that repeat pixels."""
    path = tmp_path_factory.mktemp("weights") / "nearest.pth"
    nearest_weights(path)
    return str(path)
