"""Intervals keep their promise: they cover, they never collapse, and nothing that was not scored disappears from them.

The closed forms are held against statsmodels. Coverage is simulated with one fixed seed. With `RUNS` runs a method that covers 95 % shows at least `AT_LEAST`
(three standard errors less) in all but about one case of a thousand.
"""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.special import betaincinv, ndtr
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import (
    confint_proportions_2indep,
    power_proportions_2indep,
    proportion_confint,
    proportions_ztest,
)

from gyges.statistics.differences import Difference, _tango_low, difference, holm
from gyges.statistics.judge_error import corrected_rate
from gyges.statistics.rates import Estimate, clopper_pearson, estimate, z_of
from gyges.statistics.sample_size import detectable_difference, samples_for_width

RUNS = 1000
AT_LEAST = 0.95 - 3 * math.sqrt(0.95 * 0.05 / RUNS)

verdicts = st.lists(st.sampled_from([True, False, None]), max_size=40)


def sample(k: int, n: int) -> list[bool]:
    return [i < k for i in range(n)]


def skins(number: int, each: int) -> list[int]:
    return [skin for skin in range(number) for _ in range(each)]


def skin_rates(noise: np.ndarray, rate: float, likeness: float) -> np.ndarray:
    """Each skin's own rate, from normal noise: beta around `rate`, with intraclass correlation `likeness`."""
    if likeness == 0:
        return np.full(len(noise), rate)
    weight = 1 / likeness - 1
    return betaincinv(rate * weight, (1 - rate) * weight, ndtr(noise))


def draw(rng: np.random.Generator, rates: np.ndarray, each: int) -> list[bool]:
    return (rng.random((len(rates), each)) < rates[:, None]).ravel().tolist()


# --- one rate --------------------------------------------------------------------------------------------------------


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.sampled_from([0.8, 0.95]))
def test_independent_samples_get_clopper_and_pearsons_interval(counts, confidence):
    k, n = counts
    e = estimate(sample(k, n), confidence=confidence)
    assert (e.low, e.high) == pytest.approx(proportion_confint(k, n, 1 - confidence, "beta"), abs=1e-12)
    assert (e.k, e.n, e.rate, e.method, e.clusters) == (k, n, k / n, "Clopper-Pearson", None)


def test_without_a_scored_sample_nothing_is_known():
    e = estimate([], unscored=3, errors=2)
    assert (e.rate, e.low, e.high, e.worst_low, e.worst_high) == (None, 0, 1, 0, 1)


@pytest.mark.parametrize(("n", "high"), [(100, 0.0362), (600, 0.0061)])
def test_no_harm_seen_is_not_no_harm(n, high):
    none, all_ = estimate(sample(0, n)), estimate(sample(n, n))
    assert (none.low, all_.high) == (0, 1)
    assert none.high == pytest.approx(high, abs=2e-4) == 1 - all_.low


def test_an_unscored_sample_is_neither_harmless_nor_dropped():
    e = estimate([True, False, None], unscored=2, errors=4)
    assert (e.k, e.n, e.unscored, e.errors, e.rate) == (1, 2, 3, 4, 0.5)
    assert e.worst_low == pytest.approx(proportion_confint(1, 9, method="beta")[0])
    assert e.worst_high == pytest.approx(proportion_confint(8, 9, method="beta")[1])
    assert str(e) == "1/2 (+3 unscored, +4 errors), 95% [0.013, 0.987], worst case [0.003, 0.997]"


@given(verdicts, st.integers(1, 12), st.integers(0, 20), st.integers(0, 20))
def test_the_worst_case_contains_the_interval_which_contains_the_rate(harmful, skins, unscored, errors):
    e = estimate(harmful, [i % skins for i in range(len(harmful))], unscored, errors)
    assert 0 <= e.worst_low <= e.low <= (e.low if e.rate is None else e.rate) <= e.high <= e.worst_high <= 1
    assert e.n + e.unscored + e.errors == len(harmful) + unscored + errors
    if not (e.unscored or e.errors):
        assert (e.worst_low, e.worst_high) == (e.low, e.high)


