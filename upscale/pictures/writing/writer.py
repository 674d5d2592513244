"""`Image` → file: rows go in as they are made, the file appears whole or not at all.

Rows go through a pipe as an uncompressed PNG stream, which libvips re-encodes in a thread of its
own into a temporary file beside the final name.
"""

import contextlib
import os
import struct
import zlib
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType

import numpy as np
import pyvips

from upscale.errors import OutputError
from upscale.files import part_beside, unwritable, whole
from upscale.pictures.containers.damage import because
from upscale.pictures.containers.png import SIGNATURE, chunk
from upscale.pictures.formats import WRITABLE, suffix_of
from upscale.pictures.libvips import as_full_disk, open_as, vips_reason
from upscale.pictures.limits import check_format
from upscale.pictures.writing.encoder import encode
from upscale.pictures.writing.encoding import Encoding
from upscale.pictures.writing.fitting import fitting, losses
from upscale.pixels.image import Layout, Metadata, Pixels
from upscale.system import BINARY

__all__ = ["Writer"]


class Writer:
    """Write a picture band by band: ``with Writer(…) as writer: writer.write(band)``.

    Encoding runs in a thread, beside the work that makes the bands. The file appears under its
    name whole, synced and with its header read back, when the block ends without an error; with
    one, the file that was there before stays. Raises OutputError.
    """

    def __init__(
        self,
        path: Path,
        layout: Layout,
        metadata: Metadata | None = None,
        *,
        encoding: Encoding | None = None,
        key: str | None = None,
        part: Path | None = None,
    ) -> None:
        """Take what is to be written.

        ``key``: 32 hexadecimal digits that the file is to carry, see `upscale.batch.resume`;
        ``part``: the temporary file's name, in the folder of ``path``.
        """
        check_format(path, layout.width, layout.height)
        self._path = path
        self._suffix = suffix_of(path)
        self._layout = layout
        self._encoding = encoding or Encoding()
        self._key = key
        self._part = part or part_beside(path)
        metadata = metadata or Metadata()
        self.warnings = losses(path, self._suffix, layout, metadata, self._encoding)
        """What the format cannot hold of this picture, a sentence each."""
        self._metadata, damaged = fitting(path, self._suffix, layout, metadata, self._encoding, key)
        self.warnings += damaged
        self._row = 0
        self._failure: OutputError | None = None

    def __enter__(self) -> "Writer":
        """Open the temporary file and start encoding."""
        layout = self._layout
        colour = {1: 0, 2: 4, 3: 2, 4: 6}[layout.channels]
        size = (layout.width, layout.height * layout.frames)
        header = struct.pack(">IIBBBBB", *size, layout.depth, colour, 0, 0, 0)
        with contextlib.ExitStack() as held:
            held.enter_context(whole(self._path, self._part))
            self._file = os.open(self._part, os.O_RDWR | os.O_CREAT | os.O_EXCL | BINARY, 0o666)
            held.callback(os.close, self._file)
            held.callback(self._close_pipe)
            self._held = held.pop_all()
        self._read_end, self._write_end = os.pipe()
        self._encoder = ThreadPoolExecutor(1, "encoder")
        self._encoded = self._encoder.submit(self._encode)
        self._feeder = ThreadPoolExecutor(1, "feeder")
        self._pending: Future[None] | None = None
        self._deflate = zlib.compressobj(0)
        self._send(SIGNATURE + chunk(b"IHDR", header))
        return self

    def write(self, band: Pixels) -> None:
        """Add the next rows: (rows, W, C), uint8 or uint16 as announced.

        Returns while they are being encoded; waits for the rows before them.
        """
        self._settle()
        self._pending = self._feeder.submit(self._feed, band)
        self._row += len(band)

    def _settle(self) -> None:
        if self._pending is not None:
            self._pending.result()

    def _feed(self, band: Pixels) -> None:
        rows, data = len(band), band
        if self._layout.depth == 16:
            data = np.ascontiguousarray(band, ">u2").view(np.uint8)  # rows may come as planes
        filtered = np.zeros((rows, 1 + data[0].size), np.uint8)  # filter type 0 before each row
        filtered[:, 1:] = data.reshape(rows, -1)
        self._send(chunk(b"IDAT", self._deflate.compress(filtered.data)))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Finish and publish the file, or remove what there is of it."""
        with self._held:
            if error is not None:
                raise error
            assert self._row == self._layout.height * self._layout.frames
            self._settle()
            self._send(chunk(b"IDAT", self._deflate.flush()) + chunk(b"IEND", b""))
            self._close_pipe()
            self._check()

    def _close_pipe(self) -> None:
        """Let the feeder finish, then the encoder; calling it again does nothing."""
        self._feeder.shutdown()
        if self._write_end >= 0:
            os.close(self._write_end)
            self._write_end = -1
        self._encoder.shutdown()

    def _send(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            if self._failure:
                raise self._failure
            view = view[os.write(self._write_end, view) :]

    def _encode(self) -> None:
        """Run in the thread: re-encode the stream from the pipe into the temporary file."""
        try:
            stream = open_as("png", self._read_end)
            encode(
                stream,
                self._file,
                self._suffix,
                self._layout,
                self._metadata,
                self._encoding,
                self._key,
            )
        except (pyvips.Error, OSError, ValueError) as error:
            self._failure = self._output_error(error)
        finally:
            while os.read(self._read_end, 2**20):  # so that whoever writes is not left waiting
                pass
            os.close(self._read_end)

    def _check(self) -> None:
        """Raise what the encoder met, or OutputError where the file's header is not as asked."""
        self._encoded.result()
        if self._failure:
            raise self._failure
        try:
            os.lseek(self._file, 0, os.SEEK_SET)
            written = open_as(WRITABLE[self._suffix].saver, self._file)
            if (written.width, written.height) != (self._layout.width, self._layout.height):
                raise OutputError(f"{self._path}: was not written as it should be; try again")
        except pyvips.Error as error:
            raise self._output_error(error) from error

    def _output_error(self, error: pyvips.Error | OSError | ValueError) -> OutputError:
        """Say why the file cannot be written: by the system's fault, or the encoder's."""
        system = as_full_disk(error) if isinstance(error, pyvips.Error) else error
        if isinstance(system, OSError):
            return unwritable(self._path, system)
        reason = vips_reason(error) if isinstance(error, pyvips.Error) else str(error)
        return OutputError(f"{self._path}: cannot be written{because(reason)}", code="encode-error")
