"""The command as its users run it: it starts, answers, refuses, and ends."""

import os
import re
import signal
import socket
import urllib.request
from pathlib import Path

import pytest
from program import fork, inside


def test_it_names_its_address_and_ends_by_a_signal(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    process = fork(tmp_path, "ui", "--port", "0", "--device", "cpu", UPSCALE_CACHE=str(cache))
    with process:
        line = process.stderr.readline().decode()
        found = re.search(r"http://127\.0\.0\.1:\d+/", line)
        assert found, line
        with urllib.request.urlopen(found[0], timeout=30) as answer:
            assert b"<html" in answer.read()
        assert len(list((cache / "ui").iterdir())) == 2
        os.kill(process.pid, signal.SIGTERM)
        process.communicate(timeout=30)
    assert process.returncode == 143
    assert list((cache / "ui").iterdir()) == []


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (("--host", "0.0.0.0"), 2),
        (("--host", "::"), 2),
        (("--token", "short"), 2),
        (("--model", "no-such-model"), 2),
        (("--model", "missing.pth"), 2),
        (("--port", "70000"), 2),
        (("--device", "toaster"), 2),
        (("--device", "all"), 2),
        (("--max-mb", "0"), 2),
    ],
)
def test_it_refuses_to_start(words: tuple[str, ...], status: int, tmp_path: Path) -> None:
    outcome = inside(tmp_path, "ui", *words)
    assert outcome.status == status
    assert words[1] in outcome.said or words[0] in outcome.said


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        outcome = inside(tmp_path, "ui", "--port", port)
    assert outcome.status == 5
    assert port in outcome.said
