"""The commands that README.md and docs/ show do what they say, where they need no network."""

from collections.abc import Callable
from pathlib import Path

import pytest
from carried import Kept, png
from documents import PAGES, ROOT, commands
from PIL import Image
from program import flat_weights, inside, noise, picture, piped

from upscale.stores.urls import is_url

ELSEWHERE = (
    *("train", "bench", "--valid", "rate", "ui", "--watch", "--raw", "pull", "realesrgan"),
    *("--best", "--cluster", "--device", "--workers"),
)
"""Words of commands that need hours, people, other pictures, a stream, other processes or the
network."""

OTHER_COMMANDS = ("compare", "convert", "data", "models", "--help")


def large(path: Path) -> None:
    picture(path, 480, 320)


def small(path: Path) -> None:
    picture(path, 12, 8)


def tiff(path: Path) -> None:
    Image.fromarray(noise(8, 12)).save(path, "TIFF")


def warned_of(path: Path) -> None:
    """Write a JPEG with two bytes between its segments, which decoders warn of."""
    small(path)
    data = path.read_bytes()
    at = data.index(b"\xff\xdb")
    path.write_bytes(data[:at] + b"\x01\x02" + data[at:])


def paths(path: Path) -> None:
    path.write_text("photo.png\n")
    small(path.with_name("photo.png"))


def best(path: Path) -> None:
    flat_weights(path.with_name("best.pth"))
    assert inside(path.parent, "convert", "best.pth", path.name).status == 0


THINGS: dict[str, Callable[[Path], None]] = {
    "photo.jpg": small,
    "photo.png": small,
    "photo_x4.png": lambda path: picture(path, 48, 32),
    "old.png": small,
    "bricks.png": small,
    "broken.jpg": warned_of,
    "scan.tif": tiff,
    "holiday/one.png": small,
    "holiday/beach/two.jpg": small,
    "scans/box/one.tif": tiff,
    "more.txt": paths,
    "gan.pth": flat_weights,
    "psnr.pth": flat_weights,
    "runs/srgan-1/best.safetensors": best,
}
"""What the commands speak of, and how it is made."""


def offline(page: Path) -> list[list[str]]:
    found = {tuple(words): words for words in commands(page)}.values()
    return [
        words
        for words in found
        if not any(word in ELSEWHERE or word.startswith(("hf://", "s3://")) for word in words)
        and ("-" not in words or "<" in words)
    ]


def lightened(words: list[str]) -> list[str]:
    """Add a small network to a command that leaves the choice of one to the program."""
    if "--model" in words or words[0] in OTHER_COMMANDS:
        return words
    one = [] if words[0] in ("sweep", "doctor") else ["--jobs", "1"]
    ends = ["--psnr", "psnr.pth"] if {"--alpha", "--alphas"} & {*words} else []
    return [*words, "--model", "gan.pth", *ends, *one]


def every_part(words: list[str]) -> list[list[str]]:
    """Add the other parts to a command that makes one of them, which may hold no picture."""
    if "--shard" not in words:
        return [words]
    at = words.index("--shard") + 1
    count = int(words[at].partition("/")[2])
    return [[*words[:at], f"{index}/{count}", *words[at + 1 :]] for index in range(count)]


def check(words: list[str], folder: Path) -> None:
    """Make what ``words`` name, run them in ``folder``, and see what comes of it."""
    named = {word.lstrip("@").split("/")[0] for word in words}
    sized = {"--size", "--long-edge", "--megapixels"} & {*words}
    for name, make in THINGS.items():
        if name.split("/")[0] in named:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            (large if sized and name == "photo.png" else make)(path)
    if words[0] == "audit":
        audited(folder, words)
        return
    before = set(folder.rglob("*"))
    if "<" in words:
        at = words.index("<")
        typed, (source, _, target) = words[:at] + words[at + 4 :], words[at + 1 : at + 4]
        status, out, said = piped(folder, (folder / source).read_bytes(), *typed)
        (folder / target).write_bytes(out)
    else:
        for each in every_part(words):
            outcome = inside(folder, *each)
            status, said = outcome.status, outcome.said
            if status:
                break
    assert status == 0, said
    made = {path for path in set(folder.rglob("*")) - before if path.is_file()}
    writes = "--dry-run" not in words and words[0] not in ("--help", "data", "models", "doctor")
    assert bool(made) == writes, said
    if "-o" in words and "-" not in words and writes:
        wanted = folder / words[words.index("-o") + 1]
        assert any(path.is_relative_to(wanted) for path in made)


@pytest.mark.parametrize("words", offline(ROOT / "README.md"), ids=" ".join)
def test_the_commands_of_readme_work(words: list[str], tmp_path: Path) -> None:
    check(words, tmp_path)


STORED = [
    words
    for page in PAGES
    for words in commands(page)
    if "s3://" in " ".join(words) and "--cluster" not in words
]


def audited(folder: Path, words: list[str]) -> None:
    """Run what an audit is of, and then the audit, which finds nothing."""
    source, output, *options = words[1:]
    for own in {"--report", "--sample"} & {*options}:
        at = options.index(own)
        del options[at : at + 2]
    run = inside(folder, source, "-o", output, *options)
    assert run.status == 0, run.said
    outcome = inside(folder, *words)
    assert outcome.status == 0, outcome.out + outcome.said


@pytest.mark.slow
@pytest.mark.parametrize("words", STORED, ids=" ".join)
def test_the_commands_with_addresses_work(words: list[str], tmp_path: Path) -> None:
    """A storage in memory takes the place of the one that is shown."""
    kept = Kept(tmp_path)
    words = [word.replace("s3:/", kept.root) for word in lightened(words)]
    for name in ("photo.png", "holiday/one.png", "holiday/beach/two.png"):
        kept.put(f"pictures/{name}", png())
    flat_weights(tmp_path / "gan.pth")
    (tmp_path / "new.csv").write_text("key\nphoto.png\nholiday/one.png\n")
    (tmp_path / "holiday").mkdir()
    small(tmp_path / "holiday" / "one.png")
    if words[0] == "audit":
        audited(tmp_path, words)
        return
    for each in every_part(words):
        outcome = inside(tmp_path, *each)
        assert outcome.status == 0, outcome.said
    root = words[words.index("-o") + 1]
    if is_url(root):
        assert any(entry.url.startswith(root) for entry in kept.store.list(f"{kept.root}/large"))
    else:
        assert any((tmp_path / root).rglob("*.png"))


OTHERS = [words for page in PAGES if page.parent.name == "docs" for words in offline(page)]


@pytest.mark.slow
@pytest.mark.parametrize("words", OTHERS, ids=" ".join)
def test_the_commands_of_the_pages_work(words: list[str], tmp_path: Path) -> None:
    check(lightened(words), tmp_path)
