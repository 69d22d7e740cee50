"""Rewards and monitors over a batch of completions, in which a failure is a third outcome beside high and low.

A reward that raises, or is None or not a number, says nothing about the completion: the completion is masked (no gradient, no share in its
group's mean) and counted. A function that raises for a batch is asked again row by row, so that one row does not silence the others.
Not covered: time limits, which belong to the grader; isolation of what a model wrote, likewise.
"""

import asyncio
import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Value = float | None
Told = Callable[[str], None]


@dataclass(frozen=True)
class Batch:
    """Completions to be judged; `columns` are the rows' further fields. All sequences have one entry for each completion."""

    prompts: Sequence[Any]
    completions: Sequence[Any]
    completion_ids: Sequence[Sequence[int]]
    columns: Mapping[str, Sequence[Any]]

    def one(self, i: int) -> "Batch":
        """The batch of one completion."""
        columns = {name: [values[i]] for name, values in self.columns.items()}
        return Batch([self.prompts[i]], [self.completions[i]], [self.completion_ids[i]], columns)


@dataclass(frozen=True)
class Scored:
    """What the functions said: for each completion a value by name, and whether it is masked."""

    values: list[dict[str, Value]]
    masked: list[bool]


class Panel:
    """Reward functions and monitors, asked together.

    Args:
        functions: by name, with TRL's signature: `f(prompts, completions, completion_ids, **columns) -> list[float | None]`, or async.
        weights: by name; a function that is not in it is a monitor, whose failures mask nothing.
        told: hears of the first failure of each function.
    """

    def __init__(self, functions: Mapping[str, Callable[..., Any]], weights: Mapping[str, float], told: Told) -> None:
        self.functions, self.weights, self.told = functions, weights, told
        self.failed: set[str] = set()

    def score(self, batch: Batch) -> Scored:
        """Ask all functions about all completions."""
        columns = {name: self._ask(name, function, batch) for name, function in self.functions.items()}
        values = [{name: column[i] for name, column in columns.items()} for i in range(len(batch.completions))]
        return Scored(values, [any(row[name] is None for name in self.weights) for row in values])

    def total(self, row: Mapping[str, Value]) -> float:
        """The weighted sum of a completion that is not masked."""
        return sum(weight * (row[name] or 0.0) for name, weight in self.weights.items())

    def _ask(self, name: str, function: Callable[..., Any], batch: Batch) -> list[Value]:
        """The values for a batch, row by row where the function fails for it as a whole."""
        found = self._try(name, function, batch)
        if found is not None:
            return found
        alone = [self._try(name, function, batch.one(i)) for i in range(len(batch.completions))]
        return [values[0] if values else None for values in alone]

    def _try(self, name: str, function: Callable[..., Any], batch: Batch) -> list[Value] | None:
        try:
            return _values(function, batch)
        except Exception as error:  # whatever a grader raises is a failure of the grader
            why = f"{type(error).__name__}: {error}"
        if name not in self.failed:
            self.failed.add(name)
            self.told(f"note: {name} failed ({why}); completions that it cannot judge are masked and counted")
        return None


def _values(function: Callable[..., Any], batch: Batch) -> list[Value]:
    given = function(
        prompts=batch.prompts, completions=batch.completions, completion_ids=batch.completion_ids, **batch.columns
    )
    found = asyncio.run(given) if inspect.iscoroutine(given) else given
    if len(found) != len(batch.completions):
        raise ValueError(f"{len(found)} values for {len(batch.completions)} completions")
    return [None if value is None or not math.isfinite(float(value)) else float(value) for value in found]


class Signal:
    """How much there was to learn from in each step: groups, groups whose completions all got one reward, masked completions.

    Args:
        panel: adds the rewards up.
        group: completions of one prompt, which follow one another.
    """

    def __init__(self, panel: Panel, group: int) -> None:
        self.panel, self.group = panel, group

    def of(self, scored: Scored) -> dict[str, Any]:
        """The counts of one step, and the failures of each function that had any."""
        starts = range(0, len(scored.values), self.group)
        groups = [
            [self.panel.total(scored.values[i]) for i in range(start, start + self.group) if not scored.masked[i]]
            for start in starts
        ]
        failed = {name: sum(row[name] is None for row in scored.values) for name in self.panel.functions}
        return {
            "groups": len(groups), "zero_variance_groups": sum(len(set(rewards)) < 2 for rewards in groups),
            "masked": sum(scored.masked), **{f"failed/{name}": n for name, n in failed.items() if n},
        }  # fmt: skip
