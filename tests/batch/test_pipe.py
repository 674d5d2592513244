"""Messages from one end of a pipe to the other."""

import os
import pickle
import threading
from typing import IO

import pytest

from upscale.batch.pipe import Pipe


@pytest.fixture
def ends() -> tuple[IO[bytes], Pipe]:
    """What one side reads, and a pipe whose other side is itself."""
    reader, writer = os.pipe()
    source = os.fdopen(reader, "rb")
    return source, Pipe(source, os.fdopen(writer, "wb"))


def test_messages_of_several_threads_arrive_whole(ends: tuple[IO[bytes], Pipe]) -> None:
    _, pipe = ends
    threads = [threading.Thread(target=pipe.send, args=([at] * 9000,)) for at in range(8)]
    for thread in threads:
        thread.start()
    found = [pipe.receive() for _ in threads]
    for thread in threads:
        thread.join()
    assert sorted(found) == [[at] * 9000 for at in range(8)]
    pipe.close()


@pytest.mark.parametrize("cut", [0, 1, 40])
def test_a_message_that_is_cut_is_the_end(ends: tuple[IO[bytes], Pipe], cut: int) -> None:
    source, pipe = ends
    reader, writer = os.pipe()
    os.write(writer, pickle.dumps("a message of more than forty bytes, which ends early")[:cut])
    os.close(writer)
    with os.fdopen(reader, "rb") as half, pytest.raises(EOFError):
        Pipe(half, source).receive()
    pipe.close()


def test_who_hangs_up_is_heard_behind_what_was_said(ends: tuple[IO[bytes], Pipe]) -> None:
    source, pipe = ends
    pipe.send("last")
    pipe.hang_up()
    assert pipe.receive() == "last"
    with pytest.raises(EOFError):
        pipe.receive()
    pipe.close()
    assert source.closed
    with pytest.raises(EOFError):
        pipe.receive()
    with pytest.raises(ValueError, match="closed"):
        pipe.send("more")
