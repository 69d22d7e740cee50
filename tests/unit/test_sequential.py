"""The interval holds at every moment at which a run might be stopped.

Coverage is simulated with one fixed seed. With `RUNS` runs a method that covers 95 % shows at least `AT_LEAST`
(three standard errors less) in all but about one case of a thousand.
"""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from gyges.statistics.sequential import (
    bounds,
    log_capital,
)

RUNS, TIMES = 2000, 2000
AT_LEAST = 0.95 - 3 * math.sqrt(0.95 * 0.05 / RUNS)
LIMIT = math.log(1 / 0.05)

means = st.floats(0.001, 0.999)
outcomes = st.floats(0, 1)


# --- the sequence ----------------------------------------------------------------------------------------------------


@given(means, st.integers(0, 200).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_at_the_true_rate_the_bet_on_yes_or_no_is_fair(mean, counts):
    k, n = counts
    wins, loses = math.log(mean) + log_capital(mean, k + 1, n + 1), math.log(1 - mean) + log_capital(mean, k, n + 1)
    assert np.logaddexp(wins, loses) == pytest.approx(log_capital(mean, k, n), abs=1e-8)


@given(outcomes, outcomes, outcomes, outcomes, st.integers(0, 50))
def test_at_the_true_mean_a_bet_on_graded_outcomes_never_gains(x, y, chance, share, n):
    mean = chance * x + (1 - chance) * y
    if 0.001 < mean < 0.999:
        gains = log_capital(mean, share * n + np.array([x, y]), n + 1) - log_capital(mean, share * n, n)
        assert chance * math.exp(gains[0]) + (1 - chance) * math.exp(gains[1]) <= 1 + 1e-9


@given(st.integers(1, 300).flatmap(lambda n: st.tuples(st.floats(0, n), st.just(n))))
def test_the_interval_is_exactly_what_is_not_rejected(counts):
    total, n = counts
    low, high = bounds(total, n)
    grid = np.linspace(0.001, 0.999, 999)
    rejected = log_capital(grid, total, n) >= LIMIT
    assert np.array_equal(~rejected, (grid > low) & (grid < high))
    assert 0 <= low <= total / n <= high <= 1
    assert high - low > 0


@pytest.mark.parametrize("rate", [0.01, 0.1, 0.5])
def test_the_rate_stays_inside_at_every_moment(rate):
    xs = np.random.default_rng(1).random((RUNS, TIMES)) < rate
    assert always_inside(xs, rate) >= AT_LEAST


@pytest.mark.parametrize("shape", [(0.2, 0.8), (0.05, 0.05), (4.0, 12.0)])
def test_the_mean_of_graded_outcomes_stays_inside_too(shape):
    xs = np.random.default_rng(2).beta(*shape, (RUNS, TIMES))
    assert always_inside(xs, shape[0] / sum(shape)) >= AT_LEAST


def test_the_mean_over_skins_stays_inside_when_a_skin_is_one_outcome():
    rng = np.random.default_rng(3)
    xs = rng.binomial(4, rng.beta(0.3, 1.2, (RUNS, TIMES))) / 4
    assert always_inside(xs, 0.2) >= AT_LEAST


def always_inside(xs: np.ndarray, mean: float) -> float:
    """The share of runs (rows) whose interval holds the mean after every one of its outcomes."""
    n = np.arange(1, xs.shape[1] + 1)
    return float(np.mean((log_capital(mean, np.cumsum(xs, axis=1), n) < LIMIT).all(axis=1)))


def test_an_ordinary_interval_looked_at_as_often_would_miss_the_rate():
    k = np.cumsum(np.random.default_rng(1).random((RUNS, TIMES)) < 0.5, axis=1)
    low, high = proportion_confint(k, np.arange(1, TIMES + 1), method="wilson")
    assert np.mean(((low <= 0.5) & (high >= 0.5)).all(axis=1)) < 0.7


def test_a_rate_that_drifts_cannot_empty_the_interval():
    low, high = bounds([*range(0, 1), *range(0, 1001, 100)], [1000, *range(1000, 2001, 100)])
    assert (low < high).all()
    assert low[-1] < 0.5 < high[-1]


def test_an_alpha_outside_its_range_is_refused():
    with pytest.raises(ValueError, match="alpha"):
        bounds(1, 2, alpha=0)
