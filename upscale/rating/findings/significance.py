"""Intervals over raters, and tests of differences; SciPy computes the tests.

Raters differ more from each other than from themselves, so intervals are over raters.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from upscale.errors import UsageError

__all__ = [
    "LEVEL",
    "RESAMPLES",
    "Floats",
    "Interval",
    "holm",
    "interval",
    "missing_scipy",
    "resampled",
    "signed_rank",
]

LEVEL = 0.05
"""p below this is significant; intervals have the remaining confidence."""

RESAMPLES = 10000
"""Number of draws of raters, with replacement, for an interval."""

Floats = npt.NDArray[np.float64]

Interval = tuple[float | None, float | None]
"""Its ends; None for a single rater."""


def interval(values: Floats, seed: int) -> list[Interval]:
    """Return the interval of the mean of each column of (raters, …, columns), over raters.

    Percentiles of `RESAMPLES` means, each of as many raters as there are, drawn with replacement;
    NaN does not count.
    """
    raters, columns = len(values), values.shape[-1]
    if raters < 2:
        return [(None, None)] * columns
    axes = tuple(range(1, values.ndim - 1))
    sums, counts = np.nansum(values, axes), (~np.isnan(values)).sum(axes).astype(np.float64)
    drawn = resampled(raters, seed)
    totals = drawn @ counts
    means = np.where(totals > 0, drawn @ sums / np.maximum(totals, 1), np.nan)
    ends: list[Interval] = []
    for column in means.T:
        known = column[~np.isnan(column)]
        if not known.size:
            ends.append((None, None))
            continue
        low, high = np.quantile(known, (LEVEL / 2, 1 - LEVEL / 2))
        ends.append((float(low), float(high)))
    return ends


def resampled(raters: int, seed: int) -> Floats:
    """Return (`RESAMPLES`, raters): how often each rater is drawn, with replacement."""
    generator = np.random.default_rng(seed)
    shares = np.full(raters, 1 / raters)
    return generator.multinomial(raters, shares, RESAMPLES).astype(np.float64)


def signed_rank(first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    """Return p of SciPy's two-sided Wilcoxon signed-rank test; 1 if nothing differs."""
    if np.array_equal(first, second):
        return 1.0
    try:
        from scipy.stats import wilcoxon
    except ImportError as error:
        raise missing_scipy() from error
    return float(wilcoxon(np.asarray(first), np.asarray(second)).pvalue)


def missing_scipy() -> UsageError:
    """Return the error for missing SciPy."""
    return UsageError("the report needs SciPy; install it with: pip install 'upscale[rate]'")


def holm(ps: Sequence[float]) -> list[float]:
    """Adjust the p of several tests at once by the method of Holm (1979)."""
    adjusted = [0.0] * len(ps)
    most = 0.0
    for rank, index in enumerate(sorted(range(len(ps)), key=lambda index: ps[index])):
        most = max(most, min(1.0, (len(ps) - rank) * ps[index]))
        adjusted[index] = most
    return adjusted
