"""The chunks that a WebP is made of (RFC 9649, section 2.3)."""

from collections.abc import Iterator

from upscale.system import read_at

__all__ = ["chunks"]

MOST_CHUNKS = 2**16


def chunks(descriptor: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield kind, and position and length of the contents, of each outer chunk of an open file."""
    at = 12
    for _ in range(MOST_CHUNKS):
        head = read_at(descriptor, 8, at)
        if len(head) < 8:
            return
        length = int.from_bytes(head[4:], "little")
        yield head[:4], at + 8, length
        at += 8 + length + length % 2
