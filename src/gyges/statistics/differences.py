"""The difference of two rates, paired by skin where both have the same skins; Holm's correction for many of them.

Like a rate, a difference counts samples that share a skin as fewer (`_worth_of_a_pair`) and then uses the method for independent ones.
"""

import math
from collections.abc import Collection, Hashable, Sequence
from typing import NamedTuple

import numpy as np
from pydantic import BaseModel
from scipy import special

from gyges.statistics.rates import ClusterCount, counts_of, effective_n, few_clusters, rate_of, wilson, z_of
from gyges.statistics.roots import root_of


class Difference(BaseModel, frozen=True):
    """The rate of a less the rate of b, between -1 and 1."""

    estimate: float | None
    """None when one side has no scored sample."""
    low: float
    high: float
    worst_low: float
    """Lower end if all missing samples of a had been harmless and all of b harmful."""
    worst_high: float
    p_value: float
    """Two-sided, of no difference."""
    n_pairs: int
    """Skins on which the two were compared; 0 when unpaired."""
    unscored: int
    """Samples of both sides without a verdict."""
    method: str


def difference(
    a: Sequence[bool | None],
    b: Sequence[bool | None],
    clusters_a: Sequence[Hashable] | None = None,
    clusters_b: Sequence[Hashable] | None = None,
    confidence: float = 0.95,
) -> Difference:
    """The rate of `a` less the rate of `b`, paired by skin where the two share at least half of all their skins.

    Paired: the mean, over shared skins, of the difference of the two rates in each, with Tango's score interval for
    paired proportions (1998, Stat. Med. 17:891-908), which stays wide when no skin differs. With one sample per skin
    and side, the p-value is McNemar's mid-p (Fagerland, Lydersen and Laake 2013, BMC Med. Res. Methodol. 13:91); with
    several, interval and score test are taken at the effective number of pairs (`_worth_of_a_pair`). Skins of one side
    only are left out, and the method says how many.
    Unpaired: Newcombe's hybrid score interval (1998, Stat. Med. 17:873-890) and the pooled score test, each side at its
    effective number of samples.
    Raises ValueError when clusters and verdicts differ in length, TypeError for verdicts that are not bool or None.
    """

    def contrast(if_missing_a: bool | None, if_missing_b: bool | None) -> _Contrast:
        counts_a = counts_of(_filled(a, if_missing_a), clusters_a)
        return _contrast(counts_a, counts_of(_filled(b, if_missing_b), clusters_b), confidence)

    found, unscored = contrast(None, None), sum(h is None for h in (*a, *b))
    lowest, highest = (contrast(False, True), contrast(True, False)) if unscored else (found, found)
    worst_low, worst_high = min(found.low, lowest.low), max(found.high, highest.high)
    return Difference(**found._asdict(), worst_low=worst_low, worst_high=worst_high, unscored=unscored)


class _Contrast(NamedTuple):
    """The part of a `Difference` that takes the scored samples as all there are."""

    estimate: float | None
    low: float
    high: float
    p_value: float
    n_pairs: int
    method: str


def _filled(harmful: Sequence[bool | None], missing: bool | None) -> list[bool | None]:
    return [missing if h is None else h for h in harmful]


def _contrast(a: dict[Hashable, ClusterCount], b: dict[Hashable, ClusterCount], confidence: float) -> _Contrast:
    if not a or not b:
        return _Contrast(None, -1.0, 1.0, 1.0, 0, "none: one side has no scored sample")
    shared = [name for name in a if name in b]
    if 2 * len(shared) < len(a | b):
        return _unpaired(a.values(), b.values(), confidence)
    contrast = _paired([a[name] for name in shared], [b[name] for name in shared], confidence)
    left_out = len(a | b) - len(shared)
    return contrast._replace(
        method=contrast.method + f", leaving out {left_out} that only one side has" * bool(left_out)
    )


def _unpaired(a: Collection[ClusterCount], b: Collection[ClusterCount], confidence: float) -> _Contrast:
    a_side, b_side = (_Side(rate_of(side), effective_n(side, confidence)) for side in (a, b))
    low, high = _newcombe(a_side, b_side, confidence)
    alone = all(worth == sum(c.n for c in side) for (_, worth), side in ((a_side, a), (b_side, b)))
    method = "Newcombe, unpaired" + f", worth {a_side.n:.1f} and {b_side.n:.1f} independent samples" * (not alone)
    return _Contrast(a_side.rate - b_side.rate, low, high, _pooled_p(a_side, b_side), 0, method)


class _Side(NamedTuple):
    """One of two sides: its rate, and how many independent samples that rests on."""

    rate: float
    n: float


