"""Foreign text inside Markdown, as the Hugging Face Hub and GitHub read it."""

import re
from collections.abc import Sequence
from typing import Any

__all__ = ["code", "escaped", "table"]

MARKS = r"[`*\[\]<>|~]|(?<![^\W_])_|_(?![^\W_])|^[#+=-]"
"""Markdown's marks. An underline within a word is none of them, and addresses have it."""


def escaped(value: Any) -> str:
    """Return text on one line, free of Markdown, HTML and the Hub's formulas.

    The Hub reads ``$$`` and a backslash before a bracket as a formula before it reads Markdown.
    """
    text = " ".join(str(value).split()).replace("&", "&amp;")
    text = text.replace("\\", "&#92;").replace("$", "&#36;")
    text = re.sub(MARKS, r"\\\g<0>", text)
    return re.sub(r"^(\d+)([.)])(?=\s|$)", r"\1\\\2", text)


def code(value: Any) -> str:
    """Return a literal on one line as code, safe inside a table."""
    text = " ".join(str(value).split())
    return escaped(text) if "`" in text or not text else f"`{text}`".replace("|", r"\|")


def table(head: Sequence[str], rows: Sequence[Sequence[str]], rule: str = "---") -> str:
    """Return a table of cells that already are Markdown.

    ``rule``: aligns all columns but the first, ``---:`` to the right.
    """
    lines = [head, ["---"] + [rule] * (len(head) - 1), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
