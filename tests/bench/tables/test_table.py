"""Tables: figures as papers print them, and what stands beside them."""

from itertools import pairwise

import pytest
from markdown_it import MarkdownIt
from measured_rows import SRRESNET, row

from upscale.bench.tables.table import Line, Table, make_tables, to_markdown
from upscale.metrics.protocol import METRICS, Protocol, Row


def table(*rows: Row, protocol: Protocol | None = None) -> Table:
    (made,) = make_tables(rows, protocol or Protocol())
    return made


def cells(made: Table, start: str) -> tuple[str, ...]:
    (line,) = (line for line in made.lines if line.cells[0].startswith(start))
    return line.cells


def test_a_measured_line_and_what_is_published_under_it() -> None:
    made = table(SRRESNET)
    assert made.columns == ("system", "PSNR", "SSIM", "MOS", "seconds", "MP/s", "peak MiB")
    assert made.lines[:5] == (
        Line("measured", ("srresnet", "32.01", "0.8930", "–", "2.00", "0.25", "1536")),
        Line(
            "published",
            (
                "  Ledig et al. 2017, Table 2",
                "32.05 (−0.04)",
                "0.9019 daala",
                "3.37",
                "–",
                "–",
                "–",
            ),
        ),
        Line(
            "published",
            ("  Lornatang, SRGAN-PyTorch", "32.16 (−0.15)", "0.8938 (−0.0008)", "–", "–", "–", "–"),
        ),
        Line(
            "published",
            ("  twhui, SRGAN-PyTorch", "31.97 (+0.05)", "0.9007 scikit-image", "–", "–", "–", "–"),
        ),
        Line("published", ("  mseitzer, srgan", "31.94 (+0.07)", "–", "–", "–", "–", "–")),
    )
    assert {line.kind for line in made.lines[5:]} == {"other"}
    assert cells(made, "EDSR (Wang et al. 2018, supplement, Table 2)")[1:3] == ("32.46", "0.8968")
    assert cells(made, "SelfExSR (Ledig")[1:3] == ("30.33", "0.8720 daala")
    assert cells(made, "SRGAN-MSE (Ledig")[1:4] == ("30.64", "0.8701 daala", "3.77")
    assert cells(made, "HR (Ledig")[1:4] == ("–", "–", "4.32")


def test_the_title_states_the_protocol() -> None:
    assert table(SRRESNET).title == (
        "set5: 5 pictures, ×4; LR: MATLAB bicubic, rounded after each pass; PSNR and SSIM on Y, "
        "4 px border left out; SSIM: wang; fp32"
    )
    other = Protocol(3, "rgb", 3, "scikit-image", "folder", "bf16")
    assert table(SRRESNET, protocol=other).title == (
        "set5: 5 pictures, ×3; LR: the set's own files; PSNR and SSIM on RGB, "
        "3 px border left out; SSIM: scikit-image; bf16"
    )


def test_what_was_measured_otherwise_says_so_and_has_no_difference() -> None:
    made = table(SRRESNET, protocol=Protocol(channels="rgb", border=0, ssim="daala"))
    line = cells(made, "  Ledig et al. 2017, Table 2")
    assert line[1:3] == ("32.05 on Y border 4", "0.9019 on Y border 4")
    assert made.notes == ()
    made = table(SRRESNET, protocol=Protocol(ssim="daala"))
    assert cells(made, "  Ledig et al. 2017, Table 2")[2] == "0.9019 (−0.0089)"


def test_nothing_of_another_scale_is_shown() -> None:
    assert [line.kind for line in table(SRRESNET, protocol=Protocol(scale=2)).lines] == ["measured"]


def test_a_published_line_is_shown_once_and_for_the_pure_ends_only() -> None:
    figures = {"psnr": 30.0}
    made = table(
        row("srgan", "srgan, α 0", alpha=0.0, figures=figures),
        row("srgan", "srgan, α 0.5", alpha=0.5, figures=figures),
        row("srgan", "srgan, α 1", alpha=1.0, figures=figures),
        row("srgan", "images mixed, α 1", alpha=1.0, figures=figures),
        row("srresnet", figures=figures),
    )
    order = [line.cells[0].split(",")[0].split(" et")[0] for line in made.lines]
    assert order[: order.index("images mixed") + 3] == [
        *("srgan", "  Ledig", "  Lornatang", "  twhui", "  mseitzer"),
        "srgan",
        *("srgan", "  Ledig", "  SPSR's README", "  Lornatang", "  twhui", "  mseitzer"),
        *("images mixed", "srresnet", "nearest (Ledig"),
    ]


