from pathlib import Path
from typing import cast

import pytest

from upscale.batch.planning.job import Job
from upscale.batch.planning.walk import Found
from upscale.batch.run import Result
from upscale.errors import InputError, UpscaleError
from upscale.models.choice import Choice
from upscale.serving.requests.asked import Asked
from upscale.serving.requests.limits import Limits
from upscale.serving.work.ticket import CancelledError, Ticket
from upscale.serving.work.tickets import BusyError, Tickets

NOTHING = cast("Asked", None)


def queued(tickets: Tickets, sizes: tuple[int, ...] = (10,), attended: bool = False) -> Ticket:
    with tickets.place(NOTHING, attended) as ticket:
        for number, size in enumerate(sizes):
            path = ticket.inputs / f"{number}.png"
            path.write_bytes(b"1")
            ticket.found.append(Found(path, Path(path.name), size))
    ticket.jobs = [Job(each.path, ticket.outputs / each.path.name) for each in ticket.found]
    return ticket


def test_jobs_are_taken_in_order_and_no_more_than_are_allowed(tmp_path: Path) -> None:
    tickets = Tickets(tmp_path, Limits(jobs=2))
    first, second = queued(tickets), queued(tickets)
    assert [tickets.ahead(first), tickets.ahead(second)] == [0, 1]
    with pytest.raises(BusyError), tickets.place(NOTHING, False):
        pass
    assert tickets.take() is first
    first.state = "working"
    assert tickets.ahead(second) == 1
    tickets.finish(first)
    assert tickets.ahead(second) == 0
    third = queued(tickets)
    assert [tickets.take(), tickets.take()] == [second, third]
    tickets.close()
    assert tickets.take() is None


def break_off(tickets: Tickets) -> None:
    """Lend a ticket to a request that ends in the middle."""
    with tickets.place(NOTHING, False) as ticket:
        (ticket.inputs / "a.png").write_bytes(b"1")
        raise InputError("no")


def test_a_job_whose_pictures_do_not_arrive_leaves_nothing(tmp_path: Path) -> None:
    tickets = Tickets(tmp_path, Limits(jobs=1))
    for _ in range(3):
        with pytest.raises(InputError):
            break_off(tickets)
    assert list(tmp_path.iterdir()) == []
    queued(tickets)


def test_a_cancelled_job_goes_at_once_or_when_its_picture_ends(tmp_path: Path) -> None:
    tickets = Tickets(tmp_path, Limits())
    at_work, waiting = queued(tickets, (10, 10)), queued(tickets)
    assert tickets.take() is at_work
    jobs = at_work.upcoming()
    progress = at_work.started(next(jobs), Choice("srgan"))
    progress(1, 2)
    for ticket in (waiting, at_work):
        tickets.cancel(ticket)
        assert tickets.find(ticket.id) is None
    assert not waiting.folder.exists()
    assert at_work.folder.exists()
    with pytest.raises(CancelledError):
        progress(2, 2)
    assert list(jobs) == []
    tickets.finish(at_work)
    assert at_work.state == "cancelled"
    assert list(tmp_path.iterdir()) == []


def test_what_nobody_asks_for_expires(tmp_path: Path) -> None:
    tickets = Tickets(tmp_path, Limits(kept=100, attended=10))
    page, program, done = queued(tickets, attended=True), queued(tickets), queued(tickets)
    done.end()

    def later(seconds: float) -> list[bool]:
        for each in (page, program, done):
            each.seen -= seconds
        tickets.check_room()
        return [each.folder.exists() for each in (page, program, done)]

    assert later(9) == [True, True, True]
    assert tickets.find(page.id) is page  # which counts as a question
    assert later(9) == [True, True, True]
    assert later(2) == [False, True, True]
    assert later(100) == [False, True, False]


def test_progress_counts_bytes_of_inputs(tmp_path: Path) -> None:
    ticket = queued(Tickets(tmp_path, Limits()), (30, 10, 60))
    jobs = ticket.upcoming()
    first, second = next(jobs), next(jobs)
    assert ticket.share == 0
    ticket.started(first, Choice("srgan"))(1, 2)
    assert ticket.share == pytest.approx(0.15)
    ticket.add(Result(first, "done"))
    ticket.started(second, Choice("srgan"))(1, 2)
    assert ticket.share == pytest.approx(0.35)
    assert ticket.seconds_left is None  # too early to tell
    ticket.begin -= 70
    assert ticket.seconds_left == pytest.approx(130, abs=2)
    progress = ticket.download("weights")
    progress(1, 4)
    assert (ticket.state, ticket.share) == ("fetching", 0.25)


def test_a_job_ends_well_if_anything_was_made(tmp_path: Path) -> None:
    tickets = Tickets(tmp_path, Limits())
    states = []
    for results in (["done", "failed"], ["failed", "failed"], ["done", "done"]):
        ticket = queued(tickets, (1, 1))
        for job, status in zip(ticket.jobs, results, strict=True):
            ticket.add(Result(job, status, error=None if status == "done" else UpscaleError("no")))
        tickets.finish(ticket)
        states.append(ticket.state)
    assert states == ["done", "failed", "done"]
    ticket = queued(tickets)
    tickets.finish(ticket, UpscaleError(f"{ticket.inputs / 'a.png'}: no"))
    assert ticket.state == "failed"
    assert ticket.clean(str(ticket.error)) == "a.png: no"
