"""Azure Blob Storage; a bucket is a container."""

import base64
import logging
import os
import secrets
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from upscale.stores.urls import Place
from upscale.stores.vendor import Described, Kind, Page, Reading, VendorError

__all__ = ["Azure"]

CONNECTING, ANSWERING = 10, 120
"""Seconds to wait for a connection, and for the next piece of a request or an answer."""

LIMITS = {"retry_total": 0, "connection_timeout": CONNECTING, "read_timeout": ANSWERING}
"""Limits of each request; the store retries."""

PAGE = 5000
"""Objects per page, the most that Azure allows."""

BY_CODE: dict[str, Kind] = {
    "ContainerNotFound": "no-bucket",
    "ContainerBeingDeleted": "no-bucket",
    "BlobAlreadyExists": "exists",
    # The first commit discards the parts of other writers.
    "InvalidBlockList": "absent",
    "InvalidRange": "changed",
    "NoAuthenticationInformation": "no-credentials",
    "AuthenticationFailed": "no-credentials",
    "InvalidAuthenticationInfo": "no-credentials",
}
"""https://learn.microsoft.com/en-us/rest/api/storageservices/blob-service-error-codes"""

BY_STATUS: dict[int, Kind] = {
    **{401: "no-credentials", 403: "denied", 404: "absent", 408: "broken", 412: "changed"},
    **dict.fromkeys((429, 500, 502, 503, 504), "busy"),
}

OURS = "upscale-"
"""Prefix of our metadata keys. Azure allows no hyphens there, so they become underscores."""


class Azure:
    """``az://container/key``, or ``abfs://container@account.dfs.core.windows.net/key``.

    Credentials come from the variables of adlfs (``AZURE_STORAGE_ACCOUNT_NAME`` and so on), those
    of Azure's own program, or the login of that program.
    """

    def __init__(self) -> None:
        """Read nothing yet. Raises ImportError."""
        from adlfs import AzureBlobFileSystem
        from azure.core import MatchConditions
        from fsspec.asyn import sync

        logging.getLogger("azure").addHandler(logging.NullHandler())
        self._make = AzureBlobFileSystem
        self._conditions = MatchConditions
        self._sync = sync
        self._accounts: dict[str, Any] = {}

    def page(self, folder: Place, after: str) -> Page:
        """See `Vendor`."""
        container = self._container(folder)

        async def ask() -> Page:
            listed = container.list_blobs(folder.key, results_per_page=PAGE, **LIMITS)
            pages = listed.by_page(continuation_token=after or None)
            page = await anext(pages, None)
            found = [(each.name, _described(each)) async for each in page] if page else []
            return Page(found, pages.continuation_token or "")

        answer: Page = self._ask(ask)
        return answer

    def head(self, place: Place) -> Described:
        """See `Vendor`."""
        blob = self._blob(place)
        return _described(self._ask(lambda: blob.get_blob_properties(**LIMITS)))

    def read(self, place: Place, start: int, etag: str) -> Reading:
        """See `Vendor`."""
        blob = self._blob(place)
        asked: dict[str, Any] = {"offset": start or None, **LIMITS}
        if etag:
            asked |= {"etag": f'"{etag}"', "match_condition": self._conditions.IfNotModified}
        download = self._ask(lambda: blob.download_blob(**asked))
        return Reading(_described(download.properties), self._chunks(download.chunks()))

    def put(self, place: Place, data: bytes, metadata: Mapping[str, str], new: bool) -> None:
        """See `Vendor`."""
        blob = self._blob(place)
        asked = {"metadata": _underscored(metadata), "overwrite": not new, **LIMITS}
        self._ask(lambda: blob.upload_blob(data, **asked), new)

    def upload(self, place: Place, size: int, metadata: Mapping[str, str], new: bool) -> "_Upload":
        """See `Vendor`."""
        return _Upload(self, self._blob(place), metadata, new)

    def _container(self, place: Place) -> Any:
        name, _, host = place.bucket.partition("@")
        account = host.partition(".")[0]
        if account not in self._accounts:
            self._accounts[account] = self._connected(account)
        return self._accounts[account].get_container_client(name)

    def _blob(self, place: Place) -> Any:
        return self._container(place).get_blob_client(place.key)

    def _connected(self, account: str) -> Any:
        """Log in to an account, by default to that of the environment."""
        named = account or os.environ.get("AZURE_STORAGE_ACCOUNT")
        with _told():
            try:
                files = self._make(
                    account_name=named,
                    account_key=os.environ.get("AZURE_STORAGE_KEY"),
                    skip_instance_cache=True,
                    use_listings_cache=False,
                )
            except ValueError:
                said = "neither AZURE_STORAGE_ACCOUNT_NAME nor AZURE_STORAGE_CONNECTION_STRING"
                raise VendorError("no-credentials", f"{said} is right") from None
        self._loop = files.loop
        return files.service_client

    def _ask(self, ask: Callable[[], Awaitable[Any]], new: bool = False) -> Any:
        """Send one request. ``new``: the object must not exist. Raises VendorError."""

        async def asked() -> Any:
            return await ask()

        with _told(new):
            return self._sync(self._loop, asked)

    def _chunks(self, chunks: Any) -> Iterator[bytes]:
        while chunk := self._ask(lambda: anext(chunks, b"")):
            yield chunk


