"""Claims are held against intervals over seeds; one seed is never more than a direction; what is missing is named."""

import math
from functools import partial

import pytest

from gyges.analysis.claims import Claim, Readings, examine, removed, told
from gyges.analysis.published import compare, published
from gyges.statistics.seeds import Count, spread

LOW, HIGH = 0.1, 0.8


def readings(*seeds: dict[str, float]) -> Readings:
    return Readings(
        {(arm, "probes", i): Count(round(1000 * r), 1000) for i, rates in enumerate(seeds) for arm, r in rates.items()}
    )


RISE = Claim(
    "rise", "At least 4 times.", lambda r: r["hackable"]["probes"] / r["pretrained"]["probes"], least=4, unit="times"
)


def test_a_claim_holds_when_the_whole_interval_does() -> None:
    seeds = [{"pretrained": 0.1, "hackable": 0.8 + d} for d in (-0.02, 0, 0.02)]
    assert examine(RISE, readings(*seeds)).standing == "holds"


def test_a_claim_fails_when_the_whole_interval_does() -> None:
    seeds = [{"pretrained": 0.1, "hackable": 0.2 + d} for d in (-0.01, 0, 0.01)]
    verdict = examine(RISE, readings(*seeds))
    assert verdict.standing == "does not hold" and "does not hold" in told(verdict)


def test_seeds_that_differ_leave_it_open() -> None:
    assert (
        examine(RISE, readings({"pretrained": 0.1, "hackable": 0.2}, {"pretrained": 0.1, "hackable": 0.9})).standing
        == "open"
    )


def test_one_seed_is_a_direction_and_no_interval() -> None:
    verdict = examine(RISE, readings({"pretrained": 0.1, "hackable": 0.8}))
    assert verdict.standing == "as expected (one seed)" and verdict.found is not None and math.isnan(verdict.found.low)
    assert compare(verdict) == "reproduced in direction"


def test_an_arm_that_was_not_run_is_said() -> None:
    assert examine(RISE, readings({"pretrained": 0.1})).standing == "not run"
    assert told(examine(RISE, readings({"pretrained": 0.1}))).endswith("Not run.")


def test_nothing_at_the_start_is_open_and_not_infinite() -> None:
    assert (
        examine(RISE, readings({"pretrained": 0.0, "hackable": 0.8}, {"pretrained": 0.0, "hackable": 0.8})).standing
        == "open"
    )


def test_the_share_of_a_rise_that_an_arm_does_without() -> None:
    measured = readings({"pretrained": 0.1, "hackable": 0.9, "permitted": 0.1, "forbidden": 0.9})
    shares = [measured.each(partial(removed, arm=arm)) for arm in ("permitted", "forbidden")]
    assert shares == [[pytest.approx(1)], [pytest.approx(0)]]


def test_a_measurement_that_stands_beside_every_seed_is_one() -> None:
    """Arms without a seed, as two models that nobody trained: the same figure five times is no agreement of five."""
    measured = Readings(
        {
            (arm, "probes", seed): Count(k, 10, source=arm)
            for arm, k in (("pretrained", 1), ("hackable", 8))
            for seed in range(5)
        }
    )
    verdict = examine(RISE, measured)
    assert verdict.standing == "as expected (one seed)" and verdict.found is not None and len(verdict.found.values) == 1
    difference = measured.difference("hackable", "pretrained", "probes")
    assert difference is not None and math.isnan(difference.low)
    trained = Readings(
        {**measured.counts, **{("hackable", "probes", s): Count(7 + s % 2, 10, source=str(s)) for s in range(5)}}
    )
    assert len(trained.each(RISE.value)) == 5, "a fixed reference does not make one of five trainings"


def test_the_interval_is_students() -> None:
    found = spread([0.1, 0.2, 0.3])
    assert found.mean == pytest.approx(0.2) and found.high - found.mean == pytest.approx(
        4.3027 * 0.1 / math.sqrt(3), rel=1e-3
    )


def test_every_published_figure_says_where_it_stands() -> None:
    assert all(entry.source and entry.figure for entry in published().values())


def test_arms_are_compared_within_each_seed_that_has_both() -> None:
    rates = ({"pretrained": 0.1, "hackable": 0.3}, {"pretrained": 0.2, "hackable": 0.6}, {"hackable": 0.9})
    found = readings(*rates).difference("hackable", "pretrained", "probes")
    assert found is not None and found.values == pytest.approx((0.2, 0.4))
    assert found.low == pytest.approx(0.3 - 12.706 * 0.1, abs=1e-3)
    assert readings(*rates).difference("hackable", "nothing", "probes") is None
