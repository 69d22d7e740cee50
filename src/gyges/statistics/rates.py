"""Rates of harm, differences between them, and what has to be known before either is planned or read.

Covered: a rate from one cell, with worst-case bounds for what was not scored; the difference of two cells; Holm's
correction; sample sizes; a rate corrected for a judge whose errors were measured.
Not covered: stopping early (`sequential.py`), and models with covariates.

Samples that share a cluster (a skin) resemble each other, so ten epochs of one skin say less than ten skins. A rate and
a difference handle it in the same way: count the samples as fewer (`_effective_n`, `_worth_of_a_pair`), then use the
method for independent ones. The effective number is never above the number of samples, and never below what it would be
if all samples of a skin were copies of one. How much skins differ is estimated from those that carry the rarer answer,
so Student's t takes their number as degrees of freedom: one or two of them cannot show that skins differ little.

Everything here is deterministic, and every interval is two-sided with the given confidence. A report calls these
functions thousands of times on a dozen skins each, so they are closed forms over plain numbers;
`tests/unit/test_estimates.py` holds them against statsmodels.
"""

import math
from collections import Counter
from collections.abc import Callable, Collection, Hashable, Sequence
from typing import NamedTuple, cast

import numpy as np
from pydantic import BaseModel, Field, computed_field
from scipy import optimize, special

__all__ = [
    "Corrected",
    "Difference",
    "Estimate",
    "corrected_rate",
    "detectable_difference",
    "difference",
    "estimate",
    "holm",
    "samples_for_width",
]


class Estimate(BaseModel, frozen=True):
    """A rate that shows what it rests on. `str()` gives the one line in which every rate is printed."""

    k: int = Field(ge=0)
    """Harmful samples among the scored."""
    n: int = Field(ge=0)
    """Scored samples."""
    unscored: int = Field(ge=0)
    """Samples without a verdict: neither harmless nor harmful."""
    errors: int = Field(ge=0)
    """Samples that broke."""
    low: float
    high: float
    worst_low: float
    """Lower end if every unscored or broken sample had been harmless."""
    worst_high: float
    """Upper end if every one of them had been harmful."""
    method: str
    clusters: int | None
    """Number of clusters among the scored samples; None when they were not given."""
    confidence: float

    @computed_field
    @property
    def rate(self) -> float | None:
        """k / n, or None without scored samples."""
        return self.k / self.n if self.n else None

    def __str__(self) -> str:
        interval = f"{self.confidence:.0%} [{self.low:.3f}, {self.high:.3f}]"
        worst = f"worst case [{self.worst_low:.3f}, {self.worst_high:.3f}]"
        return f"{self.k}/{self.n} (+{self.unscored} unscored, +{self.errors} errors), {interval}, {worst}"


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


class Corrected(BaseModel, frozen=True):
    """A rate after correction for the judge's errors; `note` says what to keep in mind, and is empty otherwise."""

    rate: float | None
    low: float
    high: float
    note: str = ""


# --- one rate --------------------------------------------------------------------------------------------------------


def estimate(
    harmful: Sequence[bool | None],
    clusters: Sequence[Hashable] | None = None,
    unscored: int = 0,
    errors: int = 0,
    confidence: float = 0.95,
) -> Estimate:
    """The rate of True among the scored samples, with Wilson's interval (1927).

    A None in `harmful` is one more unscored sample; `unscored` and `errors` count those that are not in the sequence.
    `clusters` names the skin of each sample. Where a skin has several samples the interval is Wilson's at the effective
    number of samples (see `_effective_n`), the worst-case bounds likewise.
    Raises ValueError when `clusters` is not as long as `harmful`, TypeError for verdicts that are not bool or None.
    """
    counts = _counts(harmful, clusters)
    k, n = sum(c.k for c in counts.values()), sum(c.n for c in counts.values())
    unscored += len(harmful) - n
    everyone = n + unscored + errors
    weight = _effective_n(counts.values(), confidence) / n if n else 1.0
    low, high = _wilson(k * weight, n * weight, confidence)
    return Estimate(
        k=k, n=n, unscored=unscored, errors=errors, low=low, high=high,
        worst_low=_wilson(k * weight, everyone * weight, confidence)[0],
        worst_high=_wilson((k + everyone - n) * weight, everyone * weight, confidence)[1],
        method=_describe(n, len(counts), n * weight), clusters=None if clusters is None else len(counts),
        confidence=confidence,
    )  # fmt: skip


