"""The files of docs/clusters/ make every picture once, as far as that shows without a cluster."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from carried import Kept, png
from documents import ROOT
from program import EXACT, inside

from upscale.errors import InputError, UsageError, WeightsError

FILES = ROOT / "docs" / "clusters"
NAMES = [f"{folder}{name}.png" for folder in ("", "deep/") for name in "abc"]

pytestmark = pytest.mark.skipif(os.name == "nt", reason="POSIX only: shells run the commands")


def words_given(folder: Path, command: list[str], **environment: str) -> list[str]:
    """Return what a shell's command passes to upscale, which does nothing here."""
    shim = folder / "bin" / "upscale"
    shim.parent.mkdir(exist_ok=True)
    shim.write_text('#!/bin/sh\nfor word in "$@"; do printf "%s\\n" "$word"; done\n')
    shim.chmod(0o755)
    path = f"{shim.parent}{os.pathsep}{os.environ['PATH']}"
    run = subprocess.run(
        command,
        env={"PATH": path, **environment},
        check=True,
        capture_output=True,
        text=True,
        cwd=folder,
    )
    return run.stdout.splitlines()


def part(folder: Path, words: list[str], model: str) -> list[str]:
    """Make a part as the words say; return the outputs that it made."""
    outcome = inside(folder, *words, "--json", "--model", model, *EXACT)
    assert outcome.status == 0, outcome.said
    done = [each for each in outcome.records if each["kind"] == "file"]
    assert {each["status"] for each in done} <= {"done"}
    return [each["output"] for each in done]


@pytest.mark.parametrize("first", [0, 5])
def test_the_tasks_of_a_slurm_array_make_every_picture_once(
    tmp_path: Path, repeating: str, monkeypatch: pytest.MonkeyPatch, first: int
) -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("POSIX only: no bash")
    for name in NAMES:
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(png())
    script = str(FILES / "upscale.slurm")
    outputs = []
    for number in range(4):
        task = {"ID": first + number, "MIN": first, "MAX": first + 3, "COUNT": 4, "STEP": 1}
        slurm = {f"SLURM_ARRAY_TASK_{name}": str(value) for name, value in task.items()}
        words = words_given(tmp_path, [bash, script, "in", "out/", "--format", "webp"], **slurm)
        if first:  # parts numbered from elsewhere: once more, by their own numbers
            slurm |= {"SLURM_ARRAY_TASK_ID": str(number), "PARTS": "4"}
            slurm["SLURM_ARRAY_TASK_COUNT"] = "1"
            words = words_given(tmp_path, [bash, script, "in", "out/"], **slurm)
        for name, value in slurm.items():
            monkeypatch.setenv(name, value)
        outputs += part(tmp_path, words, repeating)
        assert (tmp_path / "out" / "reports" / f"{number}.jsonl").exists()
    suffix = "png" if first else "webp"
    wanted = [f"out/{name.removesuffix('.png')}_x4.{suffix}" for name in NAMES]
    assert sorted(outputs) == sorted(wanted)
    audited = ("audit", "in", "out", "--format", suffix, "--model", repeating)
    assert inside(tmp_path, *audited, "--precision", "fp32", "--jobs", "1").status == 0


@pytest.mark.slow
def test_the_pods_of_a_kubernetes_job_make_every_picture_once(
    tmp_path: Path, repeating: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = yaml.safe_load((FILES / "job.yaml").read_text())["spec"]
    (container,) = spec["template"]["spec"]["containers"]
    kept = Kept(tmp_path)
    for name in NAMES:
        kept.put(f"pictures/{name}", png())
    outputs = []
    parts = spec["completions"]
    assert container["command"][0] == "upscale"
    words = [word.replace("s3:/", kept.root) for word in container["command"][1:]]
    for number in range(parts):
        monkeypatch.setenv("JOB_COMPLETION_INDEX", str(number))
        outputs += part(tmp_path, words, repeating)
        receipt = f"large/.upscale/shard-{number:05}-of-{parts:05}.jsonl"
        assert kept.get(receipt) is not None
    wanted = [kept.url(f"large/{name.removesuffix('.png')}_x4.png") for name in NAMES]
    assert sorted(outputs) == sorted(wanted)


def test_a_pod_is_not_started_again_for_what_would_fail_again() -> None:
    spec = yaml.safe_load((FILES / "job.yaml").read_text())["spec"]
    rule = spec["podFailurePolicy"]["rules"][0]
    final = {error.exit_code for error in (InputError, UsageError, WeightsError)}
    assert (rule["action"], set(rule["onExitCodes"]["values"])) == ("FailIndex", final)
    assert rule["onExitCodes"]["containerName"] == "upscale"
    (container,) = spec["template"]["spec"]["containers"]
    mounts = [each["mountPath"] for each in container["volumeMounts"]]
    assert [each["value"] for each in container["env"] if each["name"] == "TMPDIR"] == mounts
