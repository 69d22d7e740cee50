"""How often the 95 % interval of a rate holds it, and how wide it is, where samples share clusters (skins).

Two grids of rates, likeness within clusters, numbers and sizes of clusters. `chosen` is the one on which the effective
number of samples (`gyges.statistics.rates.effective_n`) was chosen: clusters whose rates follow a beta distribution.
`fresh` was run once, after that: other rates, sizes and likeness, and two more ways in which clusters come to differ:
log-odds that follow a normal distribution, and clusters that are copies of one sample, each with a given chance, or
else independent. `single` is the same for one sample per cluster, exact instead of simulated, at 600 rates.
Beside each interval's width stands that of Clopper and Pearson's for someone who knows the design effect.

    python benchmarks/coverage.py fresh --runs 2000
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from gyges.statistics.rates import ClusterCount, clopper_pearson, effective_n
from gyges.statistics.roots import root_of

Counts = NDArray[np.int64]
AIM = 0.94
UNEQUAL = ((1, 2, 3, 5, 8, 13, 2, 4, 6, 9, 12, 3), (1, 1, 2, 5, 20, 40), (50, *[1] * 9), (*[20] * 4, *[2] * 16), (2, 5, 10, 30), (*[1] * 50, *[10] * 10))  # fmt: skip
FRESH_UNEQUAL = ((1, 3, 9, 27), (30, 30, *[3] * 13), (*[1] * 20, *[8] * 6), (100, *[4] * 24), tuple(range(1, 36)), (*[1] * 6, 60))  # fmt: skip


@dataclass(frozen=True)
class Grid:
    """Rates, ways in which clusters differ with how strongly, and the clusters' sizes."""

    rates: tuple[float, ...]
    spreads: tuple[tuple[str, float], ...]
    shapes: tuple[tuple[int, ...], ...]


class Row(NamedTuple):
    """What came of one place in a grid; `ratio` is the width over that of someone who knows the design effect."""

    how: str
    spread: float
    rate: float
    shape: tuple[int, ...]
    covered: float
    width: float
    ratio: float