def test_only_lines_and_columns_that_tell_something_are_there() -> None:
    made = table(row("realsr", figures={"lpips-alex": 0.07701, "niqe": 5.1}))
    assert made.columns[1:3] == (METRICS["lpips-alex"].title, METRICS["niqe"].title)
    assert [line.cells[:3] for line in made.lines] == [
        ("realsr", "0.0770", "5.1000"),
        (
            "  SPSR's README (ESRGAN: another network, trained the same way)",
            "0.0748 (+0.0022)",
            "–",
        ),
        ("Bicubic (SPSR's README)", "0.3407", "–"),
        ("SRGAN (SPSR's README)", "0.0882", "–"),
    ]


def test_a_gray_picture_taken_for_colour_is_told_below() -> None:
    made = table(row("bicubic", set="set14", figures={"psnr": 25.995, "lpips-alex": 0.4385}))
    assert cells(made, "  SPSR's README")[1:3] == ("26.10", "0.4393")
    assert made.notes == (
        "In brackets: measured minus published, if channels, border and definition are the same.",
        "Not compared: SPSR's README (measures the gray picture as colour, which adds 0.09 dB and "
        "changes LPIPS).",
    )


def test_a_folder_has_only_what_was_measured() -> None:
    made = table(row("srgan", set="holiday", figures={"psnr": 30.0}, seconds=0.0))
    assert made.lines == (Line("measured", ("srgan", "30.00", "0.00", "–", "–")),)
    assert made.notes == ()


def test_each_set_has_a_table() -> None:
    rows = [
        row("srgan", set="set5", figures={"psnr": 29.18}),
        row("srgan", set="holiday", figures={"niqe": 4.0}, pictures={"one": {"niqe": 4.0}}),
        row("srresnet", set="set5", figures={"psnr": 32.01}),
    ]
    first, second = make_tables(rows, Protocol())
    assert [line.cells[0] for line in first.lines if line.kind == "measured"] == [
        "srgan",
        "srresnet",
    ]
    assert second.title.startswith("holiday: 1 picture, ")


@pytest.mark.parametrize(
    ("value", "text"),
    [(32.054999, "32.05 (0.00)"), (32.046, "32.05 (0.00)"), (32.044, "32.05 (−0.01)")],
)
def test_a_difference_of_nothing_has_no_sign(value: float, text: str) -> None:
    made = table(row("srresnet", figures={"psnr": value}))
    assert cells(made, "  Ledig")[1] == text


def parsed(markdown: str) -> list[list[str]]:
    """The cells of the tables in ``markdown``, as CommonMark with GitHub's tables reads them."""
    tokens = MarkdownIt("commonmark").enable("table").parse(markdown)
    lines: list[list[str]] = []
    for before, token in pairwise(tokens):
        if token.type == "tr_open":
            lines.append([])
        elif before.type in ("th_open", "td_open"):
            parts = token.children or []
            assert {part.type for part in parts} <= {"text", "text_special"}
            lines[-1].append("".join(part.content for part in parts))
    return lines


@pytest.mark.parametrize(
    "name",
    [
        "srresnet",
        r"a|b\c*d*`e`[f](g)",
        "_underlined_",
        "<b>bold</b>",
        "two\nlines",
        "a | b",
        "R&amp;D ~~x~~",
    ],
)
def test_markdown_reads_back_as_the_same_cells(name: str) -> None:
    made = table(row("srresnet", name, figures={"psnr": 32.0149, "ssim": 0.89296}))
    lines = parsed(to_markdown(made))
    assert lines[0] == list(made.columns)
    assert lines[1] == [" ".join(name.split()), *made.lines[0].cells[1:]]
    assert lines[2][0] == "↳ Ledig et al. 2017, Table 2"
    assert [line[1:] for line in lines[1:]] == [list(line.cells[1:]) for line in made.lines]


