"""``upscale models`` and ``upscale convert``."""

import struct
import subprocess
import sys
from pathlib import Path

from program import COLOUR, colours, flat_weights, inside, picture, upscale

from upscale.models.manifest import read_manifest


def test_models_are_listed_as_a_table_and_as_json(tmp_path: Path) -> None:
    table, lines = inside(tmp_path, "models"), inside(tmp_path, "models", "--json")
    assert (table.status, lines.status) == (0, 0)
    names = [record["name"] for record in lines.records]
    assert names == list(read_manifest())
    beginnings = [line.split(" ")[0] for line in table.out.splitlines()]
    assert [word for word in beginnings if word in names] == names
    embedded = {r["name"] for r in lines.records if r["local"] == "embedded"}
    assert embedded == {
        *("srgan", "srresnet", "esrgan", "rrdb-psnr", "compact-psnr", "realesr-general", "niqe")
    }
    assert {r["role"] for r in lines.records} == {"generator", "lpips", "dists", "niqe", "features"}


def test_the_table_of_models_fits_any_encoding(tmp_path: Path) -> None:
    found = upscale(tmp_path, "models", PYTHONIOENCODING="latin-1")
    assert found.status == 0, found.said[-300:]


def test_the_table_of_models_may_go_nowhere(tmp_path: Path) -> None:
    command = ["sh", "-c", 'exec "$@" >&-', "sh", sys.executable, "-m", "upscale", "models"]
    run = subprocess.run(command, cwd=tmp_path, stderr=subprocess.PIPE, check=False)
    assert run.returncode == 0
    assert b"Traceback" not in run.stderr


def test_a_converted_checkpoint_is_used_and_a_damaged_one_refused(tmp_path: Path) -> None:
    flat_weights(tmp_path / "flat.pth")
    picture(tmp_path / "a.png")
    converted = inside(tmp_path, "convert", "flat.pth", "flat.safetensors")
    assert converted.status == 0, converted.said
    assert "rrdbnet" in converted.said
    used = inside(tmp_path, "a.png", "--model", "flat.safetensors")
    assert used.status == 0, used.said
    assert colours(tmp_path / "a_x4.png") == {COLOUR}

    data = bytearray((tmp_path / "flat.safetensors").read_bytes())
    (length,) = struct.unpack("<Q", data[:8])
    data[data.index(b'"shape"', 8, 8 + length) + 10] ^= 1  # the first digit of a shape
    (tmp_path / "flat.safetensors").write_bytes(data)
    damaged = inside(tmp_path, "a.png", "--model", "flat.safetensors", "--overwrite")
    assert damaged.status == 3
    assert "flat.safetensors" in damaged.said
