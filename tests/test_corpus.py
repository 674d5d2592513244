"""Every kind of picture through the whole program, checked by readers that are not ours.

The network changes nothing but the size, so that all else is the program's doing.
"""

import io
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import corpus
import cv2
import numpy as np
import numpy.typing as npt
import pytest
import tifffile
import torch
from corpus import CAMERA, Case, nearest
from handmade import png
from identity_weights import SPEC, nearest_weights
from PIL import ExifTags, ImageCms, ImageOps, IptcImagePlugin
from PIL import Image as Pillow
from program import inside

from upscale.models.checkpoints.convert import read_checkpoint
from upscale.models.loading import load_model

CASES = corpus.cases()

RUNS = {
    "own": (),
    "png": ("--format", "png"),
    "tif": ("--format", "tif"),
    "webp": ("--format", "webp", "--lossless"),
}
"""What each run over the corpus is asked for; the first, which keeps each format, is quick."""

EACH_RUN = [name if name == "own" else pytest.param(name, marks=pytest.mark.slow) for name in RUNS]

LOSSY = {".jpg": 3, ".webp": 4, ".avif": 4}
"""Levels of 255 that an encoder may take from the middle of flat squares."""

MARGIN = 8
"""Pixels from the edge of a flat square that a lossy encoder may spoil."""

KEY = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Run:
    """What a run of the command came to."""

    folder: Path
    status: int
    records: dict[str, dict[str, Any]]
    said: str

    def output(self, case: Case) -> Path:
        """Return where the case's picture is; the test fails or is skipped where it is not."""
        assert case.name in self.records, "it was not taken for a picture"
        record = self.records[case.name]
        error = record["error"]
        if case.optional and error and error["code"] == "unsupported-format":
            pytest.skip("no reader for it in this build")
        assert record["status"] in ("done", "skipped"), error
        return self.folder / str(record["output"])


def upscale(folder: Path, *arguments: str) -> Run:
    """Run the command with weights that change nothing."""
    exact = ("--model", "nearest.pth", "--device", "cpu", "--precision", "fp32")
    found = inside(folder, *arguments, "--json", *exact)
    return Run(folder, found.status, found.by_input, found.said)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    nearest_weights(folder / "nearest.pth")
    corpus.make(folder / "in")
    return folder


@pytest.fixture(scope="module")
def run(folder: Path) -> Callable[[str], Run]:
    """Return the run of a name, made when it is first asked for."""
    made: dict[str, Run] = {}

    def get(name: str) -> Run:
        if name not in made:
            made[name] = upscale(folder, "in", "-o", name, *RUNS[name])
        return made[name]

    return get


def every(*names: str) -> pytest.MarkDecorator:
    """Parametrize by runs and all cases."""
    return some(lambda case: True, *names)


def some(
    chosen: Callable[[Case], object],
    *names: str,
    but: Callable[[Case, str], bool] = lambda case, suffix: False,
) -> pytest.MarkDecorator:
    """Parametrize by runs and those cases that are ``chosen``, ``but`` not for some outputs."""
    pairs = [
        pytest.param(
            *(name, case),
            id=f"{name}-{case.stem}",
            marks=[] if name == "own" else [pytest.mark.slow],
        )
        for name in names
        for case in CASES
        if chosen(case) and not but(case, case.suffix if name == "own" else f".{name}")
    ]
    return pytest.mark.parametrize(("name", "case"), pairs)


# Readers


@dataclass(frozen=True)
class Seen:
    """What an independent reader finds: all frames, (frames · H, W, C)."""

    pixels: npt.NDArray[Any]
    frames: int
    delays: tuple[int, ...]
    info: dict[Any, Any]


