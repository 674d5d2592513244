"""One codec process: what it answers, and what follows a crash."""

import os
import signal
import threading
from pathlib import Path

import pytest
from codecs_seen import Endless, codecs, kill, request

from upscale.batch.codec import Codec
from upscale.batch.worker import Decoded, Probe, Probed
from upscale.errors import InputError
from upscale.pictures.limits import MAX_PIXELS

pytestmark = [
    pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="there is no /proc"),
    pytest.mark.usefixtures("nothing_left"),
]


def test_a_call_is_answered_or_raises(photo: Path, tmp_path: Path) -> None:
    with Codec() as codec:
        for path, kind in ((photo, Probed), (tmp_path / "none.png", InputError), (photo, Probed)):
            ask = Probe(
                path,
                tmp_path / "out.png",
                {"a": ""},
                None,
                False,
                MAX_PIXELS,
                False,
                False,
                tmp_path / "b",
            )
            if kind is InputError:
                with pytest.raises(InputError, match=r"none\.png"):
                    codec.call(ask, path)
            else:
                assert isinstance(codec.call(ask, path), kind)


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGKILL])
def test_a_crash_is_told_with_its_signal_and_the_next_call_works(
    photo: Path, endless: Endless, nothing_left: set[int], number: signal.Signals
) -> None:
    with Codec() as codec:
        (pid,) = codecs(nothing_left)
        killer = threading.Thread(target=lambda: (endless.await_reader(), os.kill(pid, number)))
        killer.start()
        with pytest.raises(InputError, match=number.name) as caught:
            codec.call(request(endless.path), endless.path)
        killer.join()
        assert caught.value.code == "crashed"
        assert str(endless.path) in str(caught.value)
        assert isinstance(codec.call(request(photo), photo), Decoded)


def test_a_process_that_died_idle_is_replaced_at_the_next_call(
    photo: Path, nothing_left: set[int]
) -> None:
    with Codec() as codec:
        kill(codecs(nothing_left), signal.SIGKILL)
        assert isinstance(codec.call(request(photo), photo), Decoded)


def test_a_process_that_is_killed_for_good_is_not_replaced(
    endless: Endless, nothing_left: set[int]
) -> None:
    codec = Codec()
    killer = threading.Thread(target=lambda: (endless.await_reader(), codec.kill()))
    killer.start()
    with pytest.raises(InputError):
        codec.call(request(endless.path), endless.path)
    killer.join()
    assert codecs(nothing_left) == []
    codec.close()


def test_a_restart_ends_whatever_it_does(photo: Path, nothing_left: set[int]) -> None:
    with Codec() as codec:
        (before,) = codecs(nothing_left)
        codec.restart()
        (after,) = codecs(nothing_left)
        assert before != after
        assert isinstance(codec.call(request(photo), photo), Decoded)
