"""Messages for the user when a request to a storage fails."""

from upscale.errors import InputError, OutputError
from upscale.stores.urls import place_of
from upscale.stores.vendor import Kind, VendorError

__all__ = ["unreadable", "unwritable"]

CODES: dict[Kind, str] = {
    "absent": "no-such-object",
    "no-bucket": "no-such-bucket",
    "exists": "output-exists",
    "changed": "object-changed",
    "denied": "store-denied",
    "no-credentials": "store-credentials",
    "busy": "store-busy",
    "broken": "store-unreachable",
    "unconditional": "store-refused",
    "refused": "store-refused",
}


def unreadable(url: str, error: VendorError) -> InputError:
    """Say why ``url`` cannot be read."""
    return InputError(f"{url}: {_reason(url, error, 'read')}", code=CODES[error.kind])


def unwritable(url: str, error: VendorError) -> OutputError:
    """Say why ``url`` cannot be written."""
    return OutputError(f"{url}: {_reason(url, error, 'write')}", code=CODES[error.kind])


def _reason(url: str, error: VendorError, what: str) -> str:
    bucket = place_of(url).bucket
    said = error.said
    reasons: dict[Kind, str] = {
        "absent": f"this object does not exist ({said}); check the spelling, capitals count",
        "no-bucket": f"the bucket {bucket} does not exist ({said}); check the name, or create it",
        "exists": "another object already exists there",
        "changed": f"somebody has replaced the object since it was listed ({said}); run again "
        "to use the new one",
        "denied": f"the storage does not let you {what} there ({said}); ask the owner of {bucket} "
        "for permission to list it, and to read or write objects",
        "no-credentials": f"the storage does not know who you are ({said}); log in with its own "
        "program, or set its usual variables",
        "busy": f"the storage was busy at each attempt ({said}); run again later, or with fewer "
        "workers",
        "broken": f"the storage did not answer, or broke off at each attempt ({said}); check the "
        "network and the endpoint, and run again",
        "unconditional": f"the storage refused the request ({said})",
        "refused": f"the storage refused the request ({said})",
    }
    return reasons[error.kind]
