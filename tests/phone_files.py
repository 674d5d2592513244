"""Pictures as telephones save them, with other things beside the picture in the file."""

import io
import struct

import numpy as np
from decoding import blocks
from heif_files import with_auxiliary
from PIL import Image as Pillow

COLOURS = blocks(4)[..., :3]
BESIDE = blocks(4)[..., 3]
"""What becomes the gain map or the depth map."""

GAIN_MAP_URN = b"urn:com:apple:photo:2020:aux:hdrgainmap"
DEPTH_URN = b"urn:mpeg:hevc:2015:auxid:2"
MATTE_URN = b"urn:com:apple:photo:2018:aux:portraiteffectsmatte"


def packet(names: str, fields: str = "", elements: str = "") -> bytes:
    """XMP with namespaces, attributes and elements."""
    text = f"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF
 xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""
 xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:CreatorTool="kept"
 {names} {fields}>{elements}</rdf:Description></rdf:RDF></x:xmpmeta>"""
    return text.encode()


GOOGLE = "http://ns.google.com/photos/1.0"

HDRGM = packet('xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/"', 'hdrgm:Version="1.0"')
APPLE_GAIN_MAP = packet(
    'xmlns:HDRGainMap="http://ns.apple.com/HDRGainMap/1.0/"'
    ' xmlns:apdi="http://ns.apple.com/pixeldatainfo/1.0/"',
    f'HDRGainMap:HDRGainMapVersion="65536" apdi:AuxiliaryImageType="{GAIN_MAP_URN.decode()}"',
)
GDEPTH = packet(
    f'xmlns:GDepth="{GOOGLE}/depthmap/" xmlns:GImage="{GOOGLE}/image/"'
    f' xmlns:GFocus="{GOOGLE}/focus/" xmlns:xmpNote="http://ns.adobe.com/xmp/note/"',
    'GDepth:Format="RangeInverse" GDepth:Near="1.5" GDepth:Far="9.5" GDepth:Mime="image/png"'
    ' GImage:Mime="image/jpeg" GFocus:BlurAtInfinity="0.1"'
    ' xmpNote:HasExtendedXMP="A5B0"',
)
DYNAMIC_DEPTH = packet(
    f'xmlns:Container="{GOOGLE}/container/" xmlns:Item="{GOOGLE}/container/item/"'
    ' xmlns:Device="http://ns.google.com/photos/dd/1.0/device/"',
    'Device:DataBoundary="0"',
    '<Container:Directory><rdf:Seq><rdf:li rdf:parseType="Resource"><Container:Item'
    ' Item:Mime="image/jpeg" Item:Semantic="Depth"/></rdf:li></rdf:Seq></Container:Directory>',
)
MOTION = packet(
    f'xmlns:GCamera="{GOOGLE}/camera/"',
    'GCamera:MotionPhoto="1" GCamera:MotionPhotoVersion="1"',
)


def jpeg(xmp: bytes | None = None, **options: object) -> bytes:
    buffer = io.BytesIO()
    described = {"xmp": xmp} if xmp else {}
    Pillow.fromarray(COLOURS).save(buffer, "JPEG", quality=95, **described, **options)
    return buffer.getvalue()


def with_index(xmp: bytes | None, second: bytes | None) -> bytes:
    """A JPEG whose index (MPF) names a second one; ``second``: what XMP in that one says."""
    buffer = io.BytesIO()
    described = {"xmp": xmp} if xmp else {}
    others = [Pillow.fromarray(BESIDE)]
    Pillow.fromarray(COLOURS).save(
        buffer, "MPO", save_all=True, append_images=others, quality=95, **described
    )
    data = buffer.getvalue()
    if second is None:
        return data
    begin = data.rindex(b"\xff\xd8\xff") + 2
    body = b"http://ns.adobe.com/xap/1.0/\0" + second
    return data[:begin] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + data[begin:]


SAMSUNG = {"Image_UTC_Data": 0x0A01, "MotionPhoto_Data": 0x0A30, "DualShot_DepthMap_1": 0x0AB1}
"""Kinds of blocks by their names, as exiftool lists them."""


def samsung_trailer(*names: str) -> bytes:
    blocks_, entries = b"", []
    for name in names:
        block = struct.pack("<HHI", 0, SAMSUNG[name], len(name)) + name.encode() + b"1700000000000"
        entries.append((SAMSUNG[name], len(blocks_), len(block)))
        blocks_ += block
    directory = b"SEFH" + struct.pack("<II", 106, len(entries))
    for kind, at, size in entries:
        directory += struct.pack("<HHII", 0, kind, len(blocks_) - at, size)
    return blocks_ + directory + struct.pack("<I", len(directory)) + b"SEFT"


def heic(urn: bytes, xmp: bytes | None = None) -> bytes:
    """A HEIC with an auxiliary picture; needs pillow-heif."""
    import pillow_heif

    buffer = io.BytesIO()
    file = pillow_heif.from_pillow(Pillow.fromarray(np.dstack([COLOURS, BESIDE])))
    file.save(buffer, quality=-1, chroma=444, matrix_coefficients=0, xmp=xmp)
    return with_auxiliary(buffer.getvalue(), urn)


def avif(urn: bytes, xmp: bytes | None = None) -> bytes:
    """An AVIF with an auxiliary picture."""
    buffer = io.BytesIO()
    described = {"xmp": xmp} if xmp else {}
    picture = Pillow.fromarray(np.dstack([COLOURS, BESIDE]))
    picture.save(buffer, "AVIF", quality=100, subsampling="4:4:4", **described)
    return with_auxiliary(buffer.getvalue(), urn)


def box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", 8 + len(body)) + kind + body
