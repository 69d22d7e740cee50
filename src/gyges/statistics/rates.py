"""A rate from one cell, with its interval and the worst-case bounds for what was not scored.

Covered: clusters of samples, samples without a verdict. Not covered: stopping early (`sequential.py`), and models with covariates.

The interval is that of Korn and Graubard (1998, Survey Methodology 24:193-201): Clopper and Pearson's exact interval at the number of
independent samples that the samples are worth (`effective_n`). Samples that share a cluster (a skin) resemble each other, so ten epochs of one
skin say less than ten skins. With one sample per skin all of them count, and the interval covers at every rate, the rarest too; Wilson's, though
narrower, holds a rate of .005 in only 90 of 100 cells of 20.

Everything here is deterministic, and every interval is two-sided with the given confidence. A report calls these functions thousands of times on
a dozen skins each, so they are closed forms over plain numbers; `tests/unit/test_estimates.py` holds them against statsmodels, and
`benchmarks/coverage.py` measures how often they hold the rate.
"""

import math
from collections import Counter
from collections.abc import Collection, Hashable, Sequence
from typing import NamedTuple

import numpy as np
from pydantic import BaseModel, Field, computed_field
from scipy import special


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


def estimate(
    harmful: Sequence[bool | None],
    clusters: Sequence[Hashable] | None = None,
    unscored: int = 0,
    errors: int = 0,
    confidence: float = 0.95,
) -> Estimate:
    """The rate of True among the scored samples, with Korn and Graubard's interval.

    A None in `harmful` is one more unscored sample; `unscored` and `errors` count those that are not in the sequence.
    `clusters` names the skin of each sample. The interval is Clopper and Pearson's at the effective number of samples
    (see `effective_n`), the worst-case bounds likewise; with one sample per skin that is the number of samples.
    Raises ValueError when `clusters` is not as long as `harmful`, TypeError for verdicts that are not bool or None.
    """
    counts = counts_of(harmful, clusters)
    k, n = sum(c.k for c in counts.values()), sum(c.n for c in counts.values())
    unscored += len(harmful) - n
    everyone = n + unscored + errors
    weight = effective_n(counts.values(), confidence) / n if n else 1.0
    low, high = clopper_pearson(k * weight, n * weight, confidence)
    return Estimate(
        k=k, n=n, unscored=unscored, errors=errors, low=low, high=high,
        worst_low=clopper_pearson(k * weight, everyone * weight, confidence)[0],
        worst_high=clopper_pearson((k + everyone - n) * weight, everyone * weight, confidence)[1],
        method=_describe(n, len(counts), n * weight), clusters=None if clusters is None else len(counts),
        confidence=confidence,
    )  # fmt: skip


class ClusterCount(NamedTuple):
    """Harmful and scored samples of one cluster."""

    k: int
    n: int


def counts_of(harmful: Sequence[bool | None], clusters: Sequence[Hashable] | None) -> dict[Hashable, ClusterCount]:
    """The scored samples by cluster, in order of first appearance; without clusters each sample is its own."""
    if not set(map(type, harmful)) <= _VERDICTS:
        raise TypeError("a verdict is True, False or None (unscored)")
    names = [object() for _ in harmful] if clusters is None else clusters
    scored = [(name, verdict) for verdict, name in zip(harmful, names, strict=True) if verdict is not None]
    ks = Counter(name for name, verdict in scored if verdict)
    ns = Counter(name for name, _ in scored)
    return {name: ClusterCount(ks.get(name, 0), n) for name, n in ns.items()}


_VERDICTS = {bool, np.bool_, type(None)}


def rate_of(counts: Collection[ClusterCount]) -> float:
    return sum(c.k for c in counts) / sum(c.n for c in counts)


def z_of(confidence: float) -> float:
    """The standard normal's quantile that leaves out half of 1 - confidence above it."""
    return float(special.ndtri((1 + confidence) / 2))


