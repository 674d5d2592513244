"""What a vendor's storage has to do for a store, and how it says that it cannot."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol

from upscale.stores.urls import Place

__all__ = ["Described", "Entry", "Page", "Reading", "Upload", "Vendor", "VendorError"]

Kind = Literal[
    "absent",
    "no-bucket",
    "exists",
    "changed",
    "denied",
    "no-credentials",
    "busy",
    "broken",
    "unconditional",
    "refused",
]
"""
absent          there is no such object, or no such upload any more
no-bucket       there is no such bucket
exists          an object was to be new, and is there
changed         the object is not the one that was asked for
denied          the storage knows who asks, and does not let them
no-credentials  nothing says who asks, or the storage does not believe it
busy            the storage asks for fewer requests, or has an error of its own
broken          the connection: none, reset, timed out, or a part of the answer only
unconditional   the storage knows no condition "only where it is new"
refused         anything else
"""


class VendorError(Exception):
    """An answer that is not the one that was asked for."""

    def __init__(self, kind: Kind, said: str) -> None:
        """Take what kind it is, and the storage's own word for it, which holds no secret."""
        super().__init__(f"{kind}: {said}")
        self.kind = kind
        self.said = said

    @property
    def passes(self) -> bool:
        """Whether it helps to ask again later."""
        return self.kind in ("busy", "broken")


@dataclass(frozen=True)
class Entry:
    """An object of a storage, as a listing or the object itself describes it."""

    url: str
    """Where it lies."""
    size: int
    """Bytes."""
    etag: str = ""
    """What changes with the content, without quotation marks; of Google Cloud the generation."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    """What was written with the object; a listing may leave it out."""


class Described(NamedTuple):
    """What a storage says of an object beside its name."""

    size: int
    """Bytes of the whole object."""
    etag: str
    """As in `Entry`."""
    metadata: Mapping[str, str]
    """As in `Entry`."""


class Page(NamedTuple):
    """A part of a listing."""

    found: list[tuple[str, Described]]
    """Keys, and what they name."""
    after: str
    """What to ask for the next page by; empty at the end."""


class Reading(NamedTuple):
    """An object that is being read."""

    of: Described
    """The object that the bytes are of."""
    chunks: Iterator[bytes]
    """The bytes; raises VendorError."""


class Upload(Protocol):
    """An object that is being written in parts; nobody sees it before it is whole."""

    def send(self, number: int, data: bytes, last: bool) -> None:
        """Send part ``number``, from 0, in order. It may be sent again. Raises VendorError."""

    def commit(self) -> None:
        """Make the object of its parts. Raises VendorError, ``absent`` where the upload is over."""

    def abort(self) -> None:
        """Have the parts thrown away. Raises VendorError."""


class Vendor(Protocol):
    """A storage; each call asks once, and raises VendorError."""

    def page(self, folder: Place, after: str) -> Page:
        """Return a part of the objects whose keys begin with that of ``folder``."""

    def head(self, place: Place) -> Described | None:
        """Describe an object; None where there is none."""

    def read(self, place: Place, start: int, etag: str) -> Reading:
        """Read an object from byte ``start`` on; raise ``changed`` if its tag is not ``etag``."""

    def put(self, place: Place, data: bytes, metadata: Mapping[str, str], new: bool) -> None:
        """Write an object at once. ``new``: raise ``exists`` where there is one."""

    def upload(self, place: Place, size: int, metadata: Mapping[str, str], new: bool) -> Upload:
        """Begin to write an object of ``size`` bytes in parts."""
