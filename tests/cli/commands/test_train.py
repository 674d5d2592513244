"""``upscale train`` as its users meet it: stopped, killed, refused, on two processes."""

import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
import torch
import typer
from forked import CONTEXT
from program import without_torch
from random_networks import random_lr
from tiny_training import (
    SRRESNET,
    command,
    crops,
    differing,
    lines,
    narrow,
    one_thread,
    run,
    same_runs,
    stopped,
    tiny,
)
from torch import Tensor
from typer.testing import CliRunner

from upscale.cli.app import app
from upscale.models.checkpoints.convert import read_checkpoint
from upscale.models.loading import load_model
from upscale.networks.spec import build, spec_from_dict
from upscale.training.config import Config, make_config, write_config
from upscale.training.course import Ended
from upscale.training.data.shares import Share
from upscale.training.generator import GeneratorOptions
from upscale.training.learning.state import load_state
from upscale.training.recipes import Recipe

TESTS = Path(__file__).parents[2]

GAN = {
    # A generator that starts near bilinear, and a discriminator that moves little: where sr is
    # flat, its batch-norms divide by nearly nothing, and the last bit of a sum soon is the first
    # of the loss, with one process of two threads as with two processes.
    "generator": SRRESNET | {"base": "bilinear", "output": "linear"},
    "adversarial": "relativistic",
    "lr_rate": 3e-5,
    "discriminator_rate": 1e-6,
    "batch": 8,
}


