"""What is known of one file format: how it is recognised, read and saved, and what it can hold."""

import importlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast

from upscale.pictures.containers.damage import unsupported

if TYPE_CHECKING:
    from upscale.pictures.decoders.base import Decoded

__all__ = ["Decoder", "Format", "Saving"]


class Decoder(Protocol):
    """What a module of `upscale.pictures.decoders` offers.

    Both functions raise InputError, and ImportError if an optional package is missing.
    """

    def size(self, path: Path, descriptor: int) -> tuple[int, int]:
        """Return (width, height), upright, from the header alone."""

    def decode(self, path: Path, descriptor: int) -> "Decoded":
        """Return the whole picture, upright; the caller has checked its size."""


@dataclass(frozen=True, kw_only=True)
class Saving:
    """What a file of a format can hold, and how libvips saves it."""

    saver: str
    """libvips' name of its saver and its loader."""
    code_points: Literal["chunks", "boxes", "none"] = "none"
    """Where the code points of H.273 for the colours stand."""
    side_limit: int = 2**31 - 1
    """Pixels of a side, at most."""
    depth: int = 8
    """Bits per sample, at most."""
    depth_with_opacity: int = 0
    """The same for a picture with opacity that is saved with loss; 0: as without opacity."""
    depth_option: str = ""
    """The saver's option for the bits per sample; empty: it has none."""
    opacity: bool = True
    """Whether it holds opacity."""
    gray: bool = True
    """Whether gray is saved as such, and not as RGB."""
    colours: int = 0
    """Colours of a picture, at most; 0: there is no limit."""
    frames: bool = False
    """Whether it holds several frames or pages."""
    joined: bool = False
    """Whether `upscale.pictures.writing.apng` joins the frames, which libvips cannot do."""
    whole: bool = False
    """Whether libvips encodes nothing before it has all rows."""
    lossy: bool = False
    """Whether it can be saved with loss, at a quality that one chooses."""
    lossless: bool = True
    """Whether it can be saved without loss."""
    exif: Literal["block", "directory", "none"] = "block"
    """Where EXIF and the key to resume by stand: in a block, in the file's own directory (TIFF), or
    nowhere (in GIF the key is a comment, and there is no resolution).
    """
    texts: Literal["all", "comment", "none"] = "none"
    """Which texts beside the picture it holds: all, only comments, or none."""
    longest_comment: int = 2**31 - 1
    """Bytes of a comment in UTF-8, at most."""
    longest_exif: int = 65_000
    """Bytes of EXIF that libvips writes: it adds some fields, and leaves all out beyond 64 KiB."""
    longest_xmp: int = 2**31 - 1
    """Bytes of XMP, at most."""
    iptc: Callable[[bytes], bytes] | None = None
    """Wraps datasets of IPTC as the file keeps them; None: it keeps none."""
    longest_iptc: int = 2**31 - 1
    """Bytes of wrapped IPTC, at most."""
    options: dict[str, Any] = field(default_factory=dict)
    """Options of libvips' saver."""
    lossy_options: dict[str, Any] = field(default_factory=dict)
    """Further options, unless the picture is saved without loss."""
    size_options: Callable[[int, int], dict[str, Any]] = lambda pixels, size: {}
    """Further options, by the picture's pixels and its bytes without compression."""


@dataclass(frozen=True, kw_only=True)
class Format:
    """One file format."""

    name: str
    """As people say it."""
    suffixes: tuple[str, ...]
    """Suffixes in small letters; the first is the usual one."""
    read_suffixes: tuple[str, ...] = ()
    """Further suffixes of files that are read; nothing is written under such a name."""
    begins: bytes
    """A regular expression for a file's first bytes."""
    decoder: str = ""
    """A module of `upscale.pictures.decoders`; empty: libvips decodes the format."""
    plugin: str = ""
    """For the decoder ``pillow``: the name of Pillow's plugin."""
    extra: str = ""
    """The extra of this package that installs what the decoder needs; empty: nothing more."""
    doubtful: bool = False
    """Whether other formats begin alike, so that the decoder's ``recognise`` has the last word."""
    loader: str = ""
    """libvips' name of its loader."""
    pages: bool = False
    """Whether libvips reads several frames or pages, as one tall picture."""
    ends_early: Callable[[int], bool] = lambda descriptor: False
    """Tells whether the end of an open file is missing."""
    lossy: Callable[[int], bool] = lambda descriptor: False
    """Tells whether an open file was saved with loss."""
    media_type: str = ""
    """Its media type; empty: browsers do not show it."""
    saving: Saving | None = None
    """How it is written; None: it is only read."""

    def matches(self, head: bytes, descriptor: int) -> bool:
        """Say whether a file that begins with ``head`` (512 bytes) is of this format."""
        if not re.match(self.begins, head, re.DOTALL):
            return False
        return not self.doubtful or bool(self._module().recognise(head, descriptor))

    def size(self, path: Path, descriptor: int) -> tuple[int, int]:
        """Ask the decoder for (width, height), upright, from the header alone.

        Raises InputError.
        """
        try:
            return self._decoder().size(path, descriptor)
        except ImportError as error:
            raise self._missing(path, error) from error

    def decode(self, path: Path, descriptor: int) -> "Decoded":
        """Ask the decoder for the whole picture, upright. Raises InputError."""
        try:
            return self._decoder().decode(path, descriptor)
        except ImportError as error:
            raise self._missing(path, error) from error

    def _module(self) -> Any:
        return importlib.import_module(f"upscale.pictures.decoders.{self.decoder}")

    def _decoder(self) -> Decoder:
        module = self._module()
        return cast(Decoder, module.Plugin(self.plugin) if self.plugin else module)

    def _missing(self, path: Path, error: ImportError) -> Exception:
        """Return what to raise for a package that is not installed."""
        if not self.extra:
            return error
        return unsupported(
            path,
            f"{self.name} is read with the package {error.name}, which is not installed; "
            f"install it with: pip install 'upscale[{self.extra}]'",
        )
