"""Measure the README's table and plot anew and put them where they stand.

    UPSCALE_DATA=FOLDER python benchmarks/readme.py

FOLDER holds ``Set5/`` and ``Set14/``. Everything comes from ``upscale bench``; about ten minutes on
two cores, most of them for ``realsr``.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"

MODELS = ("nearest", "bicubic", "lanczos", "srresnet", "srgan", "realsr")
SETS = {"set5": "Set5", "set14": "Set14"}
COLUMNS = {"psnr": 2, "ssim": 4, "lpips-alex": 4, "niqe": 2}
PLOT = ("srgan", "realsr")


def bench(*words: str) -> list[dict]:
    command = [sys.executable, "-m", "upscale", "bench", *SETS, "--json", *words]
    print(" ".join(command[2:]), flush=True)
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def cells(figures: dict[str, float], kind: str = "") -> list[str]:
    made = []
    for name, digits in COLUMNS.items():
        text = f"{figures[name]:.{digits}f}" if name in figures else ""
        made.append(text + (f" ({kind})" if text and name == "ssim" and kind else ""))
    return made


def table(records: list[dict]) -> str:
    """Put the measured rows, each with what is published under it, both sets side by side."""
    rows: dict[tuple[str, str], dict[str, list[str]]] = {}
    for record in records:
        if record["kind"] == "measured":
            key = (record["system"], "")
            found = cells(record["figures"])
        elif record["kind"] == "published" and "arxiv" in record.get("address", ""):
            key = (record["beside"], record["source"])
            other = record.get("ssim_kind", "wang")
            found = cells(record["figures"], other if other != "wang" else "")
        elif record["kind"] == "published" and "SPSR" in record["source"]:
            key = (record["beside"], f"{record['system']} in {record['source']}")
            found = cells(record["figures"])
        else:
            continue
        rows.setdefault(key, {})[record["set"]] = found
    heads = ["PSNR", "SSIM", "LPIPS", "NIQE"]
    lines = [
        "| | " + " | ".join(f"{title} {head}" for title in SETS.values() for head in heads) + " |",
        "| --- |" + " ---: |" * (len(SETS) * len(heads)),
    ]
    for system in MODELS:
        for (name, source), by_set in rows.items():
            if name == system:
                label = f"*published: {source}*" if source else f"`{name}`"
                found = [cell for each in SETS for cell in by_set.get(each, [""] * len(heads))]
                lines.append(f"| {label} | " + " | ".join(found) + " |")
    return "\n".join(lines)


def main() -> None:
    models = [word for name in MODELS for word in ("-m", name)]
    text = README.read_text("utf-8")
    block = f"<!-- figures -->\n{table(bench(*models))}\n<!-- /figures -->"
    text, count = re.subn(
        r"<!-- figures -->.*?<!-- /figures -->", lambda found: block, text, flags=re.DOTALL
    )
    assert count == 1, "README.md has lost its marks"
    README.write_text(text, "utf-8")
    systems = [word for name in PLOT for word in ("-m", name)]
    bench(
        *systems,
        *("--alpha", "0:1:0.1", "--image-interpolation", "--back-project", "10"),
        *("--plot", str(ROOT / "docs" / "plane.png")),
    )


if __name__ == "__main__":
    main()
