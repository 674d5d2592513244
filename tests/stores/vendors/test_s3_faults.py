"""S3 behind a proxy that throttles, resets, and sends halves: nothing torn, nothing done twice."""

import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from faulty_proxy import (
    ALL,
    Fault,
    Proxy,
    answering,
    denied,
    faulty,
    half,
    late_error,
    lost,
    slow_down,
    then,
)
from loopback_s3 import SECRET, Bucket, Served, reached
from stored import LARGE, PART, QUICK, Kept

from upscale.errors import InputError, OutputError, UpscaleError
from upscale.stores.store import Store
from upscale.stores.urls import Place
from upscale.stores.vendor import VendorError
from upscale.stores.vendors.s3 import S3

WAYS = pytest.mark.parametrize("fault", ALL.values(), ids=list(ALL))


@pytest.fixture(scope="module")
def behind(s3_server: Served) -> Iterator[tuple[Proxy, S3]]:
    with faulty(s3_server) as (proxy, served), reached(served):
        vendor = S3()
        with pytest.raises(VendorError, match="absent"):
            vendor.head(Place("nothing", "there"))
        yield proxy, vendor


@pytest.fixture
def proxy(behind: tuple[Proxy, S3]) -> Proxy:
    behind[0].clear()
    return behind[0]


@pytest.fixture
def kept(behind: tuple[Proxy, S3], bucket: Bucket, tmp_path: Path) -> Kept:
    """A bucket behind the proxy; ``bucket`` itself goes around it."""
    return Kept(Store(behind[1], QUICK, PART), bucket.url, tmp_path)


def uploads(bucket: Bucket) -> int:
    return len(bucket.client.list_multipart_uploads(Bucket=bucket.name).get("Uploads", []))


@WAYS
def test_a_reading_is_tried_again(kept: Kept, bucket: Bucket, proxy: Proxy, fault: Fault) -> None:
    bucket.put("a.png", LARGE)
    proxy.plan("GET", fault, QUICK.tries - 1)
    assert kept.read("a.png") == LARGE
    assert proxy.kept


def test_a_reading_goes_on_where_it_broke_off(kept: Kept, bucket: Bucket, proxy: Proxy) -> None:
    data = LARGE * 50
    bucket.put("a.png", data)
    proxy.plan("GET", half, 2)
    assert kept.read("a.png") == data
    first, *more = (request.partition("bytes=")[2] for request in proxy.requests)
    starts = [int(each.removesuffix("-")) for each in more]
    assert first == ""
    assert len(data) // 4 < starts[0] < starts[1] < len(data)


def test_halves_of_two_objects_are_not_joined(kept: Kept, bucket: Bucket, proxy: Proxy) -> None:
    bucket.put("a.png", LARGE)
    proxy.plan("GET", then(half, lambda: bucket.put("a.png", LARGE[::-1])))
    assert kept.read("a.png") == LARGE[::-1]
    proxy.plan("GET", then(half, lambda: bucket.put("a.png", b"short")))
    assert kept.read("a.png") == b"short"


def test_half_of_the_listed_object_is_not_taken(kept: Kept, bucket: Bucket, proxy: Proxy) -> None:
    bucket.put("a.png", LARGE)
    (entry,) = kept.store.list(kept.root)
    proxy.plan("GET", then(half, lambda: bucket.put("a.png", LARGE[::-1])), part="a.png")
    with pytest.raises(InputError) as caught:
        kept.read("a.png", entry.etag)
    assert caught.value.code == "object-changed"
    assert not (kept.folder / "arrived").exists()


@WAYS
@pytest.mark.parametrize("data", [b"pixels", LARGE], ids=["small", "in parts"])
def test_a_creation_is_tried_again(
    kept: Kept, bucket: Bucket, proxy: Proxy, fault: Fault, data: bytes
) -> None:
    proxy.plan("PUT", fault, QUICK.tries - 1)
    assert kept.create("a.png", data)
    assert bucket.get("a.png") == data
    assert proxy.kept or fault is half  # which of an empty answer is all
    assert uploads(bucket) == 0


@pytest.mark.parametrize("fault", [slow_down, lost], ids=["503", "lost"])
@pytest.mark.parametrize("data", [b"pixels", LARGE], ids=["small", "in parts"])
def test_what_was_there_is_not_taken_for_ones_own(
    kept: Kept, bucket: Bucket, proxy: Proxy, fault: Fault, data: bytes
) -> None:
    bucket.put("a.png", data[::-1], upscale_key="1")
    proxy.plan("PUT", fault)
    assert not kept.create("a.png", data, **{"upscale-key": "1"})
    assert bucket.get("a.png") == data[::-1]


