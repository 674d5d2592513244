"""`Image` → file: rows go in as they are made, the file appears whole or not at all.

Rows go through a pipe as an uncompressed PNG stream, which libvips re-encodes in a thread of its
own into a temporary file beside the final name.
"""

import contextlib
import math
import os
import secrets
import shutil
import struct
import threading
import zlib
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType

import numpy as np
import pyvips

from upscale.errors import OutputError
from upscale.image import (
    FORMATS,
    Metadata,
    Pixels,
    check_format,
    suffix_of,
    vips_reason,
)

__all__ = ["Writer", "sweep"]


class Writer:
    """Write a picture band by band: ``with Writer(…) as writer: writer.write(band)``.

    Encoding runs in a thread, beside the work that makes the bands. The file appears under its
    name whole, synced and with its header read back, when the block ends without an error; with
    one, the file that was there before stays. Raises OutputError.
    """

    def __init__(
        self, path: Path, width: int, height: int, channels: int, depth: int, metadata: Metadata
    ) -> None:
        """Take the frame of the picture; ``channels`` as in `Image`, ``depth`` 8 or 16."""
        self._format = check_format(path, width, height)
        self._path = path
        self._shape = (height, width, channels)
        self._depth = depth
        self._metadata = metadata
        self._row = 0
        self._failure: str | None = None

    @property
    def losses(self) -> list[str]:
        """What the format cannot hold of this picture, a sentence each."""
        losses = []
        if self._shape[2] in (2, 4) and not self._format.opacity:
            losses.append(f"{self._path}: this format has no opacity; drawn on white")
        exif = any(name.startswith("exif-") for name, _, _ in self._metadata.fields)
        if exif and self._format is FORMATS[".tif"]:
            losses.append(f"{self._path}: EXIF is not written to TIFF; it is lost")
        if self._depth > self._format.depth:
            losses.append(f"{self._path}: this format has {self._format.depth} bits; 16 are lost")
        return losses

    def __enter__(self) -> "Writer":
        """Open the temporary file and start encoding."""
        height, width, channels = self._shape
        colour = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
        header = struct.pack(">IIBBBBB", width, height, self._depth, colour, 0, 0, 0)
        stem = os.fsdecode(os.fsencode(self._path.stem)[:40])
        name = f".{stem}.{os.getpid()}.{secrets.token_hex(4)}.part"
        self._part = self._path.parent / name
        try:
            self._file = os.open(self._part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        except OSError as error:
            raise OutputError(f"{self._path}: cannot be written ({error.strerror})") from error
        self._read_end, self._write_end = os.pipe()
        self._thread = threading.Thread(target=self._encode, daemon=True)
        self._thread.start()
        self._feeder = ThreadPoolExecutor(1, "feeder")
        self._pending: Future[None] | None = None
        self._deflate = zlib.compressobj(0)
        self._send(b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header))
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
        rows = len(band)
        data = band.astype(">u2").view(np.uint8) if self._depth == 16 else band
        filtered = np.zeros((rows, 1 + data[0].size), np.uint8)  # filter type 0 before each row
        filtered[:, 1:] = data.reshape(rows, -1)
        self._send(_chunk(b"IDAT", self._deflate.compress(filtered.data)))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Finish and publish the file, or remove what there is of it."""
        try:
            if kind is None:
                assert self._row == self._shape[0]
                self._settle()
                self._send(_chunk(b"IDAT", self._deflate.flush()) + _chunk(b"IEND", b""))
            else:
                self._failure = self._failure or "given up"
            self._close_pipe()
            if kind is None:
                self._publish()
        finally:
            self._close_pipe()
            os.close(self._file)
            with contextlib.suppress(FileNotFoundError):
                self._part.unlink()

    def _close_pipe(self) -> None:
        """Let the feeder finish, then the encoder; calling it again does nothing."""
        self._feeder.shutdown()
        if self._write_end >= 0:
            os.close(self._write_end)
            self._write_end = -1
        self._thread.join()

    def _send(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            if self._failure:
                raise self._output_error()
            view = view[os.write(self._write_end, view) :]

    def _encode(self) -> None:
        """Run in the thread: re-encode the stream from the pipe into the temporary file."""
        try:
            source = pyvips.Source.new_from_descriptor(self._read_end)
            stream = pyvips.Image.new_from_source(source, "", access="sequential", fail_on="error")
            target = pyvips.Target.new_to_descriptor(self._file)
            picture = _with_metadata(stream, self._metadata)
            if self._shape[2] in (2, 4) and not self._format.opacity:
                picture = picture.flatten(background=2**self._depth - 1)
            options = dict(self._format.options)
            if self._format is FORMATS[".tif"]:
                raw_bytes = math.prod(self._shape) * self._depth // 8
                options["bigtiff"] = raw_bytes > 2**31
            picture.write_to_target(target, suffix_of(self._path), **options)
        except pyvips.Error as error:
            self._failure = vips_reason(error)
            while os.read(self._read_end, 2**20):  # so that whoever writes is not left waiting
                pass
        finally:
            os.close(self._read_end)

    def _publish(self) -> None:
        if self._failure:
            raise self._output_error()
        height, width, _ = self._shape
        try:
            os.fsync(self._file)
            os.lseek(self._file, 0, os.SEEK_SET)
            source = pyvips.Source.new_from_descriptor(self._file)
            written = pyvips.Image.new_from_source(source, "")
            if (written.width, written.height) != (width, height):
                raise OutputError(f"{self._path}: was not written as it should be; try again")
            os.replace(self._part, self._path)
            _sync_folder(self._path.parent)
        except (pyvips.Error, OSError) as error:
            reason = vips_reason(error) if isinstance(error, pyvips.Error) else error.strerror
            self._failure = reason or str(error)
            raise self._output_error() from error

    def _output_error(self) -> OutputError:
        full = shutil.disk_usage(self._path.parent).free < 2**20
        reason = "the disk is full" if full else self._failure
        return OutputError(f"{self._path}: cannot be written ({reason})")


def sweep(folder: Path) -> None:
    """Remove the temporary files in ``folder`` whose process is gone."""
    for part in folder.glob(".*.part"):
        pid = part.name.split(".")[-3]
        if pid.isdecimal() and not _is_alive(int(pid)):
            with contextlib.suppress(OSError):
                part.unlink()


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True  # somebody else's
    return True


def _chunk(kind: bytes, data: bytes) -> bytes:
    """Return one chunk of a PNG file (ISO/IEC 15948, 5.3)."""
    checksum = zlib.crc32(data, zlib.crc32(kind))
    return b"".join((struct.pack(">I", len(data)), kind, data, struct.pack(">I", checksum)))


def _with_metadata(stream: pyvips.Image, metadata: Metadata) -> pyvips.Image:
    xres, yres = metadata.resolution
    image = stream.copy(xres=xres, yres=yres)
    for name, kind, value in metadata.fields:
        image.set_type(kind, name, value)
    if any(name.startswith("exif-") for name, _, _ in metadata.fields):
        image.set_type(pyvips.GValue.gint_type, "orientation", 1)
    for name in image.get_fields():  # setting exif-data has parsed its thumbnail again
        if name == "jpeg-thumbnail-data" or name.startswith("exif-ifd1-"):
            image.remove(name)
    return image


def _sync_folder(folder: Path) -> None:
    """Make a rename in ``folder`` survive a power loss, where a folder can be synced."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
