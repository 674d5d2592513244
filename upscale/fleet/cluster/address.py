"""Which cluster: the words of ``--cluster``."""

from upscale.errors import UsageError

__all__ = ["AUTO", "LOCAL", "check_cluster"]

LOCAL, AUTO = "local", "auto"
"""A cluster that is started on this machine, and one that this machine is already a part of."""


def check_cluster(word: str) -> None:
    """Raise UsageError for a word that names no cluster."""
    scheme, _, rest = word.partition("://")
    host, _, port = rest.rpartition(":")
    if word not in (LOCAL, AUTO) and not (scheme == "ray" and host and port.isdecimal()):
        raise UsageError(
            f"--cluster {word!r} is not known: {AUTO} (the one that this machine is a part of), "
            f"ray://HOST:10001, or {LOCAL} (start one)"
        )
