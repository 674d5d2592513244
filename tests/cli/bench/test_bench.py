"""``upscale bench`` as its users meet it."""

import csv
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from typer.testing import CliRunner

from upscale.cli.app import app

PHOTO = Path(__file__).parents[2] / "data" / "osprey.png"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    photo = Image.open(PHOTO)
    photo.crop((0, 0, 96, 80)).save(folder / "a.png")
    photo.crop((20, 20, 84, 92)).save(folder / "b.png")
    return folder


def run(*words: str | Path, status: int = 0) -> Any:
    result = CliRunner().invoke(app, ["bench", *map(str, words)])
    assert result.exit_code == status, result.output
    return result


def rows(*words: str | Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in run(*words, "--json").stdout.splitlines()]


def test_a_table_has_a_row_for_each_model(folder: Path) -> None:
    out = run(folder, "-m", "nearest", "-m", "srgan", "--metrics", "psnr,ssim").stdout
    assert re.search(r"pictures: 2 pictures, ×4", out)
    assert re.search(r"^nearest +\d+\.\d\d +0\.\d{4}", out, re.M)
    assert re.search(r"^srgan, α 0\.9 +\d+\.\d\d +0\.\d{4}", out, re.M)
    assert "MATLAB" in out
    assert "fp32" in out


def test_without_a_set_the_sample_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")  # the port "discard"
    monkeypatch.delenv("UPSCALE_DATA", raising=False)
    nearest, bicubic = rows("-m", "nearest", "-m", "bicubic", "--metrics", "psnr,niqe")
    assert nearest["set"] == bicubic["set"] == "sample"
    assert len(nearest["pictures"]) == 5
    assert nearest["figures"]["psnr"] < bicubic["figures"]["psnr"]


REAL = pytest.mark.skipif("UPSCALE_DATA" not in os.environ, reason="UPSCALE_DATA is not set")

BASELINES = [
    ("esrgan", "bicubic", 28.42, 0.8104, 0.00005),
    ("srgan", "bicubic", 28.43, 0.8211, 0.00015),
    ("srgan", "nearest", 26.26, 0.7552, 0.0006),
]


@REAL
@pytest.mark.parametrize(("protocol", "name", "db", "similarity", "apart"), BASELINES)
def test_the_baselines_of_both_papers(
    protocol: str, name: str, db: float, similarity: float, apart: float
) -> None:
    """Set5: Ledig et al. 2017, Table 2; Wang et al. 2018, supplement, Table 2."""
    found = rows("set5", "-m", name, "--protocol", protocol)[0]["figures"]
    assert found["psnr"] == pytest.approx(db, abs=0.005)
    assert found["ssim"] == pytest.approx(similarity, abs=apart)


def test_alphas_and_mixed_images_have_a_row_each(folder: Path) -> None:
    found = rows(
        *(folder, "-m", "bicubic", "-m", "srgan", "-a", "0:1:0.5"),
        *("--image-interpolation", "--metrics", "psnr"),
    )
    assert [(row["model"], row.get("alpha"), row.get("interpolation")) for row in found] == [
        ("bicubic", None, None),
        *(("srgan", alpha, "network") for alpha in (0, 0.5, 1)),
        *(("srgan", alpha, "image") for alpha in (0, 0.5, 1)),
    ]
    by_kind = {
        (row.get("interpolation"), row.get("alpha")): row["figures"]["psnr"] for row in found
    }
    assert by_kind["image", 0] == pytest.approx(by_kind["network", 0], abs=1e-3)
    assert by_kind["image", 1] == pytest.approx(by_kind["network", 1], abs=1e-3)
    assert by_kind["network", 0] > by_kind["network", 1]


def test_back_projection_raises_psnr(folder: Path) -> None:
    words = ("-m", "realesr-general", "--back-project", "8", "--metrics", "psnr")
    plain, projected = rows(folder, *words)
    assert "back-projected" in projected["system"]
    assert projected["figures"]["psnr"] > plain["figures"]["psnr"] + 0.05


def test_csv_and_markdown(folder: Path) -> None:
    words = (folder, "-m", "nearest", "--metrics", "psnr")
    (line,) = csv.DictReader(io.StringIO(run(*words, "--csv").stdout))
    assert line["system"] == "nearest"
    assert float(line["psnr"]) > 10
    markdown = run(*words, "--markdown").stdout
    assert re.search(r"^\| nearest \| \d+\.\d\d \|", markdown, re.M)


