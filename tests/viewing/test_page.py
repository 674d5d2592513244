"""What pages have in common."""

import json
from html.parser import HTMLParser

from upscale.viewing.page import policy, script_json

TEMPLATE = "<style>p { margin: 0 }</style>\n<script>\nlet é = '</p>';\n</script>"


def test_the_policy_names_the_digests_of_script_and_style() -> None:
    # By `printf … | openssl dgst -sha256 -binary | base64`.
    assert policy(TEMPLATE, "img-src 'self'").split("; ") == [
        "default-src 'none'",
        "img-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "script-src 'sha256-MCduLqtkp26fsjPcDo9YLgZuK8412vNV/bRYCFY+Bkw='",
        "style-src 'sha256-7IWhgxoOGTB5NQzjGk9OPt0FwhVeBvZGoWgF9xLLh8c='",
    ]


def test_json_does_not_leave_its_script() -> None:
    class Reader(HTMLParser):
        found = ""
        inside = False

        def handle_starttag(self, tag: str, attrs: object) -> None:
            self.inside = tag == "script"

        def handle_endtag(self, tag: str) -> None:
            self.inside = False

        def handle_data(self, data: str) -> None:
            self.found += data if self.inside else ""

    value = {"a": "</script><script>broken", "b": ["<!--<script>", "é\u2028"]}
    reader = Reader()
    reader.feed(f"<script>{script_json(value)}</script><p>after</p>")
    assert json.loads(reader.found) == value
