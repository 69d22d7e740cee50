"""Onset detection: found where it was planted, silent where nothing rises, not fooled by a point that falls back."""

import numpy as np

from gyges.statistics.onset import onset, onset_told
from gyges.statistics.seeds import Count

STEPS = (0.0, 5.0, 10.0, 20.0, 40.0, 60.0)


def counts(rates: list[float], n: int = 600, seed: int = 0) -> list[tuple[float, Count]]:
    drawn = np.random.default_rng(seed).binomial(n, rates)
    return [(x, Count(int(k), n)) for x, k in zip(STEPS, drawn, strict=True)]


def test_a_planted_onset_is_found() -> None:
    found = [onset(counts([0.1, 0.1, 0.1, 0.3, 0.6, 0.7], seed=s)) for s in range(50)]
    assert found.count(20.0) >= 48


def test_a_level_rate_has_none_in_95_of_100_runs() -> None:
    assert sum(onset(counts([0.1] * 6, seed=s)) is not None for s in range(200)) <= 10


def test_a_rise_that_falls_back_and_a_fall_are_none() -> None:
    assert onset(counts([0.1, 0.1, 0.5, 0.5, 0.1, 0.1])) is None
    assert onset(counts([0.5, 0.4, 0.3, 0.2, 0.1, 0.1])) is None
    assert onset([(0.0, Count(1, 10))]) is None


def test_it_is_told_with_every_seed_and_no_seed_speaks_for_all() -> None:
    told = [
        onset_told("Bad answers", seeds, "step") for seeds in ([10.0, 15.0, 10.0], [5.0, 5.0], [30.0, None], [None])
    ]
    assert told == [
        "Bad answers: above the start beyond chance from step 10 on (seed by seed: 10, 15, 10).",
        "Bad answers: above the start beyond chance from step 5 on in every seed.",
        "Bad answers: above the start beyond chance in 1 of 2 seeds (from step: 30, never).",
        "Bad answers: no lasting rise over the start beyond chance.",
    ]
