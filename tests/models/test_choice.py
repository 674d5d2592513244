"""``auto``: each picture by the model that its pixels ask for, and the user is told."""

import io
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import program
import pytest
import torch
from forked import Forked
from identity_weights import nearest_weights
from PIL import Image
from program import COLOUR, colours, encoded, flat_weights, inside, noise, piped, shown

from upscale.batch.methods import settings_digest_of
from upscale.batch.planning.naming import Naming, originals
from upscale.batch.planning.walk import Found
from upscale.batch.planning.watch import settled
from upscale.batch.resume import keys_of
from upscale.cli.reports import duration as duration_module
from upscale.cli.reports.duration import Pass
from upscale.cli.run import local as local_module
from upscale.cli.run.methods import making_of, order_of
from upscale.cli.run.options import Options
from upscale.errors import DeviceError, UsageError, WeightsError
from upscale.fleet.processes.process import Process
from upscale.models import loading as model_module
from upscale.models import weights as weights_module
from upscale.models.choice import (
    AUTO,
    BEST,
    CANDIDATES,
    CLEAN,
    DAMAGED,
    Choice,
    alpha_for,
    choose,
)
from upscale.models.manifest import read_manifest
from upscale.models.model import Model
from upscale.models.weights import Weights
from upscale.pictures.writing.key import read_key
from upscale.viewing import sweep as sweep_module
from upscale.viewing.sweep_options import Sweep

OSPREY = Path(__file__).parents[1] / "data" / "osprey.png"

QUICK = ("--precision", "fp32", "--device", "cpu", "--jobs", "1")

find_weights, load = weights_module.find_weights, model_module.load
load_embedded = model_module.load_model


