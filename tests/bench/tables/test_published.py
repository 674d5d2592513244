"""The published figures: transcribed a second time, in the papers' own layout, and compared."""

import pytest

from upscale.bench.sets.datasets import read_datasets
from upscale.bench.tables.published import (
    Published,
    beside,
    others,
    pictures_of,
    read_published,
    to_plot,
)
from upscale.metrics.protocol import METRICS, Protocol
from upscale.models.manifest import read_manifest
from upscale.pixels.baselines import BASELINES

PUBLISHED = read_published()
MEANS = [row for row in PUBLISHED if row.picture is None]

LEDIG = """
nearest 26.26/.7552/1.28 24.64/.7100/1.20 25.02/.6606/1.11
bicubic 28.43/.8211/1.97 25.99/.7486/1.80 25.94/.6935/1.47
SRCNN 30.07/.8627/2.57 27.18/.7861/2.26 26.68/.7291/1.87
SelfExSR 30.33/.872/2.65 27.45/.7972/2.34 26.83/.7387/1.89
DRCN 31.52/.8938/3.26 28.02/.8074/2.84 27.21/.7493/2.12
ESPCN 30.76/.8784/2.89 27.66/.8004/2.52 27.02/.7442/2.01
SRResNet 32.05/.9019/3.37 28.49/.8184/2.98 27.58/.7620/2.29
SRGAN-VGG54 29.40/.8472/3.58 26.02/.7397/3.72 25.16/.6688/3.56
"""
LEDIG_1 = """
SRResNet-VGG22 30.51/.8803/3.46 27.19/.7807/3.15
SRGAN-MSE 30.64/.8701/3.77 26.92/.7611/3.43
SRGAN-VGG22 29.84/.8468/3.78 26.44/.7518/3.57
"""
WANG = """
Bicubic 28.42/.8104 26.00/.7027 25.96/.6675 23.14/.6577
SRCNN 30.48/.8628 27.50/.7513 26.90/.7101 24.52/.7221
EDSR 32.46/.8968 28.80/.7876 27.71/.7420 26.64/.8033
RCAN 32.63/.9002 28.87/.7889 27.77/.7436 26.82/.8087
RRDB_PSNR 32.73/.9011 28.99/.7917 27.85/.7455 27.03/.8153
"""
SPSR = """
Bicubic 7.3699/.3407 7.0268/.4393 7.0026/.5249 6.9435/.4726
SRGAN 3.9820/.0882 3.0851/.1663 2.5459/.1980 3.6980/.1551
ESRGAN 3.7522/.0748 2.9261/.1329 2.4793/.1614 3.7704/.1229
"""
SPSR_PSNR = """
Bicubic 28.420 26.100 25.961 23.145
SRGAN 29.168 26.171 25.459 24.397
ESRGAN 30.454 26.276 25.317 24.360
"""
LORNATANG = """
SRResNet 32.16/.8938 28.57/.7815 27.56/.7367
SRGAN 30.67/.8627 27.12/.7321 26.22/.6867
"""
TWHUI = """
SRResNet 31.9678/.9007 28.5809/.7972 27.5784/.7538 26.0479/.7954
SRGAN 29.4490/.8542 26.0677/.7153 24.8665/.6594 23.9434/.7277
"""
MSEITZER = """
SRResNet 31.94 28.55 27.55
SRGAN 28.78 25.53 24.17
"""

BASICSR = """
MSRResNet 30.2468/0.8651 26.7817/0.7451 28.9967/0.8195
MSRGAN 28.0158/0.8087 24.7474/0.6623 26.6504/0.7462
EDSR 30.5499/0.8701 27.0011/0.7509 29.277/0.8266
"""
MMAGIC = """
MSRResNet 30.2252 26.7762 28.9748
SRGAN 27.9499 24.7383 26.5697
RRDB_PSNR 30.6428 27.0543 29.3354
ESRGAN 28.2700 24.6328 26.6531
"""

TABLES = [
    ("Ledig et al. 2017, Table 2", LEDIG, "psnr ssim mos", "daala"),
    ("Ledig et al. 2017, Table 1", LEDIG_1, "psnr ssim mos", "daala"),
    ("Wang et al. 2018, supplement, Table 2", WANG, "psnr ssim", "wang"),
    ("SPSR's README", SPSR, "pi lpips-alex", None),
    ("SPSR's README", SPSR_PSNR, "psnr", None),
    ("Lornatang, SRGAN-PyTorch", LORNATANG, "psnr ssim", "wang"),
    ("twhui, SRGAN-PyTorch", TWHUI, "psnr ssim", "scikit-image"),
    ("mseitzer, srgan", MSEITZER, "psnr", None),
    ("BasicSR, model zoo", BASICSR, "psnr ssim", "wang"),
    ("mmagic", MMAGIC, "psnr", None),
]
SETS = ("set5", "set14", "bsd100", "urban100")
ON_RGB = ("set5", "set14", "div2k-valid")
"""The sets of tables on RGB."""


