"""What can go wrong, in words for the user; each kind knows its exit code."""

__all__ = [
    "DeviceError",
    "InputError",
    "OutputError",
    "UpscaleError",
    "UsageError",
    "WeightsError",
]


class UpscaleError(Exception):
    """A sentence for the user that names the thing that is wrong and what to do about it.

    ``exit_code`` is the exit status of a run that ends with this error; ``code`` is the word that
    stands for it in the ``--json`` report.
    """

    exit_code = 1
    code = "error"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        """Keep ``message``, and ``code`` where it is narrower than the kind's own."""
        super().__init__(message)
        if code is not None:
            self.code = code


class InputError(UpscaleError):
    """One picture cannot be read or upscaled; the others go on."""

    code = "io-error"


class UsageError(UpscaleError):
    """The command line or the call asks for something that makes no sense."""

    exit_code = 2
    code = "usage"


class WeightsError(UpscaleError):
    """Weights are missing, damaged, refused or of a kind that is not known."""

    exit_code = 3
    code = "weights"


class DeviceError(UpscaleError):
    """The device is absent, or has too little memory for the smallest tile."""

    exit_code = 4
    code = "device"


class OutputError(UpscaleError):
    """The output cannot be written: no permission, no space, no such folder."""

    exit_code = 5
    code = "output"
