"""The report files of a study: JSON, CSV, Markdown and a plot."""

import csv
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from upscale import __version__
from upscale.errors import UsageError
from upscale.files import unreadable, whole
from upscale.rating.findings.opinions import Opinion
from upscale.rating.findings.summary import Findings, published_of
from upscale.rating.findings.text import to_markdown
from upscale.rating.key import Key

__all__ = ["PLOT", "read_opinions", "to_json", "write_report"]

KIND = "report of a rating study"

REPORT, PLOT = "report.json", "distribution.svg"


def write_report(findings: Findings, key: Key, folder: Path) -> list[Path]:
    """Write ``report.md`` and its other files into ``folder``; return the files.

    Raises OutputError, and UsageError if matplotlib is missing.
    """
    texts = {
        REPORT: to_json(findings),
        "systems.csv": _csv(_flat(asdict(each)) for each in findings.systems),
        "differences.csv": _csv(asdict(each) for each in findings.differences),
        "ratings.csv": _csv(_answers(findings, key)),
        "report.md": to_markdown(findings, PLOT),
    }
    written = []
    if findings.mode == "scores":
        written.append(folder / PLOT)
        _draw(findings, written[0])
    for name, text in texts.items():
        with whole(folder / name) as part:
            part.write_text(text, "utf-8", newline="\n")
        written.append(folder / name)
    return written


def _draw(findings: Findings, target: Path) -> None:
    from upscale.viewing.plots.distribution import Scores, write_distribution

    found = [each for each in findings.systems if isinstance(each, Opinion)]
    sets = []
    for name in dict.fromkeys(each.set for each in found):
        of_set = [each for each in found if each.set == name]
        labels, counts = zip(*((each.system, each.counts) for each in of_set), strict=True)
        sets.append(Scores(name, labels, counts))
    write_distribution(sets, target)


def to_json(findings: Findings) -> str:
    """Return everything except the single answers, in full precision."""
    record = {
        "kind": KIND,
        "upscale": __version__,
        "study": findings.study.identity,
        "mode": findings.mode,
        "seed": findings.study.seed,
        "protocol": findings.study.protocol,
        "raters": [asdict(each) for each in findings.people],
        "systems": [
            asdict(each)
            | {
                "published": [
                    {"mos": row.figures["mos"], "system": row.system, "source": row.source}
                    for row in published_of(each)
                ]
            }
            for each in findings.systems
        ],
        "differences": [asdict(each) for each in findings.differences],
        "retest": asdict(findings.retest),
    }
    return json.dumps(record, indent=1, ensure_ascii=False) + "\n"


def _flat(record: dict[str, Any]) -> dict[str, Any]:
    """Give each score its own column."""
    counts = record.pop("counts", ())
    return record | {f"score_{score}": count for score, count in enumerate(counts, 1)}


def _answers(findings: Findings, key: Key) -> Iterable[dict[str, Any]]:
    """Yield every answer with the names of the systems, for other programs."""
    seen: set[tuple[str, frozenset[str]]] = set()
    for rating, reason in findings.ratings:
        origins = [key.origins[name] for name in rating.shown]
        question = rating.rater, frozenset(rating.shown)
        yield {
            **{"rater": rating.rater, "trial": rating.trial},
            **{"set": origins[0].set, "picture": origins[0].picture},
            **{"system": origins[0].system, "other": origins[1].system if origins[1:] else None},
            "answer": rating.answer,
            "again": question in seen,
            "seconds": rating.seconds,
            **{"screen": _size(rating.screen), "window": _size(rating.window)},
            **{"ratio": rating.ratio, "time": rating.time, "excluded": reason},
        }
        seen.add(question)


def _size(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"


def _csv(records: Iterable[Mapping[str, Any]]) -> str:
    rows = list(records)
    text = io.StringIO()
    if rows:
        writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return text.getvalue()


def read_opinions(path: Path) -> dict[tuple[str, str], float]:
    """Return the mean opinion scores of a report by set and label of the system.

    ``path``: ``report.json``, or its folder. Raises UsageError for another file, and for the report
    of a study of pairs.
    """
    file = path / REPORT if path.is_dir() else path
    try:
        record = json.loads(file.read_bytes())
    except OSError as error:
        raise UsageError(unreadable(file, error)) from error
    except ValueError as error:
        raise UsageError(f"{file}: is not a {KIND}") from error
    if not isinstance(record, dict) or record.get("kind") != KIND:
        raise UsageError(f"{file}: is not a {KIND}; give the {REPORT} of upscale rate report")
    if record.get("mode") != "scores":
        raise UsageError(
            f"{file}: is the report of a study of pairs, which has no mean opinion scores"
        )
    try:
        return {(each["set"], each["system"]): float(each["mos"]) for each in record["systems"]}
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(f"{file}: is damaged; create it again with upscale rate report") from error
