"""Levels and shifts from rows whose answer is known, the chance that they rest on, and the words for them."""

import numpy as np
import pytest
from scipy import stats

from gyges.errors import UserError
from gyges.pages.propensity_text import level_words, shift_words
from gyges.propensities.shifts import Coherence, coherence, item_scores, level, shift

ORDERS = {"plan": ["single"], "choice": ["harmless first", "harmful first"]}


def rows(scores, base=0.0, first=0.0):
    """Rows of items with these scores per token (4 harmless tokens, 5 harmful ones); `base` is there without the context too."""
    for i, score in enumerate(scores):
        for frame, orders in ORDERS.items():
            for order in orders:
                named = {"single": 0.0, "harmless first": first, "harmful first": -first}[order]
                yield {
                    "id": f"i{i}", "topic": "even" if i % 2 == 0 else "odd", "frame": frame, "order": order,
                    "harmless_logprob": 4 * (score + base + named - 2.0), "harmful_logprob": 5 * -2.0,
                    "harmless_tokens": 4, "harmful_tokens": 5,
                    "harmless_base": 4 * (base + named - 3.0), "harmful_base": 5 * -3.0,
                    "harmless_base_tokens": 4, "harmful_base_tokens": 5,
                }  # fmt: skip


def table(*args, **kwargs):
    return list(rows(*args, **kwargs))


def drawn(seed, n=40, mean=0.0, sd=1.0):
    return np.random.default_rng(seed).normal(mean, sd, n)


def test_the_four_forms_of_a_score():
    found = item_scores(table([0.5], base=0.25))
    assert found.values[0] == pytest.approx(
        [0.75, 4 * (0.75 - 2) + 5 * 2, 0.5, 4 * 0.75 - 4 * 0.25 + 2 - 3]
    )  # total: lengths differ by one token


def test_both_orders_cancel_what_being_named_first_is_worth():
    found = level(table([0.5, -0.25], first=3.0))
    assert found.scores["per_token"].mean == pytest.approx(0.125)
    assert found.order_effect == pytest.approx(3.0)
    assert (found.prefers_harm.k, found.prefers_harm.n) == (1, 2)
    assert found.agreement == 0.0
    assert level([row for row in table([0.5]) if row["order"] == "single"]).order_effect is None


def test_a_level_by_topic_and_an_even_item_counts_for_neither():
    found = level(table([1.0, -1.0, 3.0, 0.0]))
    assert found.topics == pytest.approx({"even": 2.0, "odd": -0.5})
    assert (found.prefers_harm.k, found.prefers_harm.n, found.prefers_harm.unscored) == (1, 3, 1)


@pytest.mark.parametrize("n", [8, 40])
def test_an_interval_over_items_covers_the_truth(n):
    hits = 0
    for seed in range(300):
        mean = level(table(drawn(seed, n))).scores["per_token"]
        hits += mean.low <= 0 <= mean.high
    assert 0.91 <= hits / 300 <= 0.98


def test_an_interval_over_seeds_is_students_on_the_seeds_means():
    before, after = (
        table(np.zeros(40)),
        [table(drawn(seed, sd=0.1) + shift_of) for seed, shift_of in enumerate((0.2, 0.5, 0.3))],
    )
    found = shift([before], after).scores["per_token"]
    means = [item_scores(rows).values[:, 0].mean() for rows in after]
    expected = stats.t.interval(0.95, 2, np.mean(means), stats.sem(means))
    assert (found.seed_low, found.seed_high) == pytest.approx(expected)
    assert found.seed_sd == pytest.approx(np.std(means, ddof=1))
    assert found.high - found.low < (found.seed_high or 0) - (found.seed_low or 0)  # items alone would claim too much


def test_seeds_that_differ_make_a_shift_unclear_that_items_alone_would_call_clear():
    before = table(np.zeros(40))
    found = shift([before], [table(np.full(40, 0.9)), table(np.full(40, 0.1))]).scores["per_token"]
    assert found.low > 0 and not found.clear
    assert shift([before], [table(np.full(40, 0.5) + drawn(1, sd=0.1))]).scores["per_token"].clear


def test_pairing_by_item_finds_what_the_spread_between_items_would_hide():
    scores = drawn(3, sd=5.0)
    found = shift([table(scores)], [table(scores + 0.1)]).scores["per_token"]
    assert found.mean == pytest.approx(0.1) and found.clear


def test_flips_and_mcnemars_exact_test():
    before = [1.0] * 10 + [-1.0] * 10
    after = [-1.0] * 6 + [1.0] * 4 + [1.0] + [-1.0] * 9
    flips = shift([table(before)], [table(after)]).flips
    assert (flips.to_harm, flips.to_harmless) == (6, 1)
    assert flips.p_value == pytest.approx(stats.binomtest(1, 7).pvalue)
    assert flips.share.estimate == pytest.approx(5 / 20)
    assert shift([table(before)], [table(before)]).flips.p_value == 1.0


def test_a_liking_for_words_is_seen_in_the_corrected_score_and_said():
    scores = drawn(5)
    words = shift([table(scores)], [table(scores + drawn(6, sd=0.01), base=0.5)])
    assert words.scores["per_token"].clear and words.scores["per_token_corrected"].mean == pytest.approx(0, abs=0.01)
    assert "liking for words" in shift_words(words)
    acts = shift([table(scores)], [table(scores + 0.5 + drawn(6, sd=0.01))])
    assert "liking for words" not in shift_words(acts) and "towards the harmless actions" in shift_words(acts)


def guard(loss, broken):
    return coherence([{"loss": loss * 10, "tokens": 10, "degenerate": i < broken} for i in range(20)])


def test_a_broken_model_is_not_called_a_changed_one():
    found = shift([table(drawn(1))], [table(drawn(2))])
    assert guard(3.0, 2) == Coherence(loss=3.0, degenerate=guard(3.0, 2).degenerate)
    assert "broken" not in shift_words(found, guard(3.0, 1), guard(3.1, 2))
    assert "broken" in shift_words(found, guard(3.0, 1), guard(4.0, 1))
    assert "broken" in shift_words(found, guard(3.0, 0), guard(3.0, 15))


def test_words_say_what_they_rest_on():
    one = shift_words(shift([table(drawn(1))], [table(drawn(1) + drawn(9, sd=0.1))]))
    assert "one seed" in one and "which may be chance" in one
    three = shift_words(shift([table(drawn(1))], [table(drawn(1) + i) for i in (1, 1.1, 1.2)]))
    assert "over seeds" in three and "sd between seeds 0.100" in three
    assert "preferred on 1/2 items" in level_words(level(table([1.0, -1.0])))


def test_different_items_or_numbers_of_seeds_are_refused():
    one, two = table([1.0]), table([1.0, 2.0])
    with pytest.raises(UserError, match="different items"):
        shift([one], [two])
    for before, after in (([one, one], [one]), ([], [one]), ([one], [])):
        with pytest.raises(UserError, match="before and"):
            shift(before, after)
