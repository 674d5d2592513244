"""The results of a study as a table: text, Markdown, CSV and JSON."""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from upscale.bench.tables.published import Published, read_published
from upscale.bench.tables.records import finite
from upscale.bench.tables.table import MISSING, Line, Table, make_tables
from upscale.metrics.protocol import FIGURES
from upscale.studies.outcome import Examined, Outcome
from upscale.training.recipes import RECIPES

__all__ = ["as_json", "published_of", "records_of", "steps_of", "table_of", "to_csv", "to_json"]

PAPER = "Ledig et al. 2017"
SETS = ("set5", "set14")
"""The sets of the SRGAN paper's table 1."""

Record = dict[str, Any]


def records_of(examined: Examined) -> list[Record]:
    """Return a record for each measured system and, after it, for each published one.

    ``kind`` is ``measured`` or ``published``; figures by the keys of `METRICS` and ``mos``.
    """
    records: list[Record] = []
    for outcome in (examined.bicubic, *examined.outcomes):
        records.append(_measured(outcome))
        records += [_published(each, outcome) for each in published_of(outcome)]
    return records


def published_of(outcome: Outcome) -> list[Published]:
    """Return the published figures of a system, a row per set."""
    return [
        each
        for each in read_published()
        if each.system == outcome.column.published
        and each.source.startswith(PAPER)
        and each.set in SETS
        and each.picture is None
    ]


def _measured(outcome: Outcome) -> Record:
    record: Record = {
        "kind": "measured",
        "system": outcome.column.label,
        "source": "",
        "set": outcome.row.set,
        **outcome.column.settings,
        **outcome.row.figures,
        "pictures": len(outcome.row.pictures),
        "seconds": outcome.row.seconds,
    }
    if outcome.seconds is not None:
        record["seconds_of_64x64"] = outcome.seconds
    if outcome.planned is None:
        return record
    recipe = outcome.planned.config.recipe
    return record | {
        "parameters": outcome.parameters,
        "training": outcome.planned.training.name,
        "start": outcome.planned.training.start or "",
        "steps": outcome.planned.steps_done,
        "paper_steps": outcome.planned.paper_steps,
        "batch": recipe.batch,
        "hr_patch": recipe.hr_patch,
        **{f"generator_{name}": value for name, value in recipe.generator.items()},
    }


def _published(each: Published, outcome: Outcome) -> Record:
    assert outcome.planned is not None
    return {
        "kind": "published",
        "system": outcome.column.label,
        "source": each.source,
        "set": each.set,
        **each.figures,
        "steps": outcome.planned.paper_steps,
        "paper_steps": outcome.planned.paper_steps,
    }


def table_of(examined: Examined) -> Table:
    """Return the table for people: its title states the rules, its notes the differences."""
    records = records_of(examined)
    settings = examined.outcomes[0].column.settings
    figures = [name for name in FIGURES if any(name in each for each in records)]
    timed = any("seconds_of_64x64" in each for each in records)
    columns = (
        *("system", *settings, *(FIGURES[name].title for name in figures)),
        *("parameters", "steps (of the paper's)", *(["ms for 64 × 64"] if timed else [])),
    )
    lines = [_line(each, list(settings), figures, timed) for each in records]
    rules = make_tables([outcome.row for outcome in examined.outcomes], examined.protocol)[0].title
    title = f"{examined.study.title}. {rules}"
    return Table(title, columns, tuple(lines), tuple(_notes(examined)))


def _line(record: Record, settings: Sequence[str], figures: Sequence[str], timed: bool) -> Line:
    measured = record["kind"] == "measured"
    name = record["system"] if measured else f"  {record['source']}, {record['set']}"
    cells = [name, *(record.get(each, MISSING if measured else "") for each in settings)]
    cells += [FIGURES[each].shown(record[each]) if each in record else MISSING for each in figures]
    cells.append(f"{record['parameters']:,}" if "parameters" in record else MISSING)
    steps = f"{record['steps']:,} of {record['paper_steps']:,}" if "steps" in record else MISSING
    cells.append(steps if measured else f"{record['steps']:,}")
    if timed:
        seconds = record.get("seconds_of_64x64")
        cells.append(MISSING if seconds is None else f"{seconds * 1000:.1f}")
    return Line("measured" if measured else "published", tuple(cells))


def _notes(examined: Examined) -> Iterator[str]:
    if examined.study.note:
        yield examined.study.note
    planned = [outcome.planned for outcome in examined.outcomes if outcome.planned]
    short = [each for each in planned if each.steps_done < each.paper_steps]
    if short:
        least = min(each.steps_done / each.paper_steps for each in short)
        yield (
            f"Trained for only {_percent(least)} of the paper's steps: compare the systems with "
            "each other, not with the paper's figures."
        )
    starts: dict[str, list[str]] = {}
    for outcome in examined.outcomes:
        if outcome.planned and outcome.planned.training.start:
            starts.setdefault(outcome.planned.training.start, []).append(outcome.column.label)
    for start, labels in starts.items():
        yield f"From {start}, whose steps are not counted: {', '.join(labels)}."
    yield from _otherwise(examined)


def steps_of(outcomes: Sequence[Outcome]) -> str:
    """State the steps of the systems and those of the paper."""
    planned = [each.planned for each in outcomes if each.planned]
    told = sorted({(each.steps_done, each.paper_steps) for each in planned}, reverse=True)
    shown = {each.training.name for each in planned}
    starts = {each.training.start for each in planned if each.training.start}
    return (
        "Trained for "
        + " and ".join(f"{done:,} of the paper's {papers:,} steps" for done, papers in told)
        + ("" if starts <= shown else ", and before that for PSNR")
    )


def _otherwise(examined: Examined) -> Iterator[str]:
    """State how batch, patch and size differ from the paper, once for all equal systems."""
    said: dict[str, list[str]] = {}
    for outcome in examined.outcomes:
        if outcome.planned is None:
            continue
        ours, papers = outcome.planned.config.recipe, RECIPES[outcome.planned.training.recipe]
        if (ours.batch, ours.hr_patch) != (papers.batch, papers.hr_patch):
            text = (
                f"A step has {ours.batch} patches of {ours.hr_patch} HR pixels a side; the paper's "
                f"has {papers.batch} of {papers.hr_patch}"
            )
            said.setdefault(text, []).append(outcome.column.label)
    for text, labels in said.items():
        everyone = len(labels) == len(examined.outcomes)
        yield text + ("." if everyone else f" ({', '.join(labels)}).")


def _percent(share: float) -> str:
    return f"{100 * share:.2g} %"


def to_csv(records: Sequence[Mapping[str, Any]]) -> str:
    """Write records as CSV, a column for each name in any of them."""
    names = list(dict.fromkeys(name for record in records for name in record))
    text = io.StringIO()
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return text.getvalue()


def to_json(examined: Examined) -> str:
    """Write the records, the rules behind them, and the figures of each picture."""
    told = {
        "study": examined.study.name,
        "title": examined.study.title,
        "note": examined.study.note,
        "set": examined.pictures.name,
        "protocol": asdict(examined.protocol),
        "systems": records_of(examined),
        "pictures": {
            outcome.column.label: outcome.row.pictures
            for outcome in (examined.bicubic, *examined.outcomes)
        },
    }
    return as_json(told)


def as_json(told: Mapping[str, Any]) -> str:
    """Write ``told`` as JSON; a number that is not finite is a string, such as ``"inf"``."""
    return json.dumps(finite(told), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
