"""What a run in a store has left: metadata decide, and a sample is decoded."""

from collections.abc import Iterable
from pathlib import Path

import pytest
from carried import Kept, Silent, png

from upscale.batch.methods import Making, find_methods
from upscale.batch.order import Order
from upscale.fleet.auditing.audit import Audit
from upscale.fleet.auditing.finding import Finding
from upscale.fleet.task import Task
from upscale.fleet.worker import Worker
from upscale.upscaling.target import Target

NAMES = ("a", "a2", "b", "c")


pytestmark = pytest.mark.usefixtures("forked_codecs")


@pytest.fixture
def made(tmp_path: Path, repeating: str) -> tuple[Kept, list[Task], Making]:
    """A bucket in which a run has ended."""
    kept = Kept(tmp_path)
    tasks = []
    for width, name in enumerate(NAMES, 4):
        kept.put(f"in/{name}.png", png(5, width))
        tasks.append(kept.task(f"in/{name}.png", f"out/{name}_x4.png"))
    making = Making(repeating, device="cpu")
    with Worker(making, Order(), find_methods(making, Order(), Silent()), 1) as worker:
        assert {each.status for each in worker.work(tasks)} == {"done"}
    return kept, tasks, making


def audit(
    kept: Kept,
    tasks: Iterable[Task],
    making: Making,
    order: Order | None = None,
    sample: int | None = 0,
) -> tuple[dict[str, Finding], Audit]:
    order = order or Order()
    methods = find_methods(making, order, Silent())
    with Audit(kept.url("out"), methods, order, sample=sample, processes=1) as found:
        findings = {
            each.output.rpartition("/")[2]: each
            for each in found.findings(tasks, lambda done: None)
        }
    return findings, found


def metadata_of(kept: Kept, name: str) -> dict[str, str]:
    entry = kept.store.head(kept.url(name))
    assert entry is not None
    return dict(entry.metadata)


@pytest.mark.parametrize("sample", [None, 0, 2, 100])
def test_a_run_that_ended_leaves_nothing_to_find(made, sample: int | None) -> None:
    kept, tasks, making = made
    findings, found = audit(kept, tasks, making, sample=sample)
    assert findings == {}
    wanted = len(NAMES) if sample is None else min(sample, len(NAMES))
    assert (found.checked, found.good, found.decoded) == (len(NAMES), len(NAMES), wanted)


def test_what_is_missing_and_what_no_input_explains(made) -> None:
    kept, tasks, making = made
    kept.put("in/new.png", png())
    kept.put("out/sub/of_nobody.png", b"")
    more = [*tasks[1:], kept.task("in/new.png", "out/new_x4.png")]
    findings, found = audit(kept, more, making)
    assert {name: each.status for name, each in findings.items()} == {
        "new_x4.png": "missing",
        "a_x4.png": "extra",
        "of_nobody.png": "extra",
    }
    assert findings["new_x4.png"].input == kept.url("in/new.png")
    assert (found.checked, found.good) == (len(NAMES), len(NAMES) - 1)


def test_another_input_is_told_from_the_same_content_written_again(made) -> None:
    kept, tasks, making = made
    kept.put("in/a.png", png(6, 6))
    kept.put("in/b.png", png(5, 6))  # what was there
    findings, _ = audit(kept, tasks, making)
    assert {name: each.status for name, each in findings.items()} == {"a_x4.png": "stale"}


def test_other_options_make_all_outputs_stale(made) -> None:
    kept, tasks, making = made
    findings, found = audit(kept, tasks, making, Order(Target(scale=2)))
    assert {each.status for each in findings.values()} == {"stale"}
    assert found.good == 0
    another, _ = audit(kept, tasks, making, Order(Target(scale=3)))
    kept.put("in/a.png", png(6, 6))
    of_another_input, _ = audit(kept, tasks, making)
    assert another["a_x4.png"].reason != of_another_input["a_x4.png"].reason


def test_an_input_that_is_gone_makes_its_output_stale(made) -> None:
    kept, tasks, making = made
    gone = Task(kept.url("in/gone.png"), tasks[0].output)
    findings, _ = audit(kept, [gone, *tasks[1:]], making)
    assert findings["a_x4.png"].status == "stale"
    assert "in/gone.png" in findings["a_x4.png"].reason


def test_damage_is_found_by_those_that_decode(made) -> None:
    kept, tasks, making = made
    data = kept.get("out/a_x4.png")
    assert data is not None
    marks = metadata_of(kept, "out/a_x4.png")
    put = {name.replace("-", "_"): value for name, value in marks.items()}
    kept.put("out/a_x4.png", data[: len(data) // 2], **put)
    assert audit(kept, tasks, making, sample=0)[0] == {}
    for sample in (None, len(NAMES)):
        findings, found = audit(kept, tasks, making, sample=sample)
        assert {name: each.status for name, each in findings.items()} == {"a_x4.png": "damaged"}
        assert findings["a_x4.png"].output == kept.url("out/a_x4.png")
        assert findings["a_x4.png"].reason
        assert (found.good, found.decoded) == (len(NAMES) - 1, len(NAMES))


def test_content_that_is_not_what_the_metadata_say_is_damage(made) -> None:
    kept, tasks, making = made
    put = {k.replace("-", "_"): v for k, v in metadata_of(kept, "out/a_x4.png").items()}
    other = kept.get("out/b_x4.png")
    assert other is not None
    kept.put("out/a_x4.png", other, **put)
    findings, _ = audit(kept, tasks, making, sample=None)
    assert {name: each.status for name, each in findings.items()} == {"a_x4.png": "damaged"}


def test_an_object_without_metadata_is_known_by_its_own_key(made) -> None:
    kept, tasks, making = made
    data = kept.get("out/a_x4.png")
    assert data is not None
    kept.put("out/a_x4.png", data)
    kept.put("out/b_x4.png", png())
    findings, _ = audit(kept, tasks, making)
    assert {name: each.status for name, each in findings.items()} == {"b_x4.png": "stale"}


def test_a_million_tasks_are_not_held(made, monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits at a time is bounded: a task is asked for when an earlier one is settled."""
    kept, _, making = made
    asked = 0

    def endless() -> Iterable[Task]:
        nonlocal asked
        while True:
            asked += 1
            yield kept.task(f"in/{asked}.png", f"out/{asked}_x4.png")

    methods = find_methods(making, Order(), Silent())
    with Audit(kept.url("out"), methods, Order(), sample=1, processes=1) as found:
        findings = found.findings(endless(), lambda done: None)
        for number in range(1, 1001):
            assert next(findings).output == kept.url(f"out/{number}_x4.png")
            assert asked - number < 500
