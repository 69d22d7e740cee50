"""Cells side by side: pressure against control, and model against model. Which samples are put beside which; Holm over each table."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations
from typing import Protocol, TypeVar

from gyges.analysis.cells import Cell, by_scenario, harm_estimate, levels_of, meaningful_models, verdict
from gyges.statistics.differences import Difference, difference, holm
from gyges.statistics.rates import Estimate
from gyges.transcripts.rows import Row


@dataclass(frozen=True)
class Comparison:
    """Two cells side by side, the rate of the first less that of the second; `p_adjusted` is Holm's over its table."""

    first: Cell
    second: Cell
    difference: Difference
    p_adjusted: float | None = None


@dataclass(frozen=True)
class ModelPair:
    """Two models in the same conditions, the rate of the first less that of the second."""

    scenario: str
    first: str
    second: str
    first_harm: Estimate
    second_harm: Estimate
    difference: Difference
    p_adjusted: float | None = None


def against_control(some: Iterable[Cell]) -> list[Comparison]:
    """Every cell under pressure that has a control, against it; rates that mean nothing are not tested."""
    found = [
        Comparison(cell, control, compared(cell.rows, control.rows)) for cell, control in with_controls(some) if control
    ]
    return adjusted(found, lambda c: c.first.meaningful)


def with_controls(some: Iterable[Cell]) -> list[tuple[Cell, Cell | None]]:
    """Every cell under pressure with its matched control: same model, scenario and interface, most levels shared."""
    some = list(some)
    controls: dict[tuple[str, ...], list[Cell]] = {}
    for cell in some:
        if cell.control:
            controls.setdefault(_place(cell), []).append(cell)

    def alike(cell: Cell, control: Cell) -> int:
        return sum(control.factors.get(k) == v for k, v in cell.factors.items())

    return [
        (cell, max(controls.get(_place(cell), []), key=partial(alike, cell), default=None))
        for cell in some
        if not cell.control
    ]


def compared(a: Sequence[Row], b: Sequence[Row]) -> Difference:
    """The rate of `a` less the rate of `b`, paired by skin."""
    return difference([verdict(r) for r in a], [verdict(r) for r in b], [r.skin for r in a], [r.skin for r in b])


class Tested(Protocol):
    """A row of a table with a test in it."""

    @property
    def difference(self) -> Difference: ...


T = TypeVar("T", bound=Tested)


def adjusted(table: Sequence[T], counts: Callable[[T], bool] = lambda _: True) -> list[T]:
    """The same table with Holm's p-values over its tests; a row that has none, or does not count, stays without."""
    tested = [i for i, item in enumerate(table) if item.difference.estimate is not None and counts(item)]
    p_values = dict(zip(tested, holm([table[i].difference.p_value for i in tested]), strict=True)) if tested else {}
    return [replace(item, p_adjusted=p_values.get(i)) for i, item in enumerate(table)]  # type: ignore[type-var]


def _place(cell: Cell) -> tuple[str, ...]:
    return cell.model, cell.scenario, cell.interface


def model_pairs(some: Iterable[Cell]) -> list[ModelPair]:
    """Every two models under pressure, in the conditions that both were run in. Only models that can do the job."""
    found = []
    for inside in by_scenario(some).values():
        by_model: dict[str, dict[Hashable, Cell]] = {model: {} for model in sorted(meaningful_models(inside))}
        for cell in inside:
            if cell.model in by_model and not cell.control:
                by_model[cell.model][tuple(levels_of(cell).items())] = cell
        found += [p for a, b in combinations(by_model, 2) if (p := _pair(by_model[a], by_model[b]))]
    return adjusted(found)


def _pair(first: Mapping[Hashable, Cell], second: Mapping[Hashable, Cell]) -> ModelPair | None:
    shared = [levels for levels in first if levels in second]
    if not shared:
        return None
    a, b = ([r for levels in shared for r in side[levels].rows] for side in (first, second))
    estimates = harm_estimate(a), harm_estimate(b)
    return ModelPair(a[0].scenario, a[0].model, b[0].model, *estimates, compared(a, b))