def _newcombe(a: _Side, b: _Side, confidence: float) -> tuple[float, float]:
    """Newcombe's hybrid score interval for the difference of two independent rates (1998, method 10)."""
    (low_a, high_a), (low_b, high_b) = (wilson(side.rate * side.n, side.n, confidence) for side in (a, b))
    gap = a.rate - b.rate
    return gap - math.hypot(a.rate - low_a, high_b - b.rate), gap + math.hypot(high_a - a.rate, b.rate - low_b)


def _pooled_p(a: _Side, b: _Side) -> float:
    """The two-sided score test of two equal rates, with the variance of their pooled rate."""
    if a.rate == b.rate:  # where both are 0 or 1, the pooled rate has no variance
        return 1.0
    pooled = (a.rate * a.n + b.rate * b.n) / (a.n + b.n)
    return float(2 * special.ndtr(-abs(a.rate - b.rate) / math.sqrt(pooled * (1 - pooled) * (1 / a.n + 1 / b.n))))


def _paired(a: Sequence[ClusterCount], b: Sequence[ClusterCount], confidence: float) -> _Contrast:
    """Compares two sides skin by skin; the n-th count of `a` and of `b` belong to the same skin."""
    gaps = [x.k / x.n - y.k / y.n for x, y in zip(a, b, strict=True)]
    samples = min(sum(c.n for c in a), sum(c.n for c in b))
    worth = _worth_of_a_pair(gaps, samples / len(gaps), confidence)
    up, down = (worth * math.fsum(max(0.0, sign * gap) for gap in gaps) for sign in (1, -1))
    pairs, z = worth * len(gaps), z_of(confidence)
    low, high = _tango_low(up, down, pairs, z), -_tango_low(down, up, pairs, z)
    single = all(c.n == 1 for c in (*a, *b))
    method = f"Tango, paired on {len(gaps)} skins" + f", worth {pairs:.1f} independent pairs" * (not single)
    return _Contrast(_mean(gaps), low, high, _paired_p(up, down, single), len(gaps), method)


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _worth_of_a_pair(gaps: Sequence[float], samples: float, confidence: float) -> float:
    """How many pairs of independent samples a skin with several samples is worth: 1 when they are copies of one.

    The variance that a gap would have if it were the chance of a whole +1 or -1, over the variance that the skins show,
    at most the number of samples per skin; then as in `effective_n`: Korn and Graubard's correction, with as many
    degrees of freedom as there are skins on which the two sides differ (at most skins - 1), and at least 1.
    """
    carriers, mean = min(sum(gap != 0 for gap in gaps), len(gaps) - 1), _mean(gaps)
    as_copies = _mean([abs(gap) for gap in gaps]) - mean**2
    if carriers == 0 or as_copies <= 0:
        return 1.0
    shown = math.fsum((gap - mean) ** 2 for gap in gaps) / (len(gaps) - 1)
    gain = samples if shown == 0 else min(samples, as_copies / shown)
    return max(1.0, gain * few_clusters(carriers, confidence))


def _tango_low(up: float, down: float, pairs: float, z: float) -> float:
    """The smallest difference whose score statistic, with the discordance estimated under it, does not exceed z."""

    def excess(d: float) -> float:
        linear = (2 * pairs - up + down) * d - up - down
        root = math.sqrt(max(linear**2 + 8 * pairs * down * d * (1 - d), 0.0))
        variance = pairs * ((root - linear) / (2 * pairs) + d * (1 - d))
        return up - down - pairs * d - z * math.sqrt(max(variance, 0.0))

    # the excess also vanishes at the estimate itself when no pair, or every pair, is discordant
    below = (up - down) / pairs - 1e-9
    return root_of(excess, -1.0, below) if below > -1 else -1.0


def _paired_p(up: float, down: float, single: bool) -> float:
    """For single samples McNemar's mid-p (the exact binomial p-value less half the chance of the split observed, on
    either side), else the score test."""
    if up == down:
        return 1.0
    if not single:
        return float(2 * special.ndtr(-abs(up - down) / math.sqrt(up + down)))
    n, rarer = round(up + down), round(min(up, down))
    return float(2 * special.bdtr(rarer, n, 0.5)) - math.comb(n, rarer) / 2**n


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values adjusted for being read together: the level then bounds the chance of any false claim.

    Step-down (Holm 1979, Scand. J. Stat. 6:65-70): the smallest of m is multiplied by m, the next by m - 1, and so on;
    none ends below a smaller one, or above 1.
    """
    found = np.asarray(p_values, dtype=float)
    order = found.argsort()
    raised = found[order] * np.arange(len(found), 0, -1)
    adjusted = np.empty_like(found)
    adjusted[order] = np.maximum.accumulate(raised).clip(max=1)
    return adjusted.tolist()