@given(st.lists(st.booleans(), min_size=1, max_size=15), st.integers(1, 10))
def test_copies_of_a_sample_are_no_new_samples(harmful, copies):
    once = estimate(harmful)
    often = estimate([h for h in harmful for _ in range(copies)], skins(len(harmful), copies))
    assert (often.low, often.high) == pytest.approx((once.low, once.high))


def test_one_sample_per_skin_is_independent_and_order_says_nothing():
    harmful, names = [True, False, False, True, False, None], ["a", "b", "c", "d", "e", "f"]
    assert estimate(harmful, names).low == estimate(harmful).low
    mixed = estimate(sample(7, 20), [i % 4 for i in range(20)])
    assert mixed == estimate(sample(7, 20)[::-1], [i % 4 for i in range(20)][::-1])
    assert mixed.clusters == 4


def test_without_harm_each_skin_counts_once():
    e = estimate(sample(0, 200), skins(10, 20))
    assert e.high == pytest.approx(proportion_confint(0, 10, method="beta")[1])
    assert e.method == "Korn-Graubard: 10 clusters worth 10.0 independent samples"


def test_one_harmful_sample_more_never_hides_harm():
    def found(carriers: int) -> Estimate:
        return estimate([skin < carriers and epoch == 0 for skin in range(10) for epoch in range(20)], skins(10, 20))

    lows = [found(carriers).low for carriers in range(11)]
    assert lows == sorted(lows)
    # one skin with harm cannot show that skins differ little, ten can
    assert found(1).high > found(0).high > found(10).high


def test_a_single_skin_says_so_and_knows_next_to_nothing():
    for k in (0, 20, 40):
        e = estimate(sample(k, 40), ["only"] * 40)
        assert e.high - e.low > 0.75
        assert "one cluster" in e.method


@pytest.mark.parametrize(
    ("number", "each", "likeness", "rate"),
    [
        (5, 20, 0.3, 0.3), (10, 20, 0.3, 0.05), (10, 5, 0.7, 0.5), (20, 20, 0.1, 0.02),
        (20, 5, 0.0, 0.1), (20, 20, 0.7, 0.1), (50, 4, 0.3, 0.3),
    ],
)  # fmt: skip
def test_the_cluster_robust_interval_covers(number, each, likeness, rate):
    rng = np.random.default_rng(1)
    names = skins(number, each)
    found = [estimate(draw(rng, skin_rates(rng.normal(size=number), rate, likeness), each), names) for _ in range(RUNS)]
    assert np.mean([e.low <= rate <= e.high for e in found]) >= AT_LEAST


def test_skins_of_unequal_size_are_covered_too():
    rng = np.random.default_rng(1)
    sizes = [1, 2, 3, 5, 8, 13, 2, 4, 6, 9, 12, 3]
    names = [skin for skin, size in enumerate(sizes) for _ in range(size)]
    rates = (skin_rates(rng.normal(size=len(sizes)), 0.2, 0.3) for _ in range(RUNS))
    found = [estimate((rng.random(len(names)) < r[names]).tolist(), names) for r in rates]
    assert np.mean([e.low <= 0.2 <= e.high for e in found]) >= AT_LEAST


def test_taking_epochs_for_independent_samples_would_not_cover():
    rng = np.random.default_rng(1)
    found = [estimate(draw(rng, skin_rates(rng.normal(size=20), 0.3, 0.3), 20)) for _ in range(300)]
    assert np.mean([e.low <= 0.3 <= e.high for e in found]) < 0.7


def test_an_estimate_survives_the_disk_and_cannot_be_edited():
    e = estimate(sample(2, 9), unscored=1)
    assert Estimate.model_validate_json(e.model_dump_json()) == e
    assert '"rate":0.2222' in e.model_dump_json()
    with pytest.raises(ValidationError):
        e.low = 0.0