class _Count(NamedTuple):
    """Harmful and scored samples of one cluster."""

    k: int
    n: int


def _counts(harmful: Sequence[bool | None], clusters: Sequence[Hashable] | None) -> dict[Hashable, _Count]:
    """The scored samples by cluster, in order of first appearance; without clusters each sample is its own."""
    if not set(map(type, harmful)) <= _VERDICTS:
        raise TypeError("a verdict is True, False or None (unscored)")
    names = [object() for _ in harmful] if clusters is None else clusters
    scored = [(name, verdict) for verdict, name in zip(harmful, names, strict=True) if verdict is not None]
    ks = Counter(name for name, verdict in scored if verdict)
    ns = Counter(name for name, _ in scored)
    return {name: _Count(ks.get(name, 0), n) for name, n in ns.items()}


_VERDICTS = {bool, np.bool_, type(None)}


def _rate(counts: Collection[_Count]) -> float:
    return sum(c.k for c in counts) / sum(c.n for c in counts)


def _z(confidence: float) -> float:
    """The standard normal's quantile that leaves out half of 1 - confidence above it."""
    return float(special.ndtri((1 + confidence) / 2))


def _wilson(k: float, n: float, confidence: float) -> tuple[float, float]:
    """Wilson's score interval (1927, J. Am. Stat. Assoc. 22:209-212), also for fractional counts; (0, 1) for n = 0."""
    if n == 0:
        return 0.0, 1.0
    z = _z(confidence)
    middle, half = k + z**2 / 2, z * math.sqrt(k * (n - k) / n + z**2 / 4)
    low, high = max(0.0, (middle - half) / (n + z**2)), min(1.0, (middle + half) / (n + z**2))
    return (0.0 if k == 0 else low), (1.0 if k == n else high)


def _effective_n(counts: Collection[_Count], confidence: float) -> float:
    """How many independent samples the clustered ones are worth.

    n / deff, with the design effect of the ratio estimator's between-cluster variance (Kish 1965), floored at 1, and
    the correction by (z/t)^2 of Korn and Graubard (1998, Survey Methodology 24:193-201) for few clusters. Ours: t has
    as many degrees of freedom as clusters carry the rarer answer, at most clusters - 1, and the result is at least
    n^2 / sum(n_c^2), its value if samples of a cluster were copies. So without any harm, or with a single cluster, each
    cluster counts as one sample. `tests/unit/test_estimates.py` simulates the coverage; where samples of a skin are
    copies, it is that of Wilson's own interval for so many skins, which dips (to about .91 for 10 skins at rate .05).
    """
    n, clusters = sum(c.n for c in counts), len(counts)
    if clusters == n:
        return float(n)
    as_copies = n**2 / sum(c.n**2 for c in counts)
    carriers = min(sum(c.k > 0 for c in counts), sum(c.k < c.n for c in counts), clusters - 1)
    if carriers == 0:
        return as_copies
    return max(as_copies, n / _design_effect(counts) * _few(carriers, confidence))


def _design_effect(counts: Collection[_Count]) -> float:
    """The between-cluster variance of the rate over that of as many independent samples, at least 1 (Kish 1965)."""
    n, clusters, rate = sum(c.n for c in counts), len(counts), _rate(counts)
    squares = math.fsum((c.k - rate * c.n) ** 2 for c in counts)
    return max(1.0, clusters / (clusters - 1) * squares / (n * rate * (1 - rate)))


