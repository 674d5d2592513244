"""Send three thousand damaged files of all formats through the program in one run.

    python benchmarks/mutate.py [COUNT] [SEED] [FOLDER]

Small pictures of every format are damaged: bits flipped, ends cut off, one format's head put on
another's body, ranges inserted and removed, numbers set to extremes. All of them go through the
whole program (decoding, a tiny network, encoding) with one undamaged picture of each format; an odd
SEED runs with --to-srgb, which uses their profiles. The program must end by itself with 1 and no
traceback, and report each file once; no file may take more than 5 s; no refused file may have an
output; every output must decode; the undamaged pictures must be done. The exit status is 1 where
one of these fails. Files that crashed a codec process are listed: the same COUNT and SEED make them
again, and FOLDER keeps them.
"""

import io
import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tifffile
import torch
from PIL import Image, ImageCms, PngImagePlugin

from upscale.networks.spec import build

Levels = npt.NDArray[np.uint8]

LONGEST = 5.0
"""Seconds that one file may take."""


def sources() -> dict[str, bytes]:
    """Return one small picture or animation of every format, by name."""
    noise = np.random.default_rng(0)
    rough = [
        Image.fromarray(noise.integers(0, 256, (5, 7, 3), np.uint8)).resize((40, 28))
        for _ in range(3)
    ]
    several: dict[str, Any] = {"save_all": True, "append_images": rough[1:]}
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "Maker", 6
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Author", "somebody")
    texts.add_itxt("Title", "\u540d\u524d", lang="ja", zip=True)
    texts.add_text("parameters", "steps " * 200, zip=True)
    xmp = b"\x21\xff\x0bXMP DataXMP<x:xmpmeta/>" + bytes((1, *range(255, -1, -1), 0))
    profile = b"\x21\xff\x0bICCRGBG1012"
    for at in range(0, len(icc), 250):
        profile += bytes((len(icc[at : at + 250]),)) + icc[at : at + 250]
    kinds: list[tuple[str, str, dict[str, Any]]] = [
        ("png.png", "PNG", {"exif": exif, "dpi": (300, 300)}),
        ("palette.png", "PNG", {"bits": 8}),
        ("texts.png", "PNG", {"pnginfo": texts, "icc_profile": icc}),
        ("animated.png", "PNG", {**several, "duration": 50}),
        ("jpeg.jpg", "JPEG", {"exif": exif}),
        ("progressive.jpg", "JPEG", {"progressive": True}),
        ("comment.jpg", "JPEG", {"comment": b"said", "icc_profile": icc}),
        ("lossy.webp", "WEBP", {"exif": exif}),
        ("lossless.webp", "WEBP", {"lossless": True}),
        ("animated.webp", "WEBP", {**several, "duration": 50}),
        ("tiff.tif", "TIFF", {}),
        ("deflate.tif", "TIFF", {"compression": "tiff_adobe_deflate"}),
        ("pages.tif", "TIFF", several),
        ("avif.avif", "AVIF", {"exif": exif}),
        ("animated.avif", "AVIF", {**several, "duration": 50}),
        ("mpo.mpo", "MPO", several),
        ("dib.dib", "DIB", {}),
        ("qoi.qoi", "QOI", {}),
        ("tga.tga", "TGA", {}),
        ("dds.dds", "DDS", {}),
        ("gif.gif", "GIF", {}),
        ("animated.gif", "GIF", {**several, "duration": 50}),
        ("bmp.bmp", "BMP", {}),
        ("ppm.ppm", "PPM", {}),
        ("jp2.jp2", "JPEG2000", {}),
    ]
    made = {}
    for name, format_name, options in kinds:
        buffer = io.BytesIO()
        picture = rough[0].quantize(16) if name == "palette.png" else rough[0]
        picture.save(buffer, format_name, **options)
        made[name] = buffer.getvalue()
    plain = made["gif.gif"]
    end = 13 + 3 * 2 ** ((plain[10] & 7) + 1)
    made["blocks.gif"] = plain[:end] + xmp + profile + b"\0" + plain[end:]
    return made | tiffs(np.asarray(rough[0]), icc)


def tiffs(rgb: Levels, icc: bytes) -> dict[str, bytes]:
    """Return files of TIFF of the kinds that few programs write."""
    gray = [rgb[..., 0], rgb[..., 1]]
    ink = np.concatenate([255 - rgb, 0 * rgb[..., :1]], -1)
    kinds: dict[str, tuple[Any, dict[str, Any]]] = {
        "planes.tif": (np.stack(gray), {"planarconfig": "separate", "extrasamples": [2]}),
        "ink.tif": (ink.astype(np.float32) / 255, {"photometric": "separated"}),
        "ycbcr.tif": (rgb, {"photometric": "ycbcr", "compression": "lzw"}),
        "lzma.tif": (rgb, {"photometric": "rgb", "compression": "lzma"}),
        "half.tif": (rgb.astype(np.float16) / 255, {"photometric": "rgb"}),
        "float.tif": (rgb.astype(np.float32) / 255, {"photometric": "rgb", "iccprofile": icc}),
    }
    made = {}
    for name, (samples, options) in kinds.items():
        buffer = io.BytesIO()
        tifffile.imwrite(buffer, samples, **options)
        made[name] = buffer.getvalue()
    return made


def flip(data: bytes, others: list[bytes], chance: random.Random) -> bytes:
    damaged = bytearray(data)
    for _ in range(chance.choice((1, 2, 8, 32))):
        damaged[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return bytes(damaged)


def flip_head(data: bytes, others: list[bytes], chance: random.Random) -> bytes:
    return flip(data[:200], others, chance) + data[200:]


def cut(data: bytes, others: list[bytes], chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data))]