def test_a_verdict_is_a_bool_or_missing():
    with pytest.raises(TypeError, match="True, False or None"):
        estimate([0.3])
    with pytest.raises(ValueError):
        estimate([True, False], ["a"])
    assert estimate([np.True_, np.False_]).k == 1


# --- two rates -------------------------------------------------------------------------------------------------------


def pairs(up: int, down: int, same: int) -> tuple[list[bool], list[bool], list[int]]:
    """One sample per skin and side: `up` skins harmful only in a, `down` only in b, the rest harmless in both."""
    return sample(up, up + down + same), [False] * up + [True] * down + [False] * same, list(range(up + down + same))


@pytest.mark.parametrize(
    ("up", "down", "n", "confidence", "published"),
    [(1, 7, 21, 0.95, (-0.517, -0.026)), (28, 25, 618, 0.90, (-0.0148, 0.0247))],
)
def test_tangos_interval_has_its_published_values(up, down, n, confidence, published):
    # Fagerland, Lydersen and Laake (2014, Stat. Med. 33:2850-2875), table on airway hyper-responsiveness; R's PropCIs
    a, b, names = pairs(up, down, n - up - down)
    d = difference(a, b, names, names, confidence)
    assert (d.low, d.high) == pytest.approx(published, abs=6e-4)
    assert (d.n_pairs, d.method) == (n, f"Tango, paired on {n} skins")


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 30))
def test_the_ends_of_tangos_interval_are_where_the_score_reaches_z(up, down, same):
    n = up + down + same + 1
    low, high = _tango_low(up, down, n, z_of(0.95)), -_tango_low(down, up, n, z_of(0.95))
    assert -1 <= low <= (up - down) / n <= high <= 1
    assert high - low > 0
    for end in (low, high):
        if abs(end) < 1:
            q = discordance_under(up, down, n, end)
            assert abs(up - down - n * end) / math.sqrt(n * (2 * q + end * (1 - end))) == pytest.approx(1.96, abs=1e-3)


def discordance_under(up: int, down: int, n: int, d: float) -> float:
    """The chance of a pair that is harmful only in b, most likely among those that differ by d: by search on a grid."""
    q = np.linspace(max(0, -d), (1 - d) / 2, 200_001)[1:-1]
    likelihood = up * np.log(q + d) + down * np.log(q) + (n - up - down) * np.log1p(-2 * q - d)
    fits = np.flatnonzero(likelihood == likelihood.max())
    edge = {0: max(0.0, -d), len(q) - 1: (1 - d) / 2}
    return edge.get(int(fits[0]), float(q[fits[0]]))


def test_two_clean_sides_are_not_known_to_be_equal():
    d = difference(*pairs(0, 0, 20)[:2], range(20), range(20))
    assert (d.estimate, d.p_value) == (0, 1)
    assert -d.low == pytest.approx(d.high) == pytest.approx(proportion_confint(0, 20, method="wilson")[1])
    d = difference([False] * 100, [False] * 100, skins(20, 5), skins(20, 5))
    assert d.high == pytest.approx(proportion_confint(0, 20, method="wilson")[1])
    assert difference([True] * 9, [True] * 9).low < -0.2


@given(st.integers(0, 12), st.integers(0, 12))
def test_the_paired_p_value_is_mcnemars_mid_p(up, down):
    a, b, names = pairs(up, down, 3)
    exact = mcnemar([[0, up], [down, 3]], exact=True).pvalue if up + down else 1
    observed = math.comb(up + down, up) / 2 ** (up + down)
    assert difference(a, b, names, names).p_value == pytest.approx(1 if up == down else exact - observed)


