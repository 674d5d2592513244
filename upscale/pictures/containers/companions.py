"""What a telephone puts into a file beside the picture and is not read: how a file names each."""

import re
from dataclasses import dataclass
from pathlib import Path

__all__ = [
    "COMPANIONS",
    "DEPTH",
    "GAIN_MAP",
    "MATTE",
    "MOTION",
    "SECOND",
    "SOUND",
    "VIDEO",
    "Surroundings",
    "in_xmp",
    "of_auxiliary",
    "of_samsung",
]

GAIN_MAP = "gain map (HDR)"
DEPTH = "depth map"
MATTE = "mattes"
VIDEO = "video (motion photo)"
SOUND = "sound"
SECOND = "second picture"
OTHER = "auxiliary picture"

GOOGLE = "http://ns.google.com/photos/1.0/"

COMPANIONS = (
    "http://ns.adobe.com/hdr-gain-map/1.0/",
    "http://ns.apple.com/HDRGainMap/1.0/",
    "http://ns.apple.com/depthData/1.0/",
    "http://ns.apple.com/pixeldatainfo/1.0/",
    "http://ns.google.com/photos/dd/1.0/",
    f"{GOOGLE}audio/",
    f"{GOOGLE}container/",
    f"{GOOGLE}depthmap/",
    f"{GOOGLE}focus/",
    f"{GOOGLE}image/",
)
"""Beginnings of the namespaces in XMP that are about nothing but companions."""

MOTION = re.compile(rf"\{{{re.escape(GOOGLE)}camera/\}}(Motion|Micro)")
"""Names of a motion photo's fields, which are among those of the camera."""

SAID = {
    rb"ns\.adobe\.com/hdr-gain-map/|ns\.apple\.com/HDRGainMap/|aux:hdrgainmap|"
    rb"\bGainMap\b": GAIN_MAP,
    rb"photos/1\.0/depthmap/|photos/dd/1\.0/depthmap/|ns\.apple\.com/depthData/|"
    rb"Semantic(?:=[\"']|>)(?:\w+:)?Depth\b": DEPTH,
    rb"aux:(?:portraiteffects|semantic\w+)matte": MATTE,
    rb":(?:MotionPhoto|MicroVideo)(?:\s*=\s*[\"']|>)\s*1": VIDEO,
    rb"photos/1\.0/image/": SECOND,
    rb"photos/1\.0/audio/": SOUND,
}
"""Regular expressions for what XMP says if there is a companion, and its name here."""

AUXILIARY = {
    "urn:mpeg:hevc:2015:auxid:2": DEPTH,
    "urn:mpeg:mpegB:cicp:systems:auxiliary:depth": DEPTH,
    "urn:com:apple:photo:2020:aux:hdrgainmap": GAIN_MAP,
    "urn:com:apple:photo:2018:aux:portraiteffectsmatte": MATTE,
}
"""Types of auxiliary pictures (ISO/IEC 23008-12, 6.5.8; Apple's)."""

SAMSUNG = {
    r"MotionPhoto|Interactive_Panorama": VIDEO,
    r"\w*DepthMap": DEPTH,
    r"DualShot_\d|FlipPhoto": SECOND,
    r"SoundShot": SOUND,
}
"""Regular expressions for how names of blocks in a Samsung trailer begin, and the names here."""


@dataclass(frozen=True)
class Surroundings:
    """What a file holds beside the picture that is read."""

    companions: frozenset[str] = frozenset()
    """Companions, by their names here."""
    pictures: int = 1
    """Number of pictures of full size that are not companions."""
    blocks: tuple[str, ...] = ()
    """Names of blocks, such as a camera's settings, that nothing here reads."""

    def warnings(self, path: Path) -> tuple[str, ...]:
        """Return sentences on what does not reach the output, all companions in one."""
        found = []
        if self.blocks:
            verb = "are" if len(self.blocks) > 1 else "is"
            found.append(f"{path}: its {', '.join(self.blocks)} {verb} left out")
        if self.pictures > 1:
            found.append(f"{path}: has {self.pictures} pictures in it; only the first is read")
        if self.companions:
            *others, last = sorted(self.companions)
            listed = f"{', '.join(others)} and {last}" if others else last
            verb = "are" if others or last == MATTE else "is"
            found.append(f"{path}: its {listed} {verb} left out; the picture itself is upscaled")
        return tuple(found)


def in_xmp(packet: bytes) -> set[str]:
    """Return the companions that a packet of XMP names."""
    return {name for said, name in SAID.items() if re.search(said, packet)}


def of_auxiliary(kind: str) -> str:
    """Return the companion that an auxiliary picture of this type is."""
    return AUXILIARY.get(kind) or (MATTE if kind.endswith("matte") else OTHER)


def of_samsung(name: str) -> str | None:
    """Return the companion that a block in a Samsung trailer is; None for a camera's settings."""
    return next((what for begin, what in SAMSUNG.items() if re.match(begin, name)), None)
