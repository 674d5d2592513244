"""What README.md, CONTRIBUTING.md and docs/ tell people to type, and the paths that they name."""

import re
import shlex
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
NAME = "upscale"


def shell_lines(page: Path) -> list[str]:
    """Return the lines of the page's ``sh`` blocks, continued ones joined."""
    blocks = re.findall(r"```sh\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    return [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]


def parts(line: str) -> list[list[str]]:
    """Split a shell line at ``|`` and ``&&`` into the words of its commands."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|&<>")
    lexer.whitespace_split = True
    found: list[list[str]] = [[]]
    for word in lexer:
        if word in ("|", "&&"):
            found.append([])
        else:
            found[-1].append(word)
    return found


def commands(page: Path) -> list[list[str]]:
    """Return the words after ``upscale`` of each of the page's commands."""
    found = []
    for line in shell_lines(page):
        for words in parts(line):
            if words[:1] == [NAME]:
                found.append(words[1:])
            elif ["-m", NAME] in [words[at : at + 2] for at in range(len(words))]:
                found.append(words[words.index(NAME) + 1 :])
    return found


def named_tests(page: Path) -> list[tuple[str, str]]:
    """Return file and function of each ``tests/….py::test_…`` of the page."""
    return re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", page.read_text("utf-8"))


def named_paths(page: Path) -> set[str]:
    """Return the paths of this repository that the page names or links to."""
    text = page.read_text("utf-8")
    folders = r"(?:upscale|tests|benchmarks|docs|scripts|\.ci)"
    return set(re.findall(rf"(?<![\w/.]){folders}/[\w./-]*[\w/]", text))
