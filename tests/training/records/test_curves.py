"""The plot of runs from their journals: which charts, which names, which file."""

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from upscale.errors import OutputError, UpscaleError, UsageError
from upscale.training.records.curves import draw_runs, plot_runs


def write_run(folder: Path, steps: int = 200, every: int = 10, **changed: Any) -> Path:
    """A journal as a run with a GAN leaves it, written without ours."""
    random = np.random.default_rng(steps)
    folder.mkdir(parents=True)
    lines: list[dict[str, Any]] = [{"step": 0, "kind": "validation", "psnr": 26.0, "ssim": 0.7}]
    for step in range(every, steps + 1, every):
        loss = float(0.1 * np.exp(-step / 30) + 0.002 * random.random())
        d = {"D(hr)": 0.8, "D(sr)": 0.2, "discriminator": 0.5}
        lines.append({"step": step, "kind": "train", "loss": loss, "rate": 1e-4, **d, **changed})
    lines.append({"step": steps, "kind": "validation", "psnr": 26.5, "ssim": 0.75})
    text = "".join(json.dumps(line | {"time": 0.0}) + "\n" for line in lines)
    (folder / "metrics.jsonl").write_text(text)
    return folder


def titles(figure: Figure) -> list[str]:
    return [axes.get_title(loc="left") for axes in figure.axes]


def names(figure: Figure) -> list[str]:
    (legend,) = figure.legends
    return [text.get_text() for text in legend.get_texts()]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return write_run(tmp_path / "fine-tuned")


def test_there_is_a_chart_for_each_figure(run: Path) -> None:
    assert titles(draw_runs([run])) == [
        "PSNR in dB (higher is better)",
        "SSIM (higher is better)",
        "loss",
        "discriminator's loss",
        "D(real) and D(fake)",
        "learning rate",
    ]


def test_the_lines_are_those_of_the_journal(run: Path) -> None:
    entries = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    psnr, _, loss, *_ = draw_runs([run]).axes
    steps, values = psnr.lines[0].get_data()
    assert list(steps) == [0, 200]
    assert list(values) == [26.0, 26.5]
    steps, values = loss.lines[0].get_data()
    train = [entry for entry in entries if entry["kind"] == "train"]
    assert list(steps) == [entry["step"] for entry in train]
    assert list(values) == [entry["loss"] for entry in train]


def test_all_panels_have_the_same_steps(run: Path, tmp_path: Path) -> None:
    other = write_run(tmp_path / "longer", 1000)
    limits = {axes.get_xlim() for axes in draw_runs([run, other]).axes}
    assert limits == {(-30.0, 1030.0)}


def test_a_run_in_its_first_stage_shows_that(tmp_path: Path) -> None:
    write_run(tmp_path / "two" / "first", steps=100)
    (axes, *_) = draw_runs([tmp_path / "two"]).axes
    assert max(axes.lines[0].get_xdata()) == 100
    later = write_run(tmp_path / "later", steps=50)
    (later / "metrics.jsonl").rename(tmp_path / "two" / "metrics.jsonl")
    (axes, *_) = draw_runs([tmp_path / "two"]).axes
    assert max(axes.lines[0].get_xdata()) == 50


