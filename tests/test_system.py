"""Reading and writing at an offset: the position of a descriptor stays."""

import os
from pathlib import Path

from upscale.system import BINARY, read_at, sync_folder, write_at


def test_bytes_go_where_they_should_and_the_position_stays(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"0123456789")
    descriptor = os.open(path, os.O_RDWR | BINARY)
    try:
        os.lseek(descriptor, 2, os.SEEK_SET)
        assert write_at(descriptor, b"\nxy", 5) == 3
        assert read_at(descriptor, 4, 4) == b"4\nxy"
        assert read_at(descriptor, 99, 8) == b"89"
        assert read_at(descriptor, 1, 10) == b""
        assert os.lseek(descriptor, 0, os.SEEK_CUR) == 2
    finally:
        os.close(descriptor)
    assert path.read_bytes() == b"01234\nxy89"


def test_a_folder_can_be_synced(tmp_path: Path) -> None:
    sync_folder(tmp_path)
