"""A real S3 interface on the loopback (moto's server), and what a program needs to reach it."""

import logging
import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

REGION = "us-east-1"
NAME = "nobody"
SECRET = "a-secret-of-nobody"
"""No output of the program may show it."""

SMALLEST = 256
"""Bytes of a part of a larger object; S3's own is 5 MiB."""

OTHERS = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3")


@dataclass(frozen=True)
class Served:
    endpoint: str
    """Where the server answers, such as ``http://127.0.0.1:40123``."""
    environment: Mapping[str, str]
    """What a program needs beside ``os.environ`` to use the server; it outdoes the user's own."""

    def client(self) -> Any:
        """Return boto3's client: another reader of what the program wrote."""
        return client_of(self.endpoint)

    def make_bucket(self) -> "Bucket":
        """Return a bucket of a new name, empty."""
        name = f"pictures-{uuid.uuid4().hex[:12]}"
        self.client().create_bucket(Bucket=name)
        return Bucket(name, self, self.client())


@cache
def client_of(endpoint: str) -> Any:
    import boto3

    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id=NAME,
        aws_secret_access_key=SECRET,
    )


@dataclass(frozen=True)
class Bucket:
    name: str
    s3: Served
    client: Any

    @property
    def url(self) -> str:
        return f"s3://{self.name}"

    def put(self, key: str, data: bytes, **metadata: str) -> None:
        """Put an object; ``upscale_key`` in ``metadata`` is the object's ``upscale-key``."""
        named = {name.replace("_", "-"): value for name, value in metadata.items()}
        self.client.put_object(Bucket=self.name, Key=key, Body=data, Metadata=named)

    def get(self, key: str) -> bytes:
        data: bytes = self.client.get_object(Bucket=self.name, Key=key)["Body"].read()
        return data

    def metadata(self, key: str) -> dict[str, str]:
        found: dict[str, str] = self.client.head_object(Bucket=self.name, Key=key)["Metadata"]
        return found

    def keys(self, prefix: str = "") -> list[str]:
        """Name every object, sorted."""
        pages = self.client.get_paginator("list_objects_v2").paginate(
            Bucket=self.name, Prefix=prefix
        )
        return [entry["Key"] for page in pages for entry in page.get("Contents", [])]


def surroundings(endpoint: str, folder: Path) -> dict[str, str]:
    """Return the environment that leads to ``endpoint``; the user's own settings do not count."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": NAME,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.fspath(folder / "no-config"),
        "AWS_SHARED_CREDENTIALS_FILE": os.fspath(folder / "no-credentials"),
    }


@contextmanager
def serving_s3(folder: Path) -> Iterator[Served]:
    """Answer in a thread of this process while the block lasts; parts may be small."""
    from moto.moto_server.threaded_moto_server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    part = patch("moto.s3.models.S3_UPLOAD_PART_MIN_SIZE", SMALLEST)
    part.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    try:
        yield Served(endpoint, surroundings(endpoint, folder))
    finally:
        part.stop()
        server.stop()


@contextmanager
def reached(s3: Served) -> Iterator[None]:
    """Let this process, and those it starts, use ``s3``."""
    with pytest.MonkeyPatch.context() as environment:
        for name in OTHERS:
            environment.delenv(name, raising=False)
        for name, value in s3.environment.items():
            environment.setenv(name, value)
        yield
