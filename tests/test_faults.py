"""Every row of the table of faults, as a user meets it: through the command line."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile
import torch
from faulty_files import (
    BLOCKS,
    NAMES,
    PROFILE,
    THUMBNAIL,
    blocks_beside,
    cut,
    described,
    encoded,
    enlarged,
    fill,
    foreign,
    kinds,
    noise,
    refused_files,
    unusual,
)
from forked import Forked
from identity_weights import SPEC, nearest_weights
from PIL import ExifTags, ImageOps
from PIL import Image as Pillow
from program import Outcome, finish, inside

from upscale.networks.layers import Convolution
from upscale.pixels.image import Pixels

HERE = Path(__file__).parent

ROWS: dict[int, tuple[str, ...]] = {
    1: ("test_faults.py::test_row_1_an_empty_file_is_no_image",),
    2: ("test_faults.py::test_row_2_what_looks_like_something_else_is_called_so",),
    3: ("test_faults.py::test_row_3_a_png_named_jpg_is_decoded_by_its_content",),
    4: ("test_faults.py::test_row_4_a_jpeg_that_is_cut_is_refused",),
    5: ("test_faults.py::test_row_5_other_formats_that_are_cut_are_refused",),
    6: ("test_faults.py::test_row_6_flipped_bits_under_a_good_header_are_refused",),
    7: ("test_faults.py::test_row_7_a_bomb_is_refused_by_its_header",),
    8: ("test_faults.py::test_row_8_a_million_and_one_pixels_in_a_row_are_refused",),
    9: ("test_faults.py::test_row_9_a_picture_without_pixels_is_no_image",),
    10: ("test_faults.py::test_row_10_a_single_pixel_row_or_column_works",),
    11: ("test_faults.py::test_row_11_a_picture_narrower_than_the_overlap_is_one_tile",),
    12: ("test_faults.py::test_row_12_few_bits_palettes_and_colour_keys_are_expanded",),
    13: ("test_faults.py::test_row_13_gray_stays_gray",),
    14: (
        "test_faults.py::test_row_14_opacity_stays_and_transparent_black_leaves_no_fringe",
        "upscaling/test_engine.py::test_no_dark_fringe_at_a_cut_out",
    ),
    15: ("test_faults.py::test_row_15_16_bits_stay_16_bits",),
    16: ("test_faults.py::test_row_16_10_and_12_bits_of_avif_are_scaled_by_the_true_depth",),
    17: ("test_faults.py::test_row_17_floating_point_never_becomes_zeros_in_silence",),
    18: ("test_faults.py::test_row_18_cmyk_becomes_rgb",),
    19: ("test_faults.py::test_row_19_a_wide_gamut_profile_is_carried_byte_for_byte",),
    20: (
        "test_faults.py::test_row_20_every_orientation_is_made_upright",
        "test_faults.py::test_row_20_dates_and_place_are_kept_and_the_thumbnail_dropped",
    ),
    21: ("test_faults.py::test_row_21_metadata_that_is_huge_or_corrupt_is_dropped_with_a_warning",),
    22: (
        "test_faults.py::test_row_22_every_frame_is_kept_where_the_format_can",
        "test_faults.py::test_row_22_the_first_frame_alone_comes_with_a_warning",
    ),
    23: ("test_faults.py::test_row_23_formats_without_a_reader_say_what_helps",),
    24: ("test_faults.py::test_row_24_what_is_no_regular_file_is_skipped_unopened",),
    25: ("test_faults.py::test_row_25_links_that_lead_nowhere_are_reported",),
    26: (
        "test_faults.py::test_row_26_a_file_that_cannot_be_read_fails_alone",
        "test_faults.py::test_row_26_files_that_vanish_or_change_fail_alone",
    ),
    27: ("test_faults.py::test_row_27_names_that_are_not_utf8_work",),
    28: ("test_faults.py::test_row_28_odd_names_work",),
    29: ("test_faults.py::test_row_29_two_pictures_for_one_name_are_found_before_any_work",),
    30: (
        "cli/run/test_run.py::test_what_makes_no_sense_is_refused_in_a_sentence_before_any_work",
        "test_faults.py::test_row_30_outputs_inside_the_input_folder_are_no_inputs",
    ),
    31: ("test_faults.py::test_row_31_a_finished_output_is_skipped_and_another_file_spared",),
    32: ("test_faults.py::test_row_32_a_side_that_the_format_cannot_hold_is_refused_before_work",),
    33: ("test_faults.py::test_row_33_a_full_disk_stops_the_run_with_a_whole_report",),
    34: (
        "test_faults.py::test_row_34_a_folder_that_cannot_be_made_ends_before_the_model",
        "test_faults.py::test_row_34_a_folder_without_permission_ends_before_the_model",
    ),
    35: ("test_faults.py::test_row_35_a_path_that_leaves_the_output_folder_is_refused",),
    36: (
        "cli/run/test_run.py::test_a_signal_stops_a_picture_within_two_seconds",
        "models/fetching/test_download.py::test_a_signal_stops_a_download",
        "test_faults.py::test_row_36_a_signal_stops_decoding_and_encoding",
        "test_faults.py::test_row_36_a_second_signal_leaves_at_once",
    ),
    37: ("test_faults.py::test_row_37_a_killed_run_is_taken_up_where_it_was",),
    38: ("test_faults.py::test_row_38_two_runs_over_one_folder_both_end_well",),
    39: (
        "cli/terminal/test_console.py::test_a_closed_output_and_no_colour_are_no_failure",
        "cli/terminal/test_console.py::test_no_standard_streams_are_no_failure",
        "cli/terminal/test_console.py::test_a_locale_that_is_not_utf8_is_no_failure",
    ),
    40: ("test_faults.py::test_row_40_a_codec_that_crashes_loses_one_file",),
    41: (
        "models/test_cache.py::test_a_flipped_byte_in_the_cache_is_found",
        "models/test_cache.py::test_a_file_with_another_hash_is_thrown_away",
        "models/test_cache.py::test_offline_nothing_is_asked",
        "models/test_cache.py::test_two_processes_at_once_download_once",
        "models/fetching/test_download.py::test_wrong_bytes_are_refused_with_both_hashes",
        "models/checkpoints/test_convert.py::test_missing_key_is_refused_by_name",
        "models/checkpoints/test_convert.py::test_wrong_shape_is_refused_with_both_shapes",
        "models/checkpoints/test_convert.py::test_number_that_is_not_finite_is_refused",
        "models/checkpoints/test_convert.py::test_pickle_that_would_run_code_is_refused_and_not_run",
        "models/checkpoints/test_convert.py::test_zip_bomb_is_refused_before_it_is_unpacked",
        "models/checkpoints/test_convert.py::test_file_that_is_cut_off_is_refused",
        "models/checkpoints/test_convert.py::test_file_that_is_no_checkpoint_is_refused_for_what_it_is",
        "test_faults.py::test_row_41_weights_that_are_none_are_refused",
    ),
    42: (
        "cli/run/test_run.py::test_cuda_that_is_not_there_is_refused",
        "test_faults.py::test_row_42_auto_falls_back_to_the_cpu",
    ),
    43: (
        "upscaling/test_engine.py::test_lack_of_memory_makes_smaller_bands_and_tiles_of_the_same_picture",
        "upscaling/test_engine.py::test_too_little_memory_for_the_smallest_tile_is_an_error",
        "test_faults.py::test_row_43_too_little_memory_for_the_smallest_tile_ends_the_run",
    ),
    44: (
        "upscaling/test_engine.py::test_what_half_precision_cannot_hold_is_done_again_in_float32",
        "test_faults.py::test_row_44_numbers_that_are_not_finite_fail_the_picture",
    ),
    45: (
        "pictures/reading/test_reader.py::test_a_gain_map_is_left_out_and_no_longer_spoken_of",
        "pictures/containers/test_companions.py::"
        "test_the_picture_is_read_and_the_output_claims_nothing_more",
    ),
    46: (
        "pictures/reading/test_colours.py::test_colours_stay_what_the_file_says",
        "pictures/reading/test_colours.py::test_to_srgb_obeys_what_the_file_says",
        "pictures/reading/test_colours.py::test_hdr_that_a_format_cannot_say_is_named",
    ),
    47: (
        "pictures/metadata/found/test_raw_profile.py::test_a_png_is_turned_by_it_as_by_exif",
        "pictures/metadata/test_xmp.py::test_the_orientation_is_found_as_attribute_and_as_element",
        "pictures/containers/heif/test_primary.py::test_opacity_is_turned_with_its_colours",
    ),
    48: ("pictures/decoders/tiff/test_decoder.py::test_every_combination_is_right_or_refused",),
    49: (
        "test_faults.py::test_row_49_a_sound_file_of_an_unusual_kind_is_read_or_called_unsupported",
        "pictures/decoders/tiff/test_decoder.py::test_jpeg_of_12_bits_is_sound_but_not_read",
    ),
    50: ("test_faults.py::test_row_50_every_collision_is_named_at_once_and_ext_tells_them_apart",),
    51: (
        "test_faults.py::test_row_51_a_block_that_is_lost_or_moved_is_named",
        "pictures/writing/test_fitting.py::test_iptc_fits_a_jpeg_or_is_left_out_with_a_warning",
        "pictures/writing/test_encoder.py::test_every_field_of_iptc_reaches_a_tiff_and_leaves_it",
    ),
    52: ("models/checkpoints/test_readings.py::test_generator_is_found_in_any_wrapper",),
    53: (
        "models/fetching/test_package_clients.py::test_without_pip_the_message_says_what_to_install",
    ),
    54: ("cli/test_app.py::test_a_run_with_nothing_to_do_never_imports_torch",),
    55: (
        "models/test_precision.py::test_the_quickest_is_taken",
        "models/test_precision.py::test_a_model_measures_where_there_is_a_choice",
    ),
}


def test_every_row_has_its_tests() -> None:
    assert [row for row in ROWS if row < 45] == list(range(1, 45))
    assert list(ROWS) == sorted(ROWS)
    named: dict[str, set[str]] = {}
    for name in (name for names in ROWS.values() for name in names):
        file, _, function = name.partition("::")
        named.setdefault(file, set()).add(function)
    for file, functions in named.items():
        there = re.findall(r"^def (\w+)\(", (HERE / file).read_text(), re.M)
        assert functions <= set(there), file


# One folder with everything in it, and one run


LOSSY = 4.0
"""Levels by which flat blocks may be off in the mean; another orientation is 80 off."""


def error(found: Pixels, expected: Pixels) -> float:
    return float(np.abs(found.astype(float) - expected).mean())


def opened(path: Path) -> Pixels:
    with Pillow.open(path) as found:
        return np.asarray(found)


@dataclass(frozen=True)
class Met:
    """What a run made of the folder ``pictures`` in ``folder``."""

    folder: Path
    outcome: Outcome

    def record(self, name: str) -> dict[str, Any]:
        return self.outcome.by_input[name]

    def refused(self, name: str) -> tuple[str, str]:
        """The code and the message; there must be no output."""
        record = self.record(name)
        assert record["status"] == "failed", record
        assert not list((self.folder / "out").glob(f"{Path(name).stem}_x4.*"))
        message = record["error"]["message"]
        assert name in message or Path(record["output"]).name in message
        return record["error"]["code"], record["error"]["message"]

    def codes(self, row: int) -> dict[str, str]:
        """The code of each refused file of a row."""
        names = [name for name in refused_files() if name.startswith(f"{row}-")]
        return {name: self.refused(name)[0] for name in names}

    def made(self, name: str) -> Path:
        record = self.record(name)
        assert (record["status"], record["error"]) == ("done", None), record
        return self.folder / str(record["output"])

    def pixels(self, name: str, mode: str | None = None) -> Pixels:
        with Pillow.open(self.made(name)) as found:
            return np.asarray(found.convert(mode) if mode else found)


@pytest.fixture(scope="module")
def weights(repeating: str) -> str:
    return repeating


@pytest.fixture(scope="module")
def met(tmp_path_factory: pytest.TempPathFactory, weights: str) -> Met:
    folder = tmp_path_factory.mktemp("faults")
    (folder / "pictures").mkdir()
    fill(folder / "pictures")
    exact = ("--model", weights, "--precision", "fp32", "--device", "cpu")
    return Met(folder, inside(folder, "pictures", "-o", "out", "--json", *exact))


def test_the_good_files_among_the_bad_are_done(met: Met) -> None:
    assert met.outcome.status == 1
    good = {*kinds(), *described()} - {"17-float.tif", "17-odd.tif"}
    statuses = {name: met.record(name)["status"] for name in good}
    assert {name: status for name, status in statuses.items() if status != "done"} == {}
    assert "Traceback" not in met.outcome.said
    assert not list(met.folder.rglob("*.part"))
    *files, summary = met.outcome.records
    assert len({record["input"] for record in files}) == len(files)
    assert summary["done"] == sum(record["status"] == "done" for record in files)
    assert summary["failed"] == sum(record["status"] == "failed" for record in files)


# Input files


def test_row_1_an_empty_file_is_no_image(met: Met) -> None:
    assert met.codes(1) == {"1-empty.jpg": "not-an-image"}


@pytest.mark.parametrize(("name", "word"), [("text", "text"), ("page", "web page"), ("lfs", "LFS")])
def test_row_2_what_looks_like_something_else_is_called_so(met: Met, name: str, word: str) -> None:
    code, message = met.refused(f"2-{name}.jpg")
    assert code == "not-an-image"
    assert word in message


def test_row_3_a_png_named_jpg_is_decoded_by_its_content(met: Met) -> None:
    assert error(met.pixels("3-png.jpg", "RGB"), enlarged(BLOCKS)) < LOSSY


def test_row_4_a_jpeg_that_is_cut_is_refused(met: Met) -> None:
    assert set(met.codes(4).values()) == {"truncated"}


def test_row_5_other_formats_that_are_cut_are_refused(met: Met) -> None:
    codes = met.codes(5)
    assert codes.pop("5-gif.gif") in ("truncated", "decode-error")  # its blocks have no length
    assert codes == dict.fromkeys(codes, "truncated")


def test_row_6_flipped_bits_under_a_good_header_are_refused(met: Met) -> None:
    codes = met.codes(6)
    assert codes == dict.fromkeys(codes, "decode-error")


@pytest.mark.parametrize("name", ["7-bomb.png", "7-bmp.bmp", "7-ppm.ppm"])
def test_row_7_a_bomb_is_refused_by_its_header(met: Met, name: str) -> None:
    code, message = met.refused(name)
    assert code == "too-large"
    assert "--max-pixels" in message
    assert re.search(r"\d{3},\d{3},\d{3}", message)
    assert met.record(name)["seconds"] < 1


def test_row_8_a_million_and_one_pixels_in_a_row_are_refused(met: Met) -> None:
    assert met.codes(8) == {"8-wide.png": "too-large"}


def test_row_9_a_picture_without_pixels_is_no_image(met: Met) -> None:
    codes = met.codes(9)
    assert codes == dict.fromkeys(codes, "not-an-image")


@pytest.mark.parametrize(("width", "height"), [(1, 1), (1, 9), (9, 1)])
def test_row_10_a_single_pixel_row_or_column_works(met: Met, width: int, height: int) -> None:
    found = met.pixels(f"10-{width}x{height}.png")
    np.testing.assert_array_equal(found, enlarged(noise(height, width)))


def test_row_11_a_picture_narrower_than_the_overlap_is_one_tile(met: Met) -> None:
    np.testing.assert_array_equal(met.pixels("11-narrow.png"), enlarged(noise(3, 70)))


@pytest.mark.parametrize(
    "name", ["1-bit", "2-bit", "4-bit", "palette", "palette-transparent", "key"]
)
def test_row_12_few_bits_palettes_and_colour_keys_are_expanded(met: Met, name: str) -> None:
    with Pillow.open(met.folder / "pictures" / f"12-{name}.png") as source:
        expected = enlarged(np.asarray(source.convert("RGBA")))
    found = met.pixels(f"12-{name}.png", "RGBA")
    np.testing.assert_array_equal(found[..., 3], expected[..., 3])
    seen = expected[..., 3] > 0
    np.testing.assert_array_equal(found[seen], expected[seen])


def test_row_13_gray_stays_gray(met: Met) -> None:
    np.testing.assert_array_equal(met.pixels("13-gray.png"), enlarged(noise(5, 6, 1)[..., 0]))
    assert met.pixels("13-gray.jpg").shape == (4 * 32, 4 * 48)
    found = met.pixels("13-gray-opacity.png")
    np.testing.assert_array_equal(found, enlarged((noise(5, 6, 2) | 1).astype(np.uint8)))


def test_row_14_opacity_stays_and_transparent_black_leaves_no_fringe(met: Met) -> None:
    opaque = met.pixels("14-opaque.png")
    assert opaque.shape == (36, 56, 4)
    assert (opaque[..., 3] == 255).all()
    found = met.pixels("14-transparent.png")
    assert (found[:, 32 - 4 * SPEC.overlap :, :3] == (200, 180, 160)).all()
    assert [*np.unique(found[:, :32, 3]), *np.unique(found[:, 32:, 3])] == [0, 255]


def test_row_15_16_bits_stay_16_bits(met: Met) -> None:
    deep = noise(7, 9, 1, np.uint16)[..., 0]
    np.testing.assert_array_equal(met.pixels("15-deep.png"), enlarged(deep))
    np.testing.assert_array_equal(
        met.pixels("15-dark.png"), enlarged((deep % 256).astype(np.uint16))
    )
    assert met.pixels("15-dark.png").dtype == np.uint16
    with_opacity = imagecodecs.png_decode(met.made("15-deep-opacity.png").read_bytes())
    np.testing.assert_array_equal(with_opacity, enlarged(noise(7, 9, 2, np.uint16) | 1))
    found = tifffile.imread(met.made("15-deep.tif"))
    np.testing.assert_array_equal(found, enlarged(noise(7, 9, 3, np.uint16)))


@pytest.mark.parametrize("bits", [10, 12])
def test_row_16_10_and_12_bits_of_avif_are_scaled_by_the_true_depth(met: Met, bits: int) -> None:
    np.testing.assert_allclose(met.pixels(f"16-{bits}-bits.avif", "RGB"), 128, atol=1)


@pytest.mark.parametrize("name", ["17-float.tif", "17-odd.tif"])
def test_row_17_floating_point_never_becomes_zeros_in_silence(met: Met, name: str) -> None:
    record = met.record(name)
    if record["status"] == "failed":
        assert record["error"]["code"] == "unsupported-format"
        return
    found = tifffile.imread(met.made(name)).astype(float)
    levels = found[2::4, 2::4].ravel() / found.max()
    np.testing.assert_allclose(levels[24:], np.linspace(0, 1, 192)[24:], atol=0.01)
    assert name == "17-float.tif" or name in met.outcome.said


@pytest.mark.parametrize("suffix", [".jpg", ".tif"])
def test_row_18_cmyk_becomes_rgb(met: Met, suffix: str) -> None:
    found = met.pixels(f"18-cmyk{suffix}").astype(int)
    assert found.shape == (64, 192, 3)
    white, cyan, black = (found[32, x] for x in (24, 96, 168))
    assert white.min() > 250
    assert cyan[0] < 60 < cyan[1] < cyan[2]
    assert black.max() < 60


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_row_19_a_wide_gamut_profile_is_carried_byte_for_byte(met: Met, suffix: str) -> None:
    with Pillow.open(met.made(f"19-wide-gamut{suffix}")) as found:
        assert found.info["icc_profile"] == PROFILE
    colours = met.pixels(f"19-wide-gamut{suffix}")
    assert error(colours, enlarged(BLOCKS)) <= (0 if suffix == ".png" else LOSSY)


TURNED = [*(f"-{orientation}.png" for orientation in range(1, 9)), ".jpg", ".webp", ".avif"]


@pytest.mark.parametrize("name", TURNED)
def test_row_20_every_orientation_is_made_upright(met: Met, name: str) -> None:
    with Pillow.open(met.folder / "pictures" / f"20-turned{name}") as source:
        upright = np.asarray(ImageOps.exif_transpose(source))
    with Pillow.open(met.made(f"20-turned{name}")) as found:
        assert found.getexif().get(ExifTags.Base.Orientation, 1) == 1
        pixels = np.asarray(found.convert("RGB"))
    assert error(pixels, enlarged(upright)) <= (0 if name.endswith(".png") else LOSSY)


def test_row_20_dates_and_place_are_kept_and_the_thumbnail_dropped(met: Met) -> None:
    for suffix in (".jpg", ".webp", ".avif", "-6.png"):
        with Pillow.open(met.made(f"20-turned{suffix}")) as found:
            exif = found.getexif()
        assert exif[ExifTags.Base.DateTime] == "2020:01:02 03:04:05"
        gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
        assert gps[ExifTags.GPS.GPSLatitude] == (48.0, 12.0, 30.5)
    assert THUMBNAIL in (met.folder / "pictures" / "20-thumbnail.jpg").read_bytes()
    assert THUMBNAIL not in met.made("20-thumbnail.jpg").read_bytes()
    with Pillow.open(met.made("20-thumbnail.jpg")) as found:
        assert found.getexif()[ExifTags.Base.DateTime] == "2020:01:02 03:04:05"


@pytest.mark.parametrize("name", ["corrupt-exif.jpg", "corrupt-xmp.jpg", "huge-exif.png"])
def test_row_21_metadata_that_is_huge_or_corrupt_is_dropped_with_a_warning(
    met: Met, name: str
) -> None:
    made = met.made(f"21-{name}")
    assert [line for line in met.outcome.said.splitlines() if name in line and "warning" in line]
    assert made.stat().st_size < 2**20
    with Pillow.open(made) as found:
        found.load()
        assert not {"xmp", "exif"} & found.info.keys() or b"\xf7\xf7" not in found.info["exif"]


@pytest.mark.parametrize("kind", ["gif", "webp", "png", "tif"])
def test_row_22_every_frame_is_kept_where_the_format_can(met: Met, kind: str) -> None:
    with Pillow.open(met.made(f"22-{kind}.{kind}")) as found:
        assert getattr(found, "n_frames", 1) == 2
        assert found.size == (32, 32)


def test_row_22_the_first_frame_alone_comes_with_a_warning(tmp_path: Path, weights: str) -> None:
    files = {name: data for name, data in described().items() if name.startswith("22-")}
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    found = inside(tmp_path, *os.listdir(tmp_path), "--format", "jpg", "--model", weights)
    assert found.status in (0, 2), found.said
    for path in tmp_path.glob("*.jpg"):
        assert opened(path).shape == (32, 32, 3)
    for name in files:
        assert re.search(rf"warning: .*{name}.*first", found.said), name


def test_row_23_formats_without_a_reader_say_what_helps(
    tmp_path: Path, weights: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "none").mkdir()
    for module in ("pillow_heif", "OpenImageIO", "rawpy"):
        (tmp_path / "none" / f"{module}.py").write_text("raise ImportError")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "none"))
    (tmp_path / "in").mkdir()
    for name, data in foreign().items():
        (tmp_path / "in" / name).write_bytes(data)
    found = inside(tmp_path, "in", "-o", "out", "--json", "--model", weights)
    assert found.status == 1
    assert set(statuses(found).values()) == {"unsupported-format"}
    for name, words in {
        "23-phone.heic": r"HEIC.*pip install",
        "23-new.jxl": r"JPEG XL.*pip install",
        "23-raw.png": r"RAW.*pip install",
        "23-drawing.png": r"SVG.*convert",
        "23-page.png": r"PDF.*convert",
    }.items():
        assert re.search(words, found.by_input[name]["error"]["message"])


@pytest.mark.parametrize("kind", ["fifo", "socket", "device"])
def test_row_24_what_is_no_regular_file_is_skipped_unopened(met: Met, kind: str) -> None:
    record = met.record(f"24-{kind}.png")
    assert record["status"] == "skipped"
    assert "regular" in record["error"]["message"]
    assert met.outcome.by_input.get("24-folder.png", {"status": "skipped"})["status"] == "skipped"


def test_row_25_links_that_lead_nowhere_are_reported(
    met: Met, tmp_path: Path, weights: str
) -> None:
    for name in ("25-loop.png", "25-dangling.png"):
        assert met.refused(name)[0] == "io-error"
    assert not [r for r in met.outcome.records[:-1] if "25-up" in r["input"]]

    for name in ("in", "elsewhere"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.png").write_bytes(encoded(noise(2, 2), "PNG"))
    (tmp_path / "in" / "up").symlink_to("..")
    (tmp_path / "in" / "there").symlink_to("../elsewhere")
    options = ("-o", "out", "--json", "--model", weights)
    assert inside(tmp_path, "in", *options).by_input.keys() == {"in.png"}
    followed = inside(tmp_path, "in", "--follow-links", *options)
    assert "elsewhere.png" in followed.by_input
    assert followed.status == 0


def test_row_26_a_file_that_cannot_be_read_fails_alone(met: Met) -> None:
    assert met.refused("26-unreadable.png")[0] == "io-error"


def test_row_27_names_that_are_not_utf8_work(met: Met) -> None:
    assert met.record("27-latin-\\xe9.png")["status"] == "done"
    made = met.folder / "out" / os.fsdecode(b"27-latin-\xe9_x4.png")
    np.testing.assert_array_equal(opened(made), enlarged(noise(3, 4)))


@pytest.mark.parametrize("name", NAMES[1:], ids=ascii)
def test_row_28_odd_names_work(met: Met, name: bytes) -> None:
    np.testing.assert_array_equal(met.pixels(name.decode()), enlarged(noise(3, 4)))


# Outputs


def test_row_29_two_pictures_for_one_name_are_found_before_any_work(
    tmp_path: Path, weights: str
) -> None:
    names = ["a.png", "a.jpg", "b.png", "B.png"]
    for name in names:
        (tmp_path / name).write_bytes(encoded(noise(2, 2), "PNG"))
    rest = (*names, "-o", "out", "--format", "png", "--model", weights)
    found = inside(tmp_path, *rest, "--on-collision", "fail")
    assert found.status == 2
    assert [name for name in names if name not in found.said] == []
    assert not list(tmp_path.rglob("*_x4.png"))
    skipped = inside(tmp_path, *rest, "--on-collision", "skip")
    assert (skipped.status, len(list(tmp_path.glob("out/*")))) == (0, 2)
    assert inside(tmp_path, *rest).status == 0
    made = {"a_x4.png", "b_x4.png", "a_jpg_x4.png", "B_png_x4.png"}
    assert {path.name for path in tmp_path.glob("out/*")} == made


def test_row_50_every_collision_is_named_at_once_and_ext_tells_them_apart(
    tmp_path: Path, weights: str
) -> None:
    for name in ("a.png", "a.jpg"):
        (tmp_path / name).write_bytes(encoded(noise(2, 2), "PNG"))
    rest = ("a.png", "a.jpg", "-o", "out", "--format", "webp", "--model", weights)
    assert inside(tmp_path, *rest, "--name", "{stem}-{ext}").status == 0
    assert {path.name for path in tmp_path.glob("out/*")} == {"a-png.webp", "a-jpg.webp"}
    assert inside(tmp_path, *rest, "--name", "same").status == 2


def test_row_49_a_sound_file_of_an_unusual_kind_is_read_or_called_unsupported(met: Met) -> None:
    names = unusual()
    unread = {name for name in names if "-no-" in name}
    for name in unread:
        assert met.refused(name)[0] == "unsupported-format", name
    assert {met.record(name)["status"] for name in names.keys() - unread} == {"done"}
    deep, colours = noise(7, 9, 1, np.uint16)[..., 0] >> 4, enlarged(noise(7, 9))
    for name in ("49-zstandard.tif", "49-big-end-first.tif"):
        np.testing.assert_array_equal(tifffile.imread(met.made(name)), colours)
    for name in ("49-interlaced.png", "49-packed.tga"):
        np.testing.assert_array_equal(met.pixels(name, "RGB"), enlarged(BLOCKS))
    for name in ("49-restarts.jpg", "49-more-behind.jpg", "49-animated.avif"):
        assert error(met.pixels(name, "RGB"), enlarged(BLOCKS)) < LOSSY
    for name, samples, top in (
        ("49-10-bit.tif", deep >> 2, 1023),
        ("49-12-bit.jp2", deep, 4095),
        ("49-thousand.pgm", deep >> 3, 1000),
    ):
        made = met.made(name)
        found = tifffile.imread(made) if made.suffix == ".tif" else opened(made)
        np.testing.assert_allclose(found, enlarged(samples) * (65535 / top), atol=0.5001)


@pytest.mark.parametrize(
    ("suffix", "lost"),
    [("tif", {"note"}), ("png", {"iptc"}), ("jpg", {"xmp"}), ("gif", {"note", "iptc"})],
)
def test_row_51_a_block_that_is_lost_or_moved_is_named(
    tmp_path: Path, weights: str, suffix: str, lost: set[str]
) -> None:
    (tmp_path / "in").mkdir()
    for name, data in blocks_beside().items():
        (tmp_path / "in" / name).write_bytes(data)
    words = ("in", "-o", "out", "--format", suffix, "--json", "--model", weights)
    found = inside(tmp_path, *words)
    assert set(statuses(found).values()) == {"done"}
    said = " ".join(found.said.split())  # lines are broken to the width of a terminal
    for name, word in (("note", "MakerNotes"), ("iptc", "IPTC"), ("xmp", "XMP")):
        named = re.search(rf"{name}_x4\.{suffix}: [^:]*?({word}|EXIF or)", said)
        assert (named is not None) == (name in lost), name


def album(folder: Path, *names: str, size: int = 6) -> list[str]:
    """Write a picture for each name into ``folder``/in."""
    (folder / "in").mkdir(exist_ok=True)
    for name in names:
        (folder / "in" / name).write_bytes(encoded(noise(size, size), "PNG"))
    return list(names)


def statuses(outcome: Outcome) -> dict[str, str]:
    """The status of each input, or the code of its error."""
    return {
        name: record["error"]["code"] if record["error"] else record["status"]
        for name, record in outcome.by_input.items()
    }


def test_row_30_outputs_inside_the_input_folder_are_no_inputs(tmp_path: Path, weights: str) -> None:
    album(tmp_path, "a.png")
    for status in ("done", "skipped"):
        found = inside(tmp_path, "in", "-o", "in/large", "--json", "--model", weights)
        assert (found.status, statuses(found)) == (0, {"a.png": status})
    beside = inside(tmp_path, "in", "--json", "--model", weights)
    assert statuses(beside)["a.png"] == "done"
    again = inside(tmp_path, "in", "--json", "--model", weights)
    assert statuses(again)["a.png"] == "skipped"
    assert not list(tmp_path.rglob("*_x4_x4*"))


def test_row_31_a_finished_output_is_skipped_and_another_file_spared(
    tmp_path: Path, weights: str
) -> None:
    album(tmp_path, "a.png", "b.png")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "b_x4.png").write_bytes(b"mine")
    command = ("in", "-o", "out", "--json", "--model", weights)
    first, second = inside(tmp_path, *command), inside(tmp_path, *command)
    assert (first.status, statuses(first)) == (1, {"a.png": "done", "b.png": "output-exists"})
    assert (second.status, statuses(second)) == (1, {"a.png": "skipped", "b.png": "output-exists"})
    assert (tmp_path / "out" / "b_x4.png").read_bytes() == b"mine"
    replaced = inside(tmp_path, *command, "--overwrite")
    assert (replaced.status, statuses(replaced)["b.png"]) == (0, "done")

    other = noise(6, 6)[::-1]
    (tmp_path / "in" / "a.png").write_bytes(encoded(other, "PNG"))
    changed = inside(tmp_path, *command)
    assert statuses(changed) == {"a.png": "output-exists", "b.png": "skipped"}


def test_row_32_a_side_that_the_format_cannot_hold_is_refused_before_work(met: Met) -> None:
    for name, limit in (("wide.webp", "16,383"), ("wide.jpg", "65,500"), ("wide.avif", "16,384")):
        code, message = met.refused(f"32-{name}")
        assert code == "too-large-for-format"
        assert limit in message
        assert re.search("png|tif", message)
        assert met.record(f"32-{name}")["seconds"] < 1


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of one megabyte."""
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(folder)]
    if os.name != "posix" or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("only root can mount a small disk")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def mixing_weights(path: Path) -> None:
    """Weights that make noise of noise, which no format shrinks."""
    nearest_weights(path)
    random = torch.Generator().manual_seed(0)
    state = torch.load(path)
    torch.save({key: torch.randn(x.shape, generator=random) for key, x in state.items()}, path)