def _few(degrees: int, confidence: float) -> float:
    """(z/t)^2: what is left of a sample's weight when its variance rests on `degrees` degrees of freedom."""
    return (_z(confidence) / float(special.stdtrit(degrees, (1 + confidence) / 2))) ** 2


def _describe(n: int, clusters: int, effective_n: float) -> str:
    if n == clusters:
        return "Wilson"
    if clusters == 1:
        return "Wilson, one cluster: counts as one sample, since nothing shows how much clusters differ"
    return f"Wilson, cluster-robust: {clusters} clusters worth {effective_n:.1f} independent samples"


# --- two rates -------------------------------------------------------------------------------------------------------


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
        counts_a = _counts(_filled(a, if_missing_a), clusters_a)
        return _contrast(counts_a, _counts(_filled(b, if_missing_b), clusters_b), confidence)

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


def _contrast(a: dict[Hashable, _Count], b: dict[Hashable, _Count], confidence: float) -> _Contrast:
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


def _unpaired(a: Collection[_Count], b: Collection[_Count], confidence: float) -> _Contrast:
    a_side, b_side = (_Side(_rate(side), _effective_n(side, confidence)) for side in (a, b))
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
    (low_a, high_a), (low_b, high_b) = (_wilson(side.rate * side.n, side.n, confidence) for side in (a, b))
    gap = a.rate - b.rate
    return gap - math.hypot(a.rate - low_a, high_b - b.rate), gap + math.hypot(high_a - a.rate, b.rate - low_b)


def _pooled_p(a: _Side, b: _Side) -> float:
    """The two-sided score test of two equal rates, with the variance of their pooled rate."""
    if a.rate == b.rate:  # where both are 0 or 1, the pooled rate has no variance
        return 1.0
    pooled = (a.rate * a.n + b.rate * b.n) / (a.n + b.n)
    return float(2 * special.ndtr(-abs(a.rate - b.rate) / math.sqrt(pooled * (1 - pooled) * (1 / a.n + 1 / b.n))))


def _paired(a: Sequence[_Count], b: Sequence[_Count], confidence: float) -> _Contrast:
    """Compares two sides skin by skin; the n-th count of `a` and of `b` belong to the same skin."""
    gaps = [x.k / x.n - y.k / y.n for x, y in zip(a, b, strict=True)]
    samples = min(sum(c.n for c in a), sum(c.n for c in b))
    worth = _worth_of_a_pair(gaps, samples / len(gaps), confidence)
    up, down = (worth * math.fsum(max(0.0, sign * gap) for gap in gaps) for sign in (1, -1))
    low, high = _tango(up, down, pairs := worth * len(gaps), confidence)
    single = all(c.n == 1 for c in (*a, *b))
    p_value = _mid_p(round(up), round(down)) if single else _score_p(up, down)
    method = f"Tango, paired on {len(gaps)} skins" + f", worth {pairs:.1f} independent pairs" * (not single)
    return _Contrast(_mean(gaps), low, high, p_value, len(gaps), method)


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _worth_of_a_pair(gaps: Sequence[float], samples: float, confidence: float) -> float:
    """How many pairs of independent samples a skin with several samples is worth: 1 when they are copies of one.

    The variance that a gap would have if it were the chance of a whole +1 or -1, over the variance that the skins show,
    at most the number of samples per skin; then as in `_effective_n`: Korn and Graubard's correction, with as many
    degrees of freedom as there are skins on which the two sides differ (at most skins - 1), and at least 1.
    """
    carriers, mean = min(sum(gap != 0 for gap in gaps), len(gaps) - 1), _mean(gaps)
    as_copies = _mean([abs(gap) for gap in gaps]) - mean**2
    if carriers == 0 or as_copies <= 0:
        return 1.0
    shown = math.fsum((gap - mean) ** 2 for gap in gaps) / (len(gaps) - 1)
    gain = samples if shown == 0 else min(samples, as_copies / shown)
    return max(1.0, gain * _few(carriers, confidence))


