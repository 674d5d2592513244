"""Which cluster: the words of ``--cluster``."""

from upscale.errors import UsageError

__all__ = ["AUTO", "LOCAL", "check_cluster"]

LOCAL, AUTO = "local", "auto"
"""A cluster that is started on this machine, and one that this machine is already a part of."""


def check_cluster(word: str) -> None:
    """Raise UsageError for a word that names no cluster."""
    host, _, port = word.removeprefix("ray://").rpartition(":")
    if word not in (LOCAL, AUTO) and not (host and port.isdecimal()):
        raise UsageError(
            f"cluster {word!r} is not known: {AUTO} (the one on this machine), ray://HOST:10001, "
            f"or {LOCAL} (start one)"
        )
