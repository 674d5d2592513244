import signal
import subprocess
import sys
from pathlib import Path

from upscale.serving.work.folder import own_folder

PROGRAM = """
import sys, time
from pathlib import Path
from upscale.serving.work.folder import own_folder
with own_folder(Path(sys.argv[1])) as folder:
    (folder / "picture.png").write_bytes(b"1")
    print(folder, flush=True)
    time.sleep(60)
"""


def test_a_folder_goes_in_the_end(tmp_path: Path) -> None:
    with own_folder(tmp_path / "ui") as folder:
        (folder / "deep").mkdir()
        (folder / "deep" / "file").write_bytes(b"1")
        assert folder.stat().st_mode & 0o077 == 0
    assert list((tmp_path / "ui").iterdir()) == []


def test_what_a_killed_server_left_is_swept_and_what_a_living_one_has_is_not(
    tmp_path: Path,
) -> None:
    servers = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(tmp_path)], stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    folders = []
    for server in servers:
        assert server.stdout
        folders.append(Path(server.stdout.readline().strip()))
    try:
        servers[0].send_signal(signal.SIGKILL)
        servers[0].wait()
        assert (folders[0] / "picture.png").exists()
        with own_folder(tmp_path):
            assert not folders[0].exists()
            assert (folders[1] / "picture.png").exists()
    finally:
        for server in servers:
            server.kill()
            server.communicate()
