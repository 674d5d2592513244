"""The Hub's client as a person wants it: it gives up in time, and says what is wrong."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from logging import ERROR

from upscale.errors import OutputError
from upscale.models.fetching.sources import Notify

__all__ = ["explained", "patient_and_quiet"]

SILENCE = 60.0
"""Seconds without an answer after which the Hub counts as unreachable."""


@contextmanager
def patient_and_quiet(notify: Notify) -> Iterator[None]:
    """Limit the waiting of the Hub's client to `SILENCE`, and send its warnings to ``notify``."""
    from huggingface_hub import get_session
    from huggingface_hub.utils import (  # type: ignore[attr-defined]
        are_progress_bars_disabled,
        disable_progress_bars,
        enable_progress_bars,
        logging,
    )

    session, verbosity = get_session(), logging.get_verbosity()
    silent = are_progress_bars_disabled()
    before, session.timeout = session.timeout, SILENCE
    logging.set_verbosity(ERROR)
    if not silent:
        disable_progress_bars()
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            yield
        for warning in caught:
            if warning.category is UserWarning:  # other warnings concern programmers
                notify(f"the Hub's client warns: {warning.message}")
    finally:
        session.timeout = before
        logging.set_verbosity(verbosity)
        if not silent:
            enable_progress_bars()


@contextmanager
def explained(repository: str, endpoint: str) -> Iterator[None]:
    """Turn errors of the Hub's client into messages for the user."""
    from huggingface_hub.errors import HfHubHTTPError, HTTPError  # type: ignore[attr-defined]

    try:
        yield
    except (HTTPError, OSError, RuntimeError, ValueError, KeyError) as error:
        # A failed upload raises a RuntimeError from the actual error.
        cause = error.__cause__ if type(error) is RuntimeError and error.__cause__ else error
        if isinstance(cause, HfHubHTTPError):
            said = " ".join((cause.server_message or "").split())[:200]
            text = _refusal(cause.response.status_code, repository, endpoint)
            raise OutputError(f"{text} (it says: {said})" if said else text) from error
        reason = " ".join(str(cause).split())[:200] or type(cause).__name__
        if isinstance(cause, HTTPError | OSError):
            raise OutputError(
                f"{endpoint}: cannot be reached ({reason}); check the network and publish again"
            ) from error
        raise OutputError(
            f"{endpoint}: gave an unusable answer ({reason}); publish again later"
        ) from error


def _refusal(status: int, repository: str, endpoint: str) -> str:
    match status:
        case 401:
            return (
                "the Hub does not accept the token: create a new one with write access at "
                f"{endpoint}/settings/tokens, and put it into HF_TOKEN or run `hf auth login`"
            )
        case 403 | 404:
            return (
                f"the token has no write access to {repository}: use a token of its owner, or a "
                "repository of your own"
            )
        case 429:
            return "too many requests to the Hub (status 429); wait a while and publish again"
        case _ if status >= 500:
            return f"the Hub has an error of its own (status {status}); publish again later"
        case _:
            return f"the Hub refuses {repository} (status {status})"