def seen(path: Path) -> Seen:
    """Read ``path`` with Pillow; where it may have 16 bits with opencv (PNG) or tifffile."""
    arrays, delays = [], []
    if is_beyond_pillow(path):
        pixels = tifffile.imread(path)
        return Seen(pixels, 1, (0,), {})
    with open(path, "rb") as file, Pillow.open(file) as picture:
        info = dict(picture.info)
        if text := info.get("XML:com.adobe.xmp"):  # of a PNG
            info["xmp"] = text.encode()
        for index in range(getattr(picture, "n_frames", 1)):
            picture.seek(index)
            picture.load()
            delays.append(round(picture.info.get("duration", 0)))
            kept = picture.mode in ("L", "LA", "RGB", "RGBA") and path.suffix != ".gif"
            array = np.asarray(picture if kept else picture.convert("RGBA"))
            arrays.append(array.reshape(*array.shape[:2], -1))
    if path.suffix == ".tif":
        with tifffile.TiffFile(path) as file:
            arrays = [page.asarray() for page in file.pages]
        arrays = [page.reshape(*page.shape[:2], -1) for page in arrays]
    elif path.suffix == ".png" and len(arrays) == 1:
        channels = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}[path.read_bytes()[25]]
        arrays = [opencv_pixels(path, channels)]
    return Seen(np.concatenate(arrays), len(arrays), tuple(delays), info)


def is_beyond_pillow(path: Path) -> bool:
    """Say whether it is a TIFF of gray and opacity with 16 bits, which Pillow does not open."""
    if path.suffix != ".tif":
        return False
    with tifffile.TiffFile(path) as file:
        page = file.pages.first
        return (page.samplesperpixel, page.bitspersample) == (2, 16)


def opencv_pixels(path: Path, channels: int) -> npt.NDArray[Any]:
    data = np.frombuffer(path.read_bytes(), np.uint8)
    found: npt.NDArray[Any] | None = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
    assert found is not None
    found = found.reshape(*found.shape[:2], -1)
    if channels < 3:
        return found[..., [0, -1][:channels]]
    return found[..., [2, 1, 0, 3][:channels]]