def test_row_33_a_full_disk_stops_the_run_with_a_whole_report(
    small_disk: Path, tmp_path: Path
) -> None:
    mixing_weights(tmp_path / "mixing.pth")
    album(tmp_path, "a.png")
    album(tmp_path, "b.png", size=400)  # 1600 × 1600: 7.7 MB of noise
    album(tmp_path, *(f"c{number}.png" for number in range(9)), size=150)
    (small_disk / "b_x4.png").write_bytes(b"before")
    command = ("in", "-o", str(small_disk), "--json", "--overwrite", "--model", "mixing.pth")
    found = inside(tmp_path, *command)
    assert found.status == 5
    *files, summary = found.records
    assert len(files) == 11
    assert summary["exit_code"] == 5
    assert statuses(found)["a.png"] == "done"
    assert set(statuses(found).values()) <= {"done", "output", "cancelled"}
    assert {"output", "cancelled"} <= set(statuses(found).values())
    assert re.search("full|space", found.said)
    assert not list(small_disk.glob(".*"))
    assert (small_disk / "b_x4.png").read_bytes() == b"before"
    for name in (name for name, status in statuses(found).items() if status == "done"):
        assert opened(found.by_input[name]["output"]).size


def test_row_34_a_folder_that_cannot_be_made_ends_before_the_model(tmp_path: Path) -> None:
    album(tmp_path, "a.png")
    (tmp_path / "file").write_bytes(b"")
    for output in ("file/out", "file/out/a.png"):
        found = inside(tmp_path, "in/a.png", "-o", output, "--model", "no such model")
        assert found.status == 5
        assert "file" in found.said


