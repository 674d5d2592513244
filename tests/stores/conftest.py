import uuid
from pathlib import Path

import pytest
from loopback_s3 import Bucket, Served, reached
from stored import PART, QUICK, Kept

from upscale.stores.store import Store
from upscale.stores.vendors.memory import Memory
from upscale.stores.vendors.s3 import S3


@pytest.fixture(scope="session")
def s3_store(s3_server: Served) -> Store:
    """A store of all buckets; one is made only, since that takes a third of a second."""
    with reached(s3_server):
        store = Store(S3(), QUICK, PART)
        store.head("s3://nothing/there")
        return store


@pytest.fixture(params=["s3", "memory"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Kept:
    """An empty bucket."""
    if request.param == "memory":
        return Kept(Store(Memory(), QUICK, PART), f"memory://{uuid.uuid4().hex}", tmp_path)
    bucket: Bucket = request.getfixturevalue("bucket")
    return Kept(request.getfixturevalue("s3_store"), bucket.url, tmp_path)