def test_null_is_a_gap(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", loss=None)
    assert "loss" not in titles(draw_runs([run]))
    with (run / "metrics.jsonl").open("a") as file:
        file.write('{"step": 300, "kind": "train", "loss": 0.5}\n')
    figure = draw_runs([run])
    raw = figure.axes[titles(figure).index("loss")].lines[0].get_ydata()
    assert np.isnan(np.asarray(raw)[:-1]).all()
    assert np.asarray(raw)[-1] == 0.5


def test_runs_are_called_as_their_folders(run: Path, tmp_path: Path) -> None:
    assert names(draw_runs([run])) == ["fine-tuned"]
    other = write_run(tmp_path / "b" / "fine-tuned")
    assert names(draw_runs([run, other])) == [f"{tmp_path.name}/fine-tuned", "b/fine-tuned"]
    dollars = write_run(tmp_path / "$x$_1")
    (legend,) = draw_runs([dollars]).legends
    assert not legend.get_texts()[0].get_parse_math()


def test_the_name_of_the_folder_one_is_in(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(run)
    assert names(draw_runs([Path()])) == ["fine-tuned"]


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A run with one figure, which is drawn sooner."""
    run = tmp_path / "small"
    run.mkdir()
    lines = [f'{{"step": {n}, "kind": "train", "loss": {1 / n}}}\n' for n in range(1, 30)]
    (run / "metrics.jsonl").write_text("".join(lines))
    return run


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf", ".PNG"])
def test_the_suffix_says_the_format(small: Path, tmp_path: Path, suffix: str) -> None:
    target = tmp_path / f"curves{suffix}"
    plot_runs([small, small], target)
    head = target.read_bytes()[:1000]
    assert {".png": b"\x89PNG", ".svg": b"<svg", ".pdf": b"%PDF"}[suffix.lower()] in head
    before = target.read_bytes()
    plot_runs([small, small], target)
    assert target.read_bytes() == before  # the same journals give the same bytes


def test_a_png_is_as_wide_as_three_charts(run: Path, tmp_path: Path) -> None:
    plot_runs([run], tmp_path / "curves.png")
    with Image.open(tmp_path / "curves.png") as picture:
        assert picture.width == round(3 * 3.1 * 200)
        assert len(picture.convert("RGB").getcolors(2**24) or []) > 100


def test_files_that_cannot_be_written(small: Path, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=f"^{small}/metrics.jsonl"):
        plot_runs([small], small / "metrics.jsonl" / "no.png")
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(OutputError, match=rf"^{tmp_path}/folder\.png"):
        plot_runs([small], tmp_path / "folder.png")
    with pytest.raises(UsageError, match=r"\.png, \.svg, \.pdf"):
        plot_runs([small], tmp_path / "curves.jpg")
    assert {each.name for each in tmp_path.iterdir()} == {"folder.png", "small"}


def test_runs_that_cannot_be_drawn(run: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=rf"^{tmp_path}/nowhere/metrics\.jsonl: "):
        plot_runs([run, tmp_path / "nowhere"], tmp_path / "no.png")
    with pytest.raises(UsageError, match=r"^7 runs "):
        plot_runs([run] * 7, tmp_path / "no.png")
    empty = tmp_path / "empty"
    empty.mkdir()
    for content in ("", '{"step": 1, "kind": "train", "time": 0, "unknown": 3}\n'):
        (empty / "metrics.jsonl").write_text(content)
        with pytest.raises(UsageError):
            plot_runs([empty], tmp_path / "no.png")
    (empty / "metrics.jsonl").write_text('{"ste\n{"step": 1}\n')
    with pytest.raises(UpscaleError, match=rf"^{empty}/metrics\.jsonl: line 1 "):
        plot_runs([empty], tmp_path / "no.png")
    assert not (tmp_path / "no.png").exists()


def test_a_run_that_is_writing_can_be_drawn(small: Path, tmp_path: Path) -> None:
    with (small / "metrics.jsonl").open("a") as file:
        file.write('{"step": 210, "kind": "tr')
    plot_runs([small], tmp_path / "curves.png")


def test_a_folder_that_is_not_a_run_is_named_without_matplotlib(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(UsageError, match=rf"^{tmp_path}/metrics\.jsonl: "):
        plot_runs([tmp_path], tmp_path / "plot.png")


def test_without_matplotlib_it_is_said_how_to_get_it(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(UsageError, match=r"pip install 'upscale\[bench\]'"):
        plot_runs([run], tmp_path / "curves.png")


def test_the_users_settings_neither_show_nor_change(small: Path, tmp_path: Path) -> None:
    loaded = "matplotlib.pyplot" in sys.modules
    plot_runs([small], tmp_path / "a.svg")
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "red", "svg.fonttype": "path"}):
        known = [name for name in mpl.rcParams if name != "backend"]  # which imports pyplot
        before = [mpl.rcParams[name] for name in known]
        plot_runs([small], tmp_path / "b.svg")
        assert [mpl.rcParams[name] for name in known] == before
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    assert ("matplotlib.pyplot" in sys.modules) == loaded