class _Upload:
    """Blocks with unique names, so they do not meet those of another writer."""

    def __init__(self, azure: Azure, blob: Any, metadata: Mapping[str, str], new: bool) -> None:
        self._azure = azure
        self._blob = blob
        self._metadata = _underscored(metadata)
        self._new = new
        self._own = secrets.token_hex(8)
        self._names: dict[int, str] = {}

    def send(self, number: int, data: bytes, last: bool) -> None:
        name = base64.b64encode(f"{self._own}{number:05}".encode()).decode()
        self._azure._ask(lambda: self._blob.stage_block(name, data, len(data), **LIMITS))
        self._names[number] = name

    def commit(self) -> None:
        from azure.storage.blob import BlobBlock

        asked: dict[str, Any] = {"metadata": self._metadata, **LIMITS}
        if self._new:
            asked["match_condition"] = self._azure._conditions.IfMissing
        blocks = [BlobBlock(name) for name in self._names.values()]
        self._azure._ask(lambda: self._blob.commit_block_list(blocks, **asked), self._new)

    def abort(self) -> None:
        """Do nothing: Azure discards blocks that are not committed within a week."""


def _described(found: Any) -> Described:
    metadata = {
        name.replace("_", "-") if name.replace("_", "-").startswith(OURS) else name: value
        for name, value in (found.metadata or {}).items()
    }
    return Described(found.size, (found.etag or "").strip('"'), metadata)


def _underscored(metadata: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("-", "_"): value for name, value in metadata.items()}


@contextmanager
def _told(new: bool = False) -> Iterator[None]:
    """Turn an error of Azure's client into a VendorError; its message may contain a signature."""
    from azure.core import exceptions as azure

    try:
        yield
    except (azure.DecodeError, azure.IncompleteReadError) as error:
        raise VendorError("broken", type(error).__name__) from None
    except azure.HttpResponseError as error:
        said = getattr(error, "error_code", None) or ""
        code = str(getattr(said, "value", said))
        status = error.status_code or 0
        if new and status in (409, 412) and code in ("BlobAlreadyExists", "ConditionNotMet"):
            raise VendorError("exists", code) from None
        nobody = isinstance(error, azure.ClientAuthenticationError) and not status
        kind = "no-credentials" if nobody else BY_CODE.get(code) or BY_STATUS.get(status, "refused")
        raise VendorError(kind, code or str(status or type(error).__name__)) from None
    except (azure.AzureError, OSError) as error:
        raise VendorError("broken", type(error).__name__) from None
