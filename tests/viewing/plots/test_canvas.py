import sys
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from upscale.errors import OutputError, UsageError
from upscale.viewing.plots.canvas import DOTS_PER_INCH, blank, check_target, ruled, save, styled


def drawn() -> Figure:
    with styled():
        figure = blank(2, 1, w_pad=0.1)
        ruled(figure.add_subplot(title="a line")).plot([1, 2])
    return figure


def test_a_png_has_the_pixels_of_its_inches(tmp_path: Path) -> None:
    save(drawn(), tmp_path / "a.PNG")
    header = (tmp_path / "a.PNG").read_bytes()[16:24]
    assert header == b"".join(side.to_bytes(4, "big") for side in (2 * DOTS_PER_INCH, 200))


def test_a_pdf_is_one(tmp_path: Path) -> None:
    save(drawn(), tmp_path / "a.pdf")
    written = (tmp_path / "a.pdf").read_bytes()
    assert written.startswith(b"%PDF-")
    assert b"/CreationDate" not in written


def test_other_formats_are_refused(tmp_path: Path) -> None:
    check_target(tmp_path / "a.SVG")
    with pytest.raises(UsageError, match=r"a\.jpg"):
        check_target(tmp_path / "a.jpg")


def test_without_matplotlib_it_is_said_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(UsageError, match=r"upscale\[bench\]"):
        check_target(tmp_path / "a.png")


def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(OutputError, match="/file"):
        save(drawn(), tmp_path / "file" / "no.png")
    with pytest.raises(OutputError, match=r"folder\.png"):
        save(drawn(), tmp_path / "folder.png")
    assert {each.name for each in tmp_path.iterdir()} == {"file", "folder.png"}
