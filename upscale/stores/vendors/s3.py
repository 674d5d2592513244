"""Amazon S3 and compatible servers: MinIO, Ceph, R2 at ``AWS_ENDPOINT_URL``."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

from upscale.stores.urls import Place
from upscale.stores.vendor import Described, Kind, Page, Reading, VendorError

__all__ = ["S3"]

CHUNK = 2**20
"""Bytes per read."""

CONNECTING, ANSWERING = 10, 120
"""Seconds to wait for a connection, and for the next piece of a request or an answer."""

ABSENT = ("NoSuchKey", "NoSuchUpload", "404")

NOT_KNOWN = (
    *("InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "ExpiredToken"),
    *("TokenRefreshRequired", "RequestTimeTooSkewed", "AuthorizationHeaderMalformed"),
)

BY_CODE: dict[str, Kind] = {
    **dict.fromkeys(ABSENT, "absent"),
    **dict.fromkeys(NOT_KNOWN, "no-credentials"),
    "NoSuchBucket": "no-bucket",
    "NotImplemented": "unconditional",
    # Two writers create the same object at this moment: a later retry shows which was first.
    "ConditionalRequestConflict": "busy",
    "OperationAborted": "busy",
    "RequestTimeout": "broken",
    # Half a body arrived there.
    "IncompleteBody": "broken",
    "BadDigest": "broken",
    "XAmzContentSHA256Mismatch": "broken",
}
"""https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html"""

BY_STATUS: dict[int, Kind] = {
    403: "denied",
    404: "absent",
    408: "broken",
    429: "busy",
    500: "busy",
    502: "busy",
    503: "busy",
    504: "busy",
}


class S3:
    """``s3://bucket/key``, with the credentials of Amazon's own programs."""

    def __init__(self) -> None:
        """Read the settings of the environment. Raises ImportError."""
        from fsspec.asyn import sync
        from s3fs import S3FileSystem

        # The store retries. Instances remember the endpoint of the first.
        self._files = S3FileSystem(
            skip_instance_cache=True,
            use_listings_cache=False,
            config_kwargs={
                "retries": {"total_max_attempts": 1},
                "connect_timeout": CONNECTING,
                "read_timeout": ANSWERING,
            },
        )
        self._files.retries = 1
        self._sync = sync

    def page(self, folder: Place, after: str) -> Page:
        """See `Vendor`."""
        asked: Any = {"ContinuationToken": after} if after else {}
        answer = self._call("list_objects_v2", folder.bucket, Prefix=folder.key, **asked)
        found = [
            (each["Key"], Described(each["Size"], each.get("ETag", "").strip('"'), {}))
            for each in answer.get("Contents", [])
        ]
        return Page(found, answer["NextContinuationToken"] if answer.get("IsTruncated") else "")

    def head(self, place: Place) -> Described:
        """See `Vendor`."""
        return _described(self._call("head_object", place.bucket, Key=place.key))

    def read(self, place: Place, start: int, etag: str) -> Reading:
        """See `Vendor`."""
        asked: Any = {"Range": f"bytes={start}-"} if start else {}
        if etag:
            asked["IfMatch"] = f'"{etag}"'
        try:
            answer = self._call("get_object", place.bucket, Key=place.key, **asked)
        except VendorError as error:
            if error.said in ("PreconditionFailed", "InvalidRange", "412", "416"):
                raise VendorError("changed", error.said) from None
            raise
        return Reading(_described(answer), self._chunks(answer["Body"]))

    def put(self, place: Place, data: bytes, metadata: Mapping[str, str], new: bool) -> None:
        """See `Vendor`."""
        named = dict(metadata)
        self._call("put_object", place.bucket, new, Key=place.key, Body=data, Metadata=named)

    def upload(self, place: Place, size: int, metadata: Mapping[str, str], new: bool) -> "_Upload":
        """See `Vendor`."""
        named = dict(metadata)
        answer = self._call("create_multipart_upload", place.bucket, Key=place.key, Metadata=named)
        return _Upload(self, place, answer["UploadId"], new)

    def _chunks(self, body: Any) -> Iterator[bytes]:
        try:
            while True:
                with _told():
                    chunk = self._sync(self._files.loop, body.read, CHUNK)
                if not chunk:
                    return
                yield chunk
        finally:
            body.close()

    def _call(self, method: str, bucket: str, new: bool = False, **asked: Any) -> Any:
        """Send one request. ``new``: the object must not exist. Raises VendorError."""
        if new:
            asked["IfNoneMatch"] = "*"
        with _told(new):
            return self._files.call_s3(method, Bucket=bucket, **asked)


class _Upload:
    def __init__(self, s3: S3, place: Place, name: str, new: bool) -> None:
        self._call = partial(s3._call, bucket=place.bucket, Key=place.key, UploadId=name)
        self._new = new
        self._tags: dict[int, str] = {}

    def send(self, number: int, data: bytes, last: bool) -> None:
        answer = self._call("upload_part", PartNumber=number + 1, Body=data)
        self._tags[number] = answer["ETag"]

    def commit(self) -> None:
        parts = [{"PartNumber": each + 1, "ETag": tag} for each, tag in self._tags.items()]
        whole = {"Parts": parts}
        self._call("complete_multipart_upload", new=self._new, MultipartUpload=whole)

    def abort(self) -> None:
        self._call("abort_multipart_upload")


def _described(answer: Mapping[str, Any]) -> Described:
    """Read the headers of an object or of a piece of it."""
    whole = answer.get("ContentRange", "").rpartition("/")[2]
    size = int(whole) if whole else answer["ContentLength"]
    return Described(size, answer.get("ETag", "").strip('"'), answer.get("Metadata", {}))


@contextmanager
def _told(new: bool = False) -> Iterator[None]:
    """Turn an error of s3fs into a VendorError, without its message, which may contain secrets."""
    from aiohttp import ClientError as ConnectionBroken
    from botocore import exceptions as boto
    from botocore.parsers import ResponseParserError

    broken = (
        *(boto.HTTPClientError, boto.ConnectionError, boto.IncompleteReadError),
        *(ResponseParserError, ConnectionBroken, OSError),
    )
    unknown = (
        *(boto.NoCredentialsError, boto.PartialCredentialsError, boto.CredentialRetrievalError),
        *(boto.ProfileNotFound, boto.TokenRetrievalError, boto.SSOError),
    )
    try:
        yield
    except (*broken, boto.BotoCoreError, boto.ClientError) as error:
        refusal = error if isinstance(error, boto.ClientError) else error.__cause__
        if isinstance(refusal, boto.ClientError):
            raise _refused(refusal.response, new) from None
        kind: Kind = "broken" if isinstance(error, broken) else "refused"
        kind = "no-credentials" if isinstance(error, unknown) else kind
        raise VendorError(kind, type(error).__name__) from None


def _refused(answer: Mapping[str, Any], new: bool) -> VendorError:
    code = str(answer.get("Error", {}).get("Code", ""))
    status = int(answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if new and (code == "PreconditionFailed" or status == 412):
        return VendorError("exists", code)
    return VendorError(BY_CODE.get(code) or BY_STATUS.get(status, "refused"), code or str(status))
