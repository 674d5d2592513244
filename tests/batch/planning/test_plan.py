"""Every output has a place of its own before any work, inside the output folder, over no input."""

import os
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
import windows
from effort import effort

from upscale.batch.planning.inputs import find_inputs
from upscale.batch.planning.job import Job, Policy
from upscale.batch.planning.naming import Naming, ending
from upscale.batch.planning.plan import Destination, plan, prepare_output
from upscale.batch.planning.walk import Found
from upscale.errors import InputError, OutputError, UsageError

BESIDE = None
DEFAULT = Naming()
SAME = Naming("{stem}")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def fill(*names: str) -> None:
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(b"x")


def planned(
    *words: str,
    output: str | None = None,
    naming: Naming = DEFAULT,
    strict: bool = True,
    on_collision: Policy = "fail",
) -> list[Job]:
    destination = None if output is None else prepare_output(Path(output), many=True)
    exclude = None if destination is None else destination.path
    found = find_inputs(words, exclude=exclude)
    return plan(found, destination, naming, strict=strict, on_collision=on_collision)


def outputs(jobs: list[Job]) -> list[str]:
    assert all(job.problem is None for job in jobs)
    return [str(job.output) for job in jobs]


def codes(jobs: list[Job]) -> dict[str, str | None]:
    return {str(job.input): job.problem.code if job.problem else None for job in jobs}


# Places


def test_outputs_lie_beside_their_inputs() -> None:
    fill("in/a.jpg", "in/b/c.heic", "d.png")
    jobs = planned("in", "d.png")
    assert outputs(jobs) == ["in/a_x4.jpg", "in/b/c_x4.png", "d_x4.png"]
    assert [job.size for job in jobs] == [1, 1, 1]
    assert len({*jobs}) == 3


def test_a_tree_is_mirrored_and_no_folder_made() -> None:
    fill("in/a.jpg", "in/b/c.jpg", "in/b/d/e.jpg", "x/f.png")
    made = outputs(planned("in", "x/f.png", "x/../in/b/*.jpg", output="out"))
    assert made == ["out/a_x4.jpg", "out/b/c_x4.jpg", "out/b/d/e_x4.jpg", "out/f_x4.png"]
    assert list(Path("out").iterdir()) == []


def test_one_input_can_have_one_file() -> None:
    fill("a.jpg")
    destination = prepare_output(Path("new/b.webp"), many=False)
    assert destination == Destination(Path("new/b.webp"), is_file=True)
    assert outputs(plan(find_inputs(["a.jpg"]), destination, Naming())) == ["new/b.webp"]
    assert Path("new").is_dir()


def test_a_problem_that_is_known_goes_with_the_job() -> None:
    fill("a.png")
    os.mkfifo("b.png")
    Path("c.png").symlink_to("nowhere")
    jobs = planned("a.png", "b.png", "c.png", output="out")
    assert codes(jobs) == {"a.png": None, "b.png": "io-error", "c.png": "io-error"}
    assert [job.skip for job in jobs] == [False, True, False]


def test_what_has_a_problem_takes_no_name() -> None:
    fill("a.png")
    assert codes(planned("a.png", "a.jpg", naming=Naming(suffix=".png"))) == {
        "a.png": None,
        "a.jpg": "io-error",
    }


@pytest.mark.parametrize("names", [("a.png", "sub/b.png")])
def test_a_second_run_finds_the_same_jobs(names: tuple[str, ...]) -> None:
    fill(*(f"in/{name}" for name in names))
    for output in (None, "in", "in/large", "out"):
        for word in ("in", "in/**/*.png"):
            jobs = planned(word, output=output)
            fill(*outputs(jobs))
            assert planned(word, output=output) == jobs
    assert not list(Path().rglob("*_x4_x4*"))


def test_what_another_job_makes_is_no_input_even_if_it_is_named() -> None:
    fill("a.png", "a_x4.png", "b.png")
    assert outputs(planned("a.png", "./a_x4.png", "b.png")) == ["a_x4.png", "b_x4.png"]
    named = planned("a.png", "a_x4.png", output="out")
    assert outputs(named) == ["out/a_x4.png", "out/a_x4_x4.png"]