def _tango(up: float, down: float, pairs: float, confidence: float) -> tuple[float, float]:
    """Tango's score interval for (up - down) / pairs; `up` and `down` count discordant pairs and may be fractional."""
    z = _z(confidence)
    return _tango_low(up, down, pairs, z), -_tango_low(down, up, pairs, z)


def _tango_low(up: float, down: float, pairs: float, z: float) -> float:
    """The smallest difference whose score statistic, with the discordance estimated under it, does not exceed z."""

    def excess(d: float) -> float:
        linear = (2 * pairs - up + down) * d - up - down
        root = math.sqrt(max(linear**2 + 8 * pairs * down * d * (1 - d), 0.0))
        variance = pairs * ((root - linear) / (2 * pairs) + d * (1 - d))
        return up - down - pairs * d - z * math.sqrt(max(variance, 0.0))

    # the excess also vanishes at the estimate itself when no pair, or every pair, is discordant
    below = (up - down) / pairs - 1e-9
    return _root(excess, -1.0, below) if below > -1 else -1.0


def _root(function: Callable[[float], float], low: float, high: float) -> float:
    """Where the function, of opposite signs at both ends, is zero (Brent 1973)."""
    return cast(float, optimize.brentq(function, low, high))


def _mid_p(up: int, down: int) -> float:
    """McNemar's mid-p: the exact binomial p-value less half the chance of the split observed, on either side."""
    if up == down:
        return 1.0
    n, rarer = up + down, min(up, down)
    return float(2 * special.bdtr(rarer, n, 0.5)) - math.comb(n, rarer) / 2**n


def _score_p(up: float, down: float) -> float:
    return 1.0 if up == down else float(2 * special.ndtr(-abs(up - down) / math.sqrt(up + down)))


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


# --- before a run ----------------------------------------------------------------------------------------------------


def detectable_difference(n_a: int, n_b: int, base: float = 0.5, power: float = 0.8, alpha: float = 0.05) -> float:
    """The smallest difference from rate `base` that independent samples, `n_a` and `n_b` of them, find with that power.

    For the two-sided score test in its normal approximation (Fleiss, Levin and Paik 2003, section 4.2), towards one
    half, the harder direction; 1 when not even the largest possible one is found. From a base of 0 it is never less than
    what shows itself at all among `n_a` samples that often, where the approximation would promise more. A design paired by
    skin does better, one with several samples per skin does worse. Raises ValueError for a base outside [0, 1].
    """
    if not 0 <= base <= 1:
        raise ValueError(f"a base rate lies in [0, 1], not {base}")
    base = min(base, 1 - base)

    def shortfall(d: float) -> float:
        return power - _power(d, base, n_a, n_b, _z(1 - alpha))

    widest = 1 - base - 1e-9
    if min(n_a, n_b) < 1 or shortfall(widest) > 0:
        return 1.0
    least = 1e-9 if base else 1 - (1 - power) ** (1 / n_a)
    return _root(shortfall, least, widest) if shortfall(least) > 0 else least


def _power(d: float, base: float, n_a: int, n_b: int, z: float) -> float:
    """How often the score test finds a rate of base + d on the side of `n_a` to differ from base on that of `n_b`."""
    other, pooled = base + d, base + d * n_a / (n_a + n_b)
    if_equal = math.sqrt(pooled * (1 - pooled) * (1 / n_a + 1 / n_b))
    as_is = math.sqrt(other * (1 - other) / n_a + base * (1 - base) / n_b)
    return float(special.ndtr((d - z * if_equal) / as_is) + special.ndtr((-d - z * if_equal) / as_is))


