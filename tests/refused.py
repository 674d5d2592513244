"""What a file of weights is refused with, in the words that the user reads."""

from pathlib import Path

import pytest

from upscale.errors import WeightsError
from upscale.models.checkpoints.convert import read_checkpoint


def refusal(path: Path) -> str:
    """Return why ``path`` is not read, without its folder; of ncnn's two files one is named."""
    with pytest.raises(WeightsError) as caught:
        read_checkpoint(path)
    assert caught.value.exit_code == 3
    assert str(path.with_suffix("")) in str(caught.value)
    return str(caught.value).replace(str(path.parent), "")
