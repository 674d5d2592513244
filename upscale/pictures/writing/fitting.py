"""What a format keeps of a picture and its metadata, and what is lost, said aloud."""

from dataclasses import replace
from pathlib import Path

from upscale.pictures.formats import WRITABLE
from upscale.pictures.metadata import exif
from upscale.pictures.writing.encoding import Encoding
from upscale.pictures.writing.texts import holds
from upscale.pixels.image import Layout, Metadata

__all__ = ["fitting", "losses"]

PROGRAM = "Software"
"""The keyword of a text that tells of a program; nobody misses it."""


def losses(
    path: Path, suffix: str, layout: Layout, metadata: Metadata, encoding: Encoding
) -> list[str]:
    """Return what the format cannot hold of this picture, a sentence each."""
    chosen, found = WRITABLE[suffix], []
    if layout.channels in (2, 4) and not chosen.opacity:
        found.append(f"{path}: this format has no opacity; drawn on white")
    if layout.depth > (depth := encoding.depth(suffix, layout.channels)):
        found.append(f"{path}: {layout.depth} bits a sample become {depth}")
    if chosen.exif == "none" and not encoding.strip and metadata.exif:
        found.append(f"{path}: this format holds no EXIF or resolution; they are lost")
    lost = [] if encoding.strip else [each for each in metadata.texts if not holds(chosen, each)]
    if names := ", ".join(dict.fromkeys(each.keyword for each in lost if each.keyword != PROGRAM)):
        found.append(f"{path}: this format does not hold its texts ({names}); they are lost")
    if metadata.iptc and not (encoding.strip or chosen.iptc):
        found.append(f"{path}: this format holds no IPTC; it is lost")
    points = metadata.code_points
    if points and points.hdr and chosen.code_points == "none":
        found.append(
            f"{path}: is HDR ({points.hdr}), which this format holds as a profile that many "
            "programs show without HDR; write png or avif to keep it"
        )
    if chosen.colours:
        found.append(
            f"{path}: this format holds {chosen.colours} colours; write png or webp to keep all"
        )
    return found


def fitting(
    path: Path, suffix: str, layout: Layout, metadata: Metadata, encoding: Encoding, key: str | None
) -> tuple[Metadata, list[str]]:
    """Return the metadata to write, EXIF made to fit the new picture, and warnings.

    Raises ValueError for EXIF that cannot be parsed, which a reader leaves out.
    """
    chosen, warnings = WRITABLE[suffix], list[str]()
    kept = metadata
    if encoding.strip:
        kept = Metadata(icc=metadata.icc, code_points=metadata.code_points)
    if chosen.code_points == "none":
        kept = replace(kept, code_points=None)
    elif chosen.code_points == "boxes" and kept.code_points and kept.code_points.hdr:
        kept = replace(kept, icc=None)  # which readers would obey, and show the picture without HDR
    kept = replace(kept, texts=tuple(each for each in kept.texts if holds(chosen, each)))
    size = (layout.width, layout.height)
    resolution = kept.resolution if chosen.exif == "block" else None
    blob = exif.for_output(kept.exif, *size, key, resolution)
    if blob and len(blob) > chosen.longest_exif:
        warnings.append(f"{path}: EXIF of {len(blob):,} bytes does not fit; left out")
        blob = exif.for_output(None, *size, key, resolution)
    elif chosen.exif != "none" and exif.note_moves(kept.exif, blob if resolution else None):
        warnings.append(f"{path}: MakerNotes move, and places that they point to may be lost")
    if kept.xmp and len(kept.xmp) > chosen.longest_xmp:
        warnings.append(f"{path}: XMP of {len(kept.xmp):,} bytes does not fit; left out")
        kept = replace(kept, xmp=None)
    if kept.iptc and chosen.iptc and len(chosen.iptc(kept.iptc)) > chosen.longest_iptc:
        warnings.append(f"{path}: IPTC of {len(kept.iptc):,} bytes does not fit; left out")
        kept = replace(kept, iptc=None)
    return replace(kept, exif=blob), warnings