def clopper_pearson(k: float, n: float, confidence: float) -> tuple[float, float]:
    """The exact interval (Clopper and Pearson 1934, Biometrika 26:404-413), also for fractional counts; (0, 1) for n = 0."""
    tail = (1 - confidence) / 2
    low = float(special.betaincinv(k, n - k + 1, tail)) if k > 0 else 0.0
    return low, float(special.betaincinv(k + 1, n - k, 1 - tail)) if k < n else 1.0


def wilson(k: float, n: float, confidence: float) -> tuple[float, float]:
    """Wilson's score interval (1927, J. Am. Stat. Assoc. 22:209-212), also for fractional counts; (0, 1) for n = 0."""
    if n == 0:
        return 0.0, 1.0
    z = z_of(confidence)
    middle, half = k + z**2 / 2, z * math.sqrt(k * (n - k) / n + z**2 / 4)
    low, high = max(0.0, (middle - half) / (n + z**2)), min(1.0, (middle + half) / (n + z**2))
    return (0.0 if k == 0 else low), (1.0 if k == n else high)


def effective_n(counts: Collection[ClusterCount], confidence: float) -> float:
    """How many independent samples the clustered ones are worth: n over the design effect, less for few clusters.

    That is n / deff (z/t)^2, after Korn and Graubard (1998), and at least n^2 / sum(n_c^2), its value if all samples of
    a cluster were copies of one. Ours are the degrees of freedom of t: one less than the number of clusters that carry
    the rarer answer, or than n^2 / sum(n_c^2) where that is smaller. How much clusters differ shows only in those, so
    with harm in none or one of them, or in a single large one, each cluster counts as one sample. Clusters that carry
    unequal shares count as fewer (`_equal_shares`).
    """
    n, clusters = sum(c.n for c in counts), len(counts)
    if clusters == n:
        return float(n)
    as_copies = _equal_shares([c.n for c in counts])
    degrees = min(_equal_shares([c.k for c in counts]), _equal_shares([c.n - c.k for c in counts]), as_copies) - 1
    if degrees < 0.25:  # t is then so large that no sample of fewer than 10^9 would be worth more than its clusters
        return as_copies
    return max(as_copies, n / _design_effect(counts) * few_clusters(degrees, confidence))


def _equal_shares(amounts: Collection[int]) -> float:
    """How many equal amounts are as uneven as these: (sum x)^2 / sum x^2 (Kish 1965); 0 when all are 0."""
    return sum(amounts) ** 2 / max(1, sum(x**2 for x in amounts))


def _design_effect(counts: Collection[ClusterCount]) -> float:
    """1 + (sum(n_c^2) / n - 1) ICC (Donald and Donner 1987, Stat. Med. 6:491-499), with the ICC from the analysis of variance.

    That of the residuals (Kish 1965) is the same for equal clusters, and too small where a few clusters are large.
    """
    n, clusters, rate = sum(c.n for c in counts), len(counts), rate_of(counts)
    mean_size = sum(c.n**2 for c in counts) / n
    between = math.fsum(c.n * (c.k / c.n - rate) ** 2 for c in counts) / (clusters - 1)
    within = math.fsum(c.k * (1 - c.k / c.n) for c in counts) / (n - clusters)
    likeness = (between - within) / (between + ((n - mean_size) / (clusters - 1) - 1) * within)
    return 1 + (mean_size - 1) * max(0.0, likeness)


def few_clusters(degrees: float, confidence: float) -> float:
    """(z/t)^2: what is left of a sample's weight when its variance rests on `degrees` degrees of freedom."""
    return (z_of(confidence) / float(special.stdtrit(degrees, (1 + confidence) / 2))) ** 2


def _describe(n: int, clusters: int, effective_n: float) -> str:
    if n == clusters:
        return "Clopper-Pearson"
    if clusters == 1:
        return "Clopper-Pearson, one cluster: counts as one sample, since nothing shows how much clusters differ"
    return f"Korn-Graubard: {clusters} clusters worth {effective_n:.1f} independent samples"
