"""Ma's scores from a CSV file."""

from pathlib import Path

import pytest

from upscale.bench.sets.ma_scores import MaScores
from upscale.errors import InputError, UsageError


def file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "ma.csv"
    path.write_text(text)
    return path


def test_a_score_is_found_by_system_picture_and_set(tmp_path: Path) -> None:
    text = (
        "set,system,picture,ma\nset5,SRGAN,baby.png,8.5\n,srgan,baby,3\n"
        "set5,x,img_001_SRF_4_HR.png,7\n,spare,a,1\n"
    )
    scores = MaScores.read(file(tmp_path, text))
    assert scores.of("Set5", ("srgan, α 1", "srgan"), "baby", 4) == 8.5
    assert scores.of("other", ("srgan",), "baby", 4) == 3
    assert scores.of("set5", ("srgan",), "bird", 4) is None
    assert scores.of("set5", ("x",), "img_001_SRF_4_HR", 4) == 7
    assert scores.unused() == ["spare"]


def test_columns_may_stand_in_any_order(tmp_path: Path) -> None:
    scores = MaScores.read(file(tmp_path, "\ufeffMa, Picture ,System\n5,a,b\n"))
    assert scores.of("s", ("b",), "a", 4) == 5


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("system,picture\na,b\n", "ma"),
        ("", "system"),
        ("system,picture,ma\na,b,high\n", "line 2"),
        ("system,picture,ma\na,b,11\n", "line 2"),
        ("system,picture,ma\na,b,1\na,,1\n", "line 3"),
        ("system,picture,ma\na,b\n", "line 2"),
    ],
)
def test_what_cannot_be_understood_is_refused(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(UsageError, match=rf"--ma .*ma\.csv.*{named}"):
        MaScores.read(file(tmp_path, text))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.csv"):
        MaScores.read(tmp_path / "none.csv")
    (tmp_path / "bytes.csv").write_bytes(b"system,picture,ma\n\xff\xfe,a,1\n")
    with pytest.raises(UsageError, match=r"bytes\.csv"):
        MaScores.read(tmp_path / "bytes.csv")
