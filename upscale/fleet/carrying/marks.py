"""Metadata of an object that record how it was made, so that a run can skip it unread."""

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["Marks", "source_of"]

KEY, SOURCE, SETTINGS = "upscale-key", "upscale-source", "upscale-settings"


@dataclass(frozen=True)
class Marks:
    """The origin of a result; an unknown field is empty."""

    key: str = ""
    """The key in the picture itself; see `upscale.batch.resume`."""
    source: str = ""
    """Source of the input; see `source_of`."""
    settings: str = ""
    """The digest of all that shaped the result, as `upscale.batch.order.Method` has it."""

    @classmethod
    def of(cls, metadata: Mapping[str, str]) -> "Marks":
        """Read an object's metadata; those of another program may lack all of it."""
        return cls(*(metadata.get(name, "") for name in (KEY, SOURCE, SETTINGS)))

    @property
    def metadata(self) -> dict[str, str]:
        """The metadata of an object."""
        named = {KEY: self.key, SOURCE: self.source, SETTINGS: self.settings}
        return {name: value for name, value in named.items() if value}


def source_of(etag: str, size: int) -> str:
    """Return what identifies the content of an input of ``size`` bytes; empty without a tag."""
    return f"{etag}:{size}" if etag else ""
