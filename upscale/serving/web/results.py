"""Answers with the results of a job: a picture, a ZIP of several, or an error."""

import zipfile
from collections.abc import Sequence
from pathlib import Path

from starlette.responses import FileResponse, Response

from upscale.batch.run import Result
from upscale.errors import InputError, UpscaleError
from upscale.files import whole
from upscale.serving.work.ticket import Ticket

__all__ = ["picture_of", "result_of", "shown"]


def result_of(ticket: Ticket) -> Response:
    """Send a job's results: a picture, or a ZIP of several. Without any, raises its error."""
    made = [each for each in ticket.results.values() if each.status == "done"]
    if not made:
        raise _worst(ticket)
    if len(ticket.found) == 1:
        return picture_of(made[0])
    archive = _archive(ticket, made)
    return FileResponse(archive, filename="upscale.zip", media_type="application/zip")


def picture_of(result: Result) -> Response:
    """Send one finished picture."""
    output = result.job.output
    return FileResponse(output, filename=output.name)


def shown(ticket: Ticket, error: UpscaleError) -> UpscaleError:
    """Return an error without local details."""
    return type(error)(ticket.clean(str(error)), code=error.code)


def _archive(ticket: Ticket, made: Sequence[Result]) -> Path:
    """Put all results of a job into a ZIP without compression, since pictures are compressed."""
    path = ticket.folder / "results.zip"
    if not path.exists():
        with whole(path) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as archive:
            for each in made:
                archive.write(each.job.output, each.job.output.relative_to(ticket.outputs))
    return path


def _worst(ticket: Ticket) -> UpscaleError:
    """Return the reason why nothing was made."""
    errors = [each.error for each in ticket.results.values() if each.error is not None]
    first = ticket.error or next(iter(errors), None)
    if first is None or ticket.state == "cancelled":
        return InputError("the job was cancelled", code="cancelled")
    return shown(ticket, first)