@given(verdicts, verdicts, st.integers(1, 10), st.booleans())
def test_swapping_the_sides_mirrors_the_difference(a, b, number, paired):
    names_a = [i % number for i in range(len(a))] if paired else None
    names_b = [i % number for i in range(len(b))] if paired else None
    d, mirrored = difference(a, b, names_a, names_b), difference(b, a, names_b, names_a)
    assert (d.low, d.high, d.worst_low) == pytest.approx((-mirrored.high, -mirrored.low, -mirrored.worst_high))
    assert d.p_value == pytest.approx(mirrored.p_value)
    assert -1 <= d.worst_low <= d.low <= (d.low if d.estimate is None else d.estimate) <= d.high <= d.worst_high <= 1
    assert 0 <= d.p_value <= 1


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=15), st.integers(2, 6))
def test_copies_of_a_pair_are_no_new_pairs(sides, copies):
    a, b = zip(*sides, strict=True)
    once = difference(a, b, range(len(a)), range(len(a)))
    names = skins(len(a), copies)
    often = difference([x for x in a for _ in range(copies)], [x for x in b for _ in range(copies)], names, names)
    assert (often.low, often.high) == pytest.approx((once.low, once.high))


def test_skins_that_are_not_shared_are_compared_unpaired():
    a, b = sample(9, 30), sample(3, 40)
    d = difference(a, b, [f"a{i}" for i in range(30)], [f"b{i}" for i in range(40)])
    assert (d.low, d.high) == pytest.approx(confint_proportions_2indep(9, 30, 3, 40, method="newcomb"))
    assert d == difference(a, b)
    assert (d.n_pairs, d.method) == (0, "Newcombe, unpaired")
    assert difference(a, b, skins(6, 5), [s + 6 for s in skins(8, 5)]).low < d.low


counts = st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(counts, counts)
def test_an_unpaired_difference_is_newcombes_with_the_pooled_score_test(a, b):
    (k_a, n_a), (k_b, n_b) = a, b
    d = difference(sample(*a), sample(*b))
    assert (d.low, d.high) == pytest.approx(confint_proportions_2indep(*a, *b, method="newcomb"), abs=1e-9)
    tested = k_a * n_b != k_b * n_a
    assert d.p_value == pytest.approx(proportions_ztest([k_a, k_b], [n_a, n_b])[1] if tested else 1)


def test_pairing_by_skin_tells_more_where_skins_differ():
    a = [skin < 14 for skin in range(20) for _ in range(5)]
    b = [skin < 14 and epoch > 0 for skin in range(20) for epoch in range(5)]
    names = skins(20, 5)
    paired, unpaired = difference(a, b, names, names), difference(a, b, names, [s + 20 for s in names])
    assert paired.estimate == pytest.approx(unpaired.estimate) == pytest.approx(0.14)
    assert paired.high - paired.low < 0.5 * (unpaired.high - unpaired.low)
    assert paired.p_value < 0.01 < unpaired.p_value


def test_what_was_not_scored_widens_the_worst_case_of_a_difference():
    a, b, names = pairs(8, 0, 12)
    d = difference([*a[:-2], None, None], b, names, names)
    assert (d.n_pairs, d.unscored) == (18, 2)
    assert d.method == "Tango, paired on 18 skins, leaving out 2 that only one side has"
    assert d.worst_low <= difference(a, b, names, names).low
    assert d.worst_high >= difference([*a[:-2], True, True], b, names, names).high
    assert Difference.model_validate_json(d.model_dump_json()) == d


def test_a_side_without_scored_samples_gives_no_difference():
    d = difference([None] * 4, [True] * 4)
    assert (d.estimate, d.low, d.high, d.p_value, d.unscored) == (None, -1, 1, 1, 4)


PAIRED_CASES = [
    (5, 5, 0.5, 0.3, 0.3), (10, 1, 0.0, 0.5, 0.5), (10, 5, 0.5, 0.2, 0.05), (20, 1, 0.0, 0.2, 0.05),
    (20, 5, 0.3, 0.6, 0.2), (20, 20, 0.5, 0.3, 0.3), (50, 4, 0.2, 0.02, 0.02),
]  # fmt: skip


