"""EXIF and IPTC as fields of a TIFF file's first page: read from it and written into it."""

import os
import struct

from upscale.pictures.containers.tiff.directory import EXIF, Directory, Field
from upscale.pictures.containers.tiff.source import Source
from upscale.pictures.containers.tiff.space import Space
from upscale.pictures.metadata import iptc
from upscale.pictures.metadata.exif import NOT_IN_TIFF, required
from upscale.pictures.metadata.exif_block import (
    MAKER_NOTE,
    laid_out,
    needs_its_place,
    opened,
    placed_note,
)
from upscale.pictures.metadata.found.blocks import Blocks, Gathering
from upscale.system import write_at

__all__ = ["blocks_of_tiff", "of_tiff", "write_to_tiff"]

_UNDEFINED, _ORIENTATION, _DESCRIPTION = 7, 0x112, 0x10E
_NOTES_END = 2**16  # the offsets in a block of EXIF end before it
_IPTC, _RESOURCES = 0x83BB, 0x8649  # IPTC itself, and Photoshop's image resources

# What the first directory of a TIFF file says about the picture and not about the file: names and
# texts, make and model, dates, ratings, those of Windows, and what a printer is told.
_DESCRIPTIVE = {0x00B, 0x10D, 0x10E, 0x10F, 0x110, 0x112, 0x11D, 0x131, 0x132, 0x13B, 0x13C}
_DESCRIPTIVE |= {0x4746, 0x4749, 0x8298, 0x9C9B, 0x9C9C, 0x9C9D, 0x9C9E, 0x9C9F, 0xC4A5}
# Descriptions that tifffile, ImageJ and OME use for the layout of the old file.
_LAYOUTS = (b'{"shape"', b"ImageJ=", b"<?xml")


def blocks_of_tiff(descriptor: int) -> Blocks:
    """Return EXIF and IPTC of a TIFF's first page; damaged ones are left out.

    IPTC's own field counts before the image resources of Photoshop. Raises OSError if the file
    cannot be read.
    """
    found = Gathering()
    try:
        if block := of_tiff(descriptor):
            found.add("exif", block)
        note = _note(descriptor)
        if note is not None and note.place >= _NOTES_END and needs_its_place(note):
            found.doubt("has MakerNotes that will move; what they point to may be lost")
    except ValueError:
        found.doubt("has damaged EXIF, which is left out")
    try:
        fields = Source.of_file(descriptor).tree(wanted={_IPTC, _RESOURCES}).fields
    except ValueError:
        return found.blocks()
    for tag in (_IPTC, _RESOURCES):
        if tag in fields and (datasets := iptc.of_tiff(fields[tag].data)):
            found.add("iptc", datasets)
    return found.blocks()


def _note(descriptor: int) -> Field | None:
    root = Source.of_file(descriptor).tree(wanted=set())
    return root.children.get(EXIF, Directory()).fields.get(MAKER_NOTE)


def of_tiff(descriptor: int) -> bytes | None:
    """Return as EXIF what the first page of a TIFF or BigTIFF file says about its picture.

    That is its descriptive fields and its Exif, GPS and interoperability directories, in the file's
    byte order; None if there are none. The descriptor's position stays. Raises ValueError if the
    file is corrupt, and OSError if it cannot be read.
    """
    source = Source.of_file(descriptor)
    root = source.tree(wanted=_DESCRIPTIVE)
    description = root.fields.get(_DESCRIPTION)
    if description is not None and description.data.startswith(_LAYOUTS):
        del root.fields[_DESCRIPTION]
    return laid_out(source.packing.order, root, placed_note(root))


def write_to_tiff(descriptor: int, blob: bytes | None, datasets: bytes | None = None) -> None:
    """Add the EXIF in ``blob`` and IPTC's ``datasets`` to the first page of a finished TIFF file.

    All is appended, and the offset in the file's header is changed last: until then the file is as
    it was. Of the page's own fields, only descriptive ones and IPTC are replaced. Layout,
    resolution and an existing orientation stay, and so do further pages and the descriptor's
    position. Raises ValueError if ``blob`` or the file is corrupt, or if a file that is not BigTIFF
    would pass 4 GiB; OSError if it cannot be read or written.
    """
    file = Source.of_file(descriptor)
    new, order = Directory(), file.packing.order
    if blob is not None:
        source = opened(blob)
        new, order = source.tree(), source.packing.order
    entries, after = file.table(file.first)
    kept = {entry[0]: struct.pack(file.packing.entry, *entry) for entry in reversed(entries)}
    written = _DESCRIPTIVE - ({_ORIENTATION} & kept.keys())
    new.fields = {tag: value for tag, value in new.fields.items() if tag in written}
    if order != file.packing.order:
        new.swap()
    if exif := new.children.get(EXIF):
        exif.fields = required(file.packing.order) | {
            tag: value for tag, value in exif.fields.items() if tag not in NOT_IN_TIFF
        }
    if datasets is not None:
        # A type that TIFF/EP allows; of 32-bit integers Pillow 13.0 keeps the first only.
        new.fields[_IPTC] = Field(_UNDEFINED, len(datasets), datasets)
    end = os.fstat(descriptor).st_size
    space = Space(end)
    try:
        first = space.add(file.packing, new, kept, after)
    except struct.error as error:
        raise ValueError("an offset behind 4 GiB") from error
    write_at(descriptor, bytes(space.data), end)
    write_at(descriptor, struct.pack(file.packing.offset, first), file.first_pointer)