@pytest.mark.parametrize(
    "name", [b"\xf0\x9f\x98\x80.png", b"new\nline.png", b"-dash.png", b" space.png", b"\xe9.png"]
)
def test_names_of_every_kind_are_kept(name: bytes) -> None:
    path = os.fsdecode(b"in/" + name)
    fill(path)
    for job in (planned("in", output="out"), planned(path, output="out")):
        assert [os.fsencode(each.output.name) for each in job] == [name[:-4] + b"_x4.png"]


# Collisions


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("a.png", "a.jpg"),
        ("in/a.png", "other/a.png"),
        ("b.png", "B.png"),
        ("straße.png", "STRASSE.png"),
        *(
            (unicodedata.normalize("NFC", name), unicodedata.normalize("NFD", name))
            for name in ("é.png", "ǰΰ.png")
        ),
        ("É.png", unicodedata.normalize("NFD", "é.png")),
        ("in/A/x.png", "other/a/x.png"),
        ("n" * 249 + "1.png", "n" * 249 + "2.png"),
    ],
)
def test_two_pictures_for_one_name_are_found_before_any_work(first: str, second: str) -> None:
    fill(first, second)
    words = [path.split("/")[0] for path in (first, second)]
    with pytest.raises(UsageError) as caught:
        planned(*words, output="out", naming=Naming(suffix=".png"))
    assert [p for p in (first, second, "out/") if p not in str(caught.value)] == []


def test_names_that_differ_are_no_collision() -> None:
    fill("a.png", "a.jpg", "in/a.png", "IN/a.png", "x/b.png", "y/b.png")
    assert len(outputs(planned("a.png", "a.jpg", "in", "IN", "x", "y"))) == 6
    with pytest.raises(UsageError, match=r"a\.png and a\.jpg"):
        planned("a.png", "a.jpg", naming=Naming(suffix=".webp"))


def test_all_that_share_outputs_are_named_at_once() -> None:
    fill("in/a.png", "in/a.jpg", "in/b.tif", "in/b.png", "in/b.bmp", "in/c.png")
    with pytest.raises(UsageError) as caught:
        planned("in", output="out", naming=Naming(suffix=".webp"))
    shared = ("in/a.png", "in/a.jpg", "in/b.tif", "in/b.png", "in/b.bmp")
    assert [name for name in shared if name not in str(caught.value)] == []
    assert "in/c.png" not in str(caught.value)


def test_the_later_ones_get_their_extension_in_their_names() -> None:
    fill("in/a.png", "in/a.jpg", "in/b.png")
    for _ in range(2):  # with the outputs there, and without
        jobs = planned("in", output="in", naming=Naming(suffix=".webp"), on_collision="rename")
        found = {str(job.input): (job.output.name, job.beside) for job in jobs}
        assert found == {
            "in/a.jpg": ("a_x4.webp", None),
            "in/a.png": ("a_png_x4.webp", Path("in/a.jpg")),
            "in/b.png": ("b_x4.webp", None),
        }
        fill(*(f"in/{name}" for name, _ in found.values()))
    jobs = planned("in", output="in", naming=Naming(suffix=".png"), on_collision="rename")
    assert len(jobs) == 3  # outputs of another format are no inputs either


def test_a_name_that_the_extension_does_not_tell_apart_is_refused() -> None:
    fill("in/a.png", "other/a.png", "third/a.png")
    with pytest.raises(UsageError, match=r"other/a\.png.*third/a\.png"):
        planned("in", "other", "third", output="out", on_collision="rename")


def test_the_later_ones_can_be_skipped() -> None:
    fill("in/a.png", "in/a.jpg", "in/b.png")
    jobs = planned("in", output="out", naming=Naming(suffix=".webp"), on_collision="skip")
    assert [job.input.name for job in jobs if job.skip] == ["a.png"]
    assert codes(jobs) == {"in/a.jpg": None, "in/a.png": "usage", "in/b.png": None}


@pytest.mark.parametrize("spelling", ["out", "./out/../out", "link"])
def test_an_output_over_its_input_is_refused(spelling: str) -> None:
    fill("out/a.png")
    Path("link").symlink_to("out")
    with pytest.raises(UsageError, match=r"out/a\.png.* -o"):
        planned("out/a.png", output=spelling, naming=SAME)
    with pytest.raises(UsageError, match=r"link/a\.png.* -o"):
        planned("link/a.png", naming=SAME)


