"""Codec processes beside the network: they read ahead and write behind.

A thread talks to each. While some pictures are in the network, others are decoded and encoded; what
is to be written comes first, and any process takes it.
"""

import contextlib
import queue
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from upscale.batch.codec import Codec
from upscale.batch.worker import Decoded, Finish, Read, Skipped, Write
from upscale.errors import DeviceError, UpscaleError
from upscale.files import part_beside
from upscale.pixels.image import Pixels

__all__ = ["Abandon", "CodecPool", "Picture"]

PIECE = 16 * 2**20
"""Bytes of rows in one message to a process."""

WAITING = 3
"""Messages that wait for a process, beyond which their sender waits: a small picture is three."""


@dataclass(frozen=True)
class Abandon:
    """Gives a picture up. Its process is not told: it is replaced if it has begun to write."""


class Picture:
    """One picture on its way through codec processes.

    ``decoded`` comes first, from a process that then reads others; then `open`, `write` and
    `finish` (or `abandon`) send the result, and ``written`` holds the writer's warnings. Either
    may hold an UpscaleError. The temporary files stay until `CodecPool.release`, since the network
    may still read them.
    """

    def __init__(
        self, request: Read, opened: Callable[["Picture"], None] = lambda picture: None
    ) -> None:
        """Take the request to read it; ``opened`` hears when the writing of the result begins."""
        self.request = request
        self._opened = opened
        self.decoded: Future[Decoded | Skipped] = Future()
        self.written: Future[list[str]] = Future()
        self.messages: queue.Queue[Any] = queue.Queue(WAITING)
        self._files = [request.scratch]
        self._part: Path | None = None

    def open(self, write: Write) -> None:
        """Open the output."""
        self._part = write.part
        self._put(write)
        self._opened(self)

    def write(self, band: Pixels) -> None:
        """Add rows, once there is room for them. Raises any error of the writer so far."""
        rows = max(1, PIECE // band[0].nbytes)
        for top in range(0, len(band), rows):
            self._put(band[top : top + rows])

    def finish(self) -> None:
        """Mark the end of the rows."""
        self._put(Finish())

    def abandon(self) -> None:
        """Give the picture up, unless it has already failed."""
        if self._part is None:  # no process has heard of a result
            if not self.written.done():
                self.written.set_result([])
            return
        with contextlib.suppress(UpscaleError):
            self._put(Abandon())

    def scratch(self) -> Path:
        """Return the path of another temporary file."""
        self._files.append(part_beside(self.request.output))
        return self._files[-1]

    def _put(self, message: Any) -> None:
        while True:
            if self.written.done():
                self.written.result()
                return
            with contextlib.suppress(queue.Full):
                self.messages.put(message, timeout=0.1)
                return

    def clean(self) -> None:
        """Remove its temporary files."""
        for file in (*self._files, *filter(None, [self._part])):
            with contextlib.suppress(OSError):
                file.unlink()

    def fail(self, error: BaseException) -> None:
        """Remove the unfinished output, and pass ``error`` to those who wait."""
        if self._part is not None and not self.written.done():
            with contextlib.suppress(OSError):
                self._part.unlink()
        waiting = self.written if self.decoded.done() else self.decoded
        if not waiting.done():
            waiting.set_exception(error)


class CodecPool:
    """Codec processes; as a context manager it ends them, at once after an error."""

    def __init__(self, size: int, debug: bool = False) -> None:
        """Start ``size`` processes."""
        self._reads: deque[Picture] = deque()
        self._writes: deque[Picture] = deque()
        self._over = False
        self._changed = threading.Condition()
        self._codecs = [Codec(debug) for _ in range(size)]
        self._held: set[Picture] = set()
        self._killed = False
        self._threads = [
            threading.Thread(target=self._serve, args=(codec,), daemon=True)
            for codec in self._codecs
        ]
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> "CodecPool":
        """Give itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        """Let the processes end; after an error kill them and remove what they were writing."""
        if kind is not None:
            self._killed = True
            for codec in self._codecs:
                codec.kill()
            for picture in self._held:
                with contextlib.suppress(queue.Full):
                    picture.messages.put_nowait(Abandon())
        else:
            for picture in self._held:  # whose makers have stopped before its end
                picture.abandon()
        with self._changed:
            self._over = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(None if kind is None else 1)
        for picture in list(self._held):
            self.release(picture)

    def start(self, request: Read) -> Picture:
        """Begin to read a picture as soon as a process is free; `release` it in the end."""
        picture = Picture(request, partial(self._ask, self._writes))
        self._held.add(picture)
        self._ask(self._reads, picture)
        return picture

    def _ask(self, line: deque[Picture], picture: Picture) -> None:
        with self._changed:
            line.append(picture)
            self._changed.notify()

    def release(self, picture: Picture) -> None:
        """Remove the temporary files of a picture that is written or given up."""
        picture.clean()
        self._held.discard(picture)

    def _serve(self, codec: Codec) -> None:
        while (picture := self._next()) is not None and not self._killed:
            work, result = (
                (self._write, picture.written)
                if picture.decoded.done()
                else (self._read, picture.decoded)
            )
            try:
                work(codec, picture)
            except UpscaleError as error:
                picture.fail(error)
            finally:
                if not result.done():
                    picture.fail(DeviceError("a codec process could not be used; run it again"))
        codec.close()

    def _next(self) -> Picture | None:
        """Wait for a picture that is to be written, or else read; None at the end."""
        with self._changed:
            while not (self._writes or self._reads or self._over):
                self._changed.wait()
            line = self._writes or self._reads
            return line.popleft() if line else None

    def _read(self, codec: Codec, picture: Picture) -> None:
        decoded = codec.call(picture.request, picture.request.path)
        picture.decoded.set_result(decoded)
        if isinstance(decoded, Skipped):
            picture.written.set_result([])

    def _write(self, codec: Codec, picture: Picture) -> None:
        """Hand messages on until the picture is written or given up."""
        path = picture.request.path
        begun = False
        while not isinstance(message := picture.messages.get(), Abandon):
            begun = True
            reply: list[str] = codec.call(message, path)
            if isinstance(message, Finish):
                picture.written.set_result(reply)
                return
        if begun:
            codec.restart()
            picture.clean()  # the process may have begun its file after `release`
        picture.written.set_result([])
