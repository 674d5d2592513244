"""Errors, jobs and pictures as JSON."""

from pathlib import PurePath
from typing import Any

from starlette.responses import JSONResponse

from upscale.batch.run import Result
from upscale.errors import (
    DeviceError,
    InputError,
    OutputError,
    UpscaleError,
    UsageError,
    WeightsError,
)
from upscale.serving.work.ticket import Ticket
from upscale.serving.work.tickets import Tickets

__all__ = ["about_picture", "about_ticket", "failure", "model_name", "refusal"]

STATUSES = {
    "busy": 503,
    "cancelled": 410,
    "not-found": 404,
    "too-large": 413,
    "unauthorized": 401,
    "forbidden": 403,
    "usage": 400,
}
"""HTTP statuses by code."""

STATUSES_OF_KINDS: dict[type[UpscaleError], int] = {
    InputError: 422,
    UsageError: 400,
    WeightsError: 502,
    DeviceError: 500,
    OutputError: 507,
}


def model_name(model: str) -> str:
    """Return a model's public name: only the last part of a path."""
    return PurePath(model).name


def refusal(code: str, message: str, status: int | None = None) -> JSONResponse:
    """Answer with an error of the server."""
    headers = {"Retry-After": "5"} if code == "busy" else {}
    if code == "unauthorized":
        headers["WWW-Authenticate"] = "Bearer"
    status = STATUSES.get(code, 400) if status is None else status
    return JSONResponse({"error": {"code": code, "message": message}}, status, headers)


def failure(error: UpscaleError, message: str | None = None) -> JSONResponse:
    """Answer with an error of the program."""
    kinds = STATUSES_OF_KINDS.items()
    of_kind = next((number for kind, number in kinds if isinstance(error, kind)), 500)
    text = str(error) if message is None else message
    return refusal(error.code, text, STATUSES.get(error.code, of_kind))


def about_ticket(ticket: Ticket, tickets: Tickets) -> dict[str, Any]:
    """Describe a job for a program or the page."""
    left = ticket.seconds_left
    return {
        "id": ticket.id,
        "state": ticket.state,
        "ahead": tickets.ahead(ticket),
        "share": round(ticket.share, 4),
        "seconds_left": None if left is None else round(left, 1),
        "error": _about_error(ticket, ticket.error),
        "notes": list(ticket.said),
        "pictures": [about_picture(ticket, number) for number in range(len(ticket.found))],
        "urls": {
            "self": f"/api/jobs/{ticket.id}",
            "result": f"/api/jobs/{ticket.id}/result",
        },
    }


def about_picture(ticket: Ticket, number: int) -> dict[str, Any]:
    """Describe one picture of a job."""
    found = ticket.found[number]
    result = ticket.results.get(found.path)
    at_work = ticket.at_work == found.path and not ticket.ended
    base = f"/api/jobs/{ticket.id}/pictures/{number}"
    if result is None:
        state = "working" if at_work else "cancelled" if ticket.ended else "waiting"
        return {"name": found.relative.as_posix(), "state": state, "error": None}
    cancelled = result.error is not None and result.error.code == "cancelled"
    return {
        "name": found.relative.as_posix(),
        "state": "cancelled" if cancelled else result.status,
        "error": None if cancelled else _about_error(ticket, result.error),
        **(_about_result(ticket, result, base) if result.status == "done" else {}),
    }


def _about_result(ticket: Ticket, result: Result, base: str) -> dict[str, Any]:
    width, height = result.size or (0, 0)
    output_width, output_height = result.output_size or (0, 0)
    return {
        "output": result.job.output.relative_to(ticket.outputs).as_posix(),
        "width": width,
        "height": height,
        "output_width": output_width,
        "output_height": output_height,
        "bytes": result.job.output.stat().st_size if result.job.output.exists() else 0,
        "seconds": round(result.seconds, 3),
        "model": model_name(result.choice.model) if result.choice else None,
        "reason": (result.choice.reason or None) if result.choice else None,
        "warnings": [ticket.clean(each) for each in result.warnings],
        "urls": {"result": base, "compare": f"{base}/compare"},
    }


def _about_error(ticket: Ticket, error: UpscaleError | None) -> dict[str, str] | None:
    if error is None:
        return None
    return {"code": error.code, "message": ticket.clean(str(error))}
