"""What a dry run says."""

from pathlib import Path

from PIL import Image
from program import EXACT, FILE_KEYS, inside, noise


def test_a_dry_run_says_what_a_run_would_do_and_makes_nothing(
    tmp_path: Path, repeating: str
) -> None:
    for name, size in (("a.png", (6, 4)), ("below/b.jpg", (10, 3)), ("c.webp", (5, 5))):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", size).save(tmp_path / "in" / name)
    (tmp_path / "in" / "bad.png").write_bytes(b"no picture")
    turned = Image.Exif()
    turned[0x112] = 6
    Image.new("L", (9, 2)).save(tmp_path / "in" / "d.jpg", exif=turned)
    before = {*tmp_path.rglob("*")}
    words = ("in", "-o", "out", "--json", "--model", repeating, *EXACT)
    dry = inside(tmp_path, *words, "--dry-run")
    assert dry.status == 1
    assert {*tmp_path.rglob("*")} == before
    assert "about" in dry.said
    wet = inside(tmp_path, *words)
    keys = ("output", "width", "height", "output_width", "output_height", "error")
    for name, record in wet.by_input.items():
        assert record.keys() == FILE_KEYS
        assert [dry.by_input[name][key] for key in keys] == [record[key] for key in keys]
        planned = "planned" if record["status"] == "done" else record["status"]
        assert dry.by_input[name]["status"] == planned
    *_, summary = dry.records
    areas = [6 * 4 * 3, 10 * 3 * 3, 5 * 5 * 3, 9 * 2]
    assert summary["bytes_uncompressed"] == 16 * sum(areas)
    assert (summary["planned"], summary["failed"], summary["exit_code"]) == (4, 1, 1)
    again = inside(tmp_path, *words, "--dry-run")
    assert {name: record["status"] for name, record in again.by_input.items()} == {
        name: "skipped" if record["status"] == "done" else "failed"
        for name, record in wet.by_input.items()
    }


def test_a_dry_run_counts_passes_frames_and_limits(tmp_path: Path, repeating: str) -> None:
    frames = [Image.fromarray(noise(seed=seed)) for seed in range(3)]
    frames[0].save(tmp_path / "a.webp", save_all=True, append_images=frames[1:], lossless=True)
    Image.new("L", (1200, 1)).save(tmp_path / "wide.webp")
    words = ("*.webp", "--dry-run", "--json", "--model", repeating, *EXACT, "--scale", "16")
    found = inside(tmp_path, *words)
    assert found.by_input["wide.webp"]["error"]["code"] == "too-large-for-format"
    assert found.by_input["a.webp"]["output_width"] == 6 * 16
    assert found.records[-1]["bytes_uncompressed"] % (3 * 6 * 4 * 16**2) == 0
