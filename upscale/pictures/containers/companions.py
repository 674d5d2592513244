"""What a telephone puts beside a picture into its file, and is not read: how each says its name."""

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
"""How the namespaces in XMP begin that speak of nothing but companions."""

MOTION = re.compile(rf"\{{{re.escape(GOOGLE)}camera/\}}(Motion|Micro)")
"""Names of a motion photo's fields among those of the camera."""

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
"""What XMP says where there is a companion, as a regular expression."""

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
"""How the names of blocks in a Samsung trailer begin, as regular expressions."""


@dataclass(frozen=True)
class Surroundings:
    """What a file holds beside the picture that is read."""

    companions: frozenset[str] = frozenset()
    """By the names that stand here."""
    pictures: int = 1
    """All that are of full size and no companions."""
    blocks: tuple[str, ...] = ()
    """Names of settings of cameras that nobody reads here."""

    def warnings(self, path: Path) -> tuple[str, ...]:
        """Say what of it is not in the output, all companions in one sentence."""
        found = []
        if self.blocks:
            found.append(f"{path}: does not hand on its {', '.join(self.blocks)}")
        if self.pictures > 1:
            found.append(f"{path}: has {self.pictures} pictures in it; only the first")
        if self.companions:
            *others, last = sorted(self.companions)
            listed = f"{', '.join(others)} and {last}" if others else last
            verb = "are" if others or last == MATTE else "is"
            found.append(f"{path}: its {listed} {verb} left out; the picture itself is upscaled")
        return tuple(found)


def in_xmp(packet: bytes) -> set[str]:
    """Return what a packet of XMP says lies beside its picture."""
    return {name for said, name in SAID.items() if re.search(said, packet)}


def of_auxiliary(kind: str) -> str:
    """Return what an auxiliary picture of a type is."""
    return AUXILIARY.get(kind) or (MATTE if kind.endswith("matte") else OTHER)


def of_samsung(name: str) -> str | None:
    """Return what a block in a Samsung trailer is; None for settings of the camera."""
    return next((what for begin, what in SAMSUNG.items() if re.match(begin, name)), None)
