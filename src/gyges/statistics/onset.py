"""Where along a training a rate leaves the level it began at: onset detection over checkpoints.

Covered: one run, counts at some points. The first point from which on every later one is above the start beyond chance: Fisher's exact test of
each point against the start, Holm-adjusted over the points, since all of them are looked at. Not covered: when between two checkpoints it was.
"""

from collections.abc import Sequence
from typing import Any

from scipy import stats

from gyges.statistics.differences import holm
from gyges.statistics.seeds import Count

LEVEL = 0.05


def onset(points: Sequence[tuple[float, Count]]) -> float | None:
    """The x of the onset, or None where the rate does not leave its start for good.

    Args:
        points: (x, counts), in order; the first is the start.
    """
    if len(points) < 2:
        return None
    start, later = points[0][1], points[1:]
    tables = [[[start.k, start.n - start.k], [other.k, other.n - other.k]] for _, other in later]
    tests: list[Any] = [stats.fisher_exact(table) for table in tables]
    adjusted = holm([float(test.pvalue) for test in tests])
    above = [p < LEVEL and count.rate > start.rate for p, (_, count) in zip(adjusted, later, strict=True)]
    held = next((i for i in range(len(above)) if all(above[i:])), None)
    return None if held is None else later[held][0]


def onset_told(what: str, found: Sequence[float | None], unit: str) -> str:
    """One sentence on the onsets of all seeds, e.g. `Bad answers: above the start beyond chance from step 10 on (seed by seed: 10, 15, 10).`"""
    seen = sorted(x for x in found if x is not None)
    each = ", ".join("never" if x is None else f"{x:g}" for x in found)
    if not seen:
        return f"{what}: no lasting rise over the start beyond chance."
    if len(seen) < len(found):
        return f"{what}: above the start beyond chance in {len(seen)} of {len(found)} seeds (from {unit}: {each})."
    seeds = "" if len(found) == 1 else " in every seed" if seen[0] == seen[-1] else f" (seed by seed: {each})"
    return f"{what}: above the start beyond chance from {unit} {seen[(len(seen) - 1) // 2]:g} on{seeds}."
