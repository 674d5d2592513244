"""One server with weights that repeat pixels, for the tests of a file."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from served import Client, served


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("UPSCALE_CACHE", str(folder))
        yield folder


@pytest.fixture(scope="module")
def client(cache: Path, repeating: str) -> Iterator[Client]:
    with served(repeating) as found:
        yield found
    assert list((cache / "ui").iterdir()) == []