@pytest.mark.slow
def test_pictures_sheet_and_plot_are_written(folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    for number in range(2):  # NIQE needs 2 × 2 blocks of 96 pixels
        Image.open(PHOTO).resize((200, 208)).save(folder / f"{'ab'[number]}.png")
    run(
        *(folder, "-m", "nearest", "-m", "srgan", "-a", "0,1", "--metrics", "psnr,niqe"),
        *("--save", tmp_path / "kept", "--sheet", tmp_path / "sheet.webp"),
        *("--plot", tmp_path / "plane.svg", "--plot-metric", "niqe"),
    )
    kept = sorted(
        path.relative_to(tmp_path / "kept").as_posix()
        for path in (tmp_path / "kept").rglob("*.png")
    )
    assert len(kept) == 6
    assert "pictures/nearest/a.png" in kept
    with Image.open(tmp_path / "kept/pictures/nearest/a.png") as picture:
        assert picture.size == (200, 208)
    with Image.open(tmp_path / "sheet.webp") as sheet:
        assert sheet.width > 3 * 192
    assert "NIQE" in (tmp_path / "plane.svg").read_text()


def other_program(folder: Path, target: Path, **names: str) -> Path:
    """Pillow's bicubic of a quarter, by names as another program gives them."""
    target.mkdir()
    for picture, name in names.items():
        with Image.open(folder / f"{picture}.png") as hr:
            small = hr.resize((hr.width // 4, hr.height // 4), Image.Resampling.BICUBIC)
            small.resize(hr.size, Image.Resampling.BICUBIC).save(target / name)
    return target


def test_results_of_another_program_have_a_row(folder: Path, tmp_path: Path) -> None:
    made = other_program(folder, tmp_path / "made", a="a_PIL_x4.png", b="b_PIL_x4.png")
    words = (folder, "-m", "bicubic", "--metrics", "psnr", "--degradation", "uint8")
    ours, theirs = rows(*words, "--results", f"PIL={made}")
    assert (theirs["system"], theirs["model"]) == ("PIL", "PIL")
    assert theirs["figures"]["psnr"] == pytest.approx(ours["figures"]["psnr"], abs=0.5)
    assert "seconds" not in theirs
    assert set(theirs["pictures"]) == {"a", "b"}


def test_our_own_pictures_given_back_have_the_same_figures(folder: Path, tmp_path: Path) -> None:
    words = (folder, "-m", "srresnet", "--metrics", "psnr,ssim")
    (made,) = rows(*words, "--save", tmp_path / "kept")
    place = tmp_path / "kept" / folder.name / "srresnet"
    ours, theirs = rows(*words, "--results", f"again={place}")
    assert ours["figures"] == theirs["figures"] == made["figures"]


@pytest.mark.slow
def test_two_systems_are_mixed_on_a_sheet_beside_the_networks(folder: Path, tmp_path: Path) -> None:
    made = other_program(folder, tmp_path / "made", a="a.png", b="b.png")
    found = rows(
        *(folder, "-m", "srgan", "-a", "0,0.5,1", "--metrics", "psnr", "--image-interpolation"),
        *("--results", f"PIL={made}", "--mix", "PIL,srgan"),
        *("--alpha-sheet", tmp_path / "figure.png"),
    )
    mixed = {row["alpha"]: row["figures"]["psnr"] for row in found if "+" in row["system"]}
    (theirs,) = (row["figures"]["psnr"] for row in found if row["system"] == "PIL")
    (crisp,) = (row["figures"]["psnr"] for row in found if row["system"] == "srgan, α 1")
    assert mixed[0] == theirs
    assert mixed[1] == pytest.approx(crisp, abs=0.01)
    assert mixed[0.5] > min(theirs, crisp)
    with Image.open(tmp_path / "figure.png") as sheet:
        assert sheet.height > 6 * 96


@pytest.mark.parametrize(
    ("names", "named"),
    [
        ({"a": "a.png"}, "b"),
        ({"a": "a.png", "b": "b.png"}, "a_x4.png"),
        ({"a": "a.png", "b": "odd.png"}, "b"),
    ],
)
def test_results_that_do_not_fit_stop_before_anything_is_done(
    folder: Path, tmp_path: Path, names: dict[str, str], named: str
) -> None:
    made = other_program(folder, tmp_path / "made", **names)
    if named == "a_x4.png":
        (made / named).write_bytes((made / "a.png").read_bytes())
    words = (folder, "-m", "nearest", "--metrics", "psnr", "--save", tmp_path / "kept")
    result = run(*words, "--results", f"X={made}", "--json", status=1)
    assert result.stdout == ""
    assert str(made) in result.stderr
    assert named in result.stderr
    assert [*(tmp_path / "kept").rglob("*.png")] == []


def test_the_perceptual_index_needs_the_scores_of_ma(folder: Path, tmp_path: Path) -> None:
    for number in range(2):  # NIQE needs 2 × 2 blocks of 96 pixels
        Image.open(PHOTO).resize((208, 200)).save(folder / f"{'ab'[number]}.png")
    (tmp_path / "ma.csv").write_text("system,picture,ma\nnearest,a,2\nnearest,b,4\nX,a,3\n")
    words = (folder, "-m", "nearest", "-m", "bicubic", "--protocol", "pirm")
    result = run(*words, "--ma", tmp_path / "ma.csv", "--json", "--plot", tmp_path / "p.svg")
    nearest, bicubic = map(json.loads, result.stdout.splitlines())
    assert nearest["figures"]["pi"] == ((10 - 3) + nearest["figures"]["niqe"]) / 2
    assert set(bicubic["figures"]) == {"rmse", "niqe"}
    assert nearest["protocol"] == "pirm"
    assert re.search(r"ma\.csv.* x[;,.]", result.stderr)
    assert "region 1" in (tmp_path / "p.svg").read_text()


REFUSED = [
    (("--json", "--csv"), "contradict"),
    (("--metrics", "psnr,mse"), "mse"),
    (("--ssim", "fast"), "--ssim"),
    (("--channels", "hsv"), "--channels"),
    (("--degradation", "nearest"), "uint8"),
    (("--degradation", "folder"), "LR picture"),
    (("--alpha", "2"), "0, 1"),
    (("--image-interpolation",), "--alpha"),
    (("--border", "-1"), "--border"),
    (("--plot", "plane.bmp"), "svg"),
    (("--plot", "plane.svg", "--metrics", "psnr"), "lpips-alex"),
    (("--sheet", "sheet.xyz"), "xyz"),
    (("-m", "srgan", "-m", "realesrgan-x2"), "×2"),
    (("-m", "nearest", "-m", "nearest"), "twice"),
    (("--metrics", ","), "none of"),
    (("--psnr", "srresnet"), "--alpha"),
    (("--precision", "fp99"), "fp16"),
    (("--back-project", "200"), "--back-project"),
    (("--tile", "-5"), "--tile"),
    (("--data", "nowhere"), "--data nowhere"),
    (("--plot", "/dev/null/plane.svg"), "cannot be written"),
    (("--sheet", "/dev/null/sheet.png"), "cannot be written"),
    (("--save", "/dev/null/kept"), "cannot be written"),
    (("--alpha-sheet", "/dev/null/s.png", "-a", "0"), "cannot be written"),
    (("--protocol", "srgan", "--ssim", "wang"), "--protocol srgan"),
    (("--protocol", "ntire"), "basicsr"),
    (("--results", "nowhere"), "NAME=DIR"),
    (("--results", "X=nowhere"), "nowhere"),
    (("--mix", "bicubic,srgan"), "--alpha"),
]


@pytest.mark.parametrize(("words", "reason"), REFUSED, ids=str)
def test_what_makes_no_sense_is_refused(folder: Path, words: tuple[str, ...], reason: str) -> None:
    result = CliRunner().invoke(app, ["bench", str(folder), *words])
    assert result.exit_code in (2, 5), result.output
    assert reason in result.stderr


def test_sets_of_one_name_are_told_apart(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other" / folder.name
    other.mkdir(parents=True)
    (other / "a.png").write_bytes((folder / "b.png").read_bytes())
    found = rows(folder, other, "-m", "nearest", "--metrics", "psnr")
    assert [row["set"] for row in found] == [f"{tmp_path.name}/pictures", "other/pictures"]
    assert "twice" in run(folder, folder, "-m", "nearest", "--metrics", "psnr", status=2).stderr


def test_what_was_measured_before_a_failure_is_shown(folder: Path) -> None:
    result = run(folder, "-m", "nearest", "-m", "no.pth", "--metrics", "psnr", status=3)
    assert "no.pth" in result.stderr
    bad = folder / "c.png"
    bad.write_bytes((folder / "a.png").read_bytes()[:-500])
    result = run(folder, "-m", "nearest", "--metrics", "psnr", status=1)
    assert "c.png" in result.stderr


def test_odd_bytes_in_a_name_are_kept_apart_in_json(folder: Path) -> None:
    for byte in (b"\xff", b"\xfe"):
        target = os.path.join(os.fsencode(folder), b"n" + byte + b".png")
        with open(target, "wb") as file:
            file.write((folder / "a.png").read_bytes())
    (row,) = rows(folder, "-m", "nearest", "--metrics", "psnr")
    assert len(row["pictures"]) == 4


def test_a_word_that_is_no_set_is_refused() -> None:
    assert "set14" in run("set99", status=2).stderr


def test_help_imports_neither_torch_nor_matplotlib() -> None:
    code = (
        "import sys\nfrom upscale.cli.app import app\n"
        "try:\n    app(['bench', '--help'])\nexcept SystemExit: pass\n"
        "assert not {'torch', 'matplotlib', 'cv2'} & set(sys.modules), sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


def test_opinions_of_raters_stand_in_a_column(folder: Path, tmp_path: Path) -> None:
    systems = [
        {"set": "pictures", "system": "bicubic", "mos": 2.25},
        {"set": "other", "system": "nearest", "mos": 1.0},
    ]
    record = {"kind": "report of a rating study", "mode": "scores", "systems": systems}
    (tmp_path / "report.json").write_text(json.dumps(record))
    asked = (folder, "-m", "nearest", "-m", "bicubic", "--metrics", "psnr", "--mos", tmp_path)
    assert [row["figures"].get("mos") for row in rows(*asked)] == [None, 2.25]
    assert re.search(r"^bicubic +\d+\.\d\d +2\.25", run(*asked).stdout, re.M)
    (tmp_path / "report.json").write_text(json.dumps(record | {"systems": systems[1:]}))
    assert "--mos" in run(*asked).stderr
    run(*asked[:-1], folder, status=2)
