"""Tables of a benchmark's rows and published figures, as text or Markdown."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from upscale.bench.tables.published import Published, pictures_of
from upscale.bench.tables.records import Kind, Origin, by_set, line_up, of_picture
from upscale.metrics.protocol import CONVENTIONS, FIGURES, METRICS, Protocol, Row
from upscale.viewing import markdown
from upscale.viewing.markdown import escaped

__all__ = ["MISSING", "Line", "Table", "make_tables", "signed", "to_markdown"]

MISSING = "–"

CHANNELS = {"y": "Y", "rgb": "RGB"}

DEGRADATIONS = {
    "uint8": "MATLAB bicubic, rounded after each pass",
    "double": "MATLAB bicubic, rounded once",
    "gaussian": "Gaussian blur, subsampled",
    "folder": "the set's own files",
}


@dataclass(frozen=True)
class Line:
    """A line of a table."""

    kind: Kind
    """Measured, published or of another system."""
    cells: tuple[str, ...]
    """One per column; the first cell of a published line begins with two spaces."""


@dataclass(frozen=True)
class Table:
    """One set's figures as text."""

    title: str
    """States the protocol."""
    columns: tuple[str, ...]
    """Headings of the columns."""
    lines: tuple[Line, ...]
    """The lines, in the order of the table."""
    notes: tuple[str, ...] = ()
    """Notes on the lines."""


def make_tables(rows: Sequence[Row], protocol: Protocol) -> list[Table]:
    """Return one table per set, in the order of ``rows``, all measured with ``protocol``.

    Columns: system, the metrics measured, seconds of upscaling, HR megapixels per second, peak MiB.
    If papers have figures of a single picture, it has its own table after that of its set.
    """
    tables = []
    for found in by_set(rows).values():
        tables.append(_table(found, protocol))
        alone = (
            (of_picture(found, each, protocol.scale), each) for each in pictures_of(found[0].set)
        )
        tables += [_table(each, protocol, picture) for each, picture in alone if each]
    return tables


def _table(rows: Sequence[Row], protocol: Protocol, picture: str | None = None) -> Table:
    origins = list(line_up(rows, protocol, picture))
    measured = {name for row in rows for name in row.figures}
    more = {"pi", "mos"} if picture is not None or "niqe" in measured else {"mos"}
    beside = {name for origin in origins for name in origin.figures} & more
    names = [name for name in FIGURES if name in measured | beside]
    columns = ("system", *(FIGURES[name].title for name in names), "seconds", "MP/s", "peak MiB")
    lines = tuple(
        Line(
            origin.kind,
            (_label(origin), *(_figure(origin, name, protocol) for name in names), *_cost(origin)),
        )
        for origin in origins
    )
    return Table(_title(rows, protocol, picture), columns, lines, tuple(_notes(origins)))


def _title(rows: Sequence[Row], protocol: Protocol, picture: str | None) -> str:
    count = len({name for row in rows for name in row.pictures})
    shown = f"{count} picture{'' if count == 1 else 's'}" if picture is None else picture
    measured = {name for row in rows for name in row.figures}
    on_channels = [name for name in METRICS if METRICS[name].on_channels and name in measured]
    if {*on_channels} <= {"psnr", "ssim"}:
        on_channels = ["psnr", "ssim"]
    levels = " in whole levels" if protocol.whole_luma and protocol.channels == "y" else ""
    parts = [
        f"{rows[0].set}: {shown}, ×{protocol.scale}",
        f"LR: {DEGRADATIONS[protocol.degradation]}",
        f"{_enumerated([METRICS[name].title for name in on_channels])} on "
        f"{CHANNELS[protocol.channels]}{levels}, {protocol.border} px border left out",
        f"SSIM: {protocol.ssim}" if "ssim" in on_channels else "",
        "baselines resample Y only" if protocol.luma_alone else "",
        f"NIQE without {protocol.niqe_border} px border" if protocol.niqe_border else "",
        protocol.precision,
    ]
    if protocol.name is not None:
        parts.insert(1, f"protocol {protocol.name} ({CONVENTIONS[protocol.name].title})")
    return "; ".join(part for part in parts if part)


def _enumerated(names: Sequence[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def _notes(origins: Sequence[Origin]) -> Iterator[str]:
    if any(origin.differences for origin in origins):
        yield (
            "In brackets: measured minus published, if channels, border and definition are the "
            "same."
        )
    if {origin.kind for origin in origins if "mos" in origin.figures} > {"measured"}:
        yield "Published MOS come from other raters; compare the order, not the numbers."
    apart: dict[str, list[str]] = {}
    for origin in origins:
        if origin.published is not None and origin.published.apart:
            sources = apart.setdefault(origin.published.apart, [])
            if origin.published.source not in sources:
                sources.append(origin.published.source)
    for reason, sources in apart.items():
        yield f"Not compared: {'; '.join(sources)} ({reason})."


def _label(origin: Origin) -> str:
    published = origin.published
    if published is None:
        return origin.row.system if origin.row is not None else MISSING
    if origin.kind == "other":
        return f"{published.system} ({published.source})"
    return f"  {published.source}" + (f" ({published.note})" if published.note else "")


def _figure(origin: Origin, name: str, protocol: Protocol) -> str:
    if name not in origin.figures:
        return MISSING
    kind = FIGURES[name]
    text = kind.shown(origin.figures[name])
    if origin.published is not None and name in ("psnr", "ssim"):
        text += _otherwise(origin.published, name, protocol)
    if name in origin.differences:
        difference = origin.differences[name]
        text += f" ({signed(difference, kind.shown(abs(difference)))})"
    return text


def _otherwise(published: Published, name: str, protocol: Protocol) -> str:
    """State how the rules of a published PSNR or SSIM differ from ``protocol``."""
    said = ""
    if name == "ssim" and published.ssim_kind != protocol.ssim:
        said += f" {published.ssim_kind}"
    if published.channels != protocol.channels:
        said += f" on {CHANNELS[published.channels]}"
    if published.border != protocol.border:
        said += f" border {published.border}"
    return said


def signed(value: float, amount: str) -> str:
    """Write a difference: its sign and its ``amount``. An amount that is rounded to 0 has none."""
    if not amount.strip("0."):
        return amount
    return f"{'−' if value < 0 else '+'}{amount}"


def _cost(origin: Origin) -> tuple[str, str, str]:
    row = origin.row
    if origin.kind != "measured" or row is None:
        return MISSING, MISSING, MISSING
    rate = f"{row.megapixels / row.seconds:.2f}" if row.seconds else MISSING
    peak = MISSING if row.peak_bytes is None else f"{row.peak_bytes / 2**20:.0f}"
    return MISSING if row.seconds is None else f"{row.seconds:.2f}", rate, peak


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