def splice(data: bytes, others: list[bytes], chance: random.Random) -> bytes:
    head, at = chance.choice(others), chance.choice((8, 16, 64, 256))
    return head[:at] + data[at:]


def insert(data: bytes, others: list[bytes], chance: random.Random) -> bytes:
    at, length = chance.randrange(len(data)), chance.choice((1, 7, 64, 1000))
    return data[:at] + chance.choice((bytes(length), chance.randbytes(length))) + data[at:]


def remove(data: bytes, others: list[bytes], chance: random.Random) -> bytes:
    at, length = chance.randrange(len(data)), chance.choice((1, 7, 64, 1000))
    return data[:at] + data[at + length :]


def extreme(data: bytes, others: list[bytes], chance: random.Random) -> bytes:
    """Set two or four bytes, mostly near the beginning, to the ends of their range."""
    width = chance.choice((2, 4))
    value = chance.choice(
        (0, 1, 2 ** (8 * width - 1) - 1, 2 ** (8 * width - 1), 2 ** (8 * width) - 1)
    )
    at = chance.randrange(min(len(data), chance.choice((64, 300, len(data)))))
    number = value.to_bytes(width, "big")
    return data[:at] + chance.choice((number, number[::-1])) + data[at + width :]


DAMAGES: tuple[Callable[[bytes, list[bytes], random.Random], bytes], ...] = (
    *(flip, flip_head, cut, splice, insert, remove, extreme),
)


def write_files(folder: Path, count: int, seed: int) -> list[str]:
    """Write ``count`` damaged files, and the whole ones, whose names are returned."""
    whole = sources()
    for name, data in whole.items():
        (folder / f"whole-{name.replace('.', '-')}{Path(name).suffix}").write_bytes(data)
    for number in range(count):
        chance = random.Random(f"{seed} {number}")
        name, damage = chance.choice(list(whole)), chance.choice(DAMAGES)
        damaged = damage(whole[name], list(whole.values()), chance)
        path = folder / f"{number:04}-{damage.__name__}-{name}"
        path.write_bytes(damaged)
    return [path.name for path in folder.glob("whole-*")]


def decodes(path: Path) -> bool:
    try:
        with Image.open(path) as picture:
            for frame in range(getattr(picture, "n_frames", 1)):
                picture.seek(frame)
                picture.load()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        print(f"{path.name}: {error}")
        return False
    return True


def check(
    folder: Path, undamaged: list[str], run: "subprocess.CompletedProcess[bytes]"
) -> list[str]:
    """Return what does not hold, a sentence each."""
    wrong = []
    *files, summary = [json.loads(line) for line in run.stdout.splitlines()] or [{}]
    counts = Counter(file["error"]["code"] if file["error"] else file["status"] for file in files)
    print(", ".join(f"{number} {name}" for name, number in counts.most_common()))
    print(f"longest: {max((file['seconds'], file['input']) for file in files)}" if files else "")
    for file in files:
        if file["error"] and file["error"]["code"] == "crashed":
            print(f"crashed: {file['input']}: {file['error']['message']}")
    expected = 1 if any(file["status"] == "failed" for file in files) else 0
    if (run.returncode, summary.get("exit_code")) != (expected, expected):
        wrong.append(f"the program ended with {run.returncode}")
    if b"Traceback" in run.stderr:
        wrong.append(f"a traceback: {run.stderr.decode(errors='replace')[-2000:]}")
    names = {path.name for path in (folder / "in").iterdir()}
    if Counter(Path(file["input"]).name for file in files) != Counter(names):
        wrong.append(f"{len(names)} files, {len(files)} in the report")
    wrong += [
        f"{file['input']} took {file['seconds']} s" for file in files if file["seconds"] > LONGEST
    ]
    statuses = {Path(file["input"]).name: file["status"] for file in files}
    wrong += [
        f"{name} is whole, but {statuses.get(name)}"
        for name in undamaged
        if statuses.get(name) != "done"
    ]
    promised = {folder / file["output"] for file in files if file["status"] == "done"}
    made = {path for path in (folder / "out").rglob("*") if path.is_file()}
    wrong += [f"{path.name} should not be there" for path in sorted(made - promised)]
    wrong += [f"{path.name} is missing" for path in sorted(promised - made)]
    wrong += [
        f"{path.name} does not decode" for path in sorted(made & promised) if not decodes(path)
    ]
    return wrong


def main() -> None:
    count, seed = (int(word) for word in (*sys.argv[1:3], *("3000", "0")[len(sys.argv[1:3]) :]))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(sys.argv[3] if len(sys.argv) > 3 else name).absolute()
        (folder / "in").mkdir(parents=True)
        undamaged = write_files(folder / "in", count, seed)
        torch.manual_seed(0)
        spec = {"architecture": "rrdbnet", "features": 8, "blocks": 1, "growth": 4}
        torch.save(build(spec).state_dict(), folder / "small.pth")
        command = [sys.executable, "-m", "upscale", "in", "-o", "out", "--json"]
        command += ["--model", "small.pth", *(["--to-srgb"] if seed % 2 else [])]
        begin = time.monotonic()
        run = subprocess.run(
            command, cwd=folder, capture_output=True, check=False, timeout=60 + count * LONGEST
        )
        print(f"{count} damaged files, seed {seed}: {time.monotonic() - begin:.0f} s, all stages")
        wrong = check(folder, undamaged, run)
    print("\n".join([*wrong, f"{len(wrong)} violations"]))
    raise SystemExit(1 if wrong else 0)


if __name__ == "__main__":
    main()