def sole(**wanted: str) -> Published:
    (row,) = (
        row for row in MEANS if all(getattr(row, key) == value for key, value in wanted.items())
    )
    return row


@pytest.mark.parametrize(("source", "text", "names", "kind"), TABLES)
def test_the_figures_are_those_of_the_source(
    source: str, text: str, names: str, kind: str | None
) -> None:
    rgb = source in ("BasicSR, model zoo", "mmagic")
    for line in text.strip().splitlines():
        system, *cells = line.split()
        for name, cell in zip(ON_RGB if rgb else SETS, cells, strict=False):
            row = sole(source=source, system=system, set=name)
            values = [row.figures[metric] for metric in names.split()]
            assert values == [float(number) for number in cell.split("/")]
            assert row.ssim_kind == kind
            assert (row.scale, row.channels, row.border) == (4, "rgb" if rgb else "y", 4)


def test_no_figure_stands_there_that_was_not_compared() -> None:
    compared = sum(text.count("/") + len(text.split()) for _, text, _, _ in TABLES)
    compared -= sum(len(text.strip().splitlines()) for _, text, _, _ in TABLES)  # the names
    scores = {row.set: row.figures["mos"] for row in MEANS if row.system == "HR"}
    assert scores == {"set5": 4.32, "set14": 4.32, "bsd100": 4.46}
    assert sum(len(row.figures) for row in MEANS) == compared + len(scores)


def test_the_baboon_of_the_esrgan_paper() -> None:
    found = {row.system: tuple(row.figures.values()) for row in PUBLISHED if row.picture}
    assert found == {
        "Bicubic": (22.44, 6.70),
        "EDSR": (23.04, 4.89),
        "RCAN": (23.12, 4.20),
        "SRGAN": (21.15, 2.62),
        "ESRGAN": (20.35, 1.98),
        "HR": (3.59,),
    }
    assert {row.picture for row in PUBLISHED} == {None, "baboon"}
    assert not any(row.picture for row in [*others("set14", []), *beside("esrgan", None, "set14")])


@pytest.mark.parametrize("row", PUBLISHED, ids=lambda row: f"{row.source}, {row.system}, {row.set}")
def test_every_row_names_what_there_is(row: Published) -> None:
    assert row.address.startswith("https://")
    assert row.set in read_datasets()
    assert row.figures.keys() <= {*METRICS, "pi", "mos"}
    assert {*row.beside, *row.instead} <= {*BASELINES, *read_manifest()}


def test_no_system_stands_twice_in_a_source() -> None:
    assert len({(row.key, row.picture) for row in PUBLISHED}) == len(PUBLISHED)


def sources(model: str, alpha: float | None, set: str = "set5") -> list[tuple[str, str]]:
    return [(row.system, row.source.split()[0]) for row in beside(model, alpha, set)]


SRRESNET = [
    *(("SRResNet", name) for name in ("Ledig", "Lornatang,", "twhui,", "mseitzer,")),
    *(("MSRResNet", name) for name in ("BasicSR,", "mmagic")),
]
ESRGAN = [("ESRGAN", "SPSR's"), ("ESRGAN", "mmagic")]
RRDB = [("RRDB_PSNR", "Wang"), ("RRDB_PSNR", "mmagic")]


@pytest.mark.parametrize("alpha", [None, 1, 1.0])
def test_a_model_stands_beside_its_paper(alpha: float | None) -> None:
    assert sources("srgan", alpha)[:2] == [("SRGAN-VGG54", "Ledig"), ("SRGAN", "SPSR's")]
    assert sources("esrgan", alpha) == sources("esrgan-wang", alpha) == ESRGAN


def test_alpha_0_is_the_psnr_end() -> None:
    assert sources("srgan", 0) == sources("srresnet", None) == SRRESNET
    assert sources("esrgan", 0.0) == sources("rrdb-psnr", None) == RRDB


@pytest.mark.parametrize("alpha", [1e-6, 0.2, 0.5, 0.999])
def test_nothing_is_published_between_the_ends(alpha: float) -> None:
    assert beside("srgan", alpha, "set5") == []
    assert beside("esrgan", alpha, "set5") == []


def test_what_has_no_psnr_end_has_nothing_at_alpha_0() -> None:
    assert beside("realsr", 0, "set5") == []
    assert beside("bicubic", 0, "set5") == []
    assert beside("some/file.pth", 0, "set5") == []


def test_the_baselines_stand_beside_every_paper_that_has_them() -> None:
    assert sources("nearest", None) == [("nearest", "Ledig")]
    assert [name for _, name in sources("bicubic", None)] == ["Ledig", "Wang", "SPSR's"]
    assert sources("lanczos", None) == []


