import io
import struct
import zipfile
from pathlib import Path

import pytest

from upscale.errors import InputError
from upscale.serving.requests.archive import members

HERE = Path("pictures.zip")


def zipped(files: dict[str, bytes], kind: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", kind) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def read(data: bytes) -> dict[str, bytes]:
    return {name: b"".join(content) for name, content in members(HERE, io.BytesIO(data))}


def test_files_come_out_and_what_nobody_sees_does_not() -> None:
    files = {"a.png": b"a" * 9, "b/c.jpg": b"c", "b/": b"", ".DS_Store": b"x", "__MACOSX/a": b"x"}
    assert read(zipped(files)) == {"a.png": b"a" * 9, "b/c.jpg": b"c"}


@pytest.mark.parametrize("cut", [5, 60, 150])
def test_a_damaged_archive_is_refused(cut: int) -> None:
    data = zipped({"a.png": bytes(range(256)) * 4})
    with pytest.raises(InputError) as caught:
        read(data[:cut])
    assert caught.value.code == "decode-error"
    flipped = bytearray(data)
    flipped[cut] ^= 0xFF
    if cut == 60:  # within the compressed bytes
        with pytest.raises(InputError) as caught:
            read(bytes(flipped))
        assert caught.value.code == "decode-error"


def test_an_archive_with_a_password_is_refused() -> None:
    data = bytearray(zipped({"a.png": b"abc"}))
    for signature, at in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        place = data.index(signature) + at
        data[place] |= 1  # "encrypted", APPNOTE.TXT 4.4.4
    with pytest.raises(InputError) as caught:
        read(bytes(data))
    assert caught.value.code == "unsupported-format"


def test_a_directory_too_large_for_memory_is_not_read() -> None:
    data = bytearray(zipped({"a.png": b"abc"}))
    at = data.index(b"PK\5\6")
    struct.pack_into("<L", data, at + 12, 2**30)
    with pytest.raises(InputError) as caught:
        read(bytes(data))
    assert caught.value.code == "too-large"
    with pytest.raises(InputError) as caught:  # the form with 64 bits, whatever it says
        read(data[:at] + b"PK\6\7" + bytes(16) + data[at:])
    assert caught.value.code == "too-large"