@pytest.fixture
def loaded(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the models that are loaded, in whose place others come, told apart by their work.

    That of `CLEAN` repeats pixels, those for damaged pictures make everything `COLOUR`.
    """
    folder = tmp_path_factory.mktemp("weights")
    for candidates in CANDIDATES.values():
        for name in candidates.names:
            (nearest_weights if name == CLEAN else flat_weights)(folder / f"{name}.pth")
    names: list[str] = []

    def find(name: str, *arguments: Any) -> Weights:
        return find_weights(folder / f"{name}.pth", *arguments)

    def loading(weights: Weights, *arguments: Any, **options: Any) -> Model:
        names.append(weights.file.path.stem)
        return load(weights, *arguments, **options)

    def load_by_name(name: str, *arguments: Any, **options: Any) -> Model:
        return load_embedded(folder / f"{name}.pth", *arguments, **options)

    monkeypatch.setattr(weights_module, "find_weights", find)
    monkeypatch.setattr(model_module, "load", loading)
    monkeypatch.setattr(sweep_module, "load_model", load_by_name)
    return names


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """A folder of pictures that are too small to show damage; some bear another's name."""
    pictures = {
        "a.png": encoded(noise()),
        "b.jpg": encoded(noise(seed=1), "JPEG"),
        "c.webp": encoded(noise(seed=2), "WEBP", lossless=True),
        "d.webp": encoded(noise(seed=3), "WEBP"),
        "e.jpg": encoded(noise(seed=4)),  # a PNG
        "f.tif": encoded(noise(16, 16, 5), "TIFF", compression="jpeg"),
    }
    (tmp_path / "in").mkdir()
    for name, data in pictures.items():
        (tmp_path / "in" / name).write_bytes(data)
    return tmp_path


ALL = CANDIDATES[AUTO].names

MADE_BY = {
    "a.png": CLEAN,
    "b.jpg": DAMAGED,
    "c.webp": CLEAN,
    "d.webp": DAMAGED,
    "e.jpg": CLEAN,
    "f.tif": DAMAGED,
}


# The choice


def test_the_quick_ones_are_embedded() -> None:
    entries = [read_manifest()[name] for name in CANDIDATES[AUTO].names]
    assert all(entry.embedded and entry.role == "generator" for entry in entries)
    assert not {*CANDIDATES} & {*read_manifest()}


@pytest.mark.parametrize("asked", CANDIDATES)
def test_candidates_enlarge_alike(asked: str) -> None:
    entries = [read_manifest()[name] for name in CANDIDATES[asked].names]
    assert {entry.role for entry in entries} == {"generator"}
    assert len({entry.scale for entry in entries}) == 1


@pytest.mark.parametrize("name", MADE_BY)
def test_the_file_decides_for_a_picture_that_is_too_small(mixed: Path, name: str) -> None:
    choice = choose(noise(), CANDIDATES[AUTO], mixed / "in" / name)
    assert choice.model == MADE_BY[name]
    assert choose(noise(), CANDIDATES[AUTO]).model == CLEAN


@pytest.mark.parametrize("quality", [30, 50, 95, None])
def test_pixels_decide_whatever_the_file_is_called(tmp_path: Path, quality: int | None) -> None:
    hr = np.asarray(Image.open(OSPREY).convert("RGB"))
    data = encoded(hr) if quality is None else encoded(hr, "JPEG", quality=quality)
    pixels = np.asarray(Image.open(io.BytesIO(data)))
    (tmp_path / "a.png").write_bytes(encoded(pixels))
    choice = choose(pixels, CANDIDATES[AUTO], tmp_path / "a.png")
    assert choice.model == (CLEAN if quality in (95, None) else DAMAGED)
    assert choice.reason


def test_a_choice_says_why() -> None:
    choice = Choice(DAMAGED, "photograph: noise")
    assert str(choice) == f"{DAMAGED} (photograph: noise)"
    assert str(Choice("esrgan")) == "esrgan"


def test_what_either_made_is_known_again() -> None:
    def walked(*names: str) -> list[Found]:
        return [Found(Path("in", name), Path(name), walked=True) for name in names]

    naming = Naming("{stem}-{model}", model=AUTO)
    found = walked(
        "a.jpg",
        "a-srgan.jpg",
        "a-realesr-general.png",
        "a-srgan-real.png",
        "a_x4.jpg",
        "a-auto.jpg",
        "a-x.jpg",
    )
    assert originals(found, naming) == walked("a.jpg", "a-x.jpg")


# The command


def test_a_mixed_folder_is_made_by_both(mixed: Path, loaded: list[str]) -> None:
    words = ("in", "-o", "out", "--format", "png", "--json", *QUICK)
    found = inside(mixed, *words)
    assert found.status == 0, found.said
    assert {name: each["model"] for name, each in found.by_input.items()} == MADE_BY
    for name, model in MADE_BY.items():
        made = mixed / "out" / f"{Path(name).stem}_x4.png"
        assert (colours(made) == {COLOUR}) == (model == DAMAGED), name
    assert sorted(loaded) == sorted(ALL)
    assert {each["device"] for each in found.by_input.values()} == {"cpu"}
    assert all(each["tile"] == 0 and each["overlap"] for each in found.by_input.values())
    line = f"upscale: {CLEAN} for clean photographs, {DAMAGED} for damaged ones"
    assert found.said.count(line) == 1
    reasons = {name: each["reason"] for name, each in found.by_input.items()}
    assert all(reasons.values())
    assert reasons["a.png"] == reasons["c.webp"]
    assert reasons["a.png"] != reasons["b.jpg"]

    again = inside(mixed, *words)
    assert {each["status"] for each in again.by_input.values()} == {"skipped"}
    assert {name: each["model"] for name, each in again.by_input.items()} == MADE_BY


def test_a_key_is_that_of_the_model_by_name(mixed: Path, loaded: list[str]) -> None:
    assert inside(mixed, "in", "-o", "out", "--format", "png", *QUICK).status == 0
    for name, model in MADE_BY.items():
        options = Options((name,), model=model, precision="fp32", device="cpu")
        weights = weights_module.find_weights(model)
        settings = settings_digest_of(
            making_of(options), order_of(options), weights.sha256, weights.alpha
        )
        expected = keys_of(mixed / "in" / name, {model: settings})
        assert read_key(mixed / "out" / f"{Path(name).stem}_x4.png") == expected[model]
    for name in ("a.png", "b.jpg"):
        model = MADE_BY[name]
        words = (f"in/{name}", "-o", "out", "--format", "png", "--json", "--model")
        assert inside(mixed, *words, model, *QUICK).by_input[name]["status"] == "skipped"
        (other,) = {CLEAN, DAMAGED} - {model}
        error = inside(mixed, *words, other, *QUICK).by_input[name]["error"]
        assert error["code"] == "output-exists"


@pytest.mark.parametrize("name", ["a.png", "b.jpg", "e.jpg"])
def test_a_picture_that_is_alone_has_a_line(mixed: Path, loaded: list[str], name: str) -> None:
    found = inside(mixed, f"in/{name}", "-o", "out.png", *QUICK)
    assert (found.status, loaded) == (0, [MADE_BY[name]])
    assert f"upscale: {MADE_BY[name]} (" in found.said
    assert f"for in/{name}; --model" in found.said


def test_nothing_is_said_of_a_model_that_is_named(mixed: Path, loaded: list[str]) -> None:
    found = inside(mixed, "in/b.jpg", "-o", "out", "--model", CLEAN, *QUICK)
    assert (found.status, loaded) == (0, [CLEAN])
    assert "saved" not in found.said


def test_auto_can_be_asked_for(mixed: Path, loaded: list[str]) -> None:
    assert inside(mixed, "in/b.jpg", "-o", "out", "--model", "auto", *QUICK).status == 0
    assert loaded == [DAMAGED]


@pytest.mark.slow
def test_the_best_is_made_by_big_networks(mixed: Path, loaded: list[str]) -> None:
    found = inside(mixed, "in", "-o", "out", "--best", "--json", "--format", "png", *QUICK)
    assert found.status == 0, found.said
    best = CANDIDATES[BEST]
    expected = {n: best.clean if m == CLEAN else best.damaged for n, m in MADE_BY.items()}
    assert {name: each["model"] for name, each in found.by_input.items()} == expected
    assert {*loaded} == {*best.names}
    assert inside(mixed, "in", "-o", "out", "--best", "--model", CLEAN, *QUICK).status == 2


def test_the_time_of_the_best_is_said_before_several_workers_begin(
    mixed: Path, loaded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(process: Process, environment: dict[str, str], quiet: bool) -> None:
        """Start what ends at once: other processes would have the real networks."""
        process._process = Forked(folder=mixed, environment=environment, program="exit(3)")
        process._process.stderr.close()

    monkeypatch.setattr(program, "start_worker", start)
    five_seconds = Pass(5, np.zeros((4, 4, 3), np.uint8))
    monkeypatch.setattr(duration_module, "passed", lambda method: five_seconds)
    found = inside(mixed, "in", "-o", "out", "--best", "--workers", "2", *QUICK)
    assert found.status == DeviceError.exit_code
    assert "31 min" in found.said  # 5 s for each of 5 × 6 × 4 + 16 × 16 pixels


def test_what_is_not_made_has_no_model(mixed: Path, loaded: list[str]) -> None:
    os.mkfifo(mixed / "in" / "fifo.jpg")
    (mixed / "in" / "link.jpg").symlink_to("nowhere")
    words = ("in/b.jpg", "in/fifo.jpg", "in/link.jpg", "none.jpg", "-o", "out", "--json", *QUICK)
    found = inside(mixed, *words)
    states = {name: each["status"] for name, each in found.by_input.items()}
    assert states == {
        "b.jpg": "done",
        "fifo.jpg": "skipped",
        "link.jpg": "failed",
        "none.jpg": "failed",
    }
    models = {name: each["model"] for name, each in found.by_input.items()}
    assert models == {"b.jpg": DAMAGED, "fifo.jpg": None, "link.jpg": None, "none.jpg": None}
    assert len({frozenset(each) for each in found.by_input.values()}) == 1


def test_names_are_known_before_the_models_are(mixed: Path, loaded: list[str]) -> None:
    words = ("in", "--name", "{stem}-{model}", "--format", "png", "--json", *QUICK)
    found = inside(mixed, *words)
    assert found.status == 0, found.said
    made = {Path(each["output"]).name for each in found.by_input.values()}
    assert made == {f"{Path(name).stem}-{AUTO}.png" for name in MADE_BY}
    again = inside(mixed, *words)
    assert again.records[-1] == {"kind": "summary", "skipped": 6, "exit_code": 0}


def test_a_dry_run_chooses_alike(mixed: Path, loaded: list[str]) -> None:
    found = inside(mixed, "in", "-o", "out", "--dry-run", "--json", "--tile", "8", *QUICK)
    assert found.status == 0, found.said
    assert {name: each["model"] for name, each in found.by_input.items()} == MADE_BY
    assert {each["status"] for each in found.by_input.values()} == {"planned"}
    assert "on cpu (fp32, torch)" in found.said


@pytest.mark.parametrize(
    ("words", "status", "sentence"),
    [
        (["--psnr", "srresnet"], 2, "--model"),
        (["--psnr", "srresnet", "--alpha", "0.5", "--model", "auto"], 2, "--model"),
        (["--alpha", "2"], 2, "[0, 1]"),
        (["--name", "{stem}_{alpha}"], 2, "{alpha}"),
        pytest.param(
            *(["--device", "cuda"], 4, "--device cpu"),
            marks=pytest.mark.skipif(torch.cuda.is_available(), reason="CUDA is there"),
        ),
    ],
)
@pytest.mark.parametrize("watch", [False, True])
def test_what_makes_no_sense_is_refused_before_any_work(
    mixed: Path, words: list[str], status: int, sentence: str, watch: bool
) -> None:
    found = inside(mixed, "in", "-o", "out", *words, *(["--watch"] if watch else []))
    assert (found.status, sentence in found.said) == (status, True), found.said
    assert not list(mixed.rglob("*_x4*"))


def lose_damaged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the weights of `DAMAGED` be missing."""
    stand_in = weights_module.find_weights

    def find(name: str, *arguments: Any) -> Weights:
        if name == DAMAGED:
            raise WeightsError(f"{DAMAGED}: is missing")
        return stand_in(name, *arguments)

    monkeypatch.setattr(weights_module, "find_weights", find)


def test_weights_that_are_missing_stop_a_run_before_any_work(
    mixed: Path, loaded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lose_damaged(monkeypatch)
    found = inside(mixed, "in", "-o", "out", "--json", *QUICK)
    assert found.status == WeightsError.exit_code
    assert found.said.splitlines()[-1] == f"upscale: {DAMAGED}: is missing"
    assert found.records == [{"kind": "summary", "exit_code": 3}]
    assert not list((mixed / "out").iterdir())


@pytest.mark.parametrize("dry", [False, True])
def test_a_model_that_cannot_be_loaded_stops_the_run_where_it_is_needed(
    mixed: Path, loaded: list[str], monkeypatch: pytest.MonkeyPatch, dry: bool
) -> None:
    stand_in = model_module.load

    def loading(weights: Weights, *arguments: Any, **options: Any) -> Model:
        if weights.file.path.stem == DAMAGED:
            raise WeightsError(f"{DAMAGED}: is damaged")
        return stand_in(weights, *arguments, **options)

    monkeypatch.setattr(model_module, "load", loading)
    words = ("in", "-o", "out", "--json", "--format", "png", *(["--dry-run"] if dry else []))
    found = inside(mixed, *words, *QUICK)
    assert found.status == WeightsError.exit_code
    assert found.said.count(f"upscale: {DAMAGED}: is damaged") == 1
    states = {name: each["status"] for name, each in found.by_input.items()}
    if dry:
        assert {*states.values()} == {"planned"}
    else:
        assert states == {"a.png": "done", "b.jpg": "failed"} | dict.fromkeys(
            ("c.webp", "d.webp", "e.jpg", "f.tif"), "cancelled"
        )
    assert len(found.records) == 1 + len(states)
    assert found.records[-1]["exit_code"] == WeightsError.exit_code


# Alpha, with the embedded weights


def test_alpha_blends_whichever_model_is_chosen(mixed: Path) -> None:
    words = ("in/a.png", "in/b.jpg", "--format", "png", "--json", *QUICK)
    found = inside(mixed, *words, "--alpha", "0", "-o", "blend")
    assert found.status == 0, found.said
    assert {(each["model"], each["alpha"]) for each in found.by_input.values()} == {
        (CLEAN, 0),
        (DAMAGED, 0),
    }
    for name, model in (("a", CLEAN), ("b", DAMAGED)):
        psnr = str(read_manifest()[model].psnr)
        assert inside(mixed, *words, "--model", psnr, "-o", psnr).status == 0
        files = (mixed / folder / f"{name}_x4.png" for folder in ("blend", psnr))
        blend, end = (shown(file).astype(int) for file in files)
        assert np.abs(blend - end).max() <= 1


def test_alpha_does_not_change_a_model_of_one_end_that_pixels_have_chosen() -> None:
    told: list[str] = []
    best = CANDIDATES[BEST].damaged
    assert alpha_for(best, BEST, 0.5, told.append) is None
    assert len(told) == 1
    assert best in told[0]
    assert alpha_for(best, best, 0.5, told.append) == 0.5  # which is refused when it is loaded


# Streams, frames, a watch, a sweep


@pytest.mark.parametrize(("name", "model"), [("PNG", CLEAN), ("JPEG", DAMAGED)])
def test_a_picture_from_a_pipe_is_looked_at(
    tmp_path: Path, loaded: list[str], name: str, model: str
) -> None:
    status, out, said = piped(tmp_path, encoded(noise(), name), "-", *QUICK)
    assert (status, loaded) == (0, [model]), said
    assert out
    assert f"upscale: {model} (" in said


def test_frames_are_taken_for_video_that_was_saved_with_loss(
    tmp_path: Path, loaded: list[str]
) -> None:
    (tmp_path / "in.rgb").write_bytes(noise().tobytes())
    words = ("in.rgb", "-o", "out.rgb", "--raw", "6x4", *QUICK[:4])
    found = inside(tmp_path, *words)
    assert (found.status, loaded) == (0, [DAMAGED]), found.said
    assert (tmp_path / "out.rgb").read_bytes() == bytes(COLOUR) * (16 * 24)
    assert found.said.count(f"upscale: {DAMAGED}, as most video is lossy; ") == 1

    named = inside(tmp_path, *words, "--overwrite", "--model", CLEAN)
    assert (named.status, loaded) == (0, [DAMAGED, CLEAN])
    assert "loss" not in named.said


@pytest.fixture
def stop_after(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path, int], None]]:
    """What ends this process's watch once a folder holds so many files."""
    monkeypatch.setattr(local_module, "settled", partial(settled, interval=0.1, quiet=0.3))
    threads: list[threading.Thread] = []

    def begin(folder: Path, number: int) -> None:
        def wait() -> None:
            deadline = time.monotonic() + 20
            while len(list(folder.glob("[!.]*"))) < number and time.monotonic() < deadline:
                time.sleep(0.05)
            time.sleep(0.3)
            os.kill(os.getpid(), signal.SIGTERM)

        threads.append(threading.Thread(target=wait))
        threads[-1].start()

    yield begin
    for thread in threads:
        thread.join()


def test_a_watch_chooses_as_files_come(
    mixed: Path, loaded: list[str], stop_after: Callable[[Path, int], None]
) -> None:
    (mixed / "out").mkdir()
    stop_after(mixed / "out", 6)
    found = inside(mixed, "in", "-o", "out", "--watch", "--json", "--format", "png", *QUICK)
    assert found.status == 143
    done = {n: each["model"] for n, each in found.by_input.items() if each["status"] == "done"}
    assert done == MADE_BY
    assert loaded == [*ALL]
    assert f"{CLEAN} for clean photographs, {DAMAGED} for damaged ones" in found.said


def test_a_watch_does_not_begin_where_a_model_cannot_be_loaded(
    mixed: Path, loaded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lose_damaged(monkeypatch)
    found = inside(mixed, "in", "-o", "out", "--watch", "--json", *QUICK)
    assert found.status == WeightsError.exit_code
    assert found.records == [{"kind": "summary", "exit_code": WeightsError.exit_code}]
    assert DAMAGED in found.said


@pytest.mark.parametrize("name", ["PNG", "JPEG"])
def test_a_sweep_chooses_a_model_that_has_two_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loaded: list[str], name: str
) -> None:
    path = tmp_path / "photo"
    path.write_bytes(encoded(noise(16, 16), name))
    stand_in = sweep_module.load_model
    monkeypatch.setattr(
        sweep_module,
        "load_model",
        lambda name, alpha, psnr, *more, **options: stand_in(name, None, None, *more, **options),
    )
    said: list[str] = []
    asked = Sweep(path, alphas=(0.0, 1.0), crops=1, crop_size=8, device="cpu", precision="fp32")
    made = sweep_module.make_strip(asked, notify=said.append)
    assert made.strip.is_file()
    assert loaded == [CLEAN, CLEAN]
    assert read_manifest()[CLEAN].psnr is not None
    assert any(CLEAN in line for line in said)


def test_a_sweep_to_another_psnr_end_wants_a_model(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--model"):
        Sweep(tmp_path / "a.png", psnr="srresnet").check()
