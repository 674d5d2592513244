"""Enlarges raw rgb24 frames in a pipe between two video programs.

A frame is height · width · 3 bytes, RGB, rows from the top, nothing between frames.
"""

import contextlib
import queue
import threading
from collections.abc import Callable, Iterator
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from upscale.errors import InputError, OutputError
from upscale.pixels.image import Pixels

if TYPE_CHECKING:
    from upscale.models.model import Model
    from upscale.upscaling.target import Sizes
    from upscale.upscaling.tiling import Tiling

__all__ = ["enlarge_frames"]

AHEAD = 4
"""Most frames that wait for the network, and most that wait to be written."""

POLL = 0.1
"""Seconds between a waiting thread's checks for the end."""


def enlarge_frames(
    source: IO[bytes],
    sink: IO[bytes],
    size: tuple[int, int],
    sizes: "Sizes",
    model: "Model",
    tiling: "Tiling",
    progress: Callable[[int], None] = lambda frames: None,
    wrap: bool = False,
) -> int:
    """Enlarge frames of ``size`` (width, height) from ``source`` into ``sink``; count them.

    Two threads read and write. They may still wait when a signal ends the process; standard streams
    should be unbuffered, so that the threads hold no lock then. Raises InputError for an incomplete
    last frame, after writing those before it, and OutputError if the sink is closed or full.
    """
    from upscale.upscaling.enlarge import enlarge

    done = 0
    over = threading.Event()
    read: queue.Queue[bytes | OSError] = queue.Queue(AHEAD)
    written = _Sink(sink, over)
    threading.Thread(target=_read, args=(source, size, read, over), daemon=True).start()
    try:
        for frame in _frames(read, size):
            written.put(np.concatenate(list(enlarge(frame, model, tiling, sizes, wrap=wrap))))
            done += 1
            progress(done)
        written.finish()
    except InputError:
        written.finish()
        raise
    finally:
        over.set()
    return done


def _read(
    source: IO[bytes],
    size: tuple[int, int],
    frames: "queue.Queue[bytes | OSError]",
    over: threading.Event,
) -> None:
    """Read frames until the source ends; the last is shorter, often empty."""
    length = size[0] * size[1] * 3
    last = False
    while not last:
        frame: bytes | OSError = b""
        try:
            parts = []
            left = length
            while left and (part := source.read(min(left, 2**20))):
                parts.append(part)
                left -= len(part)
            frame, last = b"".join(parts), left > 0
        except OSError as error:
            frame, last = error, True
        except ValueError:  # the file is closed
            if over.is_set():
                return
            raise
        if not _put(frames, frame, over):
            return


def _put(items: "queue.Queue[Any]", item: Any, over: threading.Event) -> bool:
    while not over.is_set():
        try:
            items.put(item, timeout=POLL)
        except queue.Full:
            continue
        return True
    return False


def _get(items: "queue.Queue[Any]") -> Any:
    """Wait in short intervals, between which Windows delivers Ctrl-C."""
    while True:
        with contextlib.suppress(queue.Empty):
            return items.get(timeout=POLL)


def _frames(read: "queue.Queue[bytes | OSError]", size: tuple[int, int]) -> Iterator[Pixels]:
    width, height = size
    length = width * height * 3
    while True:
        frame = _get(read)
        if isinstance(frame, OSError):
            raise InputError(f"the input of frames cannot be read ({frame.strerror})") from frame
        if len(frame) < length:
            break
        yield np.frombuffer(frame, np.uint8).reshape(height, width, 3)
    if frame:
        raise InputError(
            f"the last frame has {len(frame)} of {length} bytes; check that the frames are rgb24 "
            f"of --raw {width}x{height}",
            code="truncated",
        )


class _Sink:
    """Writes frames in a thread."""

    def __init__(self, sink: IO[bytes], over: threading.Event) -> None:
        self._sink = sink
        self._over = over
        self._frames: queue.Queue[Pixels | None] = queue.Queue(AHEAD)
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._write, daemon=True)
        self._thread.start()

    def put(self, frame: Pixels) -> None:
        """Pass a frame on. Raises OutputError if an earlier one failed."""
        self._check()
        _put(self._frames, frame, self._over)

    def finish(self) -> None:
        """Wait for the last frame."""
        _put(self._frames, None, self._over)
        while self._thread.is_alive():
            self._thread.join(POLL)
        self._check()

    def _check(self) -> None:
        if isinstance(self._error, OSError):
            raise OutputError(
                f"the output takes no more frames ({self._error.strerror}); is its reader gone?"
            ) from self._error
        if self._error is not None:
            raise self._error

    def _write(self) -> None:
        while not self._over.is_set():
            try:
                frame = self._frames.get(timeout=POLL)
            except queue.Empty:
                continue
            if frame is None:
                return
            try:
                view = np.ascontiguousarray(frame).data.cast("B")
                while view and self._error is None:
                    view = view[self._sink.write(view) :]
                self._sink.flush()
            except Exception as error:  # `_check` raises it
                self._error = error
