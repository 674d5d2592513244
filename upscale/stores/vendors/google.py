"""Google Cloud Storage. The generation of an object, a number, serves as its tag."""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from upscale.stores.urls import Place
from upscale.stores.vendor import Described, Kind, Page, Reading, VendorError

__all__ = ["Google"]

CHUNK = 8 * 2**20
"""Bytes per request."""

LIMITS: dict[str, Any] = {"timeout": (10, 120), "retry": None}
"""Seconds to wait for a connection, and for an answer, per request. The store retries."""

GOES_ON = 308
"""The status that requests more of an upload."""

BY_STATUS: dict[int, Kind] = {
    **{401: "no-credentials", 403: "denied", 404: "absent", 408: "broken", 410: "absent"},
    **dict.fromkeys((429, 500, 502, 503, 504), "busy"),
}
"""https://cloud.google.com/storage/docs/json_api/v1/status-codes"""


class Google:
    """``gs://bucket/key``, by the login of ``gcloud`` or ``GOOGLE_APPLICATION_CREDENTIALS``.

    Without either, it asks anonymously, which public buckets allow. ``STORAGE_EMULATOR_HOST`` names
    an emulator.
    """

    def __init__(self) -> None:
        """Read nothing yet. Raises ImportError."""
        from gcsfs import GCSFileSystem
        from google.auth.credentials import AnonymousCredentials
        from google.cloud.storage import Client

        for name in ("gcsfs", "google"):
            logging.getLogger(name).addHandler(logging.NullHandler())
        self._login: Callable[..., Any] = GCSFileSystem
        self._make: Callable[..., Any] = Client
        self._nobody: Callable[[], Any] = AnonymousCredentials
        self._client: Any = None

    def page(self, folder: Place, after: str) -> Page:
        """See `Vendor`."""
        with _told("no-bucket"):
            listed = self._connected().list_blobs(
                folder.bucket, prefix=folder.key, page_token=after or None, **LIMITS
            )
            found = [(each.name, _described(each)) for each in next(listed.pages, ())]
            return Page(found, listed.next_page_token or "")

    def head(self, place: Place) -> Described:
        """See `Vendor`."""
        with _told():
            blob = self._blob(place)
            blob.reload(**LIMITS)
            return _described(blob)

    def read(self, place: Place, start: int, etag: str) -> Reading:
        """See `Vendor`."""
        found = self.head(place)
        if etag and found.etag != etag:
            raise VendorError("changed", f"generation {found.etag}")
        return Reading(found, self._chunks(place, found, start))

    def put(self, place: Place, data: bytes, metadata: Mapping[str, str], new: bool) -> None:
        """See `Vendor`."""
        with _told("no-bucket", new):
            blob = self._blob(place)
            blob.metadata = dict(metadata)
            blob.upload_from_string(
                data, "application/octet-stream", if_generation_match=0 if new else None, **LIMITS
            )

    def upload(self, place: Place, size: int, metadata: Mapping[str, str], new: bool) -> "_Upload":
        """See `Vendor`."""
        with _told("no-bucket", new):
            blob = self._blob(place)
            blob.metadata = dict(metadata)
            address = blob.create_resumable_upload_session(
                size=size, if_generation_match=0 if new else None, **LIMITS
            )
        return _Upload(address, size, new)

    def _connected(self) -> Any:
        if self._client is None:
            files = self._login(
                access="read_write", skip_instance_cache=True, use_listings_cache=False
            )
            known = files.credentials.credentials
            self._client = self._make(files.project, known or self._nobody())
        return self._client

    def _blob(self, place: Place) -> Any:
        return self._connected().bucket(place.bucket).blob(place.key)

    def _chunks(self, place: Place, found: Described, start: int) -> Iterator[bytes]:
        blob = self._blob(place)
        for first in range(start, found.size, CHUNK):
            with _told():
                yield blob.download_as_bytes(
                    start=first,
                    end=min(first + CHUNK, found.size) - 1,
                    raw_download=True,
                    if_generation_match=int(found.etag),
                    **LIMITS,
                )


class _Upload:
    """A session at a secret address that needs no login. It keeps the condition."""

    def __init__(self, address: str, size: int, new: bool) -> None:
        self._address = address
        self._size = size
        self._new = new
        self._sent = 0
        self._broke_off = False

    def send(self, number: int, data: bytes, last: bool) -> None:
        """See `Upload`; a repeated part is sent from the first byte that has not arrived.

        https://cloud.google.com/storage/docs/performing-resumable-uploads#status-check
        """
        end = self._sent + len(data)
        arrived = self._put(f"bytes */{self._size}", b"") if self._broke_off else self._sent
        self._broke_off = True
        if arrived < end:
            rest = data[arrived - self._sent :]
            arrived = self._put(f"bytes {arrived}-{end - 1}/{self._size}", rest)
        if arrived != end:
            raise VendorError("broken", f"{arrived} of {end} bytes arrived")
        self._sent = end
        self._broke_off = False

    def _put(self, span: str, data: bytes) -> int:
        """Send the bytes of ``span``; return how many bytes have arrived in all."""
        import requests

        headers = {"Content-Range": span}
        with _told():
            answer = requests.put(self._address, data, headers=headers, timeout=LIMITS["timeout"])
        if answer.status_code == GOES_ON:
            return int(answer.headers.get("Range", "bytes=0--1").partition("-")[2]) + 1
        if answer.status_code in (200, 201):
            return int(answer.json()["size"])
        raise _refused(answer.status_code, self._new)

    def commit(self) -> None:
        """Do nothing: the last part ends the upload."""

    def abort(self) -> None:
        """See `Upload`."""
        import requests

        with _told():
            requests.delete(self._address, timeout=LIMITS["timeout"])


def _described(blob: Any) -> Described:
    return Described(blob.size, str(blob.generation), blob.metadata or {})


@contextmanager
def _told(missing: Kind = "absent", new: bool = False) -> Iterator[None]:
    """Turn an error of Google's client into a VendorError, without its message.

    ``missing``: the kind of thing that is not found.
    """
    from google.api_core.exceptions import GoogleAPICallError
    from google.auth.exceptions import GoogleAuthError, TransportError
    from google.cloud.storage.exceptions import DataCorruption
    from requests import RequestException
    from urllib3.exceptions import HTTPError

    broken = (DataCorruption, HTTPError, RequestException, TransportError, OSError)
    try:
        yield
    except GoogleAPICallError as error:
        raise _refused(error.code or 0, new, missing) from None
    except broken as error:
        raise VendorError("broken", type(error).__name__) from None
    except GoogleAuthError as error:
        raise VendorError("no-credentials", type(error).__name__) from None


def _refused(status: int, new: bool, missing: Kind = "absent") -> VendorError:
    kind = BY_STATUS.get(status, "refused")
    if status == 412:
        kind = "exists" if new else "changed"
    return VendorError(missing if kind == "absent" else kind, f"status {status}")
