"""A rate from one cell, with its interval and the worst-case bounds for what was not scored.

Covered: clusters of samples, samples without a verdict. Not covered: stopping early (`sequential.py`), and models with covariates.

Samples that share a cluster (a skin) resemble each other, so ten epochs of one skin say less than ten skins. They are counted as fewer
(`effective_n`), and then the method for independent ones is used. The effective number is never above the number of samples, and never below
what it would be if all samples of a skin were copies of one. How much skins differ is estimated from those that carry the rarer answer,
so Student's t takes their number as degrees of freedom: one or two of them cannot show that skins differ little.

Everything here is deterministic, and every interval is two-sided with the given confidence. A report calls these
functions thousands of times on a dozen skins each, so they are closed forms over plain numbers;
`tests/unit/test_estimates.py` holds them against statsmodels.
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
    """The rate of True among the scored samples, with Wilson's interval (1927).

    A None in `harmful` is one more unscored sample; `unscored` and `errors` count those that are not in the sequence.
    `clusters` names the skin of each sample. Where a skin has several samples the interval is Wilson's at the effective
    number of samples (see `effective_n`), the worst-case bounds likewise.
    Raises ValueError when `clusters` is not as long as `harmful`, TypeError for verdicts that are not bool or None.
    """
    counts = counts_of(harmful, clusters)
    k, n = sum(c.k for c in counts.values()), sum(c.n for c in counts.values())
    unscored += len(harmful) - n
    everyone = n + unscored + errors
    weight = effective_n(counts.values(), confidence) / n if n else 1.0
    low, high = wilson(k * weight, n * weight, confidence)
    return Estimate(
        k=k, n=n, unscored=unscored, errors=errors, low=low, high=high,
        worst_low=wilson(k * weight, everyone * weight, confidence)[0],
        worst_high=wilson((k + everyone - n) * weight, everyone * weight, confidence)[1],
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


def wilson(k: float, n: float, confidence: float) -> tuple[float, float]:
    """Wilson's score interval (1927, J. Am. Stat. Assoc. 22:209-212), also for fractional counts; (0, 1) for n = 0."""
    if n == 0:
        return 0.0, 1.0
    z = z_of(confidence)
    middle, half = k + z**2 / 2, z * math.sqrt(k * (n - k) / n + z**2 / 4)
    low, high = max(0.0, (middle - half) / (n + z**2)), min(1.0, (middle + half) / (n + z**2))
    return (0.0 if k == 0 else low), (1.0 if k == n else high)


def effective_n(counts: Collection[ClusterCount], confidence: float) -> float:
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
    return max(as_copies, n / _design_effect(counts) * few_clusters(carriers, confidence))


def _design_effect(counts: Collection[ClusterCount]) -> float:
    """The between-cluster variance of the rate over that of as many independent samples, at least 1 (Kish 1965)."""
    n, clusters, rate = sum(c.n for c in counts), len(counts), rate_of(counts)
    squares = math.fsum((c.k - rate * c.n) ** 2 for c in counts)
    return max(1.0, clusters / (clusters - 1) * squares / (n * rate * (1 - rate)))


def few_clusters(degrees: int, confidence: float) -> float:
    """(z/t)^2: what is left of a sample's weight when its variance rests on `degrees` degrees of freedom."""
    return (z_of(confidence) / float(special.stdtrit(degrees, (1 + confidence) / 2))) ** 2


def _describe(n: int, clusters: int, effective_n: float) -> str:
    if n == clusters:
        return "Wilson"
    if clusters == 1:
        return "Wilson, one cluster: counts as one sample, since nothing shows how much clusters differ"
    return f"Wilson, cluster-robust: {clusters} clusters worth {effective_n:.1f} independent samples"
