"""A small study, and people who answer it as they are told."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from browsing import Chromium
from handmade_sets import encoded, pixels

from upscale.bench.contenders import Contender, System, Task
from upscale.bench.sets.picture_sets import PictureSet, read_folder
from upscale.metrics.protocol import Protocol
from upscale.pixels.baselines import Levels
from upscale.rating.key import Key, key_beside, read_key
from upscale.rating.prepare import Maker, Plan, RatedSet, prepare
from upscale.rating.ratings import Rating
from upscale.rating.server import make_app
from upscale.rating.study import Mode, Shown, Study, read_study
from upscale.serving.web.listening import open_socket

SIZES = ((8, 12), (12, 8), (16, 16), (8, 8))
"""Height and width of pictures of the test."""


def pictures(folder: Path, *sizes: tuple[int, int], seed: int = 0, letter: str = "p") -> PictureSet:
    folder.mkdir(parents=True, exist_ok=True)
    for index, (height, width) in enumerate(sizes):
        samples = pixels(seed + index, 3, height, width)
        (folder / f"{letter}{index}.png").write_bytes(encoded(samples))
    return read_folder(folder, 4, lambda text: None)


def painter(label: str, level: int) -> Maker:
    """A system that paints all of a picture in one gray."""

    def enlarge(task: Task) -> Iterator[Levels]:
        yield np.full(task.hr.shape, level, np.uint8)

    return lambda: Contender((System(label, label),), enlarge, torch.device("cpu"))


def plan(
    folder: Path,
    systems: dict[str, int] | None = None,
    mode: Mode = "scores",
    sizes: tuple[tuple[int, int], ...] = SIZES,
    repeats: int | None = 3,
    name: str = "set5",
) -> Plan:
    systems = {"nearest": 40, "bicubic": 90, "srgan": 140} if systems is None else systems
    makers = [painter(label, level) for label, level in systems.items()]
    found = pictures(folder / name, *sizes)
    others = pictures(folder / "others", (8, 8), (8, 12), seed=50, letter="o")
    return Plan([RatedSet(found, Protocol(), makers)], mode, (others, Protocol()), True, repeats, 7)


def made(folder: Path, mode: Mode = "scores", **more: object) -> tuple[Study, Key]:
    """Prepare a study in ``folder/study``."""
    prepare(plan(folder, mode=mode, **more), folder / "study", key_beside(folder / "study"))
    study = read_study(folder / "study")
    return study, read_key(key_beside(folder / "study"), study)


def rating(study: Study, rater: str, trial: int, shown: tuple[str, ...], answer: int) -> Rating:
    return Rating(
        *(study.identity, rater, trial, shown, answer),
        *(1.5, (1920, 1080), (1280, 800), 1.0, f"2026-01-01T00:{trial // 60:02}:{trial % 60:02}Z"),
    )


def questions(study: Study) -> list[tuple[str, ...]]:
    """All that a rater is asked: the first ones a second time at the end."""
    if study.mode == "scores":
        found = [(each.name,) for each in study.pictures]
    else:
        found = [
            (one.name, other.name)
            for index, one in enumerate(study.pictures)
            for other in study.pictures[index + 1 :]
            if one.scene == other.scene
        ]
    again = [tuple(reversed(shown)) for shown in found[: study.repeats]]
    return [*found, *again]


def answered(
    study: Study, rater: str, give: Callable[[tuple[str, ...]], int], most: int | None = None
) -> list[Rating]:
    """Let a rater answer everything by ``give``, which is told the names that are shown."""
    shown = questions(study)[:most]
    return [rating(study, rater, trial, each, give(each)) for trial, each in enumerate(shown)]


def by_name(study: Study) -> dict[str, Shown]:
    return {each.name: each for each in study.every}


@contextmanager
def serving(study: Study, local: bool = True, port: int = 0) -> Iterator[str]:
    """Answer requests from a thread of this process; lend the address."""
    import uvicorn

    listening = open_socket("127.0.0.1", port)
    config = uvicorn.Config(
        make_app(study, local), log_level="error", lifespan="off", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listening.close()


class RaterPage(Chromium):
    """The page, and a rater before it."""

    def asked(self) -> dict[str, Any]:
        """Wait until something is asked, and return it."""
        end = time.monotonic() + 10
        while not (found := self.run("return asked")):
            assert time.monotonic() < end, self.run("return document.body.innerText")
            time.sleep(0.01)
        return dict(found)

    def loaded(self) -> None:
        """Wait until a reloaded page has its answers, and asks or is over."""
        end = time.monotonic() + 10
        while not (self.run("return asked") or self.over()):
            assert time.monotonic() < end, self.run("return document.body.innerText")
            time.sleep(0.01)

    def begin(self, code: str) -> None:
        """Type the code, and go through the examples."""
        self.press(code, "\ue007")
        while teaches := self.asked().get("teaches"):
            self.answer(str(teaches))

    def answer(self, key: str) -> None:
        """Press a key, and wait for what comes next."""
        before = self.asked()
        self.press(key)
        end = time.monotonic() + 10
        while not self.over() and self.run("return asked?.number ?? -1") in (-1, before["number"]):
            if self.run("return asked?.teaches ?? 0") != before.get("teaches", 0):
                break
            assert time.monotonic() < end, self.run("return document.body.innerText")

    def over(self) -> bool:
        return bool(self.run("return !document.getElementById('end').hidden"))
