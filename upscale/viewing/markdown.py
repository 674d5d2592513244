"""Text from elsewhere, made safe in Markdown as the Hugging Face Hub and GitHub read it."""

import re
from collections.abc import Sequence
from typing import Any

__all__ = ["code", "escaped", "table"]

MARKS = r"[`*\[\]<>|~]|(?<![^\W_])_|_(?![^\W_])|^[#+=-]"
"""Markdown's marks. An underscore within a word, as in addresses, is not one of them."""


def escaped(value: Any) -> str:
    """Return ``value`` as text on one line that has no Markdown, HTML or formula of the Hub.

    The Hub reads ``$$`` and a backslash before a bracket as a formula before it reads Markdown.
    """
    text = " ".join(str(value).split()).replace("&", "&amp;")
    text = text.replace("\\", "&#92;").replace("$", "&#36;")
    text = re.sub(MARKS, r"\\\g<0>", text)
    return re.sub(r"^(\d+)([.)])(?=\s|$)", r"\1\\\2", text)


def code(value: Any) -> str:
    """Return ``value`` on one line as code that is safe in a table.

    Empty text and text with a backtick cannot be code; they are `escaped`.
    """
    text = " ".join(str(value).split())
    return escaped(text) if "`" in text or not text else f"`{text}`".replace("|", r"\|")


def table(head: Sequence[str], rows: Sequence[Sequence[str]], rule: str = "---") -> str:
    """Return a table whose cells are already Markdown.

    ``rule`` aligns all columns except the first; ``---:`` aligns them to the right.
    """
    lines = [head, ["---"] + [rule] * (len(head) - 1), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
