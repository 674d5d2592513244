"""Raw rgb24 frames in, raw rgb24 frames out: what stands between two video programs.

A frame is height · width · 3 bytes, RGB, rows from the top, nothing between frames.
"""

import queue
import threading
from collections.abc import Callable, Iterator
from typing import IO, TYPE_CHECKING

import numpy as np

from upscale.errors import InputError, OutputError
from upscale.image import Pixels

if TYPE_CHECKING:
    from upscale.model import Model
    from upscale.target import Sizes
    from upscale.upscaler import Tiling

__all__ = ["enlarge_frames"]

AHEAD = 4
"""Frames that are read before the network wants them, and that wait to be written."""


def enlarge_frames(
    source: IO[bytes],
    sink: IO[bytes],
    size: tuple[int, int],
    sizes: "Sizes",
    model: "Model",
    tiling: "Tiling",
    progress: Callable[[int], None] = lambda frames: None,
) -> int:
    """Enlarge frames of ``size`` (width, height) from ``source`` into ``sink`` until it ends.

    Reading and writing have threads of their own. Returns the number of frames. Raises InputError
    for a last frame that is not whole (those before it are written), OutputError where the sink
    is closed or full.
    """
    from upscale.enlarge import enlarge

    done = 0
    with _Sink(sink) as written:
        for frame in _read_ahead(source, size):
            written.put(np.concatenate(list(enlarge(frame, model, tiling, sizes))))
            done += 1
            progress(done)
    return done


def _read_ahead(source: IO[bytes], size: tuple[int, int]) -> Iterator[Pixels]:
    width, height = size
    length = width * height * 3
    frames: queue.Queue[bytes | OSError] = queue.Queue(AHEAD)

    def read() -> None:
        while True:
            try:
                frame = source.read(length)
            except OSError as error:
                frames.put(error)
                return
            frames.put(frame)
            if len(frame) < length:
                return

    threading.Thread(target=read, daemon=True).start()
    while len(frame := _raised(frames.get())) == length:
        yield np.frombuffer(frame, np.uint8).reshape(height, width, 3)
    if frame:
        raise InputError(
            f"the last frame has {len(frame)} of {length} bytes; is --raw {width}x{height} the "
            "size of the frames, and rgb24 their format?",
            code="truncated",
        )


def _raised(frame: bytes | OSError) -> bytes:
    if isinstance(frame, OSError):
        raise InputError(f"the input cannot be read ({frame.strerror})") from frame
    return frame


class _Sink:
    """Writes frames in a thread; as a context manager it waits for the last one."""

    def __init__(self, sink: IO[bytes]) -> None:
        self._sink = sink
        self._frames: queue.Queue[Pixels | None] = queue.Queue(AHEAD)
        self._error: OSError | None = None
        self._thread = threading.Thread(target=self._write, daemon=True)

    def __enter__(self) -> "_Sink":
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        if kind is None or issubclass(kind, InputError):
            self._frames.put(None)
            self._thread.join()
            self._check()

    def put(self, frame: Pixels) -> None:
        self._check()
        self._frames.put(frame)

    def _check(self) -> None:
        if self._error is not None:
            raise OutputError(
                f"the output takes no more frames ({self._error.strerror})"
            ) from self._error

    def _write(self) -> None:
        while (frame := self._frames.get()) is not None:
            if self._error is None:
                try:
                    self._sink.write(frame.data)
                    self._sink.flush()
                except OSError as error:
                    self._error = error