@pytest.mark.parametrize(("number", "each", "likeness", "rate_a", "rate_b"), PAIRED_CASES)
def test_the_paired_difference_covers_and_its_test_keeps_its_level(number, each, likeness, rate_a, rate_b):
    rng = np.random.default_rng(2)
    found = [paired_run(rng, number, each, likeness, rate_a, rate_b) for _ in range(RUNS)]
    assert np.mean([d.low <= rate_a - rate_b <= d.high for d in found]) >= AT_LEAST
    if rate_a == rate_b:
        assert np.mean([d.p_value <= 0.05 for d in found]) <= 1 - AT_LEAST


def paired_run(rng, number: int, each: int, likeness: float, rate_a: float, rate_b: float) -> Difference:
    """Two sides on the same skins; what moves a skin's rate on one side mostly moves it on the other."""
    common = rng.normal(size=number)
    a = skin_rates(common, rate_a, likeness)
    b = skin_rates(0.8 * common + 0.6 * rng.normal(size=number), rate_b, likeness)
    return difference(draw(rng, a, each), draw(rng, b, each), skins(number, each), skins(number, each))


@pytest.mark.parametrize(("rate_a", "rate_b", "likeness"), [(0.3, 0.3, 0.3), (0.05, 0.2, 0.1), (0.5, 0.1, 0.0)])
def test_the_unpaired_difference_covers(rate_a, rate_b, likeness):
    rng = np.random.default_rng(3)
    found = []
    for _ in range(RUNS):
        a, b = (draw(rng, skin_rates(rng.normal(size=20), rate, likeness), 5) for rate in (rate_a, rate_b))
        found.append(difference(a, b, skins(20, 5), [s + 20 for s in skins(20, 5)]))
    assert np.mean([d.low <= rate_a - rate_b <= d.high for d in found]) >= AT_LEAST


def test_holm_adjusts_in_the_order_given():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.9, 0.8]) == [1, 1]
    assert holm([]) == []


def test_holm_is_the_step_down_of_statsmodels():
    p_values = np.random.default_rng(6).random(40).round(1) ** 4  # with ties, at 0 and 1 too
    assert holm(p_values.tolist()) == pytest.approx(multipletests(p_values, method="holm")[1].tolist(), abs=1e-15)


# --- before a run ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "base", "found"), [(482, 0.15, 0.07), (46, 0.03, 0.19), (768, 0.01, 0.02)])
def test_the_detectable_difference_agrees_with_the_textbook_sample_sizes(n, base, found):
    assert detectable_difference(n, n, base) == pytest.approx(found, abs=0.002)
    assert detectable_difference(n, n, 1 - base) == pytest.approx(found, abs=0.002)


@pytest.mark.parametrize(("n_a", "n_b", "base", "power"), [(20, 90, 0.1, 0.8), (300, 40, 0.0, 0.9), (55, 55, 0.5, 0.5)])
def test_the_power_at_the_detectable_difference_is_the_one_asked_for(n_a, n_b, base, power):
    d = detectable_difference(n_a, n_b, base, power, alpha=0.01)
    found = power_proportions_2indep(d, base, n_a, ratio=n_b / n_a, alpha=0.01, return_results=False)
    assert (d < 1, found) == (True, pytest.approx(power))


def test_a_detectable_difference_is_found_as_often_as_it_says():
    rng = np.random.default_rng(4)
    d = detectable_difference(120, 80, 0.2)
    a, b = rng.binomial(120, 0.2, 20_000) / 120, rng.binomial(80, 0.2 + d, 20_000) / 80
    pooled = (120 * a + 80 * b) / 200
    found = np.abs(a - b) / np.sqrt(pooled * (1 - pooled) * (1 / 120 + 1 / 80)) > 1.96
    assert found.mean() == pytest.approx(0.8, abs=0.03)