@pytest.mark.parametrize(
    ("fault", "new"),
    [*((fault, True) for fault in (*ALL.values(), late_error)), (lost, False), (half, False)],
    ids=[*ALL, "200", "replace-lost", "replace-half"],
)
def test_the_end_of_an_upload_is_tried_again(
    kept: Kept, bucket: Bucket, proxy: Proxy, fault: Fault, new: bool
) -> None:
    proxy.plan("POST", fault, part="uploadId=")
    if new:
        assert kept.create("a.png", LARGE)
    else:
        bucket.put("a.png", b"old")
        kept.store.replace(kept.url("a.png"), kept.file(LARGE), {})
    assert bucket.get("a.png") == LARGE
    assert proxy.kept
    assert uploads(bucket) == 0


@WAYS
def test_a_listing_is_tried_again_at_its_page(
    kept: Kept, bucket: Bucket, proxy: Proxy, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "2")
    names = [f"{number}.png" for number in range(5)]
    for name in names:
        bucket.put(name, b"x")
    proxy.plan("GET", fault, part="continuation-token")
    assert kept.names() == names
    assert len(proxy.requests) == 4


@pytest.mark.parametrize("fault", ["503", "429", "reset"])
@pytest.mark.parametrize("data", [b"pixels", LARGE], ids=["small", "in parts"])
def test_it_gives_up_and_leaves_nothing(
    kept: Kept, bucket: Bucket, proxy: Proxy, fault: str, data: bytes
) -> None:
    code = "store-unreachable" if fault == "reset" else "store-busy"
    most = QUICK.tries * (2 if fault == "reset" else 1)  # aiohttp asks again itself
    proxy.plan("PUT", ALL[fault], most)
    with pytest.raises(OutputError, match=r"a\.png") as caught:
        kept.create("a.png", data)
    assert caught.value.code == code
    assert QUICK.tries <= proxy.asked("PUT ") <= most
    assert bucket.keys() == []
    assert uploads(bucket) == 0
    bucket.put("b.png", data)
    proxy.plan("GET", ALL[fault], most)
    with pytest.raises(InputError, match=r"b\.png") as refused:
        kept.read("b.png")
    assert refused.value.code == code
    assert not (kept.folder / "arrived").exists()


@pytest.mark.parametrize(
    ("method", "ask"),
    [
        ("GET", lambda kept: kept.read("a.png")),
        ("GET", lambda kept: kept.names()),
        ("HEAD", lambda kept: kept.store.head(kept.url("a.png"))),
        ("PUT", lambda kept: kept.create("a.png", b"pixels")),
    ],
    ids=["read", "list", "head", "create"],
)
def test_who_may_not_is_told_at_once_and_no_secret_is_shown(
    kept: Kept, proxy: Proxy, method: str, ask: Callable[[Kept], object]
) -> None:
    proxy.plan(method, denied)
    with pytest.raises(UpscaleError, match=kept.root) as caught:
        ask(kept)
    assert caught.value.code == "store-denied"
    assert len(proxy.requests) == proxy.asked(method) == 1
    shown = "".join(traceback.format_exception(caught.value))
    for secret in (SECRET, "Signature", "nobody", "AWS4"):
        assert secret not in shown


@pytest.mark.parametrize("data", [b"pixels", LARGE], ids=["small", "in parts"])
def test_a_storage_without_conditions_is_asked_before(
    kept: Kept, bucket: Bucket, proxy: Proxy, data: bytes
) -> None:
    method, part = ("PUT", "") if data == b"pixels" else ("POST", "uploadId=")
    proxy.plan(method, answering(501, "NotImplemented"), part=part)
    assert kept.create("a.png", data)
    proxy.plan(method, answering(501, "NotImplemented"), part=part)
    assert not kept.create("a.png", data[::-1])
    assert bucket.get("a.png") == data
    assert proxy.kept
    assert uploads(bucket) == 0


def test_where_nobody_answers_it_says_so(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(InputError, match=kept.root) as caught:
        Store(S3(), QUICK).head(kept.url("a.png"))
    assert caught.value.code == "store-unreachable"


@pytest.mark.slow
def test_under_many_faults_each_object_is_made_once(
    kept: Kept, bucket: Bucket, behind: tuple[Proxy, S3]
) -> None:
    proxy, vendor = behind
    proxy.clear()
    proxy.chance = 0.3
    store = Store(vendor, replace(QUICK, tries=40), PART)

    def make(number: int) -> bool:
        path = kept.folder / str(number)
        path.write_bytes(bytes([number]) * (2 * PART if number % 8 == 0 else 1000))
        made = [store.create(kept.url(path.name), path, {}) for _ in range(2)]
        store.fetch(kept.url(path.name), back := path.with_suffix(".back"))
        return made == [True, False] and back.read_bytes() == path.read_bytes()

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(make, range(32)))
    assert len(bucket.keys()) == 32
