import pytest

from upscale.errors import UsageError
from upscale.serving.web.server import check_address, is_local


@pytest.mark.parametrize(
    ("host", "local"),
    [
        *(("127.0.0.1", True), ("127.8.9.1", True), ("localhost", True), ("::1", True)),
        *(("0.0.0.0", False), ("::", False), ("192.168.1.2", False), ("2001:db8::1", False)),
    ],
)
def test_an_address_that_others_reach_needs_a_token(host: str, local: bool) -> None:
    assert is_local(host) is local
    check_address(host, "long enough")
    if local:
        check_address(host, None)
    else:
        with pytest.raises(UsageError, match="token"):
            check_address(host, None)


def test_a_short_token_is_refused() -> None:
    with pytest.raises(UsageError):
        check_address("0.0.0.0", "1234567")
    with pytest.raises(UsageError):
        check_address("no-such-host.invalid", None)