@pytest.fixture(autouse=True)
def _quiet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("UPSCALE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.chdir(tmp_path)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    with one_thread(), narrow():
        yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return crops(tmp_path / "data")


def asked(*words: str | Path) -> Any:
    return CliRunner().invoke(app, ["train", *map(str, words)])


def file_of(config: Config, path: Path) -> Path:
    path.write_text(write_config(config), "utf-8")
    return path


# The command line


def test_every_option_is_a_field_and_every_field_an_option() -> None:
    (train,) = [
        each
        for name, each in typer.main.get_command(app).commands["train"].commands.items()
        if name not in ("plot", "publish")
    ]
    kinds = (Config, Recipe, GeneratorOptions)
    of_run = {each.name for kind in kinds for each in fields(kind)}
    of_run -= {"source", "generator", "first_stage", "asked", "idle"}
    own = {"recipe", "config", "output", "resume", "world_size", "debug"}
    assert {parameter.name for parameter in train.params} - {"help"} == of_run | own


def test_help_and_usage_errors_never_import_torch(tmp_path: Path) -> None:
    words = (["--help"], ["--steps", "many"], ["--resume", "nowhere"], ["--steps", "3"])
    helped, *refused = without_torch(tmp_path, *(["train", *each] for each in words))
    assert helped.status == 0
    assert "--discriminator-rate" in helped.out
    assert [each.status for each in refused] == [2, 2, 2]


def test_a_run_from_a_file_and_options(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "tiny.toml"
    file.write_text(
        'recipe = "srresnet"\ninit = "none"\nbatch = 4\nhr_patch = 16\nsteps = 9\n'
        'device = "cpu"\nprecision = "fp32"\nlog_every = 1\n'
        '[generator]\narchitecture = "srresnet"\nfeatures = 8\nblocks = 1\n'
    )
    result = asked("--data", data, "--config", file, "--steps", 3, "-o", "made", "--ema", "0.5")
    assert result.exit_code == 0, result.output
    assert result.stdout == ""
    *steps, last = result.stderr.splitlines()
    assert last == "made: 3 steps"
    assert [line.split(":")[0] for line in steps] == [f"step {n} of 3" for n in (1, 2, 3)]
    config = make_config(None, tmp_path / "made" / "config.toml", {})
    assert config.recipe.steps == 3
    assert config.data == (Share(data.absolute()),)
    assert config.recipe.ema == 0.5
    assert spec_from_dict(config.recipe.generator) == spec_from_dict(SRRESNET)
    model = load_model(tmp_path / "made" / "generator.safetensors", device="cpu")
    assert model(random_lr(8, 8)).shape == (1, 3, 32, 32)
    result = asked("--data", data, "--config", file, "--steps", 1)  # without a folder's name
    assert result.exit_code == 0, result.output
    assert re.search(r"^runs/\w+-1: 1 steps$", result.stderr, re.M)


# What is refused


def test_folders_with_shares(data: Path, tmp_path: Path) -> None:
    more = crops(tmp_path / "more", 2)
    tiny = ["--init", "none", "--features", 8, "--blocks", 1, "--batch", 4, "--hr-patch", 16]
    words = ["--recipe", "srresnet", "--steps", 1, "--device", "cpu", *tiny, "-o", "made"]
    result = asked("--data", f"{data.name}:3", "--data", more, *words)
    assert result.exit_code == 0, result.output
    config = make_config(None, tmp_path / "made" / "config.toml", {})
    assert config.data == (Share(data.absolute(), 3.0), Share(more))
    origin = read_checkpoint(tmp_path / "made" / "generator.safetensors").origin
    assert origin["data_shares"] == "data:3, more"
    assert origin["data_pictures"] == "6"
    assert asked("--data", f"{data}:0", *words[:-1], "other").exit_code == 2


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that has ended, for all."""
    folder = tmp_path_factory.mktemp("trained")
    with one_thread():
        run(tiny(crops(folder / "data"), steps=2), folder / "run")
    return folder / "run"


@pytest.fixture
def finished(trained: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return shutil.copytree(trained, tmp_path / "finished")


REFUSED = [
    ("--data {data} -o {finished}", "already holds a run; --resume"),
    ("--data {data} --hr-patch 64", "/data: .* 64 × 64 .* --hr-patch"),
    (
        "--data {data} --adversarial standard --adversarial-coefficient 0.1 --hr-patch 24",
        "does not fit the srgan discriminator.* 16 or 32",
    ),
    ("--data {empty}", "/empty: "),
    ("--data {empty}/none", "/empty/none: "),
    ("--data {data} --world-size 2", "--world-size .* 2 processes.* 1; .*torchrun"),
    ("--data {data} --batch 5 --accumulate 2", "--batch 5 cannot be made of 2"),
    ("--data {data} --lr-rate nan", "lr-rate.* nan"),
    ("--data {data} --schedule steps", "--schedule: .* milestone"),
    ("--data {data} --ema 1", "ema is 1"),
    ("--data {data} --pixel-coefficient 0", "every loss is switched off"),
    ("--data {data} --valid {empty}", "no pictures"),
    ("--data {data} --device tpu", "device 'tpu'"),
    ("--resume {empty}", "is not a run: it has no config.toml"),
    ("--resume {finished} -o {empty}", "contradict"),
    ("--resume {finished} --init none", "--init contradict"),
    ("--resume {finished} --start paper", "--start contradict"),
    ("--resume {finished} --first steps=3", "--first "),
    ("--data {data} --first steps=3", "--first "),
    ("--data {data} --start paper --init srgan", "--init contradict"),
    ("--resume {finished} --data {other} --steps 3", "--data"),
    ("--resume {finished} --batch-norm folded", "--init"),
    (
        "--resume {finished} --adversarial standard --adversarial-coefficient 0.1",
        r"--resume .*generator\.safetensors with --init",
    ),
]


@pytest.mark.parametrize(("words", "reason"), REFUSED, ids=[words for words, _ in REFUSED])
def test_what_makes_no_sense_is_refused_in_a_sentence(
    words: str, reason: str, data: Path, finished: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    crops(tmp_path / "other", 3)
    names = {name: tmp_path / name for name in ("data", "finished", "empty", "other")}
    extra: list[str | Path] = []
    if "--resume" not in words:
        extra = ["--config", file_of(tiny(data, steps=2), tmp_path / "tiny.toml")]
        extra += [] if "-o" in words else ["-o", tmp_path / "new"]
    before = {path: path.read_bytes() for path in finished.rglob("*") if path.is_file()}
    result = asked(*words.format(**names).split(), *extra)
    assert result.exit_code in (1, 2), result.output
    (said,) = [line for line in result.stderr.splitlines() if line.startswith("upscale: ")]
    assert re.search(reason, said)
    assert {path: path.read_bytes() for path in finished.rglob("*") if path.is_file()} == before
    assert not (tmp_path / "new" / "state.pt").exists()


def test_numbers_that_are_no_longer_finite_end_the_run(finished: Path) -> None:
    before = (finished / "state.pt").read_bytes()
    result = asked("--resume", finished, "--steps", 9, "--lr-rate", "1e30", "--save-every", 1)
    assert result.exit_code == 1
    assert re.search(r"^upscale: .*not finite at step \d.*--lr-rate", result.stderr, re.M)
    assert (finished / "state.pt").read_bytes() == before
    result = asked("--resume", finished, "--steps", 4, "--lr-rate", "1e-4")
    assert result.exit_code == 0, result.output
    assert load_state(finished / "state.pt")["state"]["step"] == 4


# Stopped and killed


def assert_goes_on_to_the_same(folder: Path, whole: Path, more: int = 3) -> None:
    """Let a run go on for some steps, and compare it with one that was never stopped."""
    config = make_config(None, folder / "config.toml", {})
    steps = load_state(folder / "state.pt")["state"]["step"] + more
    config = replace(config, workers=0, recipe=replace(config.recipe, steps=steps))
    run(config, folder, resume=True)
    run(replace(config, save_every=10**6), whole)
    assert not differing(load_state(folder / "state.pt"), load_state(whole / "state.pt"))
    ends = [(each / "generator.safetensors").read_bytes() for each in (folder, whole)]
    assert ends[0] == ends[1]
    expected, told = (
        {(line["step"], line["kind"]): line for line in lines(each)} for each in (whole, folder)
    )
    assert len(told) == len(lines(folder))  # none twice
    assert expected.items() <= told.items()
    extra = {step for step, kind in told.keys() - expected.keys()}  # where it was stopped
    assert all(step % config.log_every for step in extra)


@pytest.mark.slow
def test_ctrl_c_saves_and_says_how_to_go_on(data: Path, tmp_path: Path) -> None:
    config = tiny(data, steps=10**6, log_every=5, workers=1)
    file = file_of(config, tmp_path / "tiny.toml")
    process = subprocess.Popen(
        [sys.executable, "-m", "upscale", "train", "--config", file, "-o", "made"],
        stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("step 10 "):
            break
    os.killpg(process.pid, signal.SIGINT)  # a terminal asks all of its processes
    os.killpg(process.pid, signal.SIGTERM)  # at once again, as by torchrun and a scheduler
    said = process.stderr.read()
    process.stderr.close()
    assert process.wait(60) == 130
    assert "Traceback" not in said
    assert said.count("upscale: stopping after this step; a second Ctrl-C stops at once\n") == 1
    assert re.search(r"^made: \d+ steps; continue with: upscale train --resume made$", said, re.M)
    assert_goes_on_to_the_same(tmp_path / "made", tmp_path / "whole")


@pytest.mark.slow
def test_whatever_a_kill_leaves_can_go_on(data: Path, tmp_path: Path) -> None:
    config = tiny(
        data, steps=10**6, save_every=1, keep=2, valid=str(data), validate_every=9, samples=1
    )
    file = file_of(config, tmp_path / "tiny.toml")
    folder, errors = tmp_path / "made", tmp_path / "errors"
    variables = {name: os.environ[name] for name in ("UPSCALE_CACHE", "HF_HUB_OFFLINE")}
    chance = random.Random(5)
    reached = rounds = 0
    while rounds < 4 or reached <= 5:  # a slow machine needs more rounds to get that far
        rounds += 1
        assert rounds < 40
        words = ["train", "--config", str(file), "-o", str(folder)]
        if (folder / "state.pt").exists():
            words = ["train", "--resume", str(folder)]
        errors.write_text("")
        process = CONTEXT.Process(target=command, args=(words, errors, variables))
        process.start()
        while "step" not in errors.read_text():
            assert process.is_alive(), errors.read_text()
            time.sleep(0.002)
        time.sleep(chance.uniform(0, 0.05 * rounds))
        process.kill()
        process.join()
        assert "upscale:" not in errors.read_text()
        if not (folder / "state.pt").exists():
            continue
        step = load_state(folder / "state.pt")["state"]["step"]
        assert step >= reached
        reached = step
        for path in folder.rglob("*.safetensors"):
            if not path.name.startswith("."):
                assert int(read_checkpoint(path).origin["steps"]) <= step + 1
    assert_goes_on_to_the_same(folder, tmp_path / "whole")
    assert not list(folder.rglob("*.part"))
    assert len(list((folder / "checkpoints").iterdir())) == 2


@pytest.mark.slow
def test_a_run_of_two_stages_goes_on_where_it_was_killed(data: Path, tmp_path: Path) -> None:
    config = tiny(data, "srgan-mse", steps=9, start="paper", save_every=2, schedule="constant")
    config = replace(config, first=tiny(data, "srresnet", steps=7).recipe)
    folder, errors = tmp_path / "made", tmp_path / "errors"
    variables = {name: os.environ[name] for name in ("UPSCALE_CACHE", "HF_HUB_OFFLINE")}
    words = ["train", "--config", str(file_of(config, tmp_path / "two.toml")), "-o", str(folder)]
    for line, killed_in in ((r"^first stage: step 3 of 7:", "first"), (r"^step 5 of 9:", "")):
        errors.write_text("")
        process = CONTEXT.Process(target=command, args=(words, errors, variables))
        process.start()
        while not re.search(line, errors.read_text(), re.M):
            assert process.is_alive(), errors.read_text()
            time.sleep(0.002)
        process.kill()
        process.join()
        assert load_state(folder / killed_in / "state.pt")["state"]["step"] >= 2
        assert (folder / "state.pt").exists() == (killed_in == "")
        words = ["train", "--resume", str(folder)]
    result = asked("--resume", folder)
    assert result.exit_code == 0, result.output
    assert result.stderr.splitlines()[-1] == f"{folder}: 9 steps"
    assert not re.search("^first stage", result.stderr, re.M)
    assert stopped(config, tmp_path / "whole") == Ended(9)
    for stage in ("", "first"):
        shutil.rmtree(folder / stage / "checkpoints")
        shutil.rmtree(tmp_path / "whole" / stage / "checkpoints")
        same_runs(folder / stage, tmp_path / "whole" / stage)


# Two processes

PROGRAM = """
import json, os, sys
from tiny_training import narrow
from upscale.cli import main
for number, words in enumerate(json.load(open(sys.argv[1]))):
    port, *words = words
    if number:  # PyTorch cannot join torchrun's own store again and again
        os.environ.pop("TORCHELASTIC_USE_AGENT_STORE", None)
        os.environ["MASTER_PORT"] = port
    sys.argv = ["upscale", *(word.replace("RANK", os.environ["RANK"]) for word in words)]
    try:
        with narrow():
            main()
    except SystemExit as end:
        if end.code:
            raise
"""


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def torchrun(commands: Sequence[Sequence[str]], folder: Path) -> subprocess.Popen[str]:
    (folder / "program.py").write_text(PROGRAM)
    (folder / "commands.json").write_text(
        json.dumps([[free_port(), *map(str, words)] for words in commands])
    )
    words = ["--standalone", "--nproc-per-node", "2", "program.py", "commands.json"]
    places = os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    return subprocess.Popen(
        [sys.executable, "-m", "torch.distributed.run", *words],
        cwd=folder, env=os.environ | {"PYTHONPATH": places}, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def made_by(folder: Path, config: Config) -> Tensor:
    """Enlarge noise by a run's generator, batch-norm in training.

    There a bias in front of it makes no difference. It gets a gradient that is 0 but for rounding,
    and Adam divides by that.
    """
    network = build(config.recipe.generator)
    network.load_state_dict(load_state(folder / "state.pt")["state"]["generator"])
    with torch.no_grad():
        sr: Tensor = network.train()(random_lr(16, 16))
    return sr


@pytest.mark.slow
def test_two_processes_train_as_one_does_and_stop_together(data: Path, tmp_path: Path) -> None:
    configs = {
        "psnr": tiny(
            data, steps=6, lr_rate=5e-5, ema=0.5, valid=str(data), samples=0, save_every=4
        ),
        "gan": tiny(data, "srgan-mse", steps=4, **GAN),
        "endless": tiny(data, steps=10**6, log_every=3, valid=str(data), validate_every=5),
    }
    commands = []
    for name, config in configs.items():
        file = str(file_of(config, tmp_path / f"{name}.toml"))
        words = ["train", "--config", file, "-o", f"{name}-RANK", "--world-size", "2"]
        commands.append(words)
    process = torchrun(commands, tmp_path)
    assert process.stderr is not None
    said = ""
    for line in process.stderr:
        said += line
        if "endless-0" in said or re.match(r"step 6 of 1000000:", line):
            break
    process.send_signal(signal.SIGINT)  # torchrun passes it on
    said += process.stderr.read()
    process.stderr.close()
    process.wait(60)
    assert re.search(r"^endless-0: \d+ steps; continue with: .*--resume endless-0$", said, re.M), (
        said
    )
    assert "Error" not in said.split("Sending process")[0], said

    assert not list(tmp_path.glob("*-1")), "only the first process writes"
    for name in ("psnr", "gan"):
        run(configs[name], tmp_path / name)
        one, two = lines(tmp_path / name), lines(tmp_path / f"{name}-0")
        assert [line["step"] for line in one] == [line["step"] for line in two]
        for a, b in zip(one, two, strict=True):
            assert a.keys() == b.keys()
            for key in a.keys() - {"kind"}:
                # the discriminator's own figures are of logits that a step at 1e-6 moves by more
                near = 1e-4 if key in ("discriminator", "D(hr)", "D(sr)") else 1e-5
                if a["kind"] == "validation":  # of pictures of whole levels: one may fall aside
                    near = 1e-2
                assert a[key] == pytest.approx(b[key], rel=0, abs=near), (name, a["step"], key)
        ends = [made_by(tmp_path / each, configs[name]) for each in (name, f"{name}-0")]
        assert (ends[0] - ends[1]).abs().max() < 1e-5
        assert ends[0].std() > 0.01

    steps = load_state(tmp_path / "endless-0" / "state.pt")["state"]["step"]
    shutil.copytree(tmp_path / "endless-0", tmp_path / "alone")
    config = configs["endless"]
    config = replace(config, recipe=replace(config.recipe, steps=steps + 2))
    run(config, tmp_path / "alone", resume=True)  # one process can go on, too
    assert load_state(tmp_path / "alone" / "state.pt")["state"]["step"] == steps + 2
