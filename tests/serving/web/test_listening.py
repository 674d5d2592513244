"""Addresses that can be had, and those that cannot."""

import pytest

from upscale.errors import OutputError
from upscale.serving.web.listening import open_socket


def test_an_address_that_cannot_be_had_is_named_with_a_remedy() -> None:
    with open_socket("127.0.0.1", 0) as listening:
        port = listening.getsockname()[1]
        with pytest.raises(OutputError, match=f"127.0.0.1:{port}: .*--port"):
            open_socket("127.0.0.1", port)
    with pytest.raises(OutputError, match=r"no\.such\.host\.invalid:0: .*--host"):
        open_socket("no.such.host.invalid", 0)
