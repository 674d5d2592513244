"""One function per request."""

import asyncio
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from upscale.batch.run import Result
from upscale.errors import InputError, UpscaleError, UsageError
from upscale.serving.requests.arrivals import Arrivals
from upscale.serving.requests.asked import Read, Setting
from upscale.serving.requests.limits import Limits
from upscale.serving.requests.offers import offers
from upscale.serving.web import pages
from upscale.serving.web.answers import about_ticket, failure, model_name, refusal
from upscale.serving.web.guard import COOKIE, Guard, Keys
from upscale.serving.web.openapi import describe
from upscale.serving.web.results import picture_of, result_of, shown
from upscale.serving.web.uploads import read_upload
from upscale.serving.work.preview import Previews
from upscale.serving.work.ticket import Ticket
from upscale.serving.work.tickets import Tickets
from upscale.viewing.compare import write_page

__all__ = ["Routes"]

LONGEST_WAIT = 3600.0
"""Longest wait for a result, in seconds."""

POLL = 0.1

CROP_BYTES = 2**20

LONGEST_LOGIN = 1000
"""Most bytes of a login."""

SLOWED = 0.5
"""Delay after a wrong token, in seconds."""


class Routes:
    """Answers requests on `Tickets`."""

    def __init__(
        self,
        tickets: Tickets,
        previews: Previews,
        read: Read,
        limits: Limits,
        settings: Sequence[Setting],
        own: str | None,
        keys: Keys,
    ) -> None:
        """Take the parts that answers need; ``own`` names the server's own model."""
        self._tickets, self._previews, self._read = tickets, previews, read
        self._limits, self._own, self._keys = limits, own, keys
        self._openapi = describe(settings, keys.token is not None)
        self._viewing = threading.Lock()

    def app(self, local: bool) -> Starlette:
        """Return the application; ``local``: only this machine has access."""
        job = "/api/jobs/{id}"
        picture = job + "/pictures/{number:int}"
        return Starlette(
            routes=[
                Route("/", pages.page),
                Route("/api", pages.interface),
                Route("/static/{name}", pages.static),
                Route("/api/login", self.login, methods=["POST"]),
                Route("/api/openapi.json", self.openapi),
                Route("/api/about", self.about),
                Route("/api/upscale", self.upscale, methods=["POST"]),
                Route("/api/preview", self.preview, methods=["POST"]),
                Route(job, self.job, methods=["GET"]),
                Route(job, self.cancel, methods=["DELETE"]),
                Route(job + "/result", self.result),
                Route(picture, self.picture),
                Route(picture + "/compare", self.compare),
            ],
            middleware=[
                Middleware(
                    Guard,
                    local=local,
                    refusal=refusal,
                    keys=self._keys,
                    policy=pages.POLICY,
                )
            ],
            exception_handlers={
                UpscaleError: _failed,
                HTTPException: _refused,
                ClientDisconnect: _gone,
            },
        )

    async def openapi(self, request: Request) -> Response:
        """Describe the interface."""
        return JSONResponse(self._openapi)

    async def login(self, request: Request) -> Response:
        """Give a cookie to a page that sends the token."""
        body = await request.json() if _is_short(request) else None
        word = body.get("token") if isinstance(body, dict) else None
        if not isinstance(word, str) or not self._keys.fits(word):
            await asyncio.sleep(SLOWED)
            return refusal("unauthorized", "that is not the token of this server")
        answer = Response(status_code=204)
        answer.set_cookie(COOKIE, self._keys.cookie, httponly=True, samesite="strict")
        return answer

    async def about(self, request: Request) -> Response:
        """List models and limits."""
        offered = await run_in_threadpool(offers, self._own)
        limits = {"bytes": self._limits.most_bytes, "pictures": self._limits.pictures}
        limits |= {"pixels": self._limits.max_pixels}
        limits |= {"output_pixels": self._limits.most_output_pixels}
        return JSONResponse({"models": [asdict(each) for each in offered], "limits": limits})

    async def upscale(self, request: Request) -> Response:
        """Queue a job."""
        self._tickets.check_room()
        async with read_upload(request, self._limits) as upload:
            attended = upload.words.pop("attended", "") == "true"
            asked = self._read(upload.words)
            if not upload.files:
                raise UsageError("the request holds no picture; send one or more")
            with self._tickets.place(asked, attended) as ticket:
                arrivals = Arrivals(ticket.inputs, self._limits)
                for each in upload.files:
                    await run_in_threadpool(arrivals.add, each.filename or "picture", each.file)
                ticket.found = arrivals.found
        answer = about_ticket(ticket, self._tickets)
        return JSONResponse(answer, 202, {"Location": answer["urls"]["self"]})

    async def preview(self, request: Request) -> Response:
        """Enlarge a crop at once."""
        async with read_upload(request, self._limits, CROP_BYTES) as upload:
            if len(upload.files) != 1:
                raise UsageError("send one crop")
            crop = await upload.files[0].read()
        begin = time.monotonic()
        made = await run_in_threadpool(self._previews.make, crop, upload.words)
        headers = {
            "X-Model": model_name(made.choice.model),
            "X-Alpha": "" if made.alpha is None else f"{made.alpha:g}",
            "X-Seconds": f"{time.monotonic() - begin:.2f}",
        }
        return Response(made.png, media_type="image/png", headers=headers)

    async def job(self, request: Request) -> Response:
        """Describe the progress of a job."""
        return JSONResponse(about_ticket(self._ticket(request), self._tickets))

    async def cancel(self, request: Request) -> Response:
        """Cancel a job, or remove its results."""
        await run_in_threadpool(self._tickets.cancel, self._ticket(request))
        return Response(status_code=204)

    async def result(self, request: Request) -> Response:
        """Send the results of a job: a picture, or a ZIP of several."""
        ticket = self._ticket(request)
        wait = request.query_params.get("wait", "0")
        if not wait.isdecimal():
            raise UsageError("wait: give a number of seconds")
        end = time.monotonic() + min(float(wait), LONGEST_WAIT)
        while not ticket.ended and time.monotonic() < end:
            await asyncio.sleep(POLL)
            ticket = self._ticket(request)
        if not ticket.ended:
            return JSONResponse(about_ticket(ticket, self._tickets), 202, {"Retry-After": "1"})
        return await run_in_threadpool(result_of, ticket)

    async def picture(self, request: Request) -> Response:
        """Send one finished picture of a job."""
        return picture_of(self._made(request)[1])

    async def compare(self, request: Request) -> Response:
        """Send a page that compares a picture with its result."""
        ticket, result = self._made(request)
        page = ticket.folder / f"compare-{request.path_params['number']}.html"

        def make() -> None:
            with self._viewing:
                if not page.exists():
                    write_page([result.job.input, result.job.output], page)

        try:
            await run_in_threadpool(make)
        except UpscaleError as error:
            return failure(error, ticket.clean(str(error)))
        return FileResponse(page, media_type="text/html")

    def _ticket(self, request: Request) -> Ticket:
        ticket = self._tickets.find(request.path_params["id"])
        if ticket is None:
            raise InputError("this job does not exist; it may have expired", code="not-found")
        return ticket

    def _made(self, request: Request) -> tuple[Ticket, Result]:
        ticket, number = self._ticket(request), request.path_params["number"]
        if number >= len(ticket.found):
            raise InputError("the job has no such picture", code="not-found")
        result = ticket.results.get(ticket.found[number].path)
        if result is None:
            raise InputError("this picture is not finished yet", code="not-found")
        if result.error is not None:
            raise shown(ticket, result.error)
        return ticket, result


def _is_short(request: Request) -> bool:
    length = request.headers.get("content-length", "")
    return length.isdecimal() and int(length) < LONGEST_LOGIN


async def _failed(request: Request, error: Exception) -> Response:
    assert isinstance(error, UpscaleError)
    return failure(error)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    codes = {404: "not-found", 405: "usage"}
    return refusal(codes.get(error.status_code, "usage"), error.detail, error.status_code)


async def _gone(request: Request, error: Exception) -> Response:
    return Response(status_code=499)
