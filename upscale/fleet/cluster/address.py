"""The values of ``--cluster``."""

from upscale.errors import UsageError

__all__ = ["AUTO", "LOCAL", "check_cluster"]

LOCAL, AUTO = "local", "auto"
"""A cluster that the run starts on this machine, and the one to which this machine belongs."""


def check_cluster(word: str) -> None:
    """Raise UsageError unless ``word`` names a cluster."""
    scheme, _, rest = word.partition("://")
    host, _, port = rest.rpartition(":")
    if word not in (LOCAL, AUTO) and not (scheme == "ray" and host and port.isdecimal()):
        raise UsageError(
            f"--cluster {word!r} is not known: {AUTO} (the one to which this machine belongs), "
            f"ray://HOST:10001, or {LOCAL} (start one here)"
        )
