"""Reports each file: a line for people, and a JSON object for programs."""

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from weakref import WeakSet

from upscale.batch.planning.job import Outcome
from upscale.batch.run import Result
from upscale.cli.reports.lines import Lines
from upscale.cli.terminal.bars import Bars
from upscale.cli.terminal.console import printable, shown
from upscale.errors import InputError, UpscaleError
from upscale.fleet.task import Receipt, Task

__all__ = ["Report", "counted"]

MOST_NAMED = 1000
"""Most pictures that the summary names."""


class Report:
    """Prints results as they come, and counts them. A context manager, which closes its file."""

    def __init__(self, bars: Bars, as_json: bool, file: Path | None, many: bool) -> None:
        """Open ``file`` (JSON lines) if there is one. Raises OutputError."""
        self._bars = bars
        self._as_json = as_json
        self.many = many
        """Whether there may be several pictures."""
        self.settings: Callable[[Outcome[Task]], Mapping[str, object]] = lambda result: {}
        """Settings of a picture, if its result does not state them."""
        self.counts: Counter[str] = Counter()
        self.passed_over: Counter[str] = Counter()
        """Numbers of files in folders that no reader supports, by kind."""
        self._crashed: list[str] = []
        """Inputs that crashed their processes, at most `MOST_NAMED`."""
        self.told: WeakSet[UpscaleError] = WeakSet()
        """Printed errors that others may still raise."""
        self.is_whole = False
        """Whether the run reached its end and its file is complete."""
        self._lines = Lines(bars, as_json, file)

    def __enter__(self) -> "Report":
        """Return itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close the file."""
        self._lines.close()

    def add(self, found: Result | Receipt, **more: object) -> None:
        """Report the result of one picture."""
        receipt = found if isinstance(found, Receipt) else Receipt.of(found)
        self.counts[receipt.status] += 1
        source, target = shown(receipt.task.input), shown(receipt.task.output)
        for warning in receipt.warnings:
            self._bars.say(f"upscale: warning: {warning}")
        if receipt.error is not None:
            self.told.add(receipt.error)
            if receipt.error.code == "crashed" and len(self._crashed) < MOST_NAMED:
                self._crashed.append(source)
            self._bars.say(f"upscale: {receipt.error}")
        elif receipt.status == "skipped" and not self._as_json:
            self._bars.say(f"{source}: {target} is up to date")
        elif receipt.size and receipt.output_size and not self._as_json:
            sizes = f"{_size(receipt.size)} to {_size(receipt.output_size)}"
            took = f", {receipt.seconds:.1f} s" if receipt.status == "done" else ""
            choice = receipt.choice if self.many else None
            why = f"; {choice.model}: {choice.reason}" if choice and choice.reason else ""
            self._bars.say(f"{source}: {target} ({sizes}{took}{why})")
        width, height = receipt.size or (None, None)
        output_width, output_height = receipt.output_size or (None, None)
        error = receipt.error
        self._lines.add(
            {
                "kind": "file",
                "input": source,
                "output": target,
                "status": receipt.status,
                "error": None
                if error is None
                else {"code": error.code, "message": printable(str(error))},
                "width": width,
                "height": height,
                "output_width": output_width,
                "output_height": output_height,
                "seconds": round(receipt.seconds, 3),
                **(receipt.settings or self.settings(receipt)),
                **more,
            }
        )

    def summarize(self, status: int, many: bool, **more: object) -> None:
        """Report the summary of the run."""
        if self._crashed:
            more["crashed"] = self._crashed
        if self.passed_over:
            more["not_read"] = dict(self.passed_over)
        self._lines.add({"kind": "summary", **self.counts, **more, "exit_code": status})
        self.is_whole = status in (0, InputError.exit_code) and self._lines.is_whole
        if (many or self.passed_over) and self.counts and not self._as_json:
            rest = f"; not read: {counted(self.passed_over)}" if self.passed_over else ""
            self._bars.say(counted(self.counts) + rest)


def counted(counts: Mapping[str, int]) -> str:
    """Return numbers and names: ``3 done, 1 failed``."""
    return ", ".join(f"{number} {name}" for name, number in counts.items())


def _size(size: tuple[int, int]) -> str:
    return f"{size[0]} × {size[1]}"