CHOSEN = Grid(
    (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5),
    tuple(("beta", icc) for icc in (0.0, 0.02, 0.1, 0.3, 0.5, 0.8, 0.9)),
    tuple((size,) * number for number in (3, 5, 6, 10, 20, 40, 60) for size in (2, 5, 20, 100)) + UNEQUAL,
)
FRESH = Grid(
    (0.0015, 0.004, 0.007, 0.015, 0.03, 0.07, 0.15, 0.25, 0.4, 0.6, 0.85, 0.98, 0.996, 0.9985),
    tuple((how, icc) for how in ("beta", "copies") for icc in (0.05, 0.2, 0.4, 0.6, 0.85))
    + tuple(("log-odds", sd) for sd in (0.5, 1.0, 2.0, 3.5, 5.0)),
    tuple((size,) * number for number in (4, 7, 15, 25, 50) for size in (3, 10, 40)) + FRESH_UNEQUAL,
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("grid", choices=["chosen", "fresh", "single"])
    parser.add_argument("--runs", type=int, default=2000, help="simulated runs for each place in the grid")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    if args.grid == "single":
        print(single_table())
    else:
        print(table(list(measured(CHOSEN if args.grid == "chosen" else FRESH, args.runs, args.seed))))


# --- clusters --------------------------------------------------------------------------------------------------------


def drawn(rng: np.random.Generator, how: str, spread: float, rate: float, sizes: Counts, runs: int) -> Counts:
    """Harmful samples (runs, clusters) of clusters whose mean rate is `rate`."""
    shape = (runs, len(sizes))
    if how == "copies":
        as_one = rng.random(shape) < spread
        return np.where(as_one, sizes * (rng.random(shape) < rate), rng.binomial(sizes, rate, shape))
    if how == "log-odds":
        return rng.binomial(sizes, special.expit(centre(rate, spread) + spread * rng.normal(size=shape)))
    if spread == 0:
        return rng.binomial(sizes, rate, shape)
    weight = 1 / spread - 1
    return rng.binomial(sizes, special.betaincinv(rate * weight, (1 - rate) * weight, rng.random(shape)))


NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(100)


def centre(rate: float, sd: float) -> float:
    """The mean log-odds with which rates average to `rate`."""
    return root_of(lambda mean: float(np.average(special.expit(mean + sd * NODES), weights=WEIGHTS)) - rate, -60, 60)


def true_icc(how: str, spread: float, rate: float) -> float:
    if how != "log-odds":
        return spread
    rates = special.expit(centre(rate, spread) + spread * NODES)
    return float(np.average((rates - rate) ** 2, weights=WEIGHTS) / (rate * (1 - rate)))


# --- measuring -------------------------------------------------------------------------------------------------------


def measured(grid: Grid, runs: int, seed: int) -> Iterator[Row]:
    for at, (how, spread) in enumerate(grid.spreads):
        for i, rate in enumerate(grid.rates):
            for j, shape in enumerate(grid.shapes):
                rng, sizes = np.random.default_rng([seed, at, i, j]), np.array(shape)
                k = drawn(rng, how, spread, rate, sizes, runs)
                known = sizes.sum() / (1 + true_icc(how, spread, rate) * ((sizes**2).sum() / sizes.sum() - 1))
                covered, width, best = held(k, sizes, rate, known)
                yield Row(how, spread, rate, shape, covered, width, width / best)


def held(k: Counts, sizes: Counts, rate: float, known: float) -> tuple[float, float, float]:
    """The share of intervals that hold the rate, their mean width, and that of Clopper and Pearson's at `known`."""
    if len(set(sizes)) == 1:  # the order of equal clusters says nothing, so that fewer rows differ
        k = np.sort(k, axis=1)
    rows, times = np.unique(k, axis=0, return_counts=True)
    n, ends = int(sizes.sum()), []
    for row in rows.tolist():
        worth = effective_n([ClusterCount(*pair) for pair in zip(row, sizes.tolist(), strict=True)], 0.95)
        ends.append(
            (*clopper_pearson(sum(row) / n * worth, worth, 0.95), *clopper_pearson(sum(row) / n * known, known, 0.95))
        )
    low, high, best_low, best_high = np.array(ends).T
    means = (
        np.average(what, weights=times) for what in ((low <= rate) & (rate <= high), high - low, best_high - best_low)
    )
    covered, width, best = map(float, means)
    return covered, width, best


# --- telling ---------------------------------------------------------------------------------------------------------


def table(rows: list[Row], worst: int = 12) -> str:
    """A line for each way in which clusters differ and each number of clusters; then the worst places."""
    lines = [f"{'clusters':22}  places  least  mean  below {AIM}  width  width if the design effect is known"]
    hows = sorted({row.how for row in rows})
    for how in hows:
        for low, high in ((3, 6), (7, 15), (20, 35), (40, 61)):
            lines.append(
                line(f"{how}, {low} to {high}", [r for r in rows if r.how == how and low <= len(r.shape) <= high])
            )
    lines.append(line("all", rows))
    for r in sorted(rows, key=lambda r: r.covered)[:worst]:
        lines.append(
            f"{r.covered:.3f} at rate {r.rate}, {r.how} {r.spread}, sizes {sizes_told(r.shape)}, mean width {r.width:.3f}"
        )
    return "\n".join(lines)


def line(name: str, rows: list[Row]) -> str:
    if not rows:
        return f"{name:22}  none"
    covered = np.array([row.covered for row in rows])
    width, ratio = np.mean([row.width for row in rows]), np.median([row.ratio for row in rows])
    return f"{name:22}  {len(rows):6}  {covered.min():.3f}  {covered.mean():.3f}  {(covered < AIM).sum():5}  {width:.3f}  1/{ratio:.2f}"


def sizes_told(shape: tuple[int, ...]) -> str:
    return ", ".join(f"{shape.count(size)} of {size}" for size in dict.fromkeys(shape))


def single_table() -> str:
    """Exact coverage for n independent samples, at rates between .001 and .999 that are close together."""
    odds = np.linspace(special.logit(0.001), special.logit(0.999), 600)
    lines = ["samples  least  mean  mean width at .5"]
    for n in (1, 3, 6, 10, 20, 40, 60, 200, 1000):
        ends = np.array([clopper_pearson(k, n, 0.95) for k in range(n + 1)])
        chance = stats.binom.pmf(np.arange(n + 1), n, special.expit(odds)[:, None])
        inside = (ends[:, 0] <= special.expit(odds)[:, None]) & (special.expit(odds)[:, None] <= ends[:, 1])
        covered = (chance * inside).sum(axis=1)
        width = stats.binom.pmf(np.arange(n + 1), n, 0.5) @ (ends[:, 1] - ends[:, 0])
        lines.append(f"{n:7}  {covered.min():.3f}  {covered.mean():.3f}  {width:.3f}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
