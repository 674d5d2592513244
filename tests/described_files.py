"""Files whose metadata stand as cameras and Photoshop write them, and as they should not."""

import io
import struct
import zlib

import numpy as np
from handmade import chunk
from PIL import Image as Pillow
from PIL import ImageCms

ROWS, COLUMNS = np.mgrid[0:16, 0:24]
PIXELS = np.stack([COLUMNS * 9, ROWS * 9, ROWS + COLUMNS], 2).astype(np.uint8)
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
OTHER = SRGB[:80] + b"TEST" + SRGB[84:]
"""The same profile by another maker."""

XMP = b"http://ns.adobe.com/xap/1.0/\0"
PHOTOSHOP = b"Photoshop 3.0\0"


def exif(make: str, orientation: int = 1) -> bytes:
    found = Pillow.Exif()
    found[0x10F], found[0x112] = make, orientation
    return found.tobytes()


def xmp(make: str, more: str = "") -> bytes:
    return (
        '<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf='
        '"http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description xmlns:tiff='
        f'"http://ns.adobe.com/tiff/1.0/" tiff:Make="{make}"{more}/></rdf:RDF></x:xmpmeta>'
        '<?xpacket end="w"?>'
    ).encode()


def iptc(title: str) -> bytes:
    texts = ((5, title), (25, "one"), (25, "two"), (120, "A longer caption"))
    return b"".join(struct.pack(">BBBH", 0x1C, 2, n, len(t)) + t.encode() for n, t in texts)


def resource(number: int, data: bytes) -> bytes:
    return b"8BIM" + struct.pack(">HHI", number, 0, len(data)) + data + b"\0" * (len(data) % 2)


def saved(kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    Pillow.fromarray(PIXELS).save(buffer, kind, **options)
    return buffer.getvalue()


def segment(marker: int, data: bytes) -> bytes:
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(data) + 2) + data


def jpeg(*segments: bytes) -> bytes:
    plain = saved("JPEG", quality=95)
    return plain[:2] + b"".join(segments) + plain[2:]


def icc(number: int, count: int, part: bytes) -> bytes:
    return segment(0xE2, b"ICC_PROFILE\0" + bytes([number, count]) + part)


def iccp(profile: bytes) -> bytes:
    return chunk(b"iCCP", b"x\0\0" + zlib.compress(profile))


def packet(xmp: bytes) -> bytes:
    return chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp)


def png(*early: bytes, late: bytes = b"") -> bytes:
    plain = saved("PNG")
    return plain[:33] + b"".join(early) + plain[33:-12] + late + plain[-12:]


def webp(flags: int, *chunks: tuple[bytes, bytes]) -> bytes:
    """With a head, the picture of a plain file, and chunks around it."""
    plain = saved("WEBP", lossless=True)
    sides = struct.pack("<II", PIXELS.shape[1] - 1, PIXELS.shape[0] - 1)
    head = bytes([flags, 0, 0, 0]) + sides[:3] + sides[4:7]
    before = [each for each in chunks if each[0] == b"ICCP"]
    after = [each for each in chunks if each[0] != b"ICCP"]
    body = b"WEBP" + riff(b"VP8X", head) + b"".join(riff(*each) for each in before)
    body += plain[12:] + b"".join(riff(*each) for each in after)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def riff(kind: bytes, data: bytes) -> bytes:
    return kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


A, B = exif("A"), exif("B")
TITLE, LATER = iptc("Title"), iptc("Later")

FILES: dict[str, tuple[bytes, int]] = {
    "exif-after-xmp.jpg": (jpeg(segment(0xE1, XMP + xmp("B")), segment(0xE1, exif("A", 6))), 0),
    "exif-twice.jpg": (jpeg(segment(0xE1, A), segment(0xE1, B)), 1),
    "exif-the-same-twice.jpg": (jpeg(segment(0xE1, A), segment(0xE1, A)), 0),
    "exif-in-two-parts.jpg": (jpeg(segment(0xE1, A[:30]), segment(0xE1, A[:6] + A[30:])), 0),
    "exif-garbage.jpg": (jpeg(segment(0xE1, b"Exif\0\0garbage!")), 1),
    "xmp-twice.jpg": (jpeg(segment(0xE1, XMP + xmp("A")), segment(0xE1, XMP + xmp("B"))), 1),
    "icc-in-any-order.jpg": (jpeg(icc(2, 2, OTHER[300:]), icc(1, 2, OTHER[:300])), 0),
    "icc-twice.jpg": (jpeg(icc(1, 1, SRGB), icc(1, 1, OTHER)), 1),
    "icc-of-no-parts.jpg": (jpeg(icc(0, 0, OTHER)), 1),
    "iptc-in-a-second-segment.jpg": (
        jpeg(
            segment(0xED, PHOTOSHOP + resource(0x3ED, bytes(16))),
            segment(0xED, PHOTOSHOP + resource(0x404, TITLE)),
        ),
        0,
    ),
    "iptc-over-two-segments.jpg": (
        jpeg(
            segment(0xED, PHOTOSHOP + resource(0x404, TITLE)[:40]),
            segment(0xED, PHOTOSHOP + resource(0x404, TITLE)[40:]),
        ),
        0,
    ),
    "iptc-twice.jpg": (
        jpeg(
            segment(0xED, PHOTOSHOP + resource(0x404, TITLE)),
            segment(0xED, PHOTOSHOP + resource(0x404, LATER)),
        ),
        1,
    ),
    "unknown.jpg": (jpeg(segment(0xE3, b"Meta\0\0II*\0"), segment(0xEC, b"[picture info]")), 1),
    "exif-with-a-prefix.png": (png(chunk(b"eXIf", exif("A", 6))), 0),
    "exif-twice.png": (png(chunk(b"eXIf", A[6:]), chunk(b"eXIf", B[6:])), 1),
    "exif-before-and-behind.png": (png(chunk(b"eXIf", A[6:]), late=chunk(b"eXIf", B[6:])), 1),
    "exif-garbage.png": (png(chunk(b"eXIf", b"garbage!")), 1),
    "xmp-twice.png": (png(packet(xmp("A")), packet(xmp("B"))), 1),
    "icc-twice.png": (png(iccp(SRGB), iccp(OTHER)), 1),
    "icc-damaged.png": (png(chunk(b"iCCP", b"x\0\0damaged")), 1),
    "icc-behind.png": (png(late=iccp(OTHER)), 1),
    "icc-beside-gamma.png": (png(chunk(b"gAMA", struct.pack(">I", 100_000)), iccp(OTHER)), 0),
    "all.webp": (webp(0x2C, (b"ICCP", OTHER), (b"EXIF", exif("A", 6)[6:]), (b"XMP ", xmp("B"))), 0),
    "exif-with-a-prefix.webp": (webp(0x08, (b"EXIF", exif("A", 6))), 0),
    "exif-twice.webp": (webp(0x08, (b"EXIF", A[6:]), (b"EXIF", B[6:])), 1),
    "icc-twice.webp": (webp(0x20, (b"ICCP", SRGB), (b"ICCP", OTHER)), 1),
    "exif-not-announced.webp": (webp(0, (b"EXIF", exif("A", 6)[6:])), 0),
    "xmp-not-announced.webp": (webp(0, (b"XMP ", xmp("A", ' tiff:Orientation="6"'))), 0),
    "icc-not-announced.webp": (webp(0, (b"ICCP", OTHER)), 1),
    "unknown.webp": (webp(0x08, (b"ABCD", b"xyz"), (b"EXIF", A[6:])), 0),
}
"""By name: the bytes, and how many lines say what is left out."""
