"""From what arms measured to what a study found: rates per seed, claims held against them, words.

A seed is one whole run of the chain, from its corpus on; seeds, not samples, are what an interval of a study is over, since seeds differ more than
samples do. With one seed there is no interval and a claim is at most seen in direction.
"""

import math
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from gyges.statistics.seeds import Count, Spread, log_spread, spread

Rates = Mapping[str, Mapping[str, float]]
"""Of one seed: a rate by arm and measure; what is missing is not there."""


@dataclass(frozen=True)
class Readings:
    """What was measured: counts by arm, measure and seed."""

    counts: Mapping[tuple[str, str, int], Count]

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds of which there is anything."""
        return tuple(sorted({seed for _, _, seed in self.counts}))

    def over_seeds(self, arm: str, measure: str) -> "Spread | None":
        """The mean rate of an arm over its seeds, or None where it was not measured."""
        found = self.of(arm, measure)
        return spread([count.rate for count in found]) if found else None

    def of(self, arm: str, measure: str) -> list[Count]:
        """What was measured of an arm: a count for each seed, or one if they are all the same measurement."""
        found = {c.source or seed: c for (a, m, seed), c in self.counts.items() if (a, m) == (arm, measure)}
        return list(found.values())

    def difference(self, arm: str, reference: str, measure: str) -> "Spread | None":
        """An arm less a reference, seed by seed and then over seeds; None where no seed has both."""
        values = self.each(lambda rates: rates[arm][measure] - rates[reference][measure])
        return spread(values) if values else None

    def each(self, value: "Callable[[Rates], float]") -> list[float]:
        """A figure of each seed that has what it asks for. Seeds in which it rests on the same measurements are one: repeated, they would pass for agreement."""
        found: dict[Hashable, float] = {}
        for seed in self.seeds:
            asked: list[Hashable] = []
            try:
                arms: dict[str, dict[str, Count]] = {}
                for (arm, measure, of), count in self.counts.items():
                    if of == seed:
                        arms.setdefault(arm, {})[measure] = count
                figure = value({arm: _Noting(counts, seed, asked) for arm, counts in arms.items()})
            except KeyError:
                continue
            except ZeroDivisionError:  # measured against nothing
                figure = math.nan
            found.setdefault(tuple(asked), figure)
        return list(found.values())


class _Noting(Mapping[str, float]):
    """The rates of an arm by measure; each that is asked for is noted by its measurement, or by its seed where that is not known."""

    def __init__(self, counts: Mapping[str, Count], seed: int, asked: list[Hashable]) -> None:
        self.counts, self.seed, self.asked = counts, seed, asked

    def __getitem__(self, measure: str) -> float:
        count = self.counts[measure]
        self.asked.append(count.source or self.seed)
        return count.rate

    def __iter__(self) -> Iterator[str]:
        return iter(self.counts)

    def __len__(self) -> int:
        return len(self.counts)


@dataclass(frozen=True)
class Claim:
    """What was expected, stated before anything was run.

    Args:
        name: short.
        text: in words, with the threshold.
        value: the figure of one seed from its rates; a KeyError means that an arm is missing.
        least, most: what the figure must reach or stay under; one of them.
        unit: how the figure is written: `times` (intervals are found on a log scale), `share` or `points`.
        published: the key of the published figure that it repeats, if there is one.
    """

    name: str
    text: str
    value: Callable[[Rates], float]
    least: float = -math.inf
    most: float = math.inf
    unit: str = "share"
    published: str = ""


class Standing(StrEnum):
    """How a claim stands. With one seed there is no interval, so only the side of the threshold is known."""

    HOLDS = "holds"
    FAILS = "does not hold"
    OPEN = "open"
    NOT_RUN = "not run"
    AS_EXPECTED = "as expected (one seed)"
    NOT_AS_EXPECTED = "not as expected (one seed)"

    @property
    def confirms(self) -> bool:
        """Whether the figure lies where the claim says."""
        return self in (Standing.HOLDS, Standing.AS_EXPECTED)

    @property
    def contradicts(self) -> bool:
        """Whether it lies on the other side."""
        return self in (Standing.FAILS, Standing.NOT_AS_EXPECTED)


class ClaimResult(NamedTuple):
    """A claim beside what was found: the figure over seeds, and how it stands."""

    claim: Claim
    found: Spread | None
    standing: Standing


def examine(claim: Claim, readings: Readings) -> ClaimResult:
    """Hold a claim against the readings.

    It holds, or does not, when the whole interval over seeds lies on one side of the threshold; in between it is open.
    """
    values = readings.each(claim.value)
    if not values:
        return ClaimResult(claim, None, Standing.NOT_RUN)
    found = spread(values) if claim.unit != "times" else log_spread(values)
    if math.isnan(found.mean):
        return ClaimResult(claim, found, Standing.OPEN)
    inside = claim.least <= found.mean <= claim.most
    if math.isnan(found.low):
        return ClaimResult(claim, found, Standing.AS_EXPECTED if inside else Standing.NOT_AS_EXPECTED)
    if claim.least <= found.low and found.high <= claim.most:
        return ClaimResult(claim, found, Standing.HOLDS)
    outside = found.high < claim.least or found.low > claim.most
    return ClaimResult(claim, found, Standing.FAILS if outside else Standing.OPEN)


def removed(
    rates: Rates, arm: str, measure: str = "probes", base: str = "pretrained", harmed: str = "hackable"
) -> float:
    """The share of the rise from `base` to `harmed` that an arm does without."""
    low, high, here = rates[base][measure], rates[harmed][measure], rates[arm][measure]
    return 1 - (here - low) / (high - low)


def written(value: float, unit: str) -> str:
    """A figure in its unit, on one line."""
    if math.isnan(value):
        return "not measurable"
    forms = {"times": f"{value:.1f} times", "points": f"{100 * value:+.0f} points"}
    return forms.get(unit, f"{100 * value:.0f}\N{NO-BREAK SPACE}%").replace("-", "\N{MINUS SIGN}")


def told(result: ClaimResult) -> str:
    """What came of a claim, as a sentence."""
    claim, found, standing = result
    if found is None:
        return f"{claim.text} Not run."
    between = (
        ""
        if math.isnan(found.low)
        else f" ({written(found.low, claim.unit)} to {written(found.high, claim.unit)} over {len(found.values)} seeds)"
    )
    return f"{claim.text} Found: {written(found.mean, claim.unit)}{between}: {standing}."
