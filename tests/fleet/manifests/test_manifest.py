"""Lists of pictures, whoever wrote them: what is in them comes out, and what is not is told."""

import csv
import gzip
import io
import json
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upscale.errors import InputError, UsageError
from upscale.fleet.manifests.columns import Row
from upscale.fleet.manifests.manifest import Manifest, is_table, open_manifest
from upscale.stores.store import store_of

if TYPE_CHECKING:
    from loopback_s3 import Bucket

ODD = ["a.png", "b/ü c.png", 'q"uote,.png', "new\nline.png", " lead.png", "1+1.png", "100%.png"]


def told(manifest: Manifest) -> tuple[list[Row], list[str]]:
    lines = list(manifest.lines)
    rows = [line for line in lines if isinstance(line, Row)]
    errors = [line for line in lines if isinstance(line, InputError)]
    assert {error.code for error in errors} <= {"manifest"}
    return rows, [str(error) for error in errors]


def opened(folder: Path, name: str, data: str | bytes) -> Manifest:
    path = folder / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return open_manifest(str(path))


def as_csv(rows: list[list[object]], **options: Any) -> bytes:
    text = io.StringIO()
    csv.writer(text, **options).writerows(rows)
    return text.getvalue().encode("utf-8", "surrogateescape")


HEADERS = [
    ("key", "size", "etag"),
    ("Path", "Bytes", "ETag"),
    (" URL", "SIZE", "e_tag"),
]


@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize("quoted", ["{}", '"{}"'])
@pytest.mark.parametrize("packed", [False, True])
def test_a_row_of_csv_is_a_picture(tmp_path, header, quoted, packed):
    rows = [[name, 7 + index, quoted.format(f"e{index}")] for index, name in enumerate(ODD)]
    data = as_csv([[*header, "other"], *([*row, "x"] for row in rows)])
    name = "list.csv.gz" if packed else "list.csv"
    found, errors = told(opened(tmp_path, name, gzip.compress(data) if packed else data))
    assert not errors
    assert found == [Row(name, 7 + index, f"e{index}") for index, name in enumerate(ODD)]


def test_columns_may_be_missing_or_empty(tmp_path):
    assert told(opened(tmp_path, "a.csv", "key\na.png\n\nb.png")) == (
        [Row("a.png"), Row("b.png")],
        [],
    )
    assert told(opened(tmp_path, "a.tsv", "size\tkey\n\ta,b.png\n"))[0] == [Row("a,b.png")]
    assert not told(opened(tmp_path, "a.csv", "key,size\n"))[0]


def test_a_line_that_is_no_row_is_told_with_its_number(tmp_path):
    text = 'key,size\na.png,1\nb.png\nc.png,much\n,4\n"d"x.png,5\ne.png,-6\nf.png,7\n'
    found, errors = told(opened(tmp_path, "list.csv", text))
    assert found == [Row("a.png", 1), Row("f.png", 7)]
    assert [next(n for n in range(9) if f" {n}" in error.split(":")[-2]) for error in errors] == [
        *(3, 4, 5, 6, 7)
    ]


def test_an_open_quotation_mark_loses_nothing_in_silence(tmp_path):
    found, errors = told(opened(tmp_path, "list.csv", 'key\na.png\n"b.png\nc.png\n'))
    assert found == [Row("a.png")]
    assert len(errors) == 1
    assert "lines 3 to 4" in errors[0]


