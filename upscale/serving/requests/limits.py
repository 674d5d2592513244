"""The limits of a server."""

from dataclasses import dataclass

__all__ = ["Limits"]


@dataclass(frozen=True)
class Limits:
    """Limits of one request, and of all together."""

    most_bytes: int = 500 * 10**6
    """Bytes of a request, and of the unpacked contents of its archives."""
    max_pixels: int = 2**26
    """Pixels of a picture, all frames together."""
    most_output_pixels: int = 2**30
    """Pixels of a result, all frames together."""
    pictures: int = 500
    """Pictures in a job."""
    jobs: int = 20
    """Waiting and running jobs; with more, the server asks the sender to try again later."""
    kept: float = 3600
    """Seconds until an unused finished job expires."""
    attended: float = 150
    """Seconds without a request after which a page's job is cancelled.

    Browsers allow a page in the background one request per minute."""
    silence: float = 30
    """Longest pause of a sender within a request, in seconds."""
