"""What the metadata of an object say of how it was made, so that it is skipped without a look."""

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["Marks", "source_of"]

KEY, SOURCE, SETTINGS = "upscale-key", "upscale-source", "upscale-settings"


@dataclass(frozen=True)
class Marks:
    """The origin of a result; each is empty where it is not known."""

    key: str = ""
    """What the picture itself carries; see `upscale.batch.resume`."""
    source: str = ""
    """Of the input; see `source_of`."""
    settings: str = ""
    """The digest of all that shaped the result, as `upscale.batch.order.Method` has it."""

    @classmethod
    def of(cls, metadata: Mapping[str, str]) -> "Marks":
        """Read an object's metadata; another program's may lack all of it."""
        return cls(*(metadata.get(name, "") for name in (KEY, SOURCE, SETTINGS)))

    @property
    def metadata(self) -> dict[str, str]:
        """What an object gets."""
        named = {KEY: self.key, SOURCE: self.source, SETTINGS: self.settings}
        return {name: value for name, value in named.items() if value}


def source_of(etag: str, size: int) -> str:
    """Return what tells the content of an input object of ``size`` bytes; empty without a tag."""
    return f"{etag}:{size}" if etag else ""
