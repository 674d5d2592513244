"""Serves one study over HTTP: page, pictures and answers.

Serving imports Starlette and uvicorn.
"""

import json
import socket
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from upscale.errors import OutputError, UsageError
from upscale.files import unwritable
from upscale.rating.page import served_page
from upscale.rating.ratings import CODE, RatingError, append, file_of, parse, read_file
from upscale.rating.study import Study
from upscale.serving.web.listening import open_socket

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request

__all__ = ["make_app", "serve"]

LARGEST_ANSWER = 4000
"""Most bytes of an answer; real ones have less than a tenth."""


def make_app(study: Study, local: bool = True) -> "Starlette":
    """Return the application: the page, pictures by their names, and a rater's answers.

    ``local``: only requests with a host name of this machine are answered. No page of another site
    can reach it. Only pictures of the manifest can be read. An answer is confirmed when it is on
    the disk.
    """
    from starlette.applications import Starlette
    from starlette.concurrency import run_in_threadpool
    from starlette.middleware import Middleware
    from starlette.requests import ClientDisconnect
    from starlette.responses import FileResponse, JSONResponse, Response
    from starlette.routing import Route

    from upscale.serving.web.guard import Guard

    page = served_page(study)
    pictures = {each.name: study.file(each) for each in study.every}

    def refusal(status: int, text: str) -> Response:
        return JSONResponse({"error": text}, status)

    async def index(request: "Request") -> Response:
        return Response(page, media_type="text/html", headers={"Cache-Control": "no-store"})

    async def picture(request: "Request") -> Response:
        file = pictures.get(request.path_params["name"])
        if file is None:
            return refusal(404, "this picture does not exist")
        return FileResponse(file, media_type="image/png")

    async def answers(request: "Request") -> Response:
        rater = request.path_params["code"]
        if not CODE.fullmatch(rater):
            return refusal(422, "a code may only have letters, digits, - and _")
        return JSONResponse(await run_in_threadpool(kept, rater))

    def kept(rater: str) -> list[dict[str, Any]]:
        path = file_of(study, rater)
        return [asdict(each) for each in read_file(path, study)] if path.exists() else []

    async def answer(request: "Request") -> Response:
        if request.headers.get("content-type", "").partition(";")[0] != "application/json":
            return refusal(415, "an answer must be JSON")
        body = bytearray()
        try:
            async for chunk in request.stream():
                body += chunk
                if len(body) > LARGEST_ANSWER:
                    return refusal(413, "the answer is too long")
        except ClientDisconnect:  # the sender has gone
            return refusal(400, "the answer ended early")
        try:
            rating = parse(json.loads(bytes(body)), study)
        except (RatingError, ValueError, RecursionError) as error:
            return refusal(422, f"the answer is not valid: {error}")
        try:
            await run_in_threadpool(append, study, rating)
        except OutputError as error:
            return refusal(507, str(error))
        return Response(status_code=204)

    routes = [
        Route("/", index),
        Route("/picture/{name}.png", picture),
        Route("/ratings/{code}", answers),
        Route("/ratings", answer, methods=["POST"]),
    ]
    guard = Middleware(Guard, local=local, refusal=lambda code, text: refusal(403, text))
    return Starlette(routes=routes, middleware=[guard])


def serve(study: Study, host: str, port: int, ready: Callable[[str], None]) -> None:
    """Answer requests until SIGINT or SIGTERM, which is raised again at the end.

    ``ready`` gets the address. Raises UsageError if another process serves the study, or if
    Starlette or uvicorn is missing, and as `open_socket` does.
    """
    try:
        import uvicorn

        from upscale.serving.web.guard import LOCAL

        app = make_app(study, host in LOCAL)
    except ImportError as error:
        raise UsageError(
            "serving needs Starlette and uvicorn; install them with: pip install 'upscale[rate]'"
        ) from error
    lock = FileLock(study.folder / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise UsageError(
            f"{study.folder}: another process already serves this study; use that server"
        ) from error
    except OSError as error:
        raise unwritable(study.folder, error) from error
    with lock, open_socket(host, port) as listening:
        named = socket.gethostname() if host in ("0.0.0.0", "::") else host
        place = f"[{named}]" if ":" in named else named
        ready(f"http://{place}:{listening.getsockname()[1]}/")
        config = uvicorn.Config(
            app, log_level="error", access_log=False, lifespan="off", timeout_graceful_shutdown=2
        )
        uvicorn.Server(config).run([listening])
