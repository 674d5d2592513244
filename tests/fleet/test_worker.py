"""A worker makes what the command line makes."""

from pathlib import Path

import pytest
from codecs_seen import noise
from PIL import Image as Pillow
from program import inside

from upscale.batch.methods import Making, find_methods
from upscale.batch.order import Order
from upscale.fleet.task import Task
from upscale.fleet.worker import Worker
from upscale.pictures.writing.key import read_key


class Silent:
    def say(self, text):
        pass

    def download(self, title):
        return lambda done, total: None


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    found = [tmp_path / f"{name}.png" for name in "abc"]
    for index, path in enumerate(found):
        Pillow.fromarray(noise(7 + index // 2, 9)).save(path)
    return found


def test_pictures_are_those_of_the_command_line(tmp_path, repeating, photos):
    words = (*map(str, photos), "-o", "one", "--model", repeating, "--device", "cpu")
    assert inside(tmp_path, *words).status == 0
    making = Making(repeating, device="cpu")
    tasks = [Task(str(each), str(tmp_path / "two" / f"{each.stem}_x4.png")) for each in photos]
    with Worker(making, Order(), find_methods(making, Order(), Silent()), 1) as worker:
        receipts = list(worker.work([tasks[0], None, *tasks[1:]]))
        again = list(worker.work(tasks))
    assert {receipt.task for receipt in receipts} == set(tasks)
    assert {receipt.status for receipt in receipts} == {"done"}
    assert {receipt.settings["model"] for receipt in receipts} == {repeating}
    assert {receipt.status for receipt in again} == {"skipped"}
    for task in tasks:
        made = tmp_path / "two" / task.output.rsplit("/", 1)[1]
        same = tmp_path / "one" / made.name
        assert made.read_bytes() == same.read_bytes()
        assert read_key(made) is not None


def test_a_picture_that_cannot_be_read_has_its_receipt(tmp_path, repeating):
    (tmp_path / "bad.png").write_bytes(b"no picture")
    task = Task(str(tmp_path / "bad.png"), str(tmp_path / "out" / "bad_x4.png"))
    making = Making(repeating, device="cpu")
    with Worker(making, Order(), find_methods(making, Order(), Silent()), 1) as worker:
        (receipt,) = worker.work([task])
    assert (receipt.status, receipt.task) == ("failed", task)
    assert receipt.error is not None
    assert not (tmp_path / "out" / "bad_x4.png").exists()
