"""Describes the interface as OpenAPI 3.1."""

from collections.abc import Sequence
from typing import Any

from upscale import __version__
from upscale.serving.requests.asked import Setting

__all__ = ["describe"]

JSON, PNG, FORM = "application/json", "image/png", "multipart/form-data"

ERRORS = {
    "400": "A setting makes no sense (code: usage).",
    "401": "The token is missing or wrong (unauthorized).",
    "404": "This job or picture does not exist (not-found).",
    "410": "The job was cancelled (cancelled).",
    "413": "More bytes, pixels or pictures than the server accepts (too-large).",
    "422": "The picture cannot be made; the code says why: not-an-image, truncated, "
    "decode-error, unsupported-format, crashed …",
    "502": "The weights are not available (weights).",
    "503": "Too many jobs wait (busy); Retry-After says when to try again.",
    "507": "The result cannot be written (output).",
}


def describe(settings: Sequence[Setting], with_token: bool) -> dict[str, Any]:
    """Return the document; ``with_token``: requests need a token."""
    described: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {
            "title": "upscale",
            "version": __version__,
            "description": "Make pictures larger. A job has one or more pictures; its results are "
            "kept until they are removed or have not been used for an hour.",
        },
        "paths": _paths(settings),
        "components": {"schemas": SCHEMAS},
    }
    if with_token:
        described["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        described["security"] = [{"token": []}]
    return described


def _paths(settings: Sequence[Setting]) -> dict[str, Any]:
    job, picture = "/api/jobs/{id}", "/api/jobs/{id}/pictures/{number}"
    words = {each.name: _property(each) for each in settings}
    sized = {"scale", "size", "fit", "long_edge", "megapixels"}
    saved = {"format", "quality", "lossless", "strip", "to_srgb", "lenient"}
    of_crop = {name: word for name, word in words.items() if name not in sized | saved}
    of_job = [_parameter("id", "path", "string")]
    file = {"type": "string", "contentMediaType": "application/octet-stream"}
    pictures = {
        "picture": {**file, "description": "A picture, or a ZIP of pictures; may be repeated."},
        **words,
        "attended": {
            "type": "boolean",
            "description": "Cancel the job if no request asks for it for some minutes.",
        },
    }
    return {
        "/api/upscale": {
            "post": {
                "summary": "Start a job.",
                "requestBody": _form(pictures, "picture"),
                "responses": _responses("202", "The job waits.", "Job", "400", "413", "503"),
            }
        },
        job: {
            "get": {
                "summary": "Get the progress of a job.",
                "parameters": of_job,
                "responses": _responses("200", "The job.", "Job", "404"),
            },
            "delete": {
                "summary": "Cancel a job and remove its files.",
                "parameters": of_job,
                "responses": _responses("204", "The job is removed.", None, "404"),
            },
        },
        f"{job}/result": {
            "get": {
                "summary": "Fetch the result: the picture, or a ZIP if several were sent.",
                "parameters": [
                    *of_job,
                    _parameter(
                        "wait", "query", "integer", "Seconds to wait for the end of the job."
                    ),
                ],
                "responses": {
                    "202": _answer("The job is not finished.", "Job"),
                    **_responses(
                        *("200", "The picture or the ZIP.", None),
                        *("404", "410", "413", "422", "502", "507"),
                    ),
                },
            }
        },
        picture: _of_picture(of_job, "Fetch one picture, as soon as it is made.", "The picture."),
        f"{picture}/compare": _of_picture(
            of_job, "Compare a picture and its result on one page.", "An HTML page."
        ),
        "/api/preview": {
            "post": {
                "summary": "Enlarge a small crop at once, outside the queue.",
                "requestBody": _form(
                    {"picture": {**file, "description": "At most 65536 pixels."}, **of_crop},
                    "picture",
                ),
                "responses": {
                    "200": {"description": "A PNG.", "content": {PNG: {}}},
                    **_errors("400", "413", "422", "502", "503"),
                },
            }
        },
        "/api/about": {
            "get": {
                "summary": "List the models and the limits of the server.",
                "responses": _responses("200", "Models and limits.", None),
            }
        },
    }


def _of_picture(of_job: list[Any], summary: str, made: str) -> dict[str, Any]:
    """Describe a request for one picture of a job, answered by ``made``."""
    number = _parameter("number", "path", "integer", "Number in the job, from 0.")
    responses = _responses("200", made, None, "404", "422")
    return {"get": {"summary": summary, "parameters": [*of_job, number], "responses": responses}}


def _property(setting: Setting) -> dict[str, Any]:
    found: dict[str, Any] = {"type": setting.kind, "description": setting.help}
    return found if setting.default is None else {**found, "default": setting.default}


def _form(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    schema = {"type": "object", "properties": properties, "required": list(required)}
    return {"required": True, "content": {FORM: {"schema": schema}}}


def _parameter(name: str, place: str, kind: str, text: str = "") -> dict[str, Any]:
    found = {"name": name, "in": place, "required": place == "path", "schema": {"type": kind}}
    return {**found, "description": text} if text else found


def _answer(text: str, schema: str | None) -> dict[str, Any]:
    if schema is None:
        return {"description": text}
    reference = {"$ref": f"#/components/schemas/{schema}"}
    return {"description": text, "content": {JSON: {"schema": reference}}}


def _responses(status: str, text: str, schema: str | None, *errors: str) -> dict[str, Any]:
    return {status: _answer(text, schema), **_errors(*errors)}


def _errors(*statuses: str) -> dict[str, Any]:
    return {status: _answer(ERRORS[status], "Error") for status in ("401", *statuses)}


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


TEXT, NUMBER, WHOLE = {"type": "string"}, {"type": "number"}, {"type": "integer"}
MAYBE_NUMBER = {"type": ["number", "null"]}
PROBLEM = {**_object(code=TEXT, message=TEXT), "type": ["object", "null"]}

SCHEMAS = {
    "Error": _object(error=_object(code=TEXT, message=TEXT)),
    "Job": _object(
        id=TEXT,
        state={"enum": ["waiting", "fetching", "working", "done", "failed", "cancelled"]},
        ahead={**WHOLE, "description": "Number of jobs before it."},
        share={**NUMBER, "description": "Finished share, from 0 to 1."},
        seconds_left={**MAYBE_NUMBER, "description": "Null while it is not known."},
        error=PROBLEM,
        notes={"type": "array", "items": TEXT},
        pictures={"type": "array", "items": {"$ref": "#/components/schemas/Picture"}},
        urls=_object(self=TEXT, result=TEXT),
    ),
    "Picture": _object(
        name=TEXT,
        state={"enum": ["waiting", "working", "done", "failed", "cancelled"]},
        error=PROBLEM,
        output=TEXT,
        width=WHOLE,
        height=WHOLE,
        output_width=WHOLE,
        output_height=WHOLE,
        bytes=WHOLE,
        seconds=NUMBER,
        model=TEXT,
        reason={"type": ["string", "null"]},
        warnings={"type": "array", "items": TEXT},
        urls=_object(result=TEXT, compare=TEXT),
    ),
}
