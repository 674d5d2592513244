"""Texts inside Markdown, read back by markdown-it, which is nobody's of ours."""

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from upscale.viewing.markdown import code, escaped, table

GFM = MarkdownIt("commonmark").enable(["table", "strikethrough"])

HOSTILE = [
    "# a title",
    "- an item",
    "1. first",
    "2) second",
    "+ a",
    "=====",
    "**bold** and _slanted_ and ~~struck~~",
    "snake_case_name",
    "https://example.org/DIV2K_train_HR/",
    "[a](https://example.org) ![b](c.png)",
    "<b>bold</b> <!-- gone -->",
    "&lt; &amp; AT&T",
    "`code` ``more``",
    "a | b",
    "a\\|b \\* \\",
    "two\nlines\n\n# three",
    "| --- |",
    "$$x$$ \\\\(y\\\\)",
]


def text_of(rendered: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", rendered)).split())


@pytest.mark.parametrize("text", HOSTILE)
def test_text_is_text(text: str) -> None:
    rendered = GFM.render(escaped(text))
    assert set(re.findall(r"<(\w+)", rendered)) == {"p"}
    assert text_of(rendered) == " ".join(text.split())


@pytest.mark.parametrize("text", HOSTILE)
def test_a_cell_is_one_cell(text: str) -> None:
    rendered = GFM.render(table(["a", "b"], [[escaped(text), code(text)], ["c", "d"]]))
    cells = re.findall(r"<td>(.*?)</td>", rendered, re.DOTALL)
    assert len(cells) == 4
    assert [text_of(cell) for cell in cells] == [*[" ".join(text.split())] * 2, "c", "d"]


def test_the_hubs_formulas_find_nothing() -> None:
    """They are looked for before Markdown is read: no two $, no backslash before a bracket."""
    for text in ("$$x$$", "\\(x\\)", "\\\\(x\\\\)", "[$](a)"):
        assert "$" not in escaped(text)
        assert not re.search(r"\\[()]", escaped(text))


def test_addresses_stay_as_they_are() -> None:
    address = "https://example.org/DIV2K_train_HR/a-b.html?c=d#e"
    assert escaped(address) == address


@given(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), max_size=20))
def test_any_text_is_text(text: str) -> None:
    rendered = GFM.render(escaped(f"x{text}"))
    assert rendered == f"<p>{html.escape(f'x{text}', quote=False).replace(chr(34), '&quot;')}</p>\n"
