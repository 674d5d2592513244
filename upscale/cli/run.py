"""``upscale INPUT…``: plan, load, upscale, report."""

import json
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from upscale import batch
from upscale.cli.console import Bars, Interrupted, emit, printable, shown
from upscale.cli.options import Options
from upscale.errors import UpscaleError, UsageError
from upscale.image import FORMATS, suffix_of

__all__ = ["run"]


def run(options: Options) -> int:
    """Do what ``options`` ask for and return the exit status. Raises UpscaleError before work."""
    suffix = _suffix(options.format)
    inputs = batch.find_inputs(options.inputs)
    if not inputs:
        raise UsageError("no pictures there; give picture files, or folders that hold some")
    many = len(inputs) > 1 or any(path.is_dir() for path in options.inputs)
    output = batch.prepare_output(options.output, many)
    # PyTorch's threads share the cores with the encoder's: one that waits must not spin. Read when
    # OpenMP is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    with Bars() as bars:
        from upscale.model import load_model
        from upscale.upscaler import plan_tiling

        model = load_model(
            options.model,
            options.alpha,
            options.psnr,
            options.device,
            options.precision,
            progress=bars.download(options.model),
            notify=bars.say,
        )
        tiling = plan_tiling(model, options.tile, options.overlap)
        jobs = batch.plan(inputs, output, model.scale, suffix)
        common: dict[str, object] = {
            "model": options.model,
            "alpha": options.alpha,
            "device": str(model.device),
            "precision": model.precision,
            "tile": tiling.tile,
            "overlap": tiling.overlap,
        }
        counts: Counter[str] = Counter()
        left = list(jobs)
        files = bars.task("files", len(jobs)) if len(jobs) > 1 else lambda done, total: None

        def started(job: batch.Job) -> Callable[[int, int], None]:
            return bars.task(shown(job.input.name))

        status = 0
        try:
            for result in batch.run(
                jobs,
                model,
                tiling,
                overwrite=options.overwrite,
                max_pixels=options.max_pixels,
                started=started,
            ):
                left.remove(result.job)
                _report(result, common, options.json, bars)
                counts[result.status] += 1
                files(len(jobs) - len(left), len(jobs))
                status = status or (1 if result.status == "failed" else 0)
        except UpscaleError as error:
            status = error.exit_code
        except Interrupted as interrupted:
            status = interrupted.exit_code
        for job in left:
            _report(batch.Result(job, "cancelled"), common, options.json, bars)
            counts["cancelled"] += 1
        if options.json:
            emit(json.dumps({"kind": "summary", **counts, "exit_code": status}))
        elif len(jobs) > 1:
            bars.say(", ".join(f"{number} {name}" for name, number in counts.items()))
    return status


def _suffix(format_name: str | None) -> str | None:
    if format_name is None:
        return None
    suffix = suffix_of(Path(f"picture.{format_name.removeprefix('.')}"))
    if suffix not in FORMATS:
        known = ", ".join(name[1:] for name in FORMATS)
        raise UsageError(f"format {format_name!r} is not known: {known}")
    return suffix


def _report(result: batch.Result, common: dict[str, object], as_json: bool, bars: Bars) -> None:
    source, target = shown(result.job.input), shown(result.job.output)
    for warning in result.warnings:
        bars.say(f"upscale: warning: {warning}")
    if result.error is not None:
        bars.say(f"upscale: {result.error}")
    elif result.status == "done" and result.size and result.output_size and not as_json:
        sizes = f"{_size(result.size)} to {_size(result.output_size)}"
        bars.say(f"{source}: {target} ({sizes}, {result.seconds:.1f} s)")
    if as_json:
        width, height = result.size or (None, None)
        output_width, output_height = result.output_size or (None, None)
        error = result.error
        record = {
            "kind": "file",
            "input": source,
            "output": target,
            "status": result.status,
            "error": None
            if error is None
            else {"code": error.code, "message": printable(str(error))},
            "width": width,
            "height": height,
            "output_width": output_width,
            "output_height": output_height,
            "seconds": round(result.seconds, 3),
            **common,
        }
        emit(json.dumps(record))


def _size(size: tuple[int, int]) -> str:
    return f"{size[0]} × {size[1]}"
