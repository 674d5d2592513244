"""Stores to test with.

Azure and Google Cloud are tested where an emulator is: ``UPSCALE_AZURITE`` has the connection
string of Azurite (``npx azurite-blob``), ``UPSCALE_FAKE_GCS`` the address of fake-gcs-server (older
than July 2026, it forgets the condition of an upload in parts). Neither has run against the real
storage.
"""

import os
import uuid
from pathlib import Path

import pytest
from loopback_s3 import Bucket, Served, reached
from stored import PART, QUICK, Kept

from upscale.stores.store import Store
from upscale.stores.vendors.azure import Azure
from upscale.stores.vendors.google import Google
from upscale.stores.vendors.memory import Memory
from upscale.stores.vendors.s3 import S3

AZURITE = os.environ.get("UPSCALE_AZURITE", "")
FAKE_GCS = os.environ.get("UPSCALE_FAKE_GCS", "")
EMULATED = [*(["az"] if AZURITE else []), *(["gs"] if FAKE_GCS else [])]


@pytest.fixture(scope="session")
def s3_store(s3_server: Served) -> Store:
    """A store of all buckets; one is made only, since that takes a third of a second."""
    with reached(s3_server):
        store = Store(S3(), QUICK, PART)
        store.head("s3://nothing/there")
        return store


@pytest.fixture(params=["s3", "memory", *EMULATED])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Kept:
    """An empty bucket."""
    name = f"pictures-{uuid.uuid4().hex[:12]}"
    if request.param == "memory":
        return Kept(Store(Memory(), QUICK, PART), f"memory://{name}", tmp_path)
    if request.param == "az":
        from azure.storage.blob import BlobServiceClient

        BlobServiceClient.from_connection_string(AZURITE).create_container(name)
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("AZURE_STORAGE_CONNECTION_STRING", AZURITE)
            store = Store(Azure(), QUICK, PART)
            store.head(f"az://{name}/nothing")
        return Kept(store, f"az://{name}", tmp_path)
    if request.param == "gs":
        from google.cloud.storage import Client

        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("STORAGE_EMULATOR_HOST", FAKE_GCS)
            store = Store(Google(), QUICK, PART)
            store.head(f"gs://{name}/nothing")
            Client().create_bucket(name)
        return Kept(store, f"gs://{name}", tmp_path)
    bucket: Bucket = request.getfixturevalue("bucket")
    return Kept(request.getfixturevalue("s3_store"), bucket.url, tmp_path)
