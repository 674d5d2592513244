"""Reads Amazon S3's inventory of a bucket: ``manifest.json`` and the files that it names.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory-location.html
"""

import json
from dataclasses import dataclass
from pathlib import Path

from upscale.errors import UsageError
from upscale.fleet.manifests.columns import Columns

__all__ = ["Inventory"]

FORMATS = ("CSV", "Parquet")


@dataclass(frozen=True)
class Inventory:
    """The lists of an inventory."""

    files: tuple[str, ...]
    """Addresses of the lists."""
    columns: Columns | None
    """Columns of the CSV, which has no line of names; None: the files are Parquet."""

    @classmethod
    def of(cls, path: Path, name: str) -> "Inventory":
        """Read ``manifest.json``, which messages call ``name``. Raises UsageError."""
        try:
            told = json.loads(path.read_bytes())
            kind = told["fileFormat"]
            bucket = told["destinationBucket"].rpartition(":")[2]  # arn:aws:s3:::bucket
            files = tuple(f"s3://{bucket}/{each['key']}" for each in told["files"])
            schema = [each.strip() for each in told["fileSchema"].split(",")]
        except OSError as error:
            raise UsageError(f"@{name}: the list cannot be read ({error.strerror})") from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UsageError(
                f"{name}: is not the manifest.json of an Amazon S3 inventory; a list of pictures "
                "must be .csv, .parquet or .txt"
            ) from error
        if kind not in FORMATS:
            raise UsageError(
                f"{name}: the inventory is in {kind}; let S3 write it as {' or '.join(FORMATS)}"
            )
        return cls(files, Columns(schema, name, escaped=True) if kind == "CSV" else None)
