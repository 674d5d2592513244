"""A file is handed on when it has come to rest, and again when it changes. Time is simulated."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from upscale.batch.planning import watch
from upscale.batch.planning.inputs import find_inputs
from upscale.batch.planning.naming import Naming, originals
from upscale.batch.planning.plan import plan
from upscale.batch.planning.walk import Found
from upscale.batch.planning.watch import settled


class Clock:
    """Seconds that pass only where a test lets them."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def look(self, watching: Iterator[Found | None]) -> list[str]:
        """Return the names of one look, which ends with None; let a second pass."""
        names = [found.path.name for found in iter(lambda: next(watching), None) if found]
        self.now += 1
        return names


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    simulated = Clock()
    monkeypatch.setattr(watch, "time", simulated)
    return simulated


@pytest.fixture
def find(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[Found]]:
    monkeypatch.chdir(tmp_path)
    return lambda: find_inputs(["."], strict=False)


def touch(name: str, size: int, seconds: float = 0) -> None:
    """Write ``size`` bytes, last changed ``seconds`` after a fixed time."""
    Path(name).write_bytes(bytes(size))
    os.utime(name, ns=(0, int((1_000_000_000 + seconds) * 10**9)))


def test_a_file_is_handed_on_once_when_it_has_been_quiet(
    clock: Clock, find: Callable[[], list[Found]]
) -> None:
    touch("a.png", 1)
    watching = settled(find, interval=1, quiet=2)
    assert [clock.look(watching) for _ in range(6)] == [[], [], ["a.png"], [], [], []]


@pytest.mark.parametrize(("quiet", "looks"), [(0, 1), (0.5, 2), (1, 2), (1.5, 3), (3, 4)])
def test_it_is_handed_on_at_the_first_look_after_the_quiet_time(
    clock: Clock, find: Callable[[], list[Found]], quiet: float, looks: int
) -> None:
    touch("a.png", 1)
    watching = settled(find, interval=1, quiet=quiet)
    assert [clock.look(watching) for _ in range(looks)] == [[]] * (looks - 1) + [["a.png"]]


def test_a_file_that_grows_waits(clock: Clock, find: Callable[[], list[Found]]) -> None:
    watching = settled(find, interval=1, quiet=2)
    for size in range(5):
        touch("a.png", size)
        assert clock.look(watching) == []
    assert [clock.look(watching) for _ in range(3)] == [[], ["a.png"], []]


def test_a_file_that_is_written_over_in_place_waits(
    clock: Clock, find: Callable[[], list[Found]]
) -> None:
    watching = settled(find, interval=1, quiet=2)
    for seconds in range(5):
        touch("a.png", 9, seconds)
        assert clock.look(watching) == []
    assert [clock.look(watching) for _ in range(2)] == [[], ["a.png"]]


def test_an_empty_file_is_still_to_be_filled(clock: Clock, find: Callable[[], list[Found]]) -> None:
    touch("a.png", 0)
    watching = settled(find, interval=1, quiet=2)
    assert [clock.look(watching) for _ in range(9)] == [[]] * 9
    touch("a.png", 1)
    assert [clock.look(watching) for _ in range(3)] == [[], [], ["a.png"]]


def test_a_file_that_changes_later_is_handed_on_again(
    clock: Clock, find: Callable[[], list[Found]]
) -> None:
    touch("a.png", 1)
    watching = settled(find, interval=1, quiet=1)
    assert [clock.look(watching) for _ in range(3)] == [[], ["a.png"], []]
    touch("a.png", 1, 5)
    assert [clock.look(watching) for _ in range(3)] == [[], ["a.png"], []]


def test_a_file_that_comes_back_is_handed_on_again(
    clock: Clock, find: Callable[[], list[Found]]
) -> None:
    touch("a.png", 1)
    watching = settled(find, interval=1, quiet=1)
    assert [clock.look(watching) for _ in range(2)] == [[], ["a.png"]]
    Path("a.png").unlink()
    assert clock.look(watching) == []
    touch("a.png", 1)
    assert [clock.look(watching) for _ in range(2)] == [[], ["a.png"]]


def test_what_is_kept_is_bounded_by_what_is_there(
    clock: Clock, find: Callable[[], list[Found]]
) -> None:
    watching = settled(find, interval=1, quiet=0)
    for number in range(30):
        touch(f"{number}.png", 1)
        assert clock.look(watching) == [f"{number}.png"]
        frame = getattr(watching, "gi_frame")  # noqa: B009 - of a generator
        assert len(frame.f_locals["files"]) == 1
        Path(f"{number}.png").unlink()


def test_a_file_that_goes_or_changes_before_its_turn_is_not_handed_on(
    clock: Clock, find: Callable[[], list[Found]]
) -> None:
    for name in ("a.png", "b.png", "c.png", "d.png"):
        touch(name, 1)
    watching = settled(find, interval=1, quiet=1)
    assert clock.look(watching) == []
    first = next(watching)
    assert first is not None
    assert first.path.name == "a.png"
    Path("b.png").unlink()
    touch("c.png", 2)
    assert clock.look(watching) == ["d.png"]
    assert [clock.look(watching) for _ in range(2)] == [[], ["c.png"]]


def test_a_file_that_goes_between_finding_and_looking_is_no_crash(
    clock: Clock, find: Callable[[], list[Found]]
) -> None:
    touch("a.png", 1)
    gone = find()
    Path("a.png").unlink()
    watching = settled(lambda: gone, interval=1, quiet=0)
    assert [clock.look(watching) for _ in range(3)] == [[], [], []]


def test_a_problem_is_handed_on_once_and_what_replaces_it_too(
    clock: Clock, find: Callable[[], list[Found]]
) -> None:
    Path("a.png").symlink_to("nowhere.dat")
    watching = settled(find, interval=1, quiet=1)
    assert [clock.look(watching) for _ in range(3)] == [[], ["a.png"], []]
    touch("nowhere.dat", 1)
    assert [clock.look(watching) for _ in range(3)] == [[], ["a.png"], []]


def test_between_two_looks_nobody_waits(clock: Clock, find: Callable[[], list[Found]]) -> None:
    looks: list[float] = []

    def counted() -> list[Found]:
        looks.append(clock.now)
        return find()

    touch("a.png", 1)
    begin, watching = clock.now, settled(counted, interval=3, quiet=3)
    found = []
    for _ in range(80):
        found.append(next(watching))
        clock.now += 0.125
    assert looks == [begin, begin + 3, begin + 6, begin + 9]
    (number,) = (number for number, each in enumerate(found) if each is not None)
    assert number == 24


def test_outputs_beside_the_inputs_are_never_handed_on(
    clock: Clock, find: Callable[[], list[Found]]
) -> None:
    touch("a.jpg", 1)
    naming = Naming(suffix=".png")
    watching = settled(lambda: originals(find(), naming), interval=1, quiet=1)
    handed = []
    for round_ in range(9):
        for name in clock.look(watching):
            (job,) = plan([each for each in find() if each.path.name == name], None, naming)
            touch(str(job.output), 1)
            handed.append(name)
        if round_ == 3:
            touch("b.webp", 1)
    assert handed == ["a.jpg", "b.webp"]


def test_real_time_passes(find: Callable[[], list[Found]]) -> None:
    touch("a.png", 1)
    begin = time.monotonic()
    watching = settled(find, interval=0.02, quiet=0.1)
    while next(watching) is None:
        time.sleep(0.005)
    assert 0.1 <= time.monotonic() - begin < 5