def test_what_breaks_off_is_told(tmp_path):
    data = gzip.compress("".join(f"{n * n}.png\n" for n in range(50_000)).encode())
    found, errors = told(opened(tmp_path, "list.txt", data[: len(data) // 2]))
    assert 1000 < len(found) < 50_000
    assert str(len(found)) in errors[0]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        *(("a.csv", "a.png,1,x\nb.png,2,y\n"), ("a.csv", ""), ("a.csv", '"a"b\n')),
        *(("a.parquet", "nothing"), ("a.json", "{}"), ("a.json", "[1]"), ("a.json", "{")),
        ("a.json", json.dumps({"fileFormat": "ORC", **dict.fromkeys(["fileSchema"], "Key")})),
    ],
)
def test_what_is_no_manifest_is_refused_at_once(tmp_path, name, data):
    with pytest.raises(UsageError) as found:
        opened(tmp_path, name, data)
    assert name in str(found.value)


@pytest.mark.parametrize("name", ["none.csv", "none.txt", "none.parquet", "none.json"])
def test_a_manifest_that_is_not_there_is_refused(tmp_path, name):
    with pytest.raises(UsageError) as found:
        open_manifest(str(tmp_path / name))
    assert name in str(found.value)


@pytest.mark.parametrize(
    ("data", "places"),
    [
        (b"a.png\r\n\r\nb c.png\n", ["a.png", "b c.png"]),
        (b"\xef\xbb\xbfa.png\n\xff.png", ["a.png", "\udcff.png"]),
        (b"a\n.png\0b.png", ["a\n.png", "b.png"]),
        ("ü.png\r\nb.png\r\n".encode("utf-16"), ["ü.png", "b.png"]),
        (b"", []),
    ],
)
def test_a_list_has_a_place_a_line(tmp_path, data, places):
    assert told(opened(tmp_path, "list.txt", data)) == ([Row(place) for place in places], [])


@pytest.mark.slow
@given(
    st.lists(st.text(st.characters(exclude_characters="\0\n\r\ufeff", codec="utf-8"), min_size=1))
)
def test_a_list_is_read_as_it_was_written(tmp_path_factory, places):
    path = tmp_path_factory.getbasetemp() / "given.txt"
    for end in ("\n", "\r\n", "\0"):
        found = told(opened(path.parent, path.name, "".join(place + end for place in places)))
        assert [row.place for row in found[0]] == [each for each in places if each.encode().strip()]


def test_one_line_is_read_at_a_time(tmp_path):
    with open(tmp_path / "list.csv", "w") as file:
        file.write("key\n")
        file.writelines(f"{number}.png\n" for number in range(200_000))
    manifest = open_manifest(str(tmp_path / "list.csv"))
    with open(tmp_path / "list.csv", "r+") as file:
        file.truncate(1_000_000)
    found = list(manifest.lines)
    assert [line.place for line in found[:2]] == ["0.png", "1.png"]
    assert len(found) < 200_000


def test_rows_of_parquet_are_pictures(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    count = 20_000
    table = pyarrow.table(
        {
            "unused": ["x"] * count,
            "size": pyarrow.array([None, *range(1, count)], pyarrow.int64()),
            "key": [None if index == 17 else f"{index}.png" for index in range(count)],
            "etag": [f'"{index:x}"' for index in range(count)],
        }
    )
    parquet.write_table(table, tmp_path / "list.parquet", row_group_size=3000)
    found, errors = told(open_manifest(str(tmp_path / "list.parquet")))
    assert found == [Row(f"{n}.png", n, f"{n:x}") for n in range(count) if n != 17]
    assert "row 18" in errors[0]
    data = bytearray((tmp_path / "list.parquet").read_bytes())
    middle = len(data) // 2
    data[middle : middle + 4000] = bytes(4000)
    found, errors = told(opened(tmp_path, "damaged.parquet", bytes(data)))
    assert errors
    assert len(found) < count


@pytest.mark.parametrize(
    "word", ["a.CSV", "a.csv.gz", "s3://b/a.parquet", "b.tsv", "manifest.json"]
)
def test_a_table_is_known_by_its_name(word):
    assert is_table(word)
    assert not is_table("list.txt")
    assert not is_table("s3.csv/list")


Put = Callable[[str, bytes], str]


@pytest.fixture
def put(bucket: "Bucket", tmp_path: Path) -> Put:
    def write(key: str, data: bytes) -> str:
        (tmp_path / "put").write_bytes(data)
        store_of(bucket.url).create(f"{bucket.url}/{key}", tmp_path / "put", {})
        return f"{bucket.url}/{key}"

    return write


def test_a_manifest_of_a_store_is_read(put: Put):
    manifest = open_manifest(put("m/list.csv", b"key\na.png\nb.png\n"))
    assert told(manifest) == ([Row("a.png"), Row("b.png")], [])
    with pytest.raises(InputError):
        open_manifest(put("m/x", b"").replace("/m/x", "/m/none.csv"))


@pytest.mark.parametrize("kind", ["CSV", "Parquet"])
def test_an_inventory_of_s3_is_all_its_files(put: Put, tmp_path: Path, kind: str):
    names = [*ODD, "gone.png", "old.png", "folder/"]
    rows = [
        [
            "source",
            name,
            "false" if "old" in name else "true",
            "true" if "gone" in name else "false",
        ]
        for name in names
    ]
    lists = []
    for part in (rows[:4], rows[4:]):
        key = f"inv/data/{len(lists)}.{'csv.gz' if kind == 'CSV' else 'parquet'}"
        if kind == "CSV":
            cells = [[b, quote_plus(name, safe="/"), *rest, 5, "e"] for b, name, *rest in part]
            data = gzip.compress(as_csv(cells, quoting=csv.QUOTE_ALL))
        else:
            pyarrow = pytest.importorskip("pyarrow")
            from pyarrow import parquet

            columns = zip(*[(*row, 5, "e") for row in part], strict=True)
            header = ("bucket", "key", "is_latest", "is_delete_marker", "size", "e_tag")
            parquet.write_table(
                pyarrow.table(dict(zip(header, map(list, columns), strict=True))), tmp_path / "p"
            )
            data = (tmp_path / "p").read_bytes()
        url = put(key, data)
        lists.append({"key": key, "size": len(data)})
    lists.insert(1, {"key": "inv/data/none.csv.gz"})
    stanza = {
        "sourceBucket": "source",
        "destinationBucket": f"arn:aws:s3:::{url.split('/')[2]}",
        "fileFormat": kind,
        "fileSchema": "Bucket, Key, IsLatest, IsDeleteMarker, Size, ETag",
        "files": lists,
    }
    manifest = open_manifest(put("inv/manifest.json", json.dumps(stanza).encode()))
    found, errors = told(manifest)
    assert manifest.is_listing
    assert found == [Row(name, 5, "e", "source") for name in ODD]
    assert len(errors) == 1
    assert "none.csv.gz" in errors[0]


def test_a_manifest_is_closed_when_nobody_reads_on(put: Put, tmp_path: Path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    monkeypatch.setattr("tempfile.tempdir", None)
    (tmp_path / "temporary").mkdir()
    lines = open_manifest(put("list.txt", b"a.png\nb.png\n")).lines
    assert list(islice(lines, 1)) == [Row("a.png")]
    assert len(list((tmp_path / "temporary").iterdir())) == 1
    lines.close()  # type: ignore[attr-defined]
    assert not list((tmp_path / "temporary").iterdir())