def unprivileged() -> list[str]:
    """The words before a command that make permissions hold for root, too."""
    if os.geteuid():
        return []
    if not shutil.which("setpriv"):
        pytest.skip("permissions do not hold for root")
    return ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"]


@pytest.mark.slow
def test_row_34_a_folder_without_permission_ends_before_the_model(tmp_path: Path) -> None:
    album(tmp_path, "a.png")
    (tmp_path / "in").chmod(0o555)
    for output in ([], ["-o", "in"], ["-o", "in/more"], ["-o", "in/b.png"]):
        command = [*unprivileged(), sys.executable, "-m", "upscale", "in/a.png", *output]
        found = subprocess.run(
            [*command, "--model", "no such model"], cwd=tmp_path, capture_output=True, check=False
        )
        assert (output, found.returncode) == (output, 5), found.stderr
        assert b"in" in found.stderr


def test_row_35_a_path_that_leaves_the_output_folder_is_refused(
    tmp_path: Path, weights: str
) -> None:
    work, elsewhere = tmp_path / "work", tmp_path / "elsewhere"
    for folder in (work / "linked", work / "out", elsewhere):
        folder.mkdir(parents=True)
    (work / "out" / "linked").symlink_to(elsewhere)
    outside = [tmp_path / "up.png", tmp_path / "absolute.png", work / "linked" / "link.png"]
    for path in (*outside, work / "good.png"):
        path.write_bytes(encoded(noise(2, 2), "PNG"))
    lines = ["linked/../../up.png", str(outside[1]), "linked/link.png", "good.png"]
    (work / "list.txt").write_text("\n".join(lines))
    before = {*tmp_path.rglob("*")}
    found = inside(work, "@list.txt", "-o", "out", "--json", "--model", weights)
    assert found.status == 1
    expected = dict.fromkeys((path.name for path in outside), "outside-output")
    assert statuses(found) == {**expected, "good.png": "done"}
    assert {*tmp_path.rglob("*")} - before == {work / "out" / "good_x4.png"}


