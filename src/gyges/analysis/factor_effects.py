"""What one level of a factor does, all else equal."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from gyges.analysis.cells import Cell, by_scenario, harm_estimate, levels_of, meaningful_models
from gyges.analysis.comparisons import adjusted, compared
from gyges.scenarios.family import ScenarioInfo
from gyges.statistics.differences import Difference
from gyges.statistics.rates import Estimate


@dataclass(frozen=True)
class FactorEffect:
    """What one level does against the factor's baseline where model, interface and every other factor are equal."""

    scenario: str
    info: ScenarioInfo
    factor: str
    level: str
    baseline: str
    at_level: Estimate
    at_baseline: Estimate
    models: tuple[str, ...]
    difference: Difference
    p_adjusted: float | None = None


def factor_effects(some: Iterable[Cell]) -> list[FactorEffect]:
    """Each level of each factor that varies against its baseline, within strata that share everything else.

    The level's side is under pressure. Models that cannot do the scenario's innocent job are left out: they would only
    dilute the effect. A factor that never moved alone has no row here (`inseparable`).
    """
    found = []
    for inside in by_scenario(some).values():
        able = meaningful_models(inside)
        for factor, levels in varied(inside).items():
            found += _effects_of(factor, levels, [c for c in inside if c.model in able])
    return adjusted(found)


def varied(some: Iterable[Cell]) -> dict[str, list[str]]:
    """Factors with more than one level in these cells, and their levels, the baseline first.

    The baseline is the factor's default, or the first known level where the default was not run.
    """
    some = list(some)
    known = dict(chain.from_iterable(cell.info.factors.items() for cell in some))
    found: dict[str, set[str]] = {}
    for key, level in chain.from_iterable(levels_of(cell).items() for cell in some):
        found.setdefault(key, set()).add(level)
    in_order = sorted(found, key=lambda f: list(known).index(f) if f in known else len(known))
    ranks = {f: {level: i for i, level in enumerate(known.get(f, ()))} for f in in_order}  # the default is the first
    return {
        f: sorted(found[f], key=lambda x: (ranks[f].get(x, len(ranks[f])), x)) for f in in_order if len(found[f]) > 1
    }


def inseparable(some: Iterable[Cell], effects: Iterable[FactorEffect]) -> list[str]:
    """Factors that vary in these cells but never alone, so that their effect cannot be told."""
    seen = {e.factor for e in effects}
    return [factor for factor in varied(some) if factor not in seen]


def _effects_of(factor: str, levels: Sequence[str], some: Iterable[Cell]) -> list[FactorEffect]:
    strata: dict[Hashable, dict[str, Cell]] = {}
    for cell in some:
        others = levels_of(cell)
        level = others.pop(factor, "")
        strata.setdefault((cell.model, *others.items()), {})[level] = cell
    return [e for level in levels[1:] if (e := _effect(factor, level, levels[0], strata.values()))]


def _effect(factor: str, level: str, baseline: str, strata: Iterable[Mapping[str, Cell]]) -> FactorEffect | None:
    """The effect from the strata that have both levels, the first under pressure; None without such a stratum."""
    both = [(s[level], s[baseline]) for s in strata if level in s and baseline in s and not s[level].control]
    if not both:
        return None
    a, b = ([r for pair in both for r in pair[side].rows] for side in (0, 1))
    models = tuple(dict.fromkeys(cell.model for cell, _ in both))
    estimates = harm_estimate(a), harm_estimate(b)
    first = both[0][0]
    return FactorEffect(first.scenario, first.info, factor, level, baseline, *estimates, models, compared(a, b))
