"""What lies beside the primary picture in an AVIF or HEIC and does not reach the output."""

from upscale.pictures.containers import companions, samsung
from upscale.pictures.containers.boxes import boxes_of_file
from upscale.pictures.containers.companions import Surroundings
from upscale.pictures.containers.heif.primary import Primary

__all__ = ["surroundings"]

VIDEO = b"mpvd"
"""The box of a motion photo's video, behind all others."""


def surroundings(descriptor: int, said: Primary, packet: bytes | None) -> Surroundings:
    """Return what an open file's boxes (``said``), its XMP (``packet``) and its trailer name."""
    found, settings = samsung.behind(descriptor)
    found |= said.companions | companions.in_xmp(packet or b"")
    if any(box.kind == VIDEO for box in boxes_of_file(descriptor)):
        found.add(companions.VIDEO)
    return Surroundings(frozenset(found), blocks=tuple(settings))
