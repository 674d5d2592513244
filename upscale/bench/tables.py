"""Rows of a benchmark → a table with the published figures beside them, as text, Markdown, CSV,
JSON.
"""

import csv
import io
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from upscale.bench.published import Published, beside, others
from upscale.metrics.protocol import METRICS, Protocol, Row
from upscale.viewing import markdown
from upscale.viewing.markdown import escaped

__all__ = [
    "CSV_COLUMNS",
    "DIGITS",
    "MISSING",
    "Line",
    "Table",
    "make_tables",
    "to_csv",
    "to_json_lines",
    "to_markdown",
]

MISSING = "–"

DIGITS = {"psnr": 2}
"""Decimals, as papers print them; 4 for the other metrics."""

CHANNELS = {"y": "Y", "rgb": "RGB"}

DEGRADATIONS = {
    "uint8": "MATLAB bicubic, rounded after each pass",
    "double": "MATLAB bicubic, rounded once",
    "folder": "the set's own files",
}

MEASURED = (
    *("system", "model", "alpha", "interpolation", "back_project"),
    *("seconds", "megapixels", "peak_bytes"),
)
PUBLISHED = ("system", "source", "address", "note", "apart")
PROTOCOL = ("scale", "channels", "border", "ssim_kind")
FIGURES = (*METRICS, "pi", "mos")
CSV_COLUMNS = (
    *("set", "kind", "beside", "source", "address", "note", "apart"),
    *MEASURED,
    *FIGURES,
    *(f"{name}_difference" for name in METRICS),
    *PROTOCOL,
    *("degradation", "precision", "pictures"),
)

Kind = Literal["measured", "published", "other"]


@dataclass(frozen=True)
class Line:
    """A line of a table."""

    kind: Kind
    """``measured`` by us, ``published`` for the system above it, or for an ``other`` system."""
    cells: tuple[str, ...]
    """One a column; the first of a published line begins with two spaces."""


@dataclass(frozen=True)
class Table:
    """One set's figures as text."""

    title: str
    """States the protocol."""
    columns: tuple[str, ...]
    lines: tuple[Line, ...]
    notes: tuple[str, ...] = ()
    """Explain the lines."""


@dataclass(frozen=True)
class _Entry:
    """What a line is made from; ``row``: measured, or what ``published`` stands beside."""

    kind: Kind
    row: Row | None
    published: Published | None = None
    differences: dict[str, float] = field(default_factory=dict)

    @property
    def figures(self) -> dict[str, float]:
        if self.published is not None:
            return self.published.figures
        return self.row.figures if self.row is not None else {}


def _by_set(rows: Iterable[Row]) -> dict[str, list[Row]]:
    sets: dict[str, list[Row]] = {}
    for row in rows:
        sets.setdefault(row.set, []).append(row)
    return sets


def _entries(rows: Sequence[Row], protocol: Protocol) -> Iterator[_Entry]:
    """Order one set's lines; each published one stands once, under the first system it fits."""
    measured = {name for row in rows for name in row.figures}

    def tells(published: Published) -> bool:
        return published.scale == protocol.scale and bool(measured & published.figures.keys())

    shown: list[Published] = []
    for row in rows:
        yield _Entry("measured", row)
        known = {published.key for published in shown}
        for published in () if row.back_project else beside(row.model, row.alpha, row.set):
            if published.key in known or not tells(published):
                continue
            shown.append(published)
            yield _Entry(
                "published",
                row,
                published,
                {
                    name: row.figures[name] - published.figures[name]
                    for name in METRICS
                    if name in published.comparable(protocol) and name in row.figures
                },
            )
    for published in others(rows[0].set, shown):
        if tells(published):
            yield _Entry("other", None, published)


def make_tables(rows: Sequence[Row], protocol: Protocol) -> list[Table]:
    """Return one table a set, in the order of ``rows``, all measured by ``protocol``.

    Columns: system, the metrics measured, seconds of upscaling, HR megapixels a second, peak MiB.
    """
    return [_table(found, protocol) for found in _by_set(rows).values()]


def _table(rows: Sequence[Row], protocol: Protocol) -> Table:
    entries = list(_entries(rows, protocol))
    names = [name for name in METRICS if any(name in row.figures for row in rows)]
    columns = ("system", *(METRICS[name] for name in names), "seconds", "MP/s", "peak MiB")
    lines = tuple(
        Line(
            entry.kind,
            (_label(entry), *(_figure(entry, name, protocol) for name in names), *_cost(entry)),
        )
        for entry in entries
    )
    return Table(_title(rows, protocol), columns, lines, tuple(_notes(entries)))


def _title(rows: Sequence[Row], protocol: Protocol) -> str:
    pictures = len({name for row in rows for name in row.pictures})
    return (
        f"{rows[0].set}: {pictures} picture{'' if pictures == 1 else 's'}, ×{protocol.scale}; "
        f"LR: {DEGRADATIONS[protocol.degradation]}; "
        f"PSNR and SSIM on {CHANNELS[protocol.channels]}, {protocol.border} px border left out; "
        f"SSIM: {protocol.ssim}; {protocol.precision}"
    )