def test_a_row_that_stands_in_says_so() -> None:
    (row,) = beside("realsr", None, "set5")
    assert row.figures["lpips-alex"] == 0.0748
    assert "another network" in row.note
    assert beside("esrgan", None, "set5")[0].note == ""
    assert row.key not in {other.key for other in others("set5", [row])}


def test_nothing_is_published_of_a_folder() -> None:
    assert beside("srgan", None, "holiday") == []
    assert others("holiday", []) == []


def test_the_others_are_the_papers_other_systems() -> None:
    shown = [*beside("bicubic", None, "set5"), *beside("srresnet", None, "set5")]
    found = [row.system for row in others("set5", shown)]
    assert {"SRCNN", "SelfExSR", "DRCN", "ESPCN", "EDSR", "RCAN"} <= {*found}
    assert {"bicubic", "Bicubic", "SRResNet"} & {*found} == set()
    assert {"HR", "SRGAN-MSE", "SRGAN-VGG22", "SRResNet-VGG22"} <= {*found}
    assert [row.system for row in others("urban100", [])].count("SRCNN") == 1


def test_only_what_was_measured_alike_is_comparable() -> None:
    ledig = sole(source="Ledig et al. 2017, Table 2", system="SRResNet", set="set5")
    assert ledig.comparable(Protocol()) == {"psnr"}
    assert ledig.comparable(Protocol(ssim="daala")) == {"psnr", "ssim"}
    assert ledig.comparable(Protocol(channels="rgb")) == set()
    assert ledig.comparable(Protocol(border=0)) == set()
    assert ledig.comparable(Protocol(scale=2)) == set()
    assert ledig.comparable(Protocol(degradation="gaussian")) == set()
    wang = sole(source="Wang et al. 2018, supplement, Table 2", system="Bicubic", set="set14")
    assert wang.comparable(Protocol()) == {"psnr", "ssim"}
    spsr = sole(source="SPSR's README", system="ESRGAN", set="set5")
    assert spsr.comparable(Protocol()) == {"psnr", "lpips-alex"}
    assert spsr.comparable(Protocol(channels="rgb", border=0)) == {"lpips-alex"}


def test_a_gray_picture_taken_for_colour_is_not_compared() -> None:
    """20 log10(255 / 219) = 1.32 dB on one picture of 14, between two readings of one system."""
    spsr = sole(source="SPSR's README", system="Bicubic", set="set14")
    wang = sole(source="Wang et al. 2018, supplement, Table 2", system="Bicubic", set="set14")
    assert spsr.figures["psnr"] - wang.figures["psnr"] == pytest.approx(0.094, abs=0.01)
    assert "gray" in spsr.apart
    assert spsr.comparable(Protocol()) == set()
    assert {row.set for row in PUBLISHED if row.apart} == {"set14"}


def test_results_of_another_program_stand_beside_the_system_of_their_name() -> None:
    assert sources("edsr", None) == [("EDSR", "Wang"), ("EDSR", "BasicSR,")]
    assert sources("SelfExSR", None) == [("SelfExSR", "Ledig")]
    assert sources("HR", None) == [("HR", "Ledig")]
    assert sources("EDSR_x2", None) == []


def test_a_picture_of_its_own_has_rows_of_its_own() -> None:
    assert pictures_of("set14") == ["baboon"]
    assert pictures_of("set5") == []
    (row,) = beside("esrgan", 1, "set14", "baboon")
    assert row.figures == {"psnr": 20.35, "pi": 1.98}
    names = {row.system for row in others("set14", [row], "baboon")}
    assert names == {"Bicubic", "EDSR", "RCAN", "SRGAN", "HR"}


def test_what_was_measured_on_rgb_stands_beside_rgb_only() -> None:
    rows = [row for row in PUBLISHED if row.channels == "rgb"]
    assert len(rows) == 21
    assert not any(row.belongs(Protocol()) for row in rows)
    assert all(row.belongs(Protocol(channels="rgb")) for row in PUBLISHED)
    assert not any(row.belongs(Protocol(scale=2, channels="rgb")) for row in PUBLISHED)
    (edsr,) = (row for row in rows if (row.system, row.set) == ("EDSR", "set5"))
    assert edsr.comparable(Protocol(channels="rgb")) == {"psnr", "ssim"}


def test_every_row_can_be_shown() -> None:
    """Each published row stands beside a model, or among the others, or both."""
    for row in PUBLISHED:
        listed = others(row.set, [], row.picture)
        assert row in listed or row.beside or row.instead, row.key


def test_what_is_plotted_has_both_figures() -> None:
    systems = {row.system for row in to_plot({"set5"}, "psnr", "pi")}
    assert systems == {f"{name} (SPSR's README)" for name in ("SRGAN", "ESRGAN")}
    assert to_plot({"set5"}, "rmse", "pi") == []