# Process

Running = subprocess.Popen[bytes] | Forked


def descendants(pid: int) -> list[int]:
    """The processes that ``pid`` started, and those that they did."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parents[int(path.parent.name)] = int(path.read_text().rsplit(")", 1)[1].split()[1])
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found[1:]


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def holder(pid: int, part_of_name: str) -> int | None:
    """A descendant of ``pid`` that has a file of that name open."""
    for child in descendants(pid):
        with contextlib.suppress(OSError):
            for link in Path(f"/proc/{child}/fd").iterdir():
                if part_of_name in os.path.basename(os.readlink(link)):
                    return child
    return None


def wait_for(process: Running, what: Callable[[], Any]) -> Any:
    """Return what ``what`` gives as soon as it gives something, while the process runs."""
    deadline = time.monotonic() + 40
    while not (found := what()):
        assert process.poll() is None, process.stderr and process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return found


def wait_for_end(pids: list[int], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while any(is_running(pid) for pid in pids):
        assert time.monotonic() < deadline, "processes are left behind"
        time.sleep(0.02)


def slow_to_decode(path: Path) -> None:
    """Half a second of decoding: a progressive JPEG is decoded as a whole."""
    Pillow.new("RGB", (8000, 8000), (9, 99, 200)).save(path, "JPEG", progressive=True)


def slow_to_encode(path: Path) -> None:
    """Seconds of encoding, as AVIF, of what is upscaled in a moment."""
    path.write_bytes(encoded(noise(500, 500), "PNG"))


Launch = Callable[..., Running]


@pytest.fixture
def launch(tmp_path: Path, weights: str) -> Iterator[Launch]:
    """What starts the command in a process (and group) of its own, which ends with the test."""
    processes: list[Running] = []

    def begin(*arguments: str, model: str = weights, before: Sequence[str] = ()) -> Running:
        exact = ("--precision", "fp32", "--device", "cpu", "-o", "out", "--json")
        words = (*arguments, *exact, "--model", model)
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        process = (
            Forked(*words, folder=tmp_path, environment=environment, group=True)
            if not before
            else subprocess.Popen(
                [*before, sys.executable, "-m", "upscale", *words],
                cwd=tmp_path,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                process_group=0,
            )
        )
        processes.append(process)
        return process

    yield begin
    for each in processes:
        with each:
            each.kill()


needs_proc = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="there is no /proc")


@pytest.mark.slow
@needs_proc
@pytest.mark.parametrize(
    ("make", "name", "arguments", "number"),
    [
        (slow_to_decode, "slow.jpg", (), signal.SIGTERM),
        (slow_to_encode, "slow.png", ("--format", "avif"), signal.SIGINT),
    ],
    ids=["decoding", "encoding"],
)
def test_row_36_a_signal_stops_decoding_and_encoding(
    tmp_path: Path,
    launch: Launch,
    make: Callable[[Path], None],
    name: str,
    arguments: tuple[str, ...],
    number: signal.Signals,
) -> None:
    make(tmp_path / name)
    process = launch(name, *arguments)
    wait_for(process, lambda: holder(process.pid, name if not arguments else ".part"))
    time.sleep(1 if arguments else 0.05)
    children = descendants(process.pid)
    begin = time.monotonic()
    os.killpg(process.pid, number)  # as a terminal does
    found = finish(process)
    assert time.monotonic() - begin < 2
    assert found.status == 128 + number
    assert "Traceback" not in found.said
    assert found.by_input[name]["status"] == "cancelled"
    assert found.records[-1] == {"kind": "summary", "cancelled": 1, "exit_code": 128 + number}
    assert not list((tmp_path / "out").iterdir())
    wait_for_end(children, 3)


@pytest.mark.slow
@needs_proc
def test_row_36_a_second_signal_leaves_at_once(tmp_path: Path, launch: Launch) -> None:
    slow_to_encode(tmp_path / "slow.png")
    process = launch("slow.png", "--format", "avif")
    wait_for(process, lambda: list(tmp_path.rglob("*.part")))
    children = descendants(process.pid)
    process.send_signal(signal.SIGINT)
    time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    begin = time.monotonic()
    assert finish(process).status in (130, -signal.SIGINT)  # both are 130 to a shell
    assert time.monotonic() - begin < 1
    wait_for_end(children, 5)
    assert not [path for path in (tmp_path / "out").iterdir() if path.suffix != ".part"]


@pytest.mark.slow
@needs_proc
def test_row_37_a_killed_run_is_taken_up_where_it_was(
    tmp_path: Path, weights: str, launch: Launch
) -> None:
    names = album(tmp_path, *(f"{number:02}.png" for number in range(12)), size=250)
    process = launch("in")
    wait_for(process, lambda: len(list(tmp_path.glob("out/*_x4.png"))) > 2)
    children = descendants(process.pid)
    process.kill()
    finish(process)
    wait_for_end(children, 5)
    finished = {path.name: path.read_bytes() for path in tmp_path.glob("out/*_x4.png")}
    assert 2 < len(finished) < 12

    command = ("in", "-o", "out", "--json", "--precision", "fp32", "--model", weights)
    found = inside(tmp_path, *command)
    assert found.status == 0, found.said
    skipped = {Path(name).stem for name, status in statuses(found).items() if status == "skipped"}
    assert {f"{stem}_x4.png" for stem in skipped} == finished.keys()
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        name.replace(".png", "_x4.png") for name in names
    ]
    for path in (tmp_path / "out").iterdir():
        np.testing.assert_array_equal(opened(path), enlarged(noise(250, 250)))
    for name, data in finished.items():
        assert (tmp_path / "out" / name).read_bytes() == data


@pytest.mark.slow
def test_row_38_two_runs_over_one_folder_both_end_well(tmp_path: Path, launch: Launch) -> None:
    names = album(tmp_path, *(f"{number:02}.png" for number in range(20)), size=60)
    ends = [finish(process) for process in (launch("in"), launch("in"))]
    assert [end.status for end in ends] == [0, 0], ends
    for end in ends:
        assert set(statuses(end).values()) <= {"done", "skipped"}
    made = sorted((tmp_path / "out").iterdir())
    assert [path.name for path in made] == [name.replace(".png", "_x4.png") for name in names]
    for path in made:
        np.testing.assert_array_equal(opened(path), enlarged(noise(60, 60)))


@pytest.mark.slow
@needs_proc
def test_row_40_a_codec_that_crashes_loses_one_file(tmp_path: Path, launch: Launch) -> None:
    album(tmp_path, *(f"{letter}.png" for letter in "abcdef"))
    slow_to_decode(tmp_path / "in" / "c-slow.jpg")
    slow_to_encode(tmp_path / "in" / "d-slow.png")
    process = launch("in", "--format", "avif", "--jobs", "1")
    for name in ("c-slow.jpg", ".d-slow_x4."):
        codec = wait_for(process, partial(holder, process.pid, name))
        os.kill(codec, signal.SIGSEGV)
    found = finish(process)
    assert found.status == 1
    assert "Traceback" not in found.said
    expected = dict.fromkeys((f"{letter}.png" for letter in "abcdef"), "done")
    assert statuses(found) == expected | {"c-slow.jpg": "crashed", "d-slow.png": "crashed"}
    assert len(list((tmp_path / "out").iterdir())) == 6


@pytest.mark.slow
@needs_proc
def test_row_26_files_that_vanish_or_change_fail_alone(tmp_path: Path, launch: Launch) -> None:
    album(tmp_path, "a.png", size=160)
    names = album(tmp_path, *(f"b{number:02}.png" for number in range(60)), size=16)
    vanishing, locked, changing = (tmp_path / "in" / f"c-{what}.png" for what in "123")
    for path in (vanishing, locked, changing):
        path.write_bytes(encoded(noise(48, 64), "PNG"))
    locked.chmod(0)
    process = launch("in", model="srgan", before=unprivileged())
    wait_for(process, lambda: list(tmp_path.rglob("*.part")))
    process.send_signal(signal.SIGSTOP)
    vanishing.unlink()
    changing.write_bytes(cut(changing.read_bytes()))
    process.send_signal(signal.SIGCONT)
    found = finish(process)
    assert found.status == 1
    codes = statuses(found)
    assert codes["c-1.png"] == codes["c-2.png"] == "io-error"
    assert codes["c-3.png"] in ("truncated", "io-error")
    assert {codes[name] for name in ("a.png", *names)} == {"done"}
    assert not list((tmp_path / "out").glob("c-*"))


# Model and device


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "w.pth"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "LFS"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "web page"),
        (b"\x80\x02cposix\nsystem\nX\x04\0\0\0true\x85R.", "refused|pickle|code"),
    ],
    ids=["empty", "lfs", "page", "pickle"],
)
def test_row_41_weights_that_are_none_are_refused(
    tmp_path: Path, content: bytes, word: str
) -> None:
    album(tmp_path, "a.png")
    (tmp_path / "w.pth").write_bytes(content)
    found = inside(tmp_path, "in", "-o", "out", "--model", "w.pth")
    assert found.status == 3
    assert "w.pth" in found.said
    assert re.search(word, found.said)
    assert not list(tmp_path.rglob("*_x4*"))


@pytest.mark.skipif(torch.cuda.is_available(), reason="CUDA is there")
def test_row_42_auto_falls_back_to_the_cpu(tmp_path: Path, weights: str) -> None:
    album(tmp_path, "a.png")
    found = inside(tmp_path, "in", "-o", "out", "--json", "--device", "auto", "--model", weights)
    assert found.status == 0
    assert found.by_input["a.png"]["device"] in ("cpu", "mps")


def test_row_43_too_little_memory_for_the_smallest_tile_ends_the_run(
    tmp_path: Path, weights: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    album(tmp_path, "a.png", "b.png")
    for name in ("forward", "inside"):  # of the whole picture, and of a band of its rows
        monkeypatch.setattr(Convolution, name, lambda self, x: torch.empty(2**62))
    found = inside(tmp_path, "in", "-o", "out", "--json", "--model", weights)
    assert found.status == 4
    assert sorted(statuses(found).values()) == ["cancelled", "device"]
    assert "memory" in found.said
    assert not list((tmp_path / "out").iterdir())


def test_row_44_numbers_that_are_not_finite_fail_the_picture(tmp_path: Path, weights: str) -> None:
    state = torch.load(weights)
    torch.save({key: torch.full_like(x, 1e30) for key, x in state.items()}, tmp_path / "w.pth")
    album(tmp_path, "a.png")
    found = inside(tmp_path, "in", "-o", "out", "--json", "--model", "w.pth")
    assert (found.status, statuses(found)) == (1, {"a.png": "non-finite"})
    assert not list((tmp_path / "out").iterdir())
