"""The interface of a vendor's storage, and its errors."""

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
absent          the object does not exist, or the upload no longer exists
no-bucket       the bucket does not exist
exists          a new object already exists
changed         the object is not the requested one
denied          the credentials are valid, but lack the permission
no-credentials  there are no credentials, or they are not valid
busy            the storage requests a lower rate, or has an error of its own
broken          the connection: none, reset, timed out, or an incomplete answer
unconditional   the storage does not support the condition "only if it is new"
refused         anything else
"""


class VendorError(Exception):
    """A request to a storage failed."""

    def __init__(self, kind: Kind, said: str) -> None:
        """Take its kind, and the storage's own word for it, which contains no secret."""
        super().__init__(f"{kind}: {said}")
        self.kind = kind
        self.said = said

    @property
    def passes(self) -> bool:
        """Whether a later attempt may succeed."""
        return self.kind in ("busy", "broken")


@dataclass(frozen=True)
class Entry:
    """An object of a storage, as a listing or the object itself describes it."""

    url: str
    """The address."""
    size: int
    """Bytes."""
    etag: str = ""
    """Tag that changes with the content, without quotation marks; Google Cloud's generation."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    """Metadata written with the object; a listing may leave them out."""


class Described(NamedTuple):
    """A storage's description of an object, without its name."""

    size: int
    """Bytes of the whole object."""
    etag: str
    """As in `Entry`."""
    metadata: Mapping[str, str]
    """As in `Entry`."""


class Page(NamedTuple):
    """A part of a listing."""

    found: list[tuple[str, Described]]
    """Descriptions by key."""
    after: str
    """Token for the next page; empty at the end."""


class Reading(NamedTuple):
    """An object that is being read."""

    of: Described
    """The object that is read."""
    chunks: Iterator[bytes]
    """The bytes; raises VendorError."""


class Upload(Protocol):
    """An object that is being written in parts; it becomes visible when it is complete."""

    def send(self, number: int, data: bytes, last: bool) -> None:
        """Send part ``number``, from 0, in order. A part may be sent again. Raises VendorError."""

    def commit(self) -> None:
        """Make the object from its parts. Raises VendorError, ``absent`` if the upload is gone."""

    def abort(self) -> None:
        """Discard the parts. Raises VendorError."""


class Vendor(Protocol):
    """A storage; each call sends one request without retries, and raises VendorError."""

    def page(self, folder: Place, after: str) -> Page:
        """Return a page of the objects whose keys begin with that of ``folder``."""

    def head(self, place: Place) -> Described:
        """Describe an object; raise ``absent`` if it does not exist."""

    def read(self, place: Place, start: int, etag: str) -> Reading:
        """Read an object from byte ``start`` on; raise ``changed`` if its tag is not ``etag``."""

    def put(self, place: Place, data: bytes, metadata: Mapping[str, str], new: bool) -> None:
        """Write an object in one request. ``new``: raise ``exists`` if there is one."""

    def upload(self, place: Place, size: int, metadata: Mapping[str, str], new: bool) -> Upload:
        """Start to write an object of ``size`` bytes in parts."""