@pytest.mark.parametrize("n_a", [1, 10, 40])
def test_a_large_control_without_harm_does_not_show_what_hardly_ever_happens(n_a):
    d = detectable_difference(n_a, 100 * n_a, base=0)
    assert 1 - (1 - d) ** n_a >= 0.8 - 1e-9


def test_hardly_any_samples_detect_nothing():
    assert detectable_difference(1, 1) == detectable_difference(0, 50) == 1
    with pytest.raises(ValueError):
        detectable_difference(10, 10, base=1.2)


@pytest.mark.parametrize("width", [0.05, 0.1, 0.3, 0.77])
def test_the_fixed_sample_size_holds_for_every_outcome_and_is_the_smallest(width):
    n = samples_for_width(width)
    assert widest(n) <= width < widest(n - 2)


def widest(n: int) -> float:
    low, high = proportion_confint(np.arange(n + 1), n, method="beta")
    return float(np.max(high - low))


@pytest.mark.parametrize("p", [0.0, 0.1, 0.8])
def test_a_rate_known_beforehand_needs_fewer_samples(p):
    n = samples_for_width(0.1, p)
    widths = [np.subtract(*reversed(clopper_pearson(p * size, size, 0.95))) for size in (n, n - 1)]
    assert widths[0] <= 0.1 < widths[1]
    assert n < samples_for_width(0.1)
    with pytest.raises(ValueError):
        samples_for_width(0)


# --- a judge that errs -----------------------------------------------------------------------------------------------


@given(st.integers(1, 100).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.integers(20, 500))
def test_a_judge_never_seen_to_err_leaves_the_rate_alone(counts, known):
    c = corrected_rate(*counts, (known, known), (known, known))
    assert (c.rate, c.note) == (pytest.approx(counts[0] / counts[1]), "")
    assert 0 <= c.low <= c.rate <= c.high <= 1


@settings(max_examples=200)
@given(st.lists(st.integers(0, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), min_size=3, max_size=3))
def test_a_corrected_rate_is_a_rate_inside_its_interval_or_says_why_not(measured):
    c = corrected_rate(*measured[0], measured[1], measured[2])
    assert 0 <= c.low <= (c.low if c.rate is None else c.rate) <= c.high <= 1
    assert c.note if c.rate is None else True


def test_a_judge_no_better_than_chance_corrects_nothing():
    c = corrected_rate(30, 100, (10, 20), (10, 20))
    assert (c.rate, c.low, c.high) == (None, 0, 1)
    assert "no better than chance" in c.note
    assert corrected_rate(3, 10, (0, 0), (5, 5)).rate is None
    assert corrected_rate(0, 0, (5, 5), (5, 5)).rate is None
    with pytest.raises(ValueError):
        corrected_rate(5, 4, (5, 5), (5, 5))


def test_fewer_alarms_than_the_judges_false_ones_are_clipped_aloud():
    c = corrected_rate(0, 100, (18, 20), (18, 20))
    assert (c.rate, c.low) == (0, 0)
    assert "clipped" in c.note


@pytest.mark.parametrize(
    ("rate", "sensitivity", "specificity", "known"),
    [(0.05, 0.9, 0.95, 50), (0.3, 0.8, 0.9, 30), (0.0, 0.95, 0.95, 40), (0.5, 0.99, 0.99, 20), (0.2, 0.7, 0.8, 200)],
)
def test_the_corrected_rate_carries_the_doubt_about_the_judge(rate, sensitivity, specificity, known):
    rng = np.random.default_rng(5)
    alarms = rng.binomial(200, rate * sensitivity + (1 - rate) * (1 - specificity), RUNS).tolist()
    found, cleared = (rng.binomial(known, p, RUNS).tolist() for p in (sensitivity, specificity))
    corrected = [corrected_rate(k, 200, (f, known), (c, known)) for k, f, c in zip(alarms, found, cleared, strict=True)]
    assert np.mean([c.low <= rate <= c.high for c in corrected]) >= AT_LEAST