def with_opacity(pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Write gray as RGB and full opacity out: (H, W, 4)."""
    if pixels.shape[2] < 3:
        pixels = pixels[..., [0, 0, 0, 1][: pixels.shape[2] + 2]]
    if pixels.shape[2] == 3:
        pixels = np.pad(pixels, ((0, 0), (0, 0), (0, 1)), constant_values=255)
    return pixels


def differing(
    found: npt.NDArray[Any], expected: npt.NDArray[Any], tolerance: float, margin: int = 0
) -> list[list[int]]:
    """Return some places where levels differ by more than ``tolerance``.

    Colour that nobody sees is not looked at; full opacity must be exact. With a ``margin``, only
    places that are as far from any edge.
    """
    allowed = np.full(expected.shape, float(tolerance))
    if expected.shape[2] in (2, 4):
        allowed[..., :-1][expected[..., -1] == 0] = np.inf
        allowed[..., -1][expected[..., -1] == np.iinfo(expected.dtype).max] = 0
    if margin:
        around = np.ones((2 * margin + 1, 2 * margin + 1), np.uint8)
        edges = cv2.dilate(expected, around) != cv2.erode(expected, around)
        edges = edges.reshape(expected.shape)
        allowed[edges.any(2)] = np.inf
    places: list[list[int]] = np.argwhere(np.abs(found.astype(int) - expected) > allowed).tolist()
    return places[:3]


def exif_of(path: Path) -> tuple[dict[int, Any], dict[int, Any], dict[int, Any]]:
    """Return the fields of the first, the Exif and the GPS directory."""
    with open(path, "rb") as file, Pillow.open(file) as picture:
        exif = picture.getexif()
        details, place = (exif.get_ifd(ifd) for ifd in (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo))
        return dict(exif), dict(details), dict(place)


def space_of(profile: bytes) -> str:
    """Return the kind of colours that a profile is for: GRAY, RGB or CMYK."""
    opened = ImageCms.ImageCmsProfile(io.BytesIO(profile)).profile
    return str(opened.xcolor_space).strip()


def converted(pixels: npt.NDArray[Any], profile: bytes) -> npt.NDArray[Any]:
    """Convert (H, W, 1 or 3), uint8, from ``profile`` to sRGB by littleCMS."""
    gray = pixels.shape[2] == 1
    found = ImageCms.profileToProfile(
        Pillow.fromarray(pixels[..., 0] if gray else pixels),
        io.BytesIO(profile),
        ImageCms.createProfile("sRGB"),
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        "RGB",
    )
    assert found is not None
    return np.asarray(found)[..., :1] if gray else np.asarray(found)


# The tools of this test


def test_the_weights_enlarge_to_the_nearest_neighbour_exactly(tmp_path: Path) -> None:
    nearest_weights(tmp_path / "nearest.pth")
    assert read_checkpoint(tmp_path / "nearest.pth").spec == SPEC
    model = load_model(str(tmp_path / "nearest.pth"), device="cpu", precision="fp32")
    levels = np.random.default_rng(0).integers(0, 65535, (23, 31, 3), np.uint16, True)
    levels[0, :2] = [[0], [65535]]
    lr = torch.from_numpy(levels / np.float32(65535)).permute(2, 0, 1)[None]
    sr = model(lr)[0].permute(1, 2, 0).numpy() * 65535
    np.testing.assert_allclose(sr, nearest(levels, 4), rtol=0, atol=0.01)


def test_every_case_has_a_stem_of_its_own() -> None:
    stems = [case.stem.lower() for case in CASES]
    assert len(set(stems)) == len(stems)


UNLIKE = {
    "png-gray-2-key": "Pillow compares the key with levels that it has scaled",
    "png-gray-4-key": "Pillow compares the key with levels that it has scaled",
    "png-gray-16-key": "opencv knows no key in gray",
    "jpeg-cmyk": "Pillow leaves the profile aside",
    "jpeg-cmyk-bare": "Pillow leaves the profile aside",
    "tiff-cmyk": "Pillow leaves the profile aside",
    "apng-hidden": "Pillow takes the hidden picture for a frame",
}
"""What the readers here find otherwise than its specification has it."""


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.stem not in UNLIKE], ids=lambda case: case.stem
)
def test_the_corpus_holds_what_it_says(folder: Path, case: Case) -> None:
    path, expected, channels = folder / "in" / case.name, case.pixels, case.pixels.shape[2]
    deep = expected.dtype == np.uint16
    if path.suffix == ".tif" and deep:
        found = tifffile.imread(path)
        found = np.moveaxis(found, 0, -1) if "planar" in case.stem else found
        found = found * 65535 if found.dtype == np.float32 else found
        found = found.reshape(expected.shape)
    elif deep and path.suffix != ".avif":
        found = opencv_pixels(path, channels)
    else:
        mode, arrays = ["L", "LA", "RGB", "RGBA"][channels - 1], []
        with open(path, "rb") as file, Pillow.open(file) as picture:
            for index in range(case.frames):
                picture.seek(index)
                upright = ImageOps.exif_transpose(picture).convert(mode)
                arrays.append(np.asarray(upright).reshape(*upright.size[::-1], channels))
        found = np.concatenate(arrays)
        expected = in_8_bits(expected)
    assert found.shape == expected.shape
    assert differing(found, expected, case.tolerance) == []


def test_the_corpus_holds_the_metadata_that_it_says(folder: Path) -> None:
    for case in CASES:
        path = folder / "in" / case.name
        if case.exif:
            first, details, place = exif_of(path)
            assert first[ExifTags.Base.Make] == CAMERA.make, case.name
            assert details[ExifTags.Base.ExifImageWidth] in case.pixels.shape, case.name
            assert place[ExifTags.GPS.GPSLatitude] == CAMERA.latitude, case.name
            assert not case.noted or details[ExifTags.Base.MakerNote] == CAMERA.maker_note
        info = seen(path).info if case.profile or case.xmp or case.dpi else {}
        assert info.get("icc_profile") == case.profile, case.name
        assert info.get("xmp") == case.xmp, case.name
        if case.dpi:
            assert info["dpi"] == pytest.approx((case.dpi, case.dpi), abs=0.1), case.name
        if case.thumbnail:
            assert case.thumbnail in path.read_bytes(), case.name
        if case.delays:
            found = seen(path)
            still = found.frames - case.frames  # the hidden picture, which Pillow counts
            assert found.delays[still:] == case.delays, case.name


def in_8_bits(pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return np.round(pixels / 257).astype(np.uint8) if pixels.dtype == np.uint16 else pixels


# Pixels of every case, in every run


@pytest.mark.parametrize("name", EACH_RUN)
def test_every_picture_is_done(run: Callable[[str], Run], name: str) -> None:
    made = run(name)
    failed = {}
    for case in CASES:
        record = made.records.get(case.name, {"status": "missing", "error": None})
        code = (record["error"] or {}).get("code")
        if record["status"] != "done" and not (case.optional and code == "unsupported-format"):
            failed[case.name] = record["error"]
    assert failed == {}, made.said[-500:]
    assert len(made.records) == len(CASES)


@every(*RUNS)
def test_the_pixels_are_those_of_the_picture(
    run: Callable[[str], Run], name: str, case: Case
) -> None:
    path = run(name).output(case)
    suffix = case.suffix if name == "own" else f".{name}"
    assert path.name == f"{case.stem}_x4{suffix}"
    found, expected = seen(path), nearest(case.pixels, 4)
    assert found.frames == case.frames
    tolerance, lossy = case.tolerance, name == "own" and suffix in LOSSY
    deep = expected.dtype == np.uint16
    if deep and not (suffix in (".png", ".tif") and found.pixels.dtype == np.uint16):
        assert suffix in (".webp", ".avif") or (suffix == ".png" and case.frames > 1)
        expected, tolerance = in_8_bits(expected), -(-tolerance // 257) + 1
    assert found.pixels.dtype == expected.dtype
    pixels = found.pixels
    if suffix in (".webp", ".avif", ".gif") or case.suffix == ".gif" or case.frames > 1:
        # formats and frames that know no gray, or may say that they are opaque throughout
        pixels, expected = with_opacity(pixels), with_opacity(expected)
    assert pixels.shape == expected.shape
    margin = MARGIN if lossy else 0
    assert differing(pixels, expected, tolerance + lossy * LOSSY.get(suffix, 0), margin) == []


@pytest.mark.parametrize("name", EACH_RUN)
def test_the_report_names_the_sizes(run: Callable[[str], Run], name: str) -> None:
    keys = ("width", "height", "output_width", "output_height")
    for case in CASES:
        record = run(name).records.get(case.name, {"status": "missing"})
        if record["status"] == "done":
            height, width = len(case.pixels) // case.frames, case.pixels.shape[1]
            assert [record[key] for key in keys] == [width, height, 4 * width, 4 * height], case


@some(lambda case: case.suffix == ".avif" and case.pixels.dtype == np.uint16, "own")
def test_an_avif_of_more_than_8_bits_stays_one(
    run: Callable[[str], Run], name: str, case: Case
) -> None:
    data = run(name).output(case).read_bytes()
    at = data.index(b"pixi") + 8  # version and flags, then channels and the depth of each
    depths = set(data[at + 1 : at + 1 + data[at]])
    assert depths <= ({8} if case.pixels.shape[2] == 4 else {10, 12})  # see Encoding.depth


@some(lambda case: case.delays, *RUNS, but=lambda case, suffix: suffix == ".tif")
def test_an_animation_keeps_its_time(run: Callable[[str], Run], name: str, case: Case) -> None:
    path = run(name).output(case)
    found = seen(path)
    assert found.delays == case.delays
    once = 1 if path.suffix == ".gif" else None  # a GIF without a number is played once
    assert found.info.get("loop", once) == case.plays


@some(lambda case: case.first_only, *RUNS)
def test_pages_are_not_left_out_in_silence(
    run: Callable[[str], Run], name: str, case: Case
) -> None:
    assert case.name in run(name).said


# Metadata


@some(  # gray becomes RGB in WebP, to which its profile does not apply
    lambda case: case.profile,
    *RUNS,
    but=lambda case, suffix: case.pixels.shape[2] == 1 and suffix == ".webp",
)
def test_the_profile_is_kept_byte_for_byte(
    run: Callable[[str], Run], name: str, case: Case
) -> None:
    path = run(name).output(case)
    assert seen(path).info["icc_profile"] == case.profile


@pytest.mark.parametrize("name", EACH_RUN)
def test_a_profile_fits_its_picture(run: Callable[[str], Run], name: str) -> None:
    for path in sorted((run(name).folder / name).iterdir()):
        found = seen(path)
        if profile := found.info.get("icc_profile"):
            expected = "GRAY" if found.pixels.shape[2] < 3 else "RGB"
            assert space_of(profile) == expected, path.name


@some(lambda case: case.exif, *RUNS)
def test_exif_is_kept_and_corrected(run: Callable[[str], Run], name: str, case: Case) -> None:
    path = run(name).output(case)
    first, details, place = exif_of(path)
    height, width, _ = case.pixels.shape
    turns = {1, None} if case.suffix == ".avif" else {1}  # AVIF turns by itself
    assert first.get(ExifTags.Base.Orientation) in turns
    assert first[ExifTags.Base.Make] == CAMERA.make
    assert first[ExifTags.Base.DateTime] == CAMERA.changed
    assert details[ExifTags.Base.DateTimeOriginal] == CAMERA.taken
    size = [details.get(tag) for tag in (0xA002, 0xA003)]  # a TIFF has other fields for it
    assert size == ([None, None] if path.suffix == ".tif" else [4 * width, 4 * height])
    assert place[ExifTags.GPS.GPSLatitudeRef] == "N"
    assert place[ExifTags.GPS.GPSLatitude] == pytest.approx(CAMERA.latitude)
    if case.noted:
        assert details[ExifTags.Base.MakerNote] == CAMERA.maker_note
    with open(path, "rb") as file, Pillow.open(file) as picture:
        assert picture.getexif().get_ifd(ExifTags.IFD.IFD1) == {}
    if case.thumbnail:
        assert case.thumbnail not in path.read_bytes()


@some(lambda case: case.stem.startswith("upright"), *RUNS)
def test_no_reader_turns_an_upright_picture_again(
    run: Callable[[str], Run], name: str, case: Case
) -> None:
    assert exif_of(run(name).output(case))[0].get(ExifTags.Base.Orientation) in (1, None)


@some(lambda case: case.xmp, *RUNS)
def test_xmp_is_kept_byte_for_byte(run: Callable[[str], Run], name: str, case: Case) -> None:
    assert seen(run(name).output(case)).info["xmp"] == case.xmp


@some(lambda case: case.dpi, "own", "png", "tif")
def test_the_resolution_is_kept(run: Callable[[str], Run], name: str, case: Case) -> None:
    assert seen(run(name).output(case)).info["dpi"] == pytest.approx((case.dpi, case.dpi), abs=0.1)


@some(lambda case: case.caption, "own")
def test_a_caption_in_iptc_is_kept(run: Callable[[str], Run], name: str, case: Case) -> None:
    with Pillow.open(run(name).output(case)) as picture:
        found = IptcImagePlugin.getiptcinfo(picture)
    assert found is not None
    assert found[2, 120] == case.caption


@pytest.mark.parametrize("name", EACH_RUN)
def test_every_output_carries_the_key_to_resume_by(run: Callable[[str], Run], name: str) -> None:
    for path in sorted((run(name).folder / name).iterdir()):
        if path.suffix == ".gif":
            said = seen(path).info["comment"].decode().removeprefix("upscale:")
        elif is_beyond_pillow(path):
            with tifffile.TiffFile(path) as found:
                said = found.pages.first.tags["ExifTag"].value["ImageUniqueID"]
        else:
            said = exif_of(path)[1][ExifTags.Base.ImageUniqueID]
        assert KEY.fullmatch(said), path.name


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")
@pytest.mark.parametrize("name", EACH_RUN)
def test_exiftool_finds_the_same_and_nothing_to_complain_of(
    run: Callable[[str], Run], name: str
) -> None:
    made = run(name)
    command = ["exiftool", "-json", "-n", "-G", "-warning", "-EXIF:all", "-XMP:all", name]
    process = subprocess.run(command, cwd=made.folder, capture_output=True, check=True)
    found = {Path(each["SourceFile"]).name: each for each in json.loads(process.stdout)}
    for case in CASES:
        if made.records.get(case.name, {"status": "missing"})["status"] != "done":
            continue
        each = found[made.output(case).name]
        warning = each.get("ExifTool:Warning", "")
        assert not warning or warning.startswith("[minor]"), case.name
        assert each.get("EXIF:Orientation", 1) == 1, case.name
        assert "EXIF:ThumbnailLength" not in each, case.name
        if case.exif:
            assert each["EXIF:Make"] == CAMERA.make
            assert each["EXIF:DateTimeOriginal"] == CAMERA.taken
            degrees, minutes, seconds = CAMERA.latitude
            latitude = degrees + minutes / 60 + seconds / 3600
            assert each["EXIF:GPSLatitude"] == pytest.approx(latitude)
            is_tiff = made.output(case).suffix == ".tif"
            assert each.get("EXIF:ExifImageWidth") == (
                None if is_tiff else 4 * case.pixels.shape[1]
            )
        if case.xmp:
            assert each["XMP:Format"] == "kept"


# A second run, and what else can be asked for


def test_a_second_run_skips_everything(folder: Path, run: Callable[[str], Run]) -> None:
    first = run("own")
    before = {path: path.stat().st_mtime_ns for path in (folder / "own").iterdir()}
    second = upscale(folder, "in", "-o", "own", *RUNS["own"])
    done = {name for name, record in first.records.items() if record["status"] == "done"}
    skipped = {name for name, record in second.records.items() if record["status"] == "skipped"}
    assert skipped == done
    assert second.status == first.status
    assert {path: path.stat().st_mtime_ns for path in (folder / "own").iterdir()} == before


def chosen(folder: Path, name: str, cases: list[Case], *arguments: str) -> Run:
    """Run over some of the cases, which go to a folder of their own."""
    (folder / f"in-{name}").mkdir()
    for case in cases:
        shutil.copy(folder / "in" / case.name, folder / f"in-{name}")
    return upscale(folder, f"in-{name}", "-o", name, *arguments)


def test_strip_leaves_the_pixels_the_profile_and_the_key(folder: Path) -> None:
    cases = [case for case in CASES if case.stem.startswith("metadata")]
    made = chosen(folder, "strip", cases, "--strip")
    assert len(cases) == 5
    for case in cases:
        path = made.output(case)
        first, details, place = exif_of(path)
        info = seen(path).info
        assert info["icc_profile"] == case.profile
        assert not {ExifTags.Base.Make, ExifTags.Base.DateTime} & first.keys(), path.name
        private = {ExifTags.Base.DateTimeOriginal, ExifTags.Base.MakerNote}
        assert not private & details.keys(), path.name
        assert place == {}, path.name
        assert KEY.fullmatch(details[ExifTags.Base.ImageUniqueID]), path.name
        assert "xmp" not in info, path.name
        assert info.get("dpi") != pytest.approx((corpus.DPI, corpus.DPI), abs=1), path.name
        data = path.read_bytes()
        for block in (CAMERA.make.encode(), b"xmpmeta", corpus.CAPTION, case.thumbnail or b"FFFF"):
            assert block not in data, path.name


def test_to_srgb_converts_as_littlecms_does(folder: Path) -> None:
    stems = ("profile-wide-png", "profile-gray-png", "profile-wide-tif", "png-3-8")
    cases = [case for case in CASES if case.stem in stems]
    made = chosen(folder, "srgb", cases, "--to-srgb", "--format", "png")
    for case in cases:
        expected = converted(case.pixels, case.profile) if case.profile else case.pixels
        if case.profile:
            assert np.abs(expected.astype(int) - case.pixels).max() > 10  # it is no small matter
        found = seen(made.output(case))
        assert found.pixels.shape[2] == case.pixels.shape[2]
        assert differing(found.pixels, nearest(expected, 4), 2) == []
        profile = found.info.get("icc_profile")
        assert profile != case.profile or profile is None
        if profile:
            white = Pillow.new("RGB", (1, 1), (200, 30, 90))
            again = converted(np.asarray(white), profile)
            assert np.abs(again.astype(int) - np.asarray(white)).max() <= 1


# Exact sizes


SQUARE = 20
"""Side of the squares, 3 × 2 of them, of the picture that is brought to a size."""


@pytest.fixture(scope="module")
def squares(folder: Path) -> npt.NDArray[Any]:
    """The colours (2, 3, 3) of the squares in ``squares.png``, which is 60 × 40."""
    colours = np.random.default_rng(7).integers(0, 255, (2, 3, 3), np.uint8, True)
    (folder / "squares.png").write_bytes(png(nearest(colours, SQUARE), 8))
    return colours


@pytest.mark.parametrize(
    ("arguments", "size", "scale", "shift"),
    [
        ("--scale 2", (120, 80), (2, 2), 0),
        ("--scale 2.5", (150, 100), (2.5, 2.5), 0),
        ("--scale 1", (60, 40), (1, 1), 0),
        ("--scale 8", (480, 320), (8, 8), 0),
        ("--size 100x80 --fit fit", (100, 67), (5 / 3, 67 / 40), 0),
        ("--size 100x80 --fit fill", (100, 80), (2, 2), 10),
        ("--size 100x80 --fit stretch", (100, 80), (5 / 3, 2), 0),
        ("--long-edge 90", (90, 60), (1.5, 1.5), 0),
        ("--megapixels 0.0216", (180, 120), (3, 3), 0),
        ("--tta", (240, 160), (4, 4), 0),
    ],
)
def test_an_exact_size_is_met_and_shows_the_picture(
    folder: Path,
    squares: npt.NDArray[Any],
    arguments: str,
    size: tuple[int, int],
    scale: tuple[float, float],
    shift: int,
) -> None:
    """``shift``: columns that are cut off on the left."""
    output = folder / f"{arguments.replace(' ', '').strip('-')}.png"
    given = ["squares.png", "-o", output.name, *arguments.split()]
    given += ["--model", "nearest.pth", "--device", "cpu", "--precision", "fp32"]
    made = inside(folder, *given)
    assert made.status == 0, made.said
    pixels = seen(output).pixels
    assert pixels.shape == (size[1], size[0], 3)
    rows = np.round((np.arange(2) + 0.5) * SQUARE * scale[1]).astype(int)
    columns = np.round((np.arange(3) + 0.5) * SQUARE * scale[0]).astype(int) - shift
    found = pixels[np.ix_(rows, columns)].astype(int)
    assert np.abs(found - squares).max() <= 1
    if arguments == "--tta":
        np.testing.assert_array_equal(pixels, nearest(squares, 4 * SQUARE))


@pytest.mark.parametrize("scale", ["1.5", "3"])
def test_no_fringe_appears_around_a_cut_out(folder: Path, scale: str) -> None:
    """The disk has one colour, so that each visible pixel must have it, however faint."""
    cases = [case for case in CASES if case.stem == "png-cut-out-8"]
    made = chosen(folder, f"scaled-{scale}", cases, "--scale", scale)
    pixels = seen(made.output(cases[0])).pixels.astype(int)
    visible = pixels[..., 3] > 0
    assert 0 < visible.mean() < 1
    colour = cases[0].pixels[24, 24, :3].astype(int)
    assert np.abs(pixels[..., :3] - colour)[visible].max() <= 1