@pytest.mark.parametrize("link", [os.link, os.symlink])
def test_an_output_that_is_a_link_to_its_input_is_refused(
    here: Path, link: Callable[[Path, Path], None]
) -> None:
    fill("a.png")
    link(here / "a.png", here / "a_x4.png")
    with pytest.raises(UsageError, match=r"a\.png.* -o"):
        planned("a.png")


def test_a_file_beside_its_input_can_be_the_one_that_is_refused() -> None:
    fill("a.png")
    with pytest.raises(UsageError, match=r"a\.png.* -o"):
        plan(find_inputs(["a.png"]), prepare_output(Path("./a.png"), many=False), Naming())


def test_in_a_watch_a_collision_is_a_problem_of_all_concerned() -> None:
    fill("in/a.png", "in/a.jpg", "in/A.webp", "in/b.png")
    jobs = planned("in", output="out", naming=Naming(suffix=".png"), strict=False)
    wanted = {"in/a.jpg": "usage", "in/a.png": "usage", "in/A.webp": "usage", "in/b.png": None}
    assert codes(jobs) == wanted
    assert codes(planned("in/b.png", naming=SAME, strict=False)) == {"in/b.png": "usage"}


# Inside the output folder


@pytest.mark.parametrize(
    "entry", ["../up.png", "in/../../up.png", "none/../../up.png", "../pipe", "{here}/in/a.png"]
)
def test_an_entry_that_leaves_the_root_is_refused_alone(here: Path, entry: str) -> None:
    work = here / "work"
    work.mkdir()
    os.chdir(work)
    fill("in/a.png", "../up.png", "b.png")
    os.mkfifo("../pipe")
    absolute = entry.format(here=work)
    Path("list").write_text(f"{absolute}\nb.png\nin/./a.png\n")
    jobs = {str(job.input): job for job in planned("@list", output="out")}
    refused = jobs.pop(absolute)
    assert isinstance(refused.problem, InputError)
    assert (refused.problem.code, refused.skip) == ("outside-output", False)
    assert absolute in str(refused.problem)
    rest = {"b.png": "out/b_x4.png", "in/a.png": "out/in/a_x4.png"}
    if absolute.startswith("/"):  # it is in/a.png, which was named first
        del rest["in/a.png"]
    assert {name: str(job.output) for name, job in jobs.items()} == rest


def test_beside_the_inputs_a_list_can_name_anything(here: Path) -> None:
    fill("up.png", "work/list")
    os.chdir("work")
    Path("list").write_text(f"../up.png\n{here}/up2.png\n")
    fill("../up2.png")
    assert outputs(planned("@list")) == ["../up_x4.png", f"{here}/up2_x4.png"]


def test_a_link_out_of_the_output_folder_is_not_followed(here: Path) -> None:
    fill("in/out/a.png", "in/inside/b.png", "in/deep/er/c.png", "in/d.png")
    for name in ("elsewhere", "large/real", "large/deep"):
        Path(name).mkdir(parents=True)
    Path("large/out").symlink_to(here / "elsewhere")
    Path("large/inside").symlink_to("real")
    Path("large/deep/er").symlink_to("../../elsewhere")
    assert codes(planned("in", output="large")) == {
        "in/d.png": None,
        "in/deep/er/c.png": "outside-output",
        "in/inside/b.png": None,
        "in/out/a.png": "outside-output",
    }
    Path("by-link").symlink_to("large")
    assert codes(planned("in/d.png", "in/inside", output="by-link")) == {
        "in/d.png": None,
        "in/inside/b.png": None,
    }


def test_what_stands_in_the_way_is_a_problem_of_its_own() -> None:
    fill("in/a/b.png", "in/c/d.png", "in/e.png", "in/f/g.png", "in/h.png", "out/a")
    Path("out/c").symlink_to("nowhere")
    Path("out/e_x4.png").mkdir()
    jobs = planned("in", output="out")
    assert codes(jobs) == {
        "in/a/b.png": "output-exists",
        "in/c/d.png": "output-exists",
        "in/e.png": "output-exists",
        "in/f/g.png": None,
        "in/h.png": None,
    }


def test_a_folder_without_permission_is_a_problem_of_what_goes_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fill("in/a.png", "in/locked/b.png", "in/locked/c/d.png", "out/locked/x")
    deny(monkeypatch, Path("out/locked"))
    assert codes(planned("in", output="out")) == {
        "in/a.png": None,
        "in/locked/b.png": "output",
        "in/locked/c/d.png": "output",
    }


