"""What a study needs, in an order in which it can be made, and how it stands: cached, missing, drifted, failed."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from statistics import fmean
from typing import TypeVar

from gyges.errors import UserError
from gyges.studies.identity import values_of
from gyges.studies.results.provenance import drift
from gyges.studies.results.store import ResultRecord, Store, check_values
from gyges.studies.step import Cost, Step

T = TypeVar("T", int, float)


class StepState(Enum):
    """How a step stands: `drifted` is cached, with code that has changed since; `changed` has another value under the same key and is refused."""

    CACHED = "cached"
    DRIFTED = "drifted"
    CHANGED = "changed"
    FAILED = "failed"
    MISSING = "missing"


HAS_RESULT = (StepState.CACHED, StepState.DRIFTED)


@dataclass(frozen=True)
class PlannedStep:
    """One step of a plan: `note` says what has drifted or why it failed; `cost` is expected for steps that are to be run.

    `former` is a result of an earlier version of the step's kind, which stands under another key and is taken over by the next run.
    """

    step: Step
    state: StepState
    note: str = ""
    cost: Cost = field(default_factory=Cost)
    former: ResultRecord | None = None


@dataclass(frozen=True)
class Plan:
    """The steps of a study, each after those that it needs."""

    steps: tuple[PlannedStep, ...]

    @property
    def owed(self) -> tuple[Step, ...]:
        """What is to be run."""
        return tuple(p.step for p in self.steps if p.state not in HAS_RESULT)

    def of(self, *states: StepState) -> tuple[PlannedStep, ...]:
        """The steps in these states."""
        return tuple(p for p in self.steps if p.state in states)

    def cost(self) -> Cost:
        """What is still to be spent, as far as it is known: see `untimed` for the steps that have no part in the seconds."""
        owed = [p.cost for p in self.steps if p.state not in HAS_RESULT]
        return Cost(_sum([c.seconds for c in owed]), _sum([c.tokens for c in owed]), _sum([c.usd for c in owed]))

    @property
    def untimed(self) -> int:
        """How many steps are to be run of which nobody knows how long they take: none of their kind has run yet."""
        return sum(p.cost.seconds is None for p in self.steps if p.state not in HAS_RESULT)


def ordered(targets: Iterable[Step]) -> tuple[Step, ...]:
    """All steps that targets need, themselves included, each once and after what it needs.

    Raises:
        UserError: a field has no stable form, or steps lead back to themselves.
    """
    done: dict[str, Step] = {}
    for target in targets:
        for step in _after_inputs(target, done):
            done[step.key] = step
    return tuple(done.values())


def _after_inputs(target: Step, done: dict[str, Step]) -> Iterator[Step]:
    """Depth first without recursion: chains of thousands of steps are deeper than Python's stack."""
    stack = [(target, iter(target.inputs))]
    seen = {target.key}
    while stack:
        step, inputs = stack[-1]
        wanted = next((s for s in inputs if s.key not in done and s.key not in seen), None)
        if wanted is None:
            stack.pop()
            if step.key not in done:
                yield step
        else:
            seen.add(wanted.key)
            stack.append((wanted, iter(wanted.inputs)))


def plan(targets: Iterable[Step], store: Store) -> Plan:
    """How everything that targets need stands in a store.

    Raises:
        UserError: as `ordered`.
    """
    steps, everything = ordered(targets), list(store.records())
    times, records = mean_seconds(everything), store.read([step.name for step in steps])
    return Plan(tuple(_planned(step, store, records.get(step.name), everything, times) for step in steps))


def _planned(
    step: Step, store: Store, record: ResultRecord | None, everything: Sequence[ResultRecord], times: dict[str, float]
) -> PlannedStep:
    if record is not None:
        try:
            check_values(step, record)
        except UserError as problem:
            return PlannedStep(step, StepState.CHANGED, str(problem))
        changed = drift(step, record)
        return PlannedStep(step, StepState.DRIFTED if changed else StepState.CACHED, changed)
    if former := former_result(step, everything):
        note = f"made by an earlier version of {type(step).__name__} under the key {former.key}; a run takes it over"
        return PlannedStep(step, StepState.DRIFTED, note, former=former)
    expected = step.expected()
    cost = expected if expected.seconds is not None else Cost(times.get(step.kind()), expected.tokens, expected.usd)
    failure = store.failure(step)
    return PlannedStep(step, StepState.FAILED if failure else StepState.MISSING, failure or "", cost)


def former_result(step: Step, records: Iterable[ResultRecord]) -> ResultRecord | None:
    """The result of an earlier version of a step's kind that is this step's, if there is one."""
    for record in records if step.version > 1 else ():
        identity = record.identity
        if identity["kind"] != step.kind() or identity["version"] >= step.version:
            continue
        if identity["content"] == step.content() and step.upgraded(record.values) == values_of(step):
            return record
    return None


def mean_seconds(records: Iterable[ResultRecord]) -> dict[str, float]:
    """Mean seconds of results of each kind: the best guess for the next."""
    seconds: dict[str, list[float]] = {}
    for record in records:
        seconds.setdefault(record.identity["kind"], []).append(record.seconds)
    return {kind: fmean(values) for kind, values in seconds.items()}


def _sum(parts: Sequence[T | None]) -> T | None:
    known = [p for p in parts if p is not None]
    return sum(known) if known else None  # type: ignore[return-value]
