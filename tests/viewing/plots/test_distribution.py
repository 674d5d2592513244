"""How often each score was given, as a plot."""

from pathlib import Path

import numpy as np
import pytest

from upscale.errors import UsageError
from upscale.viewing.plots.distribution import Scores, draw_distribution, write_distribution

pytest.importorskip("matplotlib")

SCORES = Scores(
    "set5", ("nearest", "esrgan, images mixed, α 0.5"), ((9, 1, 0, 0, 0), (0, 0, 1, 2, 1))
)


def test_shares_and_means_stand_where_they_belong() -> None:
    figure = draw_distribution([SCORES, Scores("set14", ("HR",), ((0, 0, 0, 0, 3),))])
    first, second = figure.axes
    assert [first.get_title(), second.get_title()] == ["set5", "set14"]
    shares = np.asarray(first.images[0].get_array())
    assert shares.shape == (5, 2)
    assert shares[:, 0] == pytest.approx([0.9, 0.1, 0, 0, 0])
    left, right, bottom, top = first.images[0].get_extent()
    assert (left, right, bottom, top) == (-0.5, 1.5, 0.5, 5.5)  # bins lie around their scores
    (marks,) = first.lines
    assert np.asarray(marks.get_ydata()) == pytest.approx([1.1, 4.0])
    texts = [text.get_text() for text in first.texts]
    assert {"90 %", "10 %", "1.10", "4.00"} <= set(texts)
    assert "0 %" not in texts
    assert second.get_yticklabels()[4].get_text().startswith("5")


def test_the_file_has_the_format_of_its_name(tmp_path: Path) -> None:
    write_distribution([SCORES], tmp_path / "plot.png")
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(UsageError, match=r"plot\.txt"):
        write_distribution([SCORES], tmp_path / "plot.txt")
