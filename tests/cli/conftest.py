"""Weights whose work is known to the pixel."""

import pytest
from program import flat_weights


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Weights that paint every picture in `program.COLOUR`."""
    path = tmp_path_factory.mktemp("weights") / "flat.pth"
    flat_weights(path)
    return str(path)