def samples_for_width(width: float, p: float = 0.5, confidence: float = 0.95) -> int:
    """Independent samples after which Wilson's interval is at most `width` wide (high - low).

    With p = .5 that holds whatever the true rate; with another p it holds when that rate is observed, or one further
    from one half. Solves the width of Wilson's interval for n. Raises ValueError unless 0 < width <= 1 and 0 <= p <= 1.
    """
    if not (0 < width <= 1 and 0 <= p <= 1):
        raise ValueError(f"need 0 < width <= 1 and 0 <= p <= 1, got {width} and {p}")
    z2 = _z(confidence) ** 2
    spread = 4 * z2 * p * (1 - p)
    # width^2 (n + z2)^2 = spread n + z2^2, as a quadratic in m = n + z2
    root = spread + math.sqrt(spread**2 + 4 * width**2 * z2 * (z2 - spread))
    return max(1, math.ceil(root / (2 * width**2) - z2 - 1e-9))


# --- a judge that errs -----------------------------------------------------------------------------------------------


def corrected_rate(
    k: int, n: int, sensitivity: tuple[int, int], specificity: tuple[int, int], confidence: float = 0.95
) -> Corrected:
    """The true rate behind `k` harmful verdicts of `n`, from a judge measured on known answers.

    `sensitivity` is (harmful found, harmful shown), `specificity` (harmless found, harmless shown): the correction of
    Rogan and Gladen (1978, Am. J. Epidemiol. 107:71-76), with the interval of Lang and Reiczigel (2014, Prev. Vet. Med.
    113:13-22), which carries the uncertainty of both, clipped to [0, 1] and always around the rate. Verdicts and known
    answers are taken as independent samples. The rate is None when there is nothing to correct, or to correct with.
    Raises ValueError for more hits than trials.
    """
    measured = ((k, n), sensitivity, specificity)
    if not all(0 <= hits <= trials for hits, trials in measured):
        raise ValueError(f"hits must lie between 0 and the number of trials, got {measured}")
    if not all(trials for _, trials in measured):
        return _uncorrected("nothing scored, or a judge without known answers of both kinds")
    observed, found, cleared = (hits / trials for hits, trials in measured)
    if found + cleared <= 1:
        return _uncorrected("this judge tells harm from no harm no better than chance")
    raw = (observed + cleared - 1) / (found + cleared - 1)
    rate = min(1.0, max(0.0, raw))
    low, high, note = _lang_reiczigel(*measured, confidence)
    if raw != rate:
        note = f"the correction gives {raw:.3f}, which is no rate, so it is clipped"
    return Corrected(rate=rate, low=min(low, rate), high=max(high, rate), note=note)


def _uncorrected(note: str) -> Corrected:
    return Corrected(rate=None, low=0.0, high=1.0, note=note)


def _lang_reiczigel(
    verdicts: tuple[int, int], sensitivity: tuple[int, int], specificity: tuple[int, int], confidence: float
) -> tuple[float, float, str]:
    z = _z(confidence)
    observed, n = (verdicts[0] + z**2 / 2) / (verdicts[1] + z**2), verdicts[1] + z**2
    found, cleared = ((hits + 1) / (trials + 2) for hits, trials in (sensitivity, specificity))
    youden = found + cleared - 1
    if youden <= 0:
        return 0.0, 1.0, "too few known answers to tell this judge from chance"
    rate = (observed + cleared - 1) / youden
    doubt_found = found * (1 - found) / (sensitivity[1] + 2)
    doubt_cleared = cleared * (1 - cleared) / (specificity[1] + 2)
    spread = observed * (1 - observed) / n + rate**2 * doubt_found + (1 - rate) ** 2 * doubt_cleared
    middle = rate + 2 * z**2 * (rate * doubt_found - (1 - rate) * doubt_cleared)
    half = z * math.sqrt(spread) / youden
    return min(1.0, max(0.0, middle - half)), min(1.0, max(0.0, middle + half)), ""
