"""Rows of a benchmark and published figures → a table as text, Markdown, CSV or JSON."""

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
class _Origin:
    """What a line is made from."""

    kind: Kind
    row: Row | None
    """The measured row, or that which ``published`` stands beside."""
    published: Published | None = None
    differences: dict[str, float] = field(default_factory=dict)
    """Measured minus published, by metric."""

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


def _origins(rows: Sequence[Row], protocol: Protocol) -> Iterator[_Origin]:
    """Order one set's lines; a published one stands once, under the first system that it fits."""
    measured = {name for row in rows for name in row.figures}

    def tells(published: Published) -> bool:
        return published.scale == protocol.scale and bool(measured & published.figures.keys())

    shown: list[Published] = []
    for row in rows:
        yield _Origin("measured", row)
        known = {published.key for published in shown}
        for published in () if row.back_project else beside(row.model, row.alpha, row.set):
            if published.key in known or not tells(published):
                continue
            shown.append(published)
            yield _Origin(
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
            yield _Origin("other", None, published)


def make_tables(rows: Sequence[Row], protocol: Protocol) -> list[Table]:
    """Return one table a set, in the order of ``rows``, all measured by ``protocol``.

    Columns: system, the metrics measured, seconds of upscaling, HR megapixels a second, peak MiB.
    """
    return [_table(found, protocol) for found in _by_set(rows).values()]


def _table(rows: Sequence[Row], protocol: Protocol) -> Table:
    origins = list(_origins(rows, protocol))
    names = [name for name in METRICS if any(name in row.figures for row in rows)]
    columns = ("system", *(METRICS[name] for name in names), "seconds", "MP/s", "peak MiB")
    lines = tuple(
        Line(
            origin.kind,
            (_label(origin), *(_figure(origin, name, protocol) for name in names), *_cost(origin)),
        )
        for origin in origins
    )
    return Table(_title(rows, protocol), columns, lines, tuple(_notes(origins)))


def _title(rows: Sequence[Row], protocol: Protocol) -> str:
    pictures = len({name for row in rows for name in row.pictures})
    return (
        f"{rows[0].set}: {pictures} picture{'' if pictures == 1 else 's'}, ×{protocol.scale}; "
        f"LR: {DEGRADATIONS[protocol.degradation]}; "
        f"PSNR and SSIM on {CHANNELS[protocol.channels]}, {protocol.border} px border left out; "
        f"SSIM: {protocol.ssim}; {protocol.precision}"
    )


def _notes(origins: Sequence[_Origin]) -> Iterator[str]:
    if any(origin.differences for origin in origins):
        yield (
            "In brackets: measured minus published, where channels, border and definition are "
            "the same."
        )
    apart: dict[str, list[str]] = {}
    for origin in origins:
        if origin.published is not None and origin.published.apart:
            sources = apart.setdefault(origin.published.apart, [])
            if origin.published.source not in sources:
                sources.append(origin.published.source)
    for reason, sources in apart.items():
        yield f"Not compared: {'; '.join(sources)} ({reason})."


def _label(origin: _Origin) -> str:
    published = origin.published
    if published is None:
        return origin.row.system if origin.row is not None else MISSING
    if origin.kind == "other":
        return f"{published.system} ({published.source})"
    return f"  {published.source}" + (f" ({published.note})" if published.note else "")


def _figure(origin: _Origin, name: str, protocol: Protocol) -> str:
    if name not in origin.figures:
        return MISSING
    digits = DIGITS.get(name, 4)
    text = f"{origin.figures[name]:.{digits}f}"
    if origin.published is not None and name in ("psnr", "ssim"):
        text += _otherwise(origin.published, name, protocol)
    if name in origin.differences:
        text += f" ({_signed(origin.differences[name], digits)})"
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


def _cost(origin: _Origin) -> tuple[str, str, str]:
    row = origin.row
    if origin.kind != "measured" or row is None:
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
        for origin in _origins(found, protocol):
            record: dict[str, Any] = {"set": found[0].set, "kind": origin.kind}
            if origin.published is None and origin.row is not None:
                record |= {name: getattr(origin.row, name) for name in MEASURED}
                record |= {name.replace("ssim", "ssim_kind"): value for name, value in made.items()}
                record["pictures"] = origin.row.pictures
            elif origin.published is not None:
                published = origin.published
                record |= {"beside": origin.row.system if origin.row is not None else None}
                record |= {name: getattr(published, name) or None for name in PUBLISHED}
                record |= {name: getattr(published, name) for name in PROTOCOL}
            record["figures"] = dict(origin.figures)
            record["differences"] = origin.differences
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
