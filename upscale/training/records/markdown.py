"""Texts of others inside Markdown, as the Hugging Face Hub and GitHub read it."""

import re
from collections.abc import Sequence
from typing import Any

__all__ = ["code", "escaped", "table"]

MARKS = r"[`*\[\]<>|~]|(?<![^\W_])_|_(?![^\W_])|^[#+=-]"
"""What is more than text; an underline within a word is not, and stands in addresses."""


def escaped(value: Any) -> str:
    """Return text on one line in which Markdown, HTML and the Hub's formulas find nothing.

    The Hub reads ``$$`` and a backslash before a bracket as a formula before it reads Markdown.
    """
    text = " ".join(str(value).split()).replace("&", "&amp;")
    text = text.replace("\\", "&#92;").replace("$", "&#36;")
    text = re.sub(MARKS, r"\\\g<0>", text)
    return re.sub(r"^(\d+)([.)])", r"\1\\\2", text)


def code(value: Any) -> str:
    """Return a literal on one line as code, which may stand in a table."""
    text = " ".join(str(value).split())
    return escaped(text) if "`" in text or not text else f"`{text}`".replace("|", r"\|")


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table of cells that are Markdown by now."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
