"""An interval that stays valid while one looks after every sample, whatever makes one stop.

Covered: the mean of outcomes in [0, 1] (yes or no, a graded score, the share of harmful epochs of one skin), at every
stopping time. Looks at a few sizes fixed beforehand give narrower intervals: `looks.py`, which keeps this one for between them.
Not covered: differences between cells, and samples without a verdict: the interval is about scored samples only.

The method is a bet against each candidate mean m, as in Waudby-Smith and Ramdas (2024, JRSS-B 86:1-27), with a mixture
of bets in place of their hedged capital. With total T of n outcomes and c = `PRIOR_SAMPLES`,

    capital(m) = B(T + c m, n - T + c (1 - m)) / (B(c m, c (1 - m)) m^T (1 - m)^(n - T)).

- *Valid.* For yes/no outcomes the capital is the likelihood ratio of a Beta(c m, c (1 - m)) mixture (Robbins 1970): a
  martingale when the mean is m. For outcomes x in [0, 1] each factor (q/m)^x ((1-q)/(1-m))^(1-x) is convex in x, hence
  below its chord 1 + (x - m)(q - m) / (m (1 - m)), whose mean is 1: a supermartingale. By Ville's inequality the
  capital at the true mean ever reaches 1/alpha with probability at most alpha, whatever rule stops the sampling.
- *An interval, never empty.* The log-capital is convex in m when T and n - T are at least 1, monotone when one of them
  is smaller, and at most 0 at m = T/n. So the means not rejected form an interval around the observed mean.
- *What it needs.* Each outcome has the same mean, given those before it. Draw a new skin for every sample; when a skin
  gives several samples, feed their mean as one outcome.
- *What it gives up.* Graded outcomes that vary little get no narrower interval than yes/no ones of the same mean.
  There is no running intersection, so the interval follows from (n, T) alone: a resumed run has nothing to replay, and
  a drifting rate cannot empty it.
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaln, xlog1py, xlogy

PRIOR_SAMPLES = 30
"""Weight of the bet's prior, in samples. The prior is centred on the null, so that a bet costs little when m is nearly
right. Chosen before the benchmark, on noiseless paths (T = n p): among 1, 10, 30, 100, 300 and mixtures of them it is
nowhere far from the best, at rates from 0 to .5 and widths of .05 and .1."""

_HALVINGS = 40
_LAST_MEAN = 1 - 1e-12


def log_capital(mean: ArrayLike, total: ArrayLike, n: ArrayLike) -> NDArray[np.float64]:
    """What a bet of 1 against `mean` has become, as a natural logarithm; reject at level alpha from log(1/alpha) on.

    `mean` lies strictly between 0 and 1; `total` is the sum of `n` outcomes in [0, 1]. The three broadcast.
    """
    mean, total, n = (np.asarray(value, dtype=float) for value in (mean, total, n))
    rest, yes, no = n - total, PRIOR_SAMPLES * mean, PRIOR_SAMPLES * (1 - mean)
    return betaln(total + yes, rest + no) - betaln(yes, no) - xlogy(total, mean) - xlog1py(rest, -mean)


def bounds(total: ArrayLike, n: ArrayLike, alpha: float = 0.05) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The interval (lows, highs) after `n` outcomes in [0, 1] that sum to `total`; (0, 1) where n is 0.

    Arrays broadcast. Ends are rounded outwards by at most 1e-11. Raises ValueError for alpha outside (0, 1).
    """
    if not 0 < alpha < 1:
        raise ValueError(f"alpha must lie strictly between 0 and 1, not {alpha}")
    total, n = np.broadcast_arrays(np.asarray(total, dtype=float), np.asarray(n, dtype=float))
    return 1 - _upper(n - total, n, alpha), _upper(total, n, alpha)


def _upper(total: NDArray[np.float64], n: NDArray[np.float64], alpha: float) -> NDArray[np.float64]:
    """The largest mean not rejected, found by halving [observed mean, 1] and keeping the outer end."""
    limit = math.log(1 / alpha)
    inner, outer = total / np.maximum(n, 1), np.full(n.shape, _LAST_MEAN)
    unbounded = (n - total < 1) | (log_capital(outer, total, n) < limit)
    for _ in range(_HALVINGS):
        middle = (inner + outer) / 2
        rejected = log_capital(middle, total, n) >= limit
        inner, outer = np.where(rejected, inner, middle), np.where(rejected, middle, outer)
    return np.where(unbounded, 1.0, outer)
