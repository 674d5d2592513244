"""``upscale compare`` as its users meet it."""

from pathlib import Path

import pytest
from compared import RED, Page, run_report, saved

from upscale.cli.commands.compare import CompareOptions, compare
from upscale.errors import UsageError


def test_the_command_says_what_it_has_done(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pictures = [saved(tmp_path / f"{name}.png", RED) for name in "ab"]
    known = run_report(tmp_path / "r.jsonl", {pictures[1]: "done"}, model="srgan")
    empty = run_report(tmp_path / "empty.jsonl", {})
    capsys.readouterr()
    compare(CompareOptions(pictures, tmp_path / "page.html", (known, empty)))
    said = capsys.readouterr()
    assert Page(tmp_path / "page.html").labels == ["a.png", "srgan"]
    assert "empty.jsonl: " in said.err
    assert "page.html: 2 pictures, 0.0 MB" in said.err
    assert said.out == ""
    with pytest.raises(UsageError, match=r"r\.jsonl"):
        compare(CompareOptions(pictures, known, (known,), overwrite=True))
