"""Parts of a page that needs only a browser: its head, its policy, and data inside a script."""

import base64
import hashlib
import json
import re

__all__ = ["filled", "marker", "policy", "script_json"]

HEAD = """<!doctype html>
{marker}
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
"""
"""The beginning of a page; its template goes on with the title."""


def marker(maker: str) -> str:
    """Return the line by which a page is known to be made by ``maker``, such as a command."""
    return f"<!-- made by: {maker} -->"


def filled(
    template: str, maker: str, data: object, place: str, *allowed: str
) -> tuple[bytes, bytes]:
    """Fill ``template``; return what stands before ``{{place}}`` and what after it, in UTF-8.

    ``maker``: as in `marker`. ``data`` becomes the JSON at ``{{data}}``, in a script. ``allowed``:
    as in `policy`.
    """
    before, rest = template.split("{{data}}")
    middle, after = rest.split("{{" + place + "}}")
    head = HEAD.format(marker=marker(maker), policy=policy(template, *allowed))
    return (head + before + script_json(data) + middle).encode(), after.encode()


def policy(template: str, *allowed: str) -> str:
    """Return a Content-Security-Policy for a page with one script and one style of its own.

    It allows these two, by their digests, and what ``allowed`` names, such as ``img-src data:``.
    """
    rules = ["default-src 'none'", *allowed, "base-uri 'none'", "form-action 'none'"]
    for tag in ("script", "style"):
        found = re.search(f"<{tag}>(.*?)</{tag}>", template, re.DOTALL)
        assert found
        digest = base64.b64encode(hashlib.sha256(found[1].encode()).digest()).decode()
        rules.append(f"{tag}-src 'sha256-{digest}'")
    return "; ".join(rules)


def script_json(value: object) -> str:
    """Return JSON that may stand in a ``<script>``."""
    # Only "<" can end a script or begin a comment in it, and in JSON it occurs in strings only.
    return json.dumps(value).replace("<", "\\u003c")
