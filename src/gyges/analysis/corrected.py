"""Rates as the judge's known errors imply them."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from gyges.analysis.cells import Cell
from gyges.judging.calibration import Quality
from gyges.statistics.judge_error import Corrected, corrected_rate


@dataclass(frozen=True)
class CorrectedCell:
    """A raw rate beside the one that the judge's known errors imply; both are None where the judge was not measured."""

    cell: Cell
    quality: Quality | None
    corrected: Corrected | None


def corrected_cells(some: Iterable[Cell], qualities: Collection[Quality]) -> list[CorrectedCell]:
    """Each cell's raw rate with the one corrected for its judge's errors."""
    return [_corrected(cell, quality_of(cell, qualities)) for cell in some]


def quality_of(cell: Cell, qualities: Iterable[Quality]) -> Quality | None:
    """How well this cell's judge was found to decide: in this scenario, or over all where that is not known.

    The ledger stands before every judge and is measured together with it, so it counts only where it decided alone.
    """
    judges = [j for j in cell.judges if j != "ledger"] or list(cell.judges)
    if len(judges) != 1:
        return None
    known = {q.scenario: q for q in qualities if q.judge == judges[0]}
    return known.get(cell.scenario) or known.get("")


def _corrected(cell: Cell, quality: Quality | None) -> CorrectedCell:
    if quality is None or not cell.harm.n:
        return CorrectedCell(cell, quality, None)
    corrected = corrected_rate(
        cell.harm.k, cell.harm.n, sensitivity=quality.sensitivity, specificity=quality.specificity
    )
    return CorrectedCell(cell, quality, corrected)
