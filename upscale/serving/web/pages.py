"""The pages for people: files of this package, in a literal list."""

from importlib import resources

from starlette.requests import Request
from starlette.responses import Response

from upscale.serving.web.answers import refusal

__all__ = ["POLICY", "interface", "page", "static"]

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
"""Content security policy: pages load only their own files."""

FILES = {
    "page.css": "text/css",
    "page.js": "text/javascript",
    "ask.js": "text/javascript",
    "crop.js": "text/javascript",
    "job.js": "text/javascript",
    "interface.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}


def _answer(name: str, kind: str) -> Response:
    data = resources.files("upscale.serving.web").joinpath("static", name).read_bytes()
    return Response(data, media_type=kind, headers={"Cache-Control": "no-cache"})


async def page(request: Request) -> Response:
    """Send the page."""
    return _answer("page.html", "text/html")


async def interface(request: Request) -> Response:
    """Send the page that describes the interface for programs."""
    return _answer("interface.html", "text/html")


async def static(request: Request) -> Response:
    """Send a file of a page."""
    name = request.path_params["name"]
    return (
        _answer(name, FILES[name])
        if name in FILES
        else refusal("not-found", "this file does not exist")
    )
