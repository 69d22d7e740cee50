"""A cell stops after a bounded number of samples, and whenever it stops its interval holds. All figures here are exact, none is simulated."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from gyges.statistics.looks import BETWEEN, SHARES, Looks, looks_for
from gyges.statistics.sample_size import samples_for_width
from gyges.statistics.sequential import bounds

RATES = (0.0, 0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.8, 0.99)
MOST = 10**6


def looked_at(looks: Looks, rate: float) -> Iterator[tuple[int, np.ndarray, np.ndarray, np.ndarray]]:
    """At each look: its size, how probable each count of harm is in a cell that has not stopped, and both ends of the interval."""
    n, chance = 0, np.ones(1)
    for size in looks.sizes:
        chance = np.convolve(chance, binom.pmf(np.arange(size - n + 1), size - n, rate))
        n = size
        ends = [looks.interval(k, n, n) for k in range(n + 1)]
        low, high = np.array([end.low for end in ends]), np.array([end.high for end in ends])
        yield n, chance, low, high
        chance = np.where([looks.more(k, n, n) == 0 for k in range(n + 1)], 0, chance)


def mean_samples(looks: Looks, rate: float) -> float:
    return sum(
        n * sum(p for k, p in enumerate(chance) if looks.more(k, n, n) == 0)
        for n, chance, _, _ in looked_at(looks, rate)
    )


@pytest.mark.parametrize("width", [0.05, 0.1, 0.2])
def test_a_cell_never_takes_more_than_a_seventh_above_the_fixed_size(width: float) -> None:
    looks = looks_for(width, MOST)
    assert looks.sizes[-1] <= 1.15 * samples_for_width(width)
    for k in range(looks.sizes[-1] + 1):
        low, high, _ = looks.interval(k, looks.sizes[-1], looks.sizes[-1])
        assert high - low <= width + 1e-9 and looks.more(k, looks.sizes[-1], looks.sizes[-1]) == 0


@pytest.mark.parametrize("rate", [0.0, 0.001, 0.005, 0.01])
def test_rare_harm_takes_five_times_fewer(rate: float) -> None:
    assert mean_samples(looks_for(0.05, MOST), rate) <= samples_for_width(0.05) / 5


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize(("width", "most"), [(0.05, MOST), (0.1, MOST), (0.1, 150), (0.3, MOST), (0.9, 3)])
def test_the_interval_holds_the_rate_at_the_look_that_ends_a_cell(width: float, most: int, rate: float) -> None:
    looks = looks_for(width, most)
    missed = 0.0
    for n, chance, low, high in looked_at(looks, rate):
        ends = np.array([looks.more(k, n, n) == 0 for k in range(n + 1)])
        missed += chance[ends & ((rate < low) | (rate > high))].sum()
    assert missed <= 0.05


@pytest.mark.parametrize("rate", [0.005, 0.05, 0.3, 0.5])
def test_the_interval_holds_the_rate_at_every_moment_at_once(rate: float) -> None:
    looks = looks_for(0.1, MOST)
    held = np.ones(1)
    for n in range(1, looks.sizes[-1] + 1):
        held = np.convolve(held, [1 - rate, rate])
        ks = np.arange(n + 1)
        if n in looks.sizes:
            low, high = np.array([looks.interval(k, n, n)[:2] for k in ks]).T
        else:
            low, high = bounds(ks, n, BETWEEN)
        held = np.where((low <= rate) & (rate <= high), held, 0)
    assert held.sum() >= 0.95


def test_the_shares_make_five_per_cent() -> None:
    assert sum(SHARES) + BETWEEN == pytest.approx(0.05)
    for most in (1, 50, 400, MOST):
        assert sum(looks_for(0.05, most).shares) + BETWEEN <= 0.05 + 1e-12


@given(st.floats(0.005, 0.95), st.integers(1, 5000))
def test_looks_rise_and_end_within_the_most(width: float, most: int) -> None:
    looks = looks_for(width, most)
    assert 1 <= len(looks.sizes) == len(looks.shares) <= len(SHARES)
    assert list(looks.sizes) == sorted(set(looks.sizes)) and looks.sizes[-1] <= most


@given(
    st.floats(0.01, 0.9), st.integers(1, 3000), st.lists(st.sampled_from([None, False, True]), min_size=1, max_size=9)
)
def test_a_cell_comes_to_its_end_whatever_it_gives(width: float, most: int, pattern: list[bool | None]) -> None:
    looks, k, n, spent, rounds = looks_for(width, most), 0, 0, 0, 0
    while more := looks.more(k, n, spent):
        given_ = [pattern[i % len(pattern)] for i in range(spent, spent + more)]
        k, n, spent = k + given_.count(True), n + len(given_) - given_.count(None), spent + more
        rounds += 1
        assert n <= looks.sizes[-1] and spent <= most and rounds <= most
    low, high, _ = looks.interval(k, n, spent)
    assert spent == most or high - low <= width + 1e-9


def test_what_was_not_scored_is_made_up_for_before_the_look() -> None:
    looks = looks_for(0.1, 2000)
    first, second = looks.sizes[:2]
    assert looks.more(0, 0, 0) == first
    assert looks.more(0, first - 4, first) == 4
    assert looks.more(0, first, first + 4) == 0
    assert looks.more(5, first, first + 4) == second - first
    assert looks.more(0, 0, 1995) == 5 and looks.more(0, 0, 2000) == 0


def test_a_run_that_is_interrupted_gets_the_wider_interval() -> None:
    looks = looks_for(0.1, 2000)
    first = looks.sizes[0]
    at, between = looks.interval(0, first, first), looks.interval(0, first + 1, first + 1)
    assert between.high > at.high and "between two looks" in between.method


def test_a_cell_that_had_its_most_is_at_its_last_look() -> None:
    looks = looks_for(0.01, 500)
    assert looks.interval(3, 480, 500).high < looks.interval(3, 480, 480).high


def test_missing_verdicts_widen_the_worst_case() -> None:
    looks = looks_for(0.1, 2000)
    first = looks.sizes[0]
    seen = looks.interval(1, first, first + 3)
    assert looks.interval(1, first, first + 3, missing=3).low < seen.low
    assert looks.interval(4, first, first + 3, missing=3).high > seen.high


@pytest.mark.parametrize(("width", "most"), [(0, 10), (1, 10), (0.1, 0)])
def test_a_design_of_nothing_is_refused(width: float, most: int) -> None:
    with pytest.raises(ValueError, match="width"):
        looks_for(width, most)