# The output folder


def deny(monkeypatch: pytest.MonkeyPatch, *folders: Path) -> None:
    """Take the right to write, which root has everywhere, from ``folders``."""
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: path not in folders and access(path, mode))


@pytest.mark.parametrize(
    ("output", "many", "destination"),
    [
        ("out", False, Destination(Path("out"))),
        ("a/b/c", True, Destination(Path("a/b/c"))),
        ("there.d", False, Destination(Path("there.d"))),
        ("x.JPEG", False, Destination(Path("x.JPEG"), is_file=True)),
        ("a/x.webp", False, Destination(Path("a/x.webp"), is_file=True)),
        (".", True, Destination(Path())),
    ],
)
@pytest.mark.parametrize("make", [True, False])
def test_an_output_is_a_folder_or_a_file(
    output: str, many: bool, destination: Destination, make: bool
) -> None:
    Path("there.d").mkdir()
    assert prepare_output(Path(output), many, make=make) == destination
    folder = destination.path.parent if destination.is_file else destination.path
    assert folder.is_dir() == (make or output in ("there.d", "x.JPEG", "."))


@pytest.mark.parametrize(
    ("output", "many", "error", "exit_code"),
    [
        ("file", True, UsageError, 2),
        ("file.png", True, UsageError, 2),
        ("none.png", True, UsageError, 2),
        ("x.bmp", False, UsageError, 2),
        ("file", False, OutputError, 5),
        ("file/out", True, OutputError, 5),
        ("file/out/a.png", False, OutputError, 5),
        ("locked", True, OutputError, 5),
        ("locked/a.png", False, OutputError, 5),
    ],
)
@pytest.mark.parametrize("make", [True, False])
def test_an_output_that_cannot_be_is_told_before_any_work(
    output: str,
    many: bool,
    error: type[Exception],
    exit_code: int,
    make: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fill("file", "file.png", "locked/x")
    deny(monkeypatch, Path("locked"))
    with pytest.raises(error) as caught:
        prepare_output(Path(output), many, make=make)
    assert getattr(caught.value, "exit_code", None) == exit_code
    assert Path(output).parts[0] in str(caught.value)


@pytest.mark.parametrize("output", ["n" * 256, "d/" * 3000])
def test_an_output_folder_with_too_long_a_name_is_told(output: str) -> None:
    for many in (True, False):
        with pytest.raises(OutputError, match=output[:-1]):
            prepare_output(Path(output), many)


def test_beside_the_inputs_one_of_the_folders_must_be_writable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fill("locked/a.png", "open/b.png")
    deny(monkeypatch, Path("locked"))
    locked, both = find_inputs(["locked"]), find_inputs(["locked", "open"])
    with pytest.raises(OutputError, match="locked"):
        prepare_output(BESIDE, True, locked)
    assert prepare_output(BESIDE, True, both) is None
    assert codes(plan(both, BESIDE, Naming())) == {"locked/a.png": "output", "open/b.png": None}


# Many


def effort_for(number: int) -> int:
    """What it takes to plan ``number`` files in ten folders."""
    found = [
        Found(Path(f"in/{each % 10}/{each}.jpg"), Path(f"{each % 10}/{each}.jpg"))
        for each in range(number)
    ]
    taken, jobs = effort(lambda: plan(found, Destination(Path("out")), Naming(ending("_big"))))
    assert len({job.output for job in jobs}) == number
    return taken


def test_a_file_more_takes_no_longer_where_there_are_many() -> None:
    few, more, many = (effort_for(number) for number in (10, 110, 1110))
    assert many - more == pytest.approx(10 * (more - few), rel=0.1)


@pytest.mark.parametrize("output", ["con.png", "a:b.png", "NUL", "aux/a.png", "dir./a.png"])
def test_an_output_that_windows_cannot_name_is_refused_there(
    here: Path, output: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    windows.imitate(monkeypatch)
    with pytest.raises(UsageError, match=output):
        prepare_output(Path(output), many=False)
    assert not [*here.iterdir()]


def test_a_name_that_windows_does_not_take_fails_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    fill("in/a.png", "in/b?c.png")
    windows.imitate(monkeypatch)
    assert codes(planned("in", output="out")) == {"in/a.png": None, "in/b?c.png": "output"}
