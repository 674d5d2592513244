"""Parts of a page that needs only a browser: what its policy allows, and data inside a script."""

import base64
import hashlib
import json
import re

__all__ = ["policy", "script_json"]


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
    """Return JSON that may stand inside a ``<script>``."""
    # In a script only "<" can end it or begin a comment, and in JSON it stands in strings only.
    return json.dumps(value).replace("<", "\\u003c")
