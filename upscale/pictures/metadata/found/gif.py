"""Metadata in the extensions of a GIF: comments, XMP and a profile.

GIF89a, 24 and 26; XMP specification, part 3, 1.1.2; the profile is where ImageMagick keeps it.
"""

import re

from upscale.errors import InputError
from upscale.pictures.containers.gif import extensions
from upscale.pictures.metadata.found.blocks import Blocks, Gathering, plain

__all__ = ["KEY_NAME", "TRAILER", "XMP", "blocks"]

COMMENT, PROGRAM = 0xFE, 0xFF
XMP, ICC = b"\x0bXMP DataXMP", b"\x0bICCRGBG1012"
TRAILER = bytes((1, *range(255, -1, -1)))
"""What follows XMP, which is not cut into parts: a program that takes any byte of it for the length
of a part so finds the end."""

KEY_NAME = b"upscale:"
KEY = re.compile(re.escape(KEY_NAME) + rb"[0-9a-f]{32}")
"""A comment with the key to resume by, which belongs to the old file."""


def blocks(descriptor: int) -> Blocks:
    """Return the blocks of an open file, up to where it is damaged."""
    found = Gathering()
    try:
        for label, data in extensions(descriptor):
            if label == COMMENT and not KEY.fullmatch(text := _joined(data)):
                found.say("Comment", plain(text))
            elif label == PROGRAM and data.startswith(XMP):
                found.add("xmp", data.removeprefix(XMP).rstrip(b"\0").removesuffix(TRAILER[:-1]))
            elif label == PROGRAM and data.startswith(ICC):
                found.add("icc", _joined(data.removeprefix(ICC)))
    except InputError:
        pass
    return found.blocks()


def _joined(parts: bytes) -> bytes:
    """Return the contents of parts, each of which begins with its length."""
    found, at = [], 0
    while at < len(parts) and (length := parts[at]):
        found.append(parts[at + 1 : at + 1 + length])
        at += 1 + length
    return b"".join(found)
