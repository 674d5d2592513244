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

    Both raise InputError, and ImportError where a package that is optional is missing.
    """

    def size(self, path: Path, descriptor: int) -> tuple[int, int]:
        """Return (width, height), upright, from the header alone."""

    def decode(self, path: Path, descriptor: int) -> "Decoded":
        """Return the whole picture, upright, once its size is found bearable."""


@dataclass(frozen=True, kw_only=True)
class Saving:
    """What a file of a format can hold, and how libvips saves it."""

    saver: str
    """libvips' name of its saver and its loader."""
    code_points: Literal["chunks", "boxes", "none"] = "none"
    """Where the numbers of H.273 stand that say colours."""
    side_limit: int = 2**31 - 1
    """Pixels a side."""
    depth: int = 8
    """Most bits a sample."""
    depth_with_opacity: int = 0
    """The same for a picture with opacity that is saved with loss; 0: as without opacity."""
    depth_option: str = ""
    """The saver's option for the bits a sample, where it has one."""
    opacity: bool = True
    gray: bool = True
    """Whether gray is saved as such, and not as RGB."""
    colours: int = 0
    """Most colours of a picture; 0: as many as there are."""
    frames: bool = False
    """Whether it holds several frames or pages."""
    joined: bool = False
    """Whether `apng` joins the frames, which libvips cannot."""
    lossy: bool = False
    """Whether there is a quality to choose."""
    lossless: bool = True
    """Whether it can be exact."""
    exif: Literal["block", "directory", "none"] = "block"
    """Where EXIF and the key to resume by stand: in a block, in the file's own directory (of TIFF),
    or nowhere (the key in a comment of GIF, and resolution nowhere).
    """
    texts: Literal["all", "comment", "none"] = "none"
    """Which texts beside the picture it holds: a comment is one."""
    longest_comment: int = 2**31 - 1
    """Bytes, in UTF-8."""
    longest_exif: int = 65_000
    """Bytes of EXIF that libvips writes: it adds some fields, and leaves all out beyond 64 KiB."""
    longest_xmp: int = 2**31 - 1
    iptc: Callable[[bytes], bytes] | None = None
    """Wraps datasets of IPTC as the file keeps them; None: it keeps none."""
    longest_iptc: int = 2**31 - 1
    """Bytes, wrapped."""
    options: dict[str, Any] = field(default_factory=dict)
    """Of libvips' saver."""
    lossy_options: dict[str, Any] = field(default_factory=dict)
    """Further ones, unless the picture is saved exactly."""
    size_options: Callable[[int, int], dict[str, Any]] = lambda pixels, size: {}
    """Further ones, by the picture's pixels and its bytes without compression."""


@dataclass(frozen=True, kw_only=True)
class Format:
    """One file format."""

    name: str
    """As people say it."""
    suffixes: tuple[str, ...]
    """In small letters. The first is the usual one."""
    read_suffixes: tuple[str, ...] = ()
    """Further ones of files that are read, but never written under such a name."""
    begins: bytes
    """A regular expression for a file's first bytes."""
    decoder: str = ""
    """A module of `upscale.pictures.decoders`; empty where libvips decodes the format."""
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
    """Says of an open file whether its end is missing."""
    lossy: Callable[[int], bool] = lambda descriptor: False
    """Says of an open file whether it was saved with loss."""
    media_type: str = ""
    """What browsers call it, where they show it."""
    saving: Saving | None = None
    """None where the format is only read."""

    def matches(self, head: bytes, descriptor: int) -> bool:
        """Say whether a file that begins with ``head`` (512 bytes) is of this format."""
        if not re.match(self.begins, head, re.DOTALL):
            return False
        return not self.doubtful or bool(self._module().recognise(head, descriptor))

    def size(self, path: Path, descriptor: int) -> tuple[int, int]:
        """Ask the decoder for (width, height), upright, from the header alone; InputError."""
        try:
            return self._decoder().size(path, descriptor)
        except ImportError as error:
            raise self._missing(path, error) from error

    def decode(self, path: Path, descriptor: int) -> "Decoded":
        """Ask the decoder for the whole picture, upright; InputError."""
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
