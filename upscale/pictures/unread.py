"""Kinds of files that people take for pictures and that no reader takes: a record for each."""

import re
from dataclasses import dataclass

__all__ = ["KINDS_UNREAD", "Unread", "kind_unread"]


@dataclass(frozen=True)
class Unread:
    """A kind of file that is not read, but whose name is told."""

    name: str
    """As people say it."""
    suffixes: tuple[str, ...]
    """Suffixes in small letters."""
    begins: bytes
    """A regular expression for a file's first bytes, or for those behind white space."""


KINDS = (
    Unread("SVG", (".svg", ".svgz"), rb"(?i)(<\?xml.*)?<svg"),
    Unread("PDF", (".pdf",), rb"%PDF"),
    Unread("PostScript", (".eps", ".ps", ".ai"), rb"%!PS|\xc5\xd0\xd3\xc6"),
    Unread("Photoshop", (".psd", ".psb"), rb"8BPS\0[\x01\x02]"),
    Unread("GIMP", (".xcf",), rb"gimp xcf "),
    Unread("OpenEXR", (".exr",), rb"\x76\x2f\x31\x01"),
    Unread("JPEG XR", (".jxr", ".wdp", ".hdp"), rb"II\xbc[\0\x01]"),
    Unread("DICOM", (".dcm",), rb".{128}DICM"),
    Unread("DjVu", (".djvu", ".djv"), rb"AT&TFORM.{4}DJV"),
    Unread("PCX", (".pcx",), rb"\n[\0\x02-\x05]\x01[\x01\x02\x04\x08]"),
    Unread("FLIF", (".flif",), rb"FLIF[\x31-\x6f]"),
    Unread("BPG", (".bpg",), rb"BPG\xfb"),
    Unread("icon", (".ico", ".icns"), rb"\0\0\x01\0[^\0]|icns"),
    Unread(
        "video",
        (".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv"),
        rb".{4}ftyp(isom|iso\d|mp4\d|M4V |qt  |avc1|3gp|dash|MSNV)|RIFF.{4}AVI |"
        rb"\x1a\x45\xdf\xa3|\0\0\x01[\xb3\xba]|\x30\x26\xb2\x75\x8e\x66\xcf\x11",
    ),
)

KINDS_UNREAD = {suffix: each.name for each in KINDS for suffix in each.suffixes}
"""The names of these kinds, by suffix."""


def kind_unread(head: bytes) -> str | None:
    """Return the kind of a file that begins with ``head`` (512 bytes); None: none of these."""
    known = (head, head.lstrip())  # a PCX begins with what counts as white space
    found = (each.name for each in KINDS if any(re.match(each.begins, x, re.DOTALL) for x in known))
    return next(found, None)
