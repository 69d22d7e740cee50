"""Means over seeds. A seed is one whole run of a chain, from its corpus on; seeds, not samples, are what an interval of a study is over, since seeds
differ more than samples do. With one seed there is no interval.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats

CONFIDENCE = 0.95


class Count(NamedTuple):
    """k of n answers; `lost` are those that could not be read as either, and are in n; `unscored` are not: nobody knows what they were.

    `able` says whether the model could do the job at all: else its rate means nothing. `source` tells apart what was measured: an arm that has no seed in it,
    such as a model that was not trained, is one measurement, however many seeds it stands beside.
    """

    k: int
    n: int
    lost: int = 0
    unscored: int = 0
    able: bool = True
    source: str = ""

    @property
    def rate(self) -> float:
        """The share; not a number where nothing was measured, or where it means nothing."""
        return self.k / self.n if self.n and self.able else math.nan


class Spread(NamedTuple):
    """Mean over seeds with its 95 % t interval (not a number with one seed), the standard deviation between seeds, and each seed's value."""

    mean: float
    low: float
    high: float
    sd: float
    values: tuple[float, ...]


def spread(values: Sequence[float]) -> Spread:
    """Mean and interval over seeds."""
    given = np.array([v for v in values if not math.isnan(v)], dtype=float)
    if len(given) == 0:
        return Spread(math.nan, math.nan, math.nan, math.nan, tuple(values))
    if len(given) == 1:
        return Spread(float(given[0]), math.nan, math.nan, math.nan, tuple(values))
    sd = float(given.std(ddof=1))
    half = float(stats.t.ppf(0.5 + CONFIDENCE / 2, len(given) - 1)) * sd / math.sqrt(len(given))
    mean = float(given.mean())
    return Spread(mean, mean - half, mean + half, sd, tuple(values))


def log_spread(values: Sequence[float]) -> Spread:
    """The same for ratios, on a logarithmic scale."""
    logs = spread([math.log(v) if v > 0 else math.nan for v in values])
    return Spread(math.exp(logs.mean), math.exp(logs.low), math.exp(logs.high), logs.sd, tuple(values))
