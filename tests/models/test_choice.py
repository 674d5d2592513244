"""``auto``: each picture by the model that was trained for its like, and the user is told."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from identity_weights import nearest_weights
from program import COLOUR, colours, encoded, flat_weights, inside, noise, piped, shown

from upscale.batch.naming import Naming, originals
from upscale.batch.resume import key_of
from upscale.batch.walk import Found
from upscale.batch.watch import settled
from upscale.cli.run import run as run_module
from upscale.cli.run.methods import method_of
from upscale.cli.run.options import Options
from upscale.errors import UsageError, WeightsError
from upscale.models import model as model_module
from upscale.models.choice import AUTO, CHOICES, CLEAN, REAL, explanation, model_for
from upscale.models.manifest import read_manifest
from upscale.models.model import Model
from upscale.pictures.encoder import read_key
from upscale.pictures.recognise import is_lossy
from upscale.viewing import sweep as sweep_module
from upscale.viewing.sweep_options import Sweep

QUICK = ("--precision", "fp32", "--device", "cpu", "--jobs", "1")

load_embedded = model_module.load_model


@pytest.fixture
def loaded(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the models that are loaded, in whose place others come, told apart by their work.

    That of `CLEAN` repeats pixels, that of `REAL` makes everything `COLOUR`.
    """
    folder = tmp_path_factory.mktemp("weights")
    files = {CLEAN: folder / "nearest.pth", REAL: folder / "flat.pth"}
    nearest_weights(files[CLEAN])
    flat_weights(files[REAL])
    names: list[str] = []

    def load(name: str, *arguments: object, **options: object) -> Model:
        names.append(name)
        return load_embedded(files[name], *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(model_module, "load_model", load)
    monkeypatch.setattr(sweep_module, "load_model", load)
    return names


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """A folder of pictures, some of which bear another's name."""
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


MADE_BY = {
    "a.png": CLEAN,
    "b.jpg": REAL,
    "c.webp": CLEAN,
    "d.webp": REAL,
    "e.jpg": CLEAN,
    "f.tif": REAL,
}


# The choice


def test_the_two_are_embedded_and_alike() -> None:
    entries = [read_manifest()[name] for name in CHOICES]
    assert {CLEAN, REAL} == {*CHOICES}
    assert all(entry.embedded and entry.role == "generator" for entry in entries)
    assert len({entry.scale for entry in entries}) == 1
    assert AUTO not in read_manifest()


def test_a_model_that_is_named_makes_all(mixed: Path) -> None:
    assert {model_for(each, "esrgan") for each in (mixed / "in").iterdir()} == {"esrgan"}
    assert model_for(Path("none.jpg"), "./auto") == "./auto"


def test_each_file_has_its_own(mixed: Path) -> None:
    os.mkfifo(mixed / "in" / "fifo.jpg")
    expected = MADE_BY | {"fifo.jpg": CLEAN, "none.jpg": CLEAN, ".": CLEAN}
    assert {name: model_for(mixed / "in" / name, AUTO) for name in expected} == expected


def test_a_file_that_changes_is_looked_at_again_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[Path] = []
    monkeypatch.setattr(
        "upscale.pictures.recognise.is_lossy", lambda path: looked.append(path) or is_lossy(path)
    )
    path = tmp_path / "a"
    path.write_bytes(encoded(noise()))
    assert [model_for(path, AUTO) for _ in range(3)] == [CLEAN] * 3
    assert looked == [path]
    path.write_bytes(encoded(noise(), "JPEG"))
    assert [model_for(path, AUTO) for _ in range(3)] == [REAL] * 3
    assert looked == [path, path]


@pytest.mark.parametrize(
    ("chosen", "sentence"),
    [
        (
            {"a/b.jpg": REAL},
            f"{REAL} for b.jpg, which was saved with loss; --model",
        ),
        (
            {"b.png": CLEAN},
            f"{CLEAN} for b.png, which was saved without loss; --model {REAL} if",
        ),
        ({"a": REAL, "b": REAL}, f"{REAL} for 2 pictures saved with loss; --model"),
        ({"a": CLEAN, "b": CLEAN}, "srgan for 2 pictures saved without loss; --model"),
        (
            {"a": CLEAN, "b": REAL, "c": CLEAN},
            f"{REAL} for 1 picture saved with loss, {CLEAN} for 2 pictures saved without loss; ",
        ),
        (
            {},
            f"{REAL} for pictures saved with loss, {CLEAN} for pictures saved without loss; ",
        ),
    ],
)
def test_the_choice_is_said_in_a_line(chosen: dict[str, str], sentence: str) -> None:
    said = explanation({Path(path): model for path, model in chosen.items()})
    assert said.startswith(sentence)
    assert "\n" not in said
    assert len(said) < 120


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
    assert originals(found, naming) == walked("a.jpg", "a-auto.jpg", "a-x.jpg")


# The command


def test_a_mixed_folder_is_made_by_both(mixed: Path, loaded: list[str]) -> None:
    words = ("in", "-o", "out", "--format", "png", "--json", *QUICK)
    found = inside(mixed, *words)
    assert found.status == 0, found.said
    assert {name: each["model"] for name, each in found.by_input.items()} == MADE_BY
    for name, model in MADE_BY.items():
        made = mixed / "out" / f"{Path(name).stem}_x4.png"
        assert (colours(made) == {COLOUR}) == (model == REAL), name
    assert sorted(loaded) == sorted([CLEAN, REAL])
    assert {each["device"] for each in found.by_input.values()} == {"cpu"}
    assert all(each["tile"] and each["overlap"] for each in found.by_input.values())
    line = f"upscale: {REAL} for 3 pictures saved with loss, {CLEAN} for 3 pictures saved"
    assert found.said.count("saved with loss") == found.said.count(line) == 1

    again = inside(mixed, *words)
    assert {each["status"] for each in again.by_input.values()} == {"skipped"}
    assert {name: each["model"] for name, each in again.by_input.items()} == MADE_BY


def test_a_key_is_that_of_the_model_by_name(mixed: Path, loaded: list[str]) -> None:
    assert inside(mixed, "in", "-o", "out", "--format", "png", *QUICK).status == 0
    for name, model in MADE_BY.items():
        options = Options((name,), model=model, precision="fp32", device="cpu")
        settings = method_of(options, model_module.load_model(model, device="cpu")).settings
        expected = key_of(mixed / "in" / name, settings)
        assert read_key(mixed / "out" / f"{Path(name).stem}_x4.png") == expected
    for name in ("a.png", "b.jpg"):
        model = MADE_BY[name]
        words = (f"in/{name}", "-o", "out", "--format", "png", "--json", "--model")
        assert inside(mixed, *words, model, *QUICK).by_input[name]["status"] == "skipped"
        (other,) = {CLEAN, REAL} - {model}
        error = inside(mixed, *words, other, *QUICK).by_input[name]["error"]
        assert error["code"] == "output-exists"


@pytest.mark.parametrize(("name", "model"), [("a.png", CLEAN), ("b.jpg", REAL), ("e.jpg", CLEAN)])
def test_nothing_is_loaded_that_is_not_needed(
    mixed: Path, loaded: list[str], name: str, model: str
) -> None:
    found = inside(mixed, f"in/{name}", "-o", "out.png", *QUICK)
    assert (found.status, loaded) == (0, [model])
    assert f"upscale: {model} for {name}, which was saved {CHOICES[model]}" in found.said
    assert "--model" in found.said


def test_nothing_is_said_of_a_model_that_is_named(mixed: Path, loaded: list[str]) -> None:
    found = inside(mixed, "in/b.jpg", "-o", "out", "--model", CLEAN, *QUICK)
    assert (found.status, loaded) == (0, [CLEAN])
    assert "saved" not in found.said


def test_auto_can_be_asked_for(mixed: Path, loaded: list[str]) -> None:
    assert inside(mixed, "in/b.jpg", "-o", "out", "--model", "auto", *QUICK).status == 0
    assert loaded == [REAL]


def test_what_is_not_made_is_not_counted(mixed: Path, loaded: list[str]) -> None:
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
    assert "realesr-general for b.jpg, which" in found.said
    assert len({frozenset(each) for each in found.by_input.values()}) == 1


def test_names_hold_the_model_of_each(mixed: Path, loaded: list[str]) -> None:
    words = ("in", "--name", "{stem}-{model}", "--format", "png", "--json", *QUICK)
    found = inside(mixed, *words)
    assert found.status == 0, found.said
    made = {Path(each["output"]).name for each in found.by_input.values()}
    assert made == {f"{Path(name).stem}-{model}.png" for name, model in MADE_BY.items()}
    again = inside(mixed, *words)
    assert again.records[-1] == {"kind": "summary", "skipped": 6, "exit_code": 0}


def test_a_dry_run_chooses_alike(mixed: Path, loaded: list[str]) -> None:
    found = inside(mixed, "in", "-o", "out", "--dry-run", "--json", "--tile", "8", *QUICK)
    assert found.status == 0, found.said
    assert {name: each["model"] for name, each in found.by_input.items()} == MADE_BY
    assert {each["status"] for each in found.by_input.values()} == {"planned"}
    assert "realesr-general for 3 pictures" in found.said
    assert "on cpu (fp32)" in found.said


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


def lose_real(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the weights of `REAL` be missing."""
    stand_in = model_module.load_model

    def load(name: str, *arguments: object, **options: object) -> Model:
        if name == REAL:
            raise WeightsError("realesr-general: is missing")
        return stand_in(name, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(model_module, "load_model", load)


def test_weights_that_are_missing_stop_a_run_before_any_work(
    mixed: Path, loaded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lose_real(monkeypatch)
    found = inside(mixed, "in", "-o", "out", "--json", *QUICK)
    assert found.status == WeightsError.exit_code
    assert found.said.splitlines()[-1] == "upscale: realesr-general: is missing"
    assert found.records == [{"kind": "summary", "exit_code": 3}]
    assert not list((mixed / "out").iterdir())


# Alpha, with the embedded weights


def test_alpha_blends_a_model_that_has_two_ends(mixed: Path) -> None:
    words = ("in/a.png", "in/b.jpg", "--format", "png", "--json", *QUICK)
    found = inside(mixed, *words, "--alpha", "0", "-o", "blend")
    assert found.status == 0, found.said
    assert {(each["model"], each["alpha"]) for each in found.by_input.values()} == {
        (CLEAN, 0),
        (REAL, None),
    }
    assert found.said.count(f"--alpha does not change {REAL}") == 1
    assert (
        inside(mixed, *words, "--model", str(read_manifest()[CLEAN].psnr), "-o", "end").status == 0
    )
    blend, end = (shown(mixed / folder / "a_x4.png").astype(int) for folder in ("blend", "end"))
    assert np.abs(blend - end).max() <= 1
    named = inside(mixed, "in/b.jpg", "-o", "named", "--model", REAL, "--alpha", "0", *QUICK)
    assert named.status == 2
    assert f"{REAL} has no PSNR end" in named.said


# Streams, frames, a watch, a sweep


@pytest.mark.parametrize(("name", "model"), [("PNG", CLEAN), ("JPEG", REAL)])
def test_a_picture_from_a_pipe_is_looked_at(
    tmp_path: Path, loaded: list[str], name: str, model: str
) -> None:
    status, out, said = piped(tmp_path, encoded(noise(), name), "-", *QUICK)
    assert (status, loaded) == (0, [model]), said
    assert out
    assert f"{model} for standard-input, which was saved {CHOICES[model]}" in said


def test_frames_are_taken_for_video_that_was_saved_with_loss(
    tmp_path: Path, loaded: list[str]
) -> None:
    (tmp_path / "in.rgb").write_bytes(noise().tobytes())
    words = ("in.rgb", "-o", "out.rgb", "--raw", "6x4", *QUICK[:4])
    found = inside(tmp_path, *words)
    assert (found.status, loaded) == (0, [REAL]), found.said
    assert (tmp_path / "out.rgb").read_bytes() == bytes(COLOUR) * (16 * 24)
    assert found.said.count(f"upscale: {REAL}, as most video was saved with loss; --model") == 1

    named = inside(tmp_path, *words, "--overwrite", "--model", CLEAN)
    assert (named.status, loaded) == (0, [REAL, CLEAN])
    assert "loss" not in named.said


@pytest.fixture
def stop_after(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path, int], None]]:
    """What ends this process's watch once a folder holds so many files."""
    monkeypatch.setattr(run_module, "settled", partial(settled, interval=0.1, quiet=0.3))
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
    assert loaded == [CLEAN, REAL]
    assert "realesr-general for pictures saved with loss, srgan for pictures saved" in found.said


@pytest.mark.parametrize("bad", [b"no picture", None])
def test_a_watch_ends_where_a_model_cannot_be_loaded(
    tmp_path: Path,
    loaded: list[str],
    monkeypatch: pytest.MonkeyPatch,
    bad: bytes | None,
) -> None:
    """Also where a picture has failed before, which is no reason to be silent."""
    (tmp_path / "in").mkdir()
    if bad is not None:
        (tmp_path / "in" / "a.png").write_bytes(bad)
    (tmp_path / "in" / "b.jpg").write_bytes(encoded(noise(), "JPEG"))
    monkeypatch.setattr(run_module, "settled", partial(settled, interval=0.1, quiet=0.3))
    lose_real(monkeypatch)
    found = inside(tmp_path, "in", "-o", "out", "--watch", "--json", *QUICK)
    assert found.status == WeightsError.exit_code
    assert found.by_input["b.jpg"]["error"]["code"] == WeightsError.code
    assert found.by_input["b.jpg"]["model"] == REAL
    assert "realesr-general: is missing" in found.said


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
    assert any(line.startswith(f"upscale: {CLEAN}") for line in said)


def test_a_sweep_to_another_psnr_end_wants_a_model(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--model"):
        Sweep(tmp_path / "a.png", psnr="srresnet").check()
