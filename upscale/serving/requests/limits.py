"""What a server takes."""

from dataclasses import dataclass

__all__ = ["Limits"]


@dataclass(frozen=True)
class Limits:
    """How much one request, and all of them, may ask for."""

    most_bytes: int = 500 * 10**6
    """Of a request, and of all that comes out of its archives."""
    max_pixels: int = 2**26
    """Of a picture, all frames together."""
    most_output_pixels: int = 2**30
    """Of a result, all frames together."""
    pictures: int = 500
    """In a job."""
    jobs: int = 20
    """That wait or are at work; with more, a request is told to come again."""
    kept: float = 3600
    """Seconds for which a finished job that nobody asks for is kept."""
    attended: float = 150
    """Seconds without a question after which a page's job is cancelled.

    Browsers let a page in the background ask once a minute."""
    silence: float = 30
    """Seconds that a sender may be silent within a request."""