def _notes(entries: Sequence[_Entry]) -> Iterator[str]:
    if any(entry.differences for entry in entries):
        yield (
            "In brackets: measured minus published, where channels, border and definition are "
            "the same."
        )
    apart: dict[str, list[str]] = {}
    for entry in entries:
        if entry.published is not None and entry.published.apart:
            sources = apart.setdefault(entry.published.apart, [])
            if entry.published.source not in sources:
                sources.append(entry.published.source)
    for reason, sources in apart.items():
        yield f"Not compared: {'; '.join(sources)} ({reason})."


def _label(entry: _Entry) -> str:
    published = entry.published
    if published is None:
        return entry.row.system if entry.row is not None else MISSING
    if entry.kind == "other":
        return f"{published.system} ({published.source})"
    return f"  {published.source}" + (f" ({published.note})" if published.note else "")


def _figure(entry: _Entry, name: str, protocol: Protocol) -> str:
    if name not in entry.figures:
        return MISSING
    digits = DIGITS.get(name, 4)
    text = f"{entry.figures[name]:.{digits}f}"
    if entry.published is not None and name in ("psnr", "ssim"):
        text += _otherwise(entry.published, name, protocol)
    if name in entry.differences:
        text += f" ({_signed(entry.differences[name], digits)})"
    return text


def _otherwise(published: Published, name: str, protocol: Protocol) -> str:
    """State how a published PSNR or SSIM was made, where that differs from ``protocol``."""
    said = ""
    if name == "ssim" and published.ssim_kind != protocol.ssim:
        said += f" {published.ssim_kind}"
    if published.channels != protocol.channels:
        said += f" on {CHANNELS[published.channels]}"
    if published.border != protocol.border:
        said += f" border {published.border}"
    return said


def _signed(value: float, digits: int) -> str:
    """Write a difference with its sign; one that rounds to 0 has none."""
    text = f"{abs(value):.{digits}f}"
    if not text.strip("0."):
        return text
    return f"{'−' if value < 0 else '+'}{text}"


def _cost(entry: _Entry) -> tuple[str, str, str]:
    row = entry.row
    if entry.kind != "measured" or row is None:
        return MISSING, MISSING, MISSING
    rate = f"{row.megapixels / row.seconds:.2f}" if row.seconds else MISSING
    peak = MISSING if row.peak_bytes is None else f"{row.peak_bytes / 2**20:.0f}"
    return f"{row.seconds:.2f}", rate, peak


def to_markdown(table: Table) -> str:
    """Write a table as GitHub's Markdown, its title above and its notes below."""
    head, *rows = [
        [escaped(cell) for cell in cells]
        for cells in (table.columns, *(_indented(line) for line in table.lines))
    ]
    texts = [escaped(table.title), markdown.table(head, rows, "---:"), *map(escaped, table.notes)]
    return "\n\n".join(texts) + "\n"


def _indented(line: Line) -> tuple[str, ...]:
    if line.kind != "published":
        return line.cells
    return (f"↳ {line.cells[0].strip()}", *line.cells[1:])


def _records(rows: Sequence[Row], protocol: Protocol) -> Iterator[dict[str, Any]]:
    """Return the lines of all sets as flat records, in full precision; no key without a value."""
    made = asdict(protocol)
    for found in _by_set(rows).values():
        for entry in _entries(found, protocol):
            record: dict[str, Any] = {"set": found[0].set, "kind": entry.kind}
            if entry.published is None and entry.row is not None:
                record |= {name: getattr(entry.row, name) for name in MEASURED}
                record |= {name.replace("ssim", "ssim_kind"): value for name, value in made.items()}
                record["pictures"] = entry.row.pictures
            elif entry.published is not None:
                published = entry.published
                record |= {"beside": entry.row.system if entry.row is not None else None}
                record |= {name: getattr(published, name) or None for name in PUBLISHED}
                record |= {name: getattr(published, name) for name in PROTOCOL}
            record["figures"] = dict(entry.figures)
            record["differences"] = entry.differences
            yield {key: value for key, value in record.items() if value not in (None, {})}


def to_csv(rows: Sequence[Row], protocol: Protocol, header: bool = True) -> str:
    """Write all lines as CSV with the columns `CSV_COLUMNS`, in full precision.

    ``ssim_kind`` names the definition of the figure ``ssim``; ``pictures`` is their number.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, CSV_COLUMNS, lineterminator="\n")
    if header:
        writer.writeheader()
    for record in _records(rows, protocol):
        figures, differences = record.pop("figures", {}), record.pop("differences", {})
        pictures = {"pictures": len(record["pictures"])} if "pictures" in record else {}
        apart = {f"{name}_difference": value for name, value in differences.items()}
        writer.writerow(record | figures | apart | pictures)
    return text.getvalue()


def to_json_lines(rows: Sequence[Row], protocol: Protocol) -> str:
    """Write one JSON object a line, in full precision.

    Keys as `CSV_COLUMNS`, but for ``figures`` and ``differences`` by metric and ``pictures`` with
    the figures of each. What is not a finite number is a string: ``"inf"``, ``"nan"``.
    """
    records = _records(rows, protocol)
    return "".join(json.dumps(_finite(record), allow_nan=False) + "\n" for record in records)


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value
