"""Reading bytes as a file."""

from pathlib import Path

import pytest
from decoding import Reading


@pytest.fixture
def read(tmp_path: Path) -> Reading:
    return Reading(tmp_path / "picture")
