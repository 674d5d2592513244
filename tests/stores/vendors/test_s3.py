"""What boto3, another reader, sees of what was written, and what S3 alone has."""

from pathlib import Path

import pytest
from loopback_s3 import Bucket
from stored import LARGE, Kept

from upscale.errors import InputError, OutputError
from upscale.stores.store import Store, store_of


@pytest.fixture
def kept(s3_store: Store, bucket: Bucket, tmp_path: Path) -> Kept:
    return Kept(s3_store, bucket.url, tmp_path)


def test_another_reader_finds_bytes_and_metadata(kept: Kept, bucket: Bucket) -> None:
    kept.create("a/b.png", b"pixels", **{"upscale-key": "1f"})
    kept.create("large.png", LARGE, **{"upscale-key": "2f"})
    assert bucket.get("a/b.png") == b"pixels"
    assert bucket.get("large.png") == LARGE
    assert bucket.metadata("a/b.png")["upscale-key"] == "1f"
    assert bucket.metadata("large.png")["upscale-key"] == "2f"
    assert "-3" in bucket.client.head_object(Bucket=bucket.name, Key="large.png")["ETag"]


def test_an_upload_that_comes_too_late_leaves_no_parts(kept: Kept, bucket: Bucket) -> None:
    bucket.put("large.png", b"first")
    assert not kept.create("large.png", LARGE)
    assert bucket.get("large.png") == b"first"
    assert "Uploads" not in bucket.client.list_multipart_uploads(Bucket=bucket.name)


def test_a_listing_comes_page_by_page(
    kept: Kept, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "10")
    names = [f"in/{number:04}" for number in range(25)]
    for name in names:
        bucket.put(name, b"")
    bucket.put("in/", b"")
    begun = kept.store.list(kept.url("in"))
    assert next(begun).url == kept.url(names[0])
    bucket.put("in/2000", b"")  # after the first page was read
    assert [entry.url for entry in begun][-2:] == [kept.url(names[-1]), kept.url("in/2000")]


def test_a_missing_bucket_is_named(kept: Kept) -> None:
    with pytest.raises(InputError, match="no-such-pictures") as listed:
        list(kept.store.list("s3://no-such-pictures/in"))
    with pytest.raises(OutputError, match="no-such-pictures") as created:
        kept.store.create("s3://no-such-pictures/a", kept.file(b"x"), {})
    assert {listed.value.code, created.value.code} == {"no-such-bucket"}


def test_without_credentials_it_says_so(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(InputError, match=bucket.name) as caught:
        store_of(bucket.url).head(f"{bucket.url}/a.png")
    assert caught.value.code == "store-credentials"
