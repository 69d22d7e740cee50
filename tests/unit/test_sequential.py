"""The interval holds at every moment at which a run might be stopped, and the planner spends where it is widest.

Coverage is simulated with one fixed seed. With `RUNS` runs a method that covers 95 % shows at least `AT_LEAST`
(three standard errors less) in all but about one case of a thousand.
"""

import math
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from gyges.statistics.sequential import (
    CellState,
    ConfidenceSequence,
    allocate,
    bounds,
    confidence_sequence,
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


def test_the_rate_is_inside_when_the_interval_itself_says_when_to_stop():
    xs = np.random.default_rng(4).random((500, 400))[:, :150] < 0.1
    lows, highs = confidence_sequence(xs)
    narrow = highs - lows <= 0.2
    assert narrow.any(axis=1).all()  # the last one stops after 145 samples
    stop = narrow.argmax(axis=1)
    runs = np.arange(len(xs))
    assert np.mean((lows[runs, stop] <= 0.1) & (highs[runs, stop] >= 0.1)) >= 0.95


@given(st.lists(outcomes, max_size=30), st.sampled_from([0.01, 0.05, 0.2]))
def test_one_by_one_and_all_at_once_agree(xs, alpha):
    running = ConfidenceSequence(alpha)
    assert running.interval == (0, 1)
    lows, highs = confidence_sequence(xs, alpha)
    for x, low, high in zip(xs, lows, highs, strict=True):
        running.update(x)
        assert running.interval == pytest.approx((low, high))


def test_a_rate_that_drifts_cannot_empty_the_interval():
    lows, highs = confidence_sequence([0] * 1000 + [1] * 1000)
    assert (lows < highs).all()
    assert lows[-1] < 0.5 < highs[-1]


def test_only_outcomes_between_none_and_full_count():
    for x in (-0.1, 1.1, math.nan):
        with pytest.raises(ValueError):
            ConfidenceSequence().update(x)
        with pytest.raises(ValueError, match="unscored"):
            confidence_sequence([0.5, x])
    with pytest.raises(ValueError, match="alpha"):
        bounds(1, 2, alpha=0)


def test_ten_thousand_samples_take_no_time():
    xs = (np.random.default_rng(5).random(10_000) < 0.3).tolist()
    running, start = ConfidenceSequence(), time.process_time()
    for x in xs:
        running.update(x)
    assert running.interval[1] - running.interval[0] < 0.04
    assert time.process_time() - start < 0.5


# --- the planner -----------------------------------------------------------------------------------------------------

states = st.dictionaries(
    st.text("abcdef", min_size=1, max_size=3),
    st.builds(
        lambda n, low, gap: CellState(n, low * (1 - gap), low * (1 - gap) + gap), st.integers(0, 400), means, means
    ),
    max_size=8,
)


@given(states, st.floats(0.01, 0.5), st.integers(0, 200), st.integers(0, 500))
def test_a_plan_keeps_its_limits(cells, width, batch, cap):
    plan = allocate(cells, width, batch, cap)
    assert sum(plan.values()) <= batch
    for cell, samples in plan.items():
        assert samples > 0
        assert cells[cell].n + samples <= cap
        assert cells[cell].width > width
    unfinished = any(c.width > width and c.n < cap for c in cells.values())
    assert bool(plan) == bool(unfinished and batch)


@given(states, st.integers(0, 200), st.randoms(use_true_random=False))
def test_the_same_states_give_the_same_plan_in_any_order(cells, batch, random):
    shuffled = dict(random.sample(list(cells.items()), len(cells)))
    assert allocate(cells, 0.1, batch, 300) == allocate(shuffled, 0.1, batch, 300)


@given(states, st.integers(1, 200))
def test_samples_go_where_the_interval_is_expected_to_stay_widest(cells, batch):
    plan = allocate(cells, 0.05, batch, 10_000)
    left = {c: s.width * math.sqrt((s.n + 1) / (s.n + 1 + plan.get(c, 0))) for c, s in cells.items()}
    for cell, samples in plan.items():
        before_last = cells[cell].width * math.sqrt((cells[cell].n + 1) / (cells[cell].n + samples))
        assert all(before_last >= other - 1e-12 for other in left.values())


def test_equal_cells_share_and_the_widest_comes_first():
    fresh = CellState(0, 0, 1)
    assert allocate({"b": fresh, "a": fresh}, 0.1, 5, 100) == {"a": 3, "b": 2}
    cells = {"wide": CellState(50, 0.1, 0.6), "narrow": CellState(50, 0.1, 0.3), "done": CellState(50, 0, 0.05)}
    assert allocate(cells, 0.1, 10, 1000) == {"wide": 10}
    assert allocate(cells, 0.1, 10, 55) == {"wide": 5, "narrow": 5}


def test_a_cell_gets_no_more_than_it_is_expected_to_need():
    assert allocate({"nearly": CellState(99, 0.0, 0.11)}, 0.1, 500, 1000) == {"nearly": 21}


def test_a_plan_below_zero_is_refused():
    with pytest.raises(ValueError):
        allocate({}, 0.1, -1, 10)


def test_a_run_that_was_killed_goes_on_as_if_it_had_not_been():
    def run(batches: int, cells: dict[str, ConfidenceSequence]) -> dict[str, ConfidenceSequence]:
        for _ in range(batches):
            seen = {cell: CellState(c.n, *c.interval) for cell, c in cells.items()}
            for cell, samples in allocate(seen, 0.15, 100, 600).items():
                for _ in range(samples):
                    cells[cell].update(coins[cell][cells[cell].n])
        return cells

    rates = {"never": 0.0, "rarely": 0.05, "often": 0.3, "always": 1.0}
    rng = np.random.default_rng(6)
    coins = {cell: rng.random(600) < rate for cell, rate in rates.items()}
    whole = run(40, {cell: ConfidenceSequence() for cell in rates})
    halfway = run(7, {cell: ConfidenceSequence() for cell in rates})
    resumed = run(33, {cell: ConfidenceSequence(0.05, c.n, c.total) for cell, c in halfway.items()})
    assert whole == resumed
    assert all(c.interval[1] - c.interval[0] <= 0.15 for c in whole.values())
    assert whole["often"].n > whole["rarely"].n > whole["never"].n
