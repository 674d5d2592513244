"""Errors with messages for the user.

    UpscaleError         exit status 1, code "error"
    ├─ InputError        1, "io-error": one picture failed, the others go on
    ├─ UsageError        2, "usage"
    ├─ WeightsError      3, "weights"
    ├─ DeviceError       4, "device"
    └─ OutputError       5, "output"

An error may carry a narrower code than its kind's, such as ``truncated`` or ``output-exists``.
"""

import difflib
from collections.abc import Iterable

__all__ = [
    "DeviceError",
    "InputError",
    "OutputError",
    "UpscaleError",
    "UsageError",
    "WeightsError",
    "did_you_mean",
]


class UpscaleError(Exception):
    """A message for the user: what is wrong, where, and what to do next."""

    exit_code = 1
    """The exit status of a run that ends with this error."""
    code = "error"
    """Its code in the ``--json`` report."""

    def __init__(self, message: str, *, code: str | None = None) -> None:
        """Take the message, and a ``code`` that is narrower than that of the class."""
        super().__init__(message)
        if code is not None:
            self.code = code


class InputError(UpscaleError):
    """A picture cannot be read or upscaled; the run continues with the others."""

    code = "io-error"


class UsageError(UpscaleError):
    """The command line or the call makes no sense."""

    exit_code = 2
    code = "usage"


class WeightsError(UpscaleError):
    """Weights are missing, damaged, refused or of an unknown kind."""

    exit_code = 3
    code = "weights"


class DeviceError(UpscaleError):
    """The device is missing, or has too little memory for the smallest tile."""

    exit_code = 4
    code = "device"


class OutputError(UpscaleError):
    """The output cannot be written: no permission, no space, no such folder."""

    exit_code = 5
    code = "output"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a question with the known name most similar to ``word``, or an empty text."""
    near = difflib.get_close_matches(word.casefold(), list(known), 1)
    return f"; did you mean {near[0]}?" if near else ""
