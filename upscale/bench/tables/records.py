"""Rows of a benchmark beside published figures → records in full precision, as CSV or JSON."""

import csv
import io
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from upscale.bench.sets.results import core_of
from upscale.bench.tables.published import Published, beside, others, pictures_of
from upscale.metrics.protocol import FIGURES, METRICS, Protocol, Row

__all__ = [
    "CSV_COLUMNS",
    "Kind",
    "Origin",
    "by_set",
    "finite",
    "line_up",
    "of_picture",
    "to_csv",
    "to_json_lines",
]

MEASURED = (
    *("system", "model", "alpha", "interpolation", "back_project"),
    *("seconds", "megapixels", "peak_bytes"),
)
PUBLISHED = ("system", "source", "address", "note", "apart", "picture")
PROTOCOL = ("scale", "channels", "border", "ssim_kind")
SPECIAL = ("protocol", "whole_luma", "luma_alone", "niqe_border", "blur_sigma")
"""Keys of a protocol that not every protocol has."""
CSV_COLUMNS = (
    *("set", "picture", "kind", "beside", "source", "address", "note", "apart"),
    *MEASURED,
    *FIGURES,
    *(f"{name}_difference" for name in METRICS),
    *PROTOCOL,
    *("degradation", "precision", *SPECIAL, "pictures"),
)

Kind = Literal["measured", "published", "other"]
"""The kind of a line: measured by us, published for the system above it, or for another one."""


@dataclass(frozen=True)
class Origin:
    """The source of a line."""

    kind: Kind
    """Kind of the line."""
    row: Row | None
    """The measured row, or the one beside which ``published`` stands."""
    published: Published | None = None
    """The published figures; None for a measured line."""
    differences: dict[str, float] = field(default_factory=dict)
    """Measured minus published, by metric."""

    @property
    def figures(self) -> dict[str, float]:
        """The figures of the line, by metric."""
        if self.published is not None:
            return self.published.figures
        return self.row.figures if self.row is not None else {}


def by_set(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """Group rows by their set, in their order."""
    sets: dict[str, list[Row]] = {}
    for row in rows:
        sets.setdefault(row.set, []).append(row)
    return sets


def of_picture(rows: Iterable[Row], picture: str, scale: int) -> list[Row]:
    """Return rows with the figures of one picture only, without their cost."""
    found = []
    for row in rows:
        figures = [each for name, each in row.pictures.items() if core_of(name, scale) == picture]
        if len(figures) == 1:
            pictures = {picture: figures[0]}
            alone = replace(row, figures=figures[0], pictures=pictures, seconds=None)
            found.append(replace(alone, peak_bytes=None))
    return found


def line_up(
    rows: Sequence[Row], protocol: Protocol, picture: str | None = None
) -> Iterator[Origin]:
    """Order one set's lines; a published one stands once, under the first system that it fits.

    ``picture``: ``rows`` are of this one alone.
    """
    measured = {name for row in rows for name in row.figures}
    if measured & {"psnr", "ssim"}:
        measured.add("mos")  # a paper's table that has these
    if picture is not None or "niqe" in measured:
        measured.add("pi")

    def tells(published: Published) -> bool:
        return published.belongs(protocol) and bool(measured & published.figures.keys())

    shown: list[Published] = []
    for row in rows:
        yield Origin("measured", row)
        known = {published.key for published in shown}
        for published in () if row.back_project else beside(row.model, row.alpha, row.set, picture):
            if published.key in known or not tells(published):
                continue
            shown.append(published)
            yield Origin(
                "published",
                row,
                published,
                {
                    name: row.figures[name] - published.figures[name]
                    for name in METRICS
                    if name in published.comparable(protocol) and name in row.figures
                },
            )
    for published in others(rows[0].set, shown, picture):
        if tells(published):
            yield Origin("other", None, published)


def _records(rows: Sequence[Row], protocol: Protocol) -> Iterator[dict[str, Any]]:
    """Return the lines of all sets as flat records, in full precision; no key without a value."""
    made = asdict(protocol)
    made |= {"ssim_kind": made.pop("ssim"), "protocol": made.pop("name")}
    if protocol.degradation != "gaussian":
        made["blur_sigma"] = None
    for name in SPECIAL:
        made[name] = made[name] or None
    for found in by_set(rows).values():
        origins = list(line_up(found, protocol))
        for picture in pictures_of(found[0].set):
            alone = of_picture(found, picture, protocol.scale)
            lines = line_up(alone, protocol, picture) if alone else ()
            origins += [origin for origin in lines if origin.published is not None]
        for origin in origins:
            record: dict[str, Any] = {"set": found[0].set, "kind": origin.kind}
            if origin.published is None and origin.row is not None:
                record |= {name: getattr(origin.row, name) for name in MEASURED}
                record |= made
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

    ``ssim_kind`` names the definition of ``ssim``; ``pictures`` is the number of pictures.
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
    """Write one JSON object per line, in full precision.

    Keys as `CSV_COLUMNS`, but for ``figures`` and ``differences`` by metric and ``pictures`` with
    the figures of each. A number that is not finite is a string: ``"inf"``, ``"nan"``.
    """
    records = _records(rows, protocol)
    return "".join(json.dumps(finite(record), allow_nan=False) + "\n" for record in records)


def finite(value: Any) -> Any:
    """Return a value for JSON, with ``"inf"`` and ``"nan"`` for numbers that JSON lacks."""
    if isinstance(value, Mapping):
        return {key: finite(each) for key, each in value.items()}
    if isinstance(value, list):
        return [finite(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value