@pytest.mark.parametrize("name", ["# one", "1. one", "- one", "> one", "_one_", "=== one", "a_b"])
def test_a_set_of_any_name_is_a_paragraph(name: str) -> None:
    made = table(row("srresnet", set=name, figures={"psnr": 32.0}))
    first, inline, *_ = MarkdownIt("commonmark").parse(to_markdown(made))
    assert first.type == "paragraph_open"
    text = "".join(part.content for part in inline.children or [])
    assert text == made.title


def test_markdown_has_the_title_above_and_the_notes_below() -> None:
    made = table(SRRESNET)
    blocks = to_markdown(made).split("\n\n")
    assert blocks[0] == made.title
    assert blocks[2].strip() == made.notes[0]
    assert blocks[1].splitlines()[1] == "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"


def test_what_is_not_finite_is_spelt() -> None:
    figures = {"psnr": float("inf"), "niqe": float("nan")}
    assert table(row("nearest", set="holiday", figures=figures)).lines[0].cells[1:3] == (
        "inf",
        "nan",
    )


BABOON = {"baboon": {"psnr": 22.45, "niqe": 6.0}, "barbara": {"psnr": 25.0, "niqe": 7.0}}


def test_a_picture_with_published_figures_has_its_own_table() -> None:
    measured = row("bicubic", set="set14", figures={"psnr": 25.995}, pictures=BABOON)
    whole, alone = make_tables([measured], Protocol())
    assert "PI" not in whole.columns
    assert alone.title.startswith("set14: baboon, ×4; ")
    assert alone.columns[:4] == ("system", "PSNR", "NIQE", "PI")
    assert [line.cells[:4] for line in alone.lines] == [
        ("bicubic", "22.45", "6.0000", "–"),
        ("  Wang et al. 2018, qualitative results", "22.44 (+0.01)", "–", "6.700"),
        *(
            (f"{system} (Wang et al. 2018, qualitative results)", *figures)
            for system, figures in (
                ("EDSR", ("23.04", "–", "4.890")),
                ("RCAN", ("23.12", "–", "4.200")),
                ("SRGAN", ("21.15", "–", "2.620")),
                ("ESRGAN", ("20.35", "–", "1.980")),
                ("HR", ("–", "–", "3.590")),
            )
        ),
    ]
    assert alone.lines[0].cells[-3:] == ("–", "–", "–")


def test_published_indices_stand_beside_niqe() -> None:
    made = table(row("bicubic", figures={"niqe": 8.3}))
    assert made.columns[:3] == ("system", "NIQE", "PI")
    assert cells(made, "  SPSR's README")[1:3] == ("–", "7.370")


def test_the_title_states_a_named_protocol() -> None:
    protocol = Protocol(degradation="double", whole_luma=True, luma_alone=True, name="esrgan")
    assert table(SRRESNET, protocol=protocol).title == (
        "set5: 5 pictures, ×4; protocol esrgan (Wang et al. 2018); LR: MATLAB bicubic, rounded "
        "once; PSNR and SSIM on Y in whole levels, 4 px border left out; SSIM: wang; baselines "
        "resample Y only; fp32"
    )
    pirm = Protocol(whole_luma=True, niqe_border=4, name="pirm")
    made = table(row("x", figures={"rmse": 11.5, "niqe": 3.0}), protocol=pirm)
    assert "RMSE on Y in whole levels" in made.title
    assert "NIQE without 4 px border" in made.title
    assert "SSIM" not in made.title


def test_what_was_not_made_here_has_no_cost() -> None:
    made = table(row("EDSR", figures={"psnr": 32.4}, seconds=None))
    assert made.lines[0].cells[-3:] == ("–", "–", "–")
    assert made.lines[1].cells[:2] == (
        "  Wang et al. 2018, supplement, Table 2",
        "32.46 (−0.06)",
    )


def test_published_opinions_are_marked_beside_measured_ones() -> None:
    def marked(made: Table) -> bool:
        return any("other raters" in note for note in made.notes)

    asked = row("bicubic", figures={"psnr": 28.4, "mos": 2.1})
    assert cells(table(asked), "bicubic")[2] == "2.10"
    assert marked(table(asked))
    assert not marked(table(row("bicubic", figures={"psnr": 28.4})))
    assert not marked(table(row("mine", set="holiday", figures={"mos": 2.1})))
