"""Azure where nobody is logged in; ``tests/stores/conftest.py`` says where requests are tested."""

import pytest
from stored import QUICK

from upscale.errors import InputError
from upscale.stores.store import Store
from upscale.stores.vendors.azure import Azure


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ACCOUNT", "ACCOUNT_NAME", "ACCOUNT_KEY", "CONNECTION_STRING", "SAS_TOKEN"):
        monkeypatch.delenv(f"AZURE_STORAGE_{name}", raising=False)


@pytest.mark.usefixtures("nobody")
def test_without_an_account_it_says_which_variable_is_missing() -> None:
    with pytest.raises(InputError, match=r"az://in/a\.png.*AZURE_STORAGE_ACCOUNT_NAME") as caught:
        Store(Azure(), QUICK).head("az://in/a.png")
    assert caught.value.code == "store-credentials"


@pytest.mark.usefixtures("nobody")
def test_where_nobody_answers_it_says_so_without_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    key = "YS1zZWNyZXQ="
    monkeypatch.setenv(
        "AZURE_STORAGE_CONNECTION_STRING",
        f"AccountName=somebody;AccountKey={key};BlobEndpoint=http://127.0.0.1:9/somebody",
    )
    with pytest.raises(InputError, match="az://in") as caught:
        list(Store(Azure(), QUICK).list("az://in"))
    assert caught.value.code == "store-unreachable"
    assert key not in str(caught.value)
