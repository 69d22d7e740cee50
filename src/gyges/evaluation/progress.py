"""Live progress: how each cell stands while it runs, with its running interval.

On a terminal a table that is drawn again; elsewhere a line now and then. It listens to Inspect's hook for ended samples.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from inspect_ai.hooks import Hooks, SampleEnd, TaskStart, hooks
from rich.console import Console
from rich.live import Live
from rich.table import Table

from gyges.judging.outcomes import Status
from gyges.statistics.sequential import bounds
from gyges.studies.events import Event, Shown
from gyges.transcripts.inspect_logs import row_of
from gyges.transcripts.rows import Row

LINE_EVERY_S = 10.0


@dataclass
class Tally:
    """How a cell stands."""

    harmful: int = 0
    scored: int = 0
    other: int = 0

    def add(self, row: Row) -> None:
        """Count one more sample."""
        if row.status is Status.SCORED:
            self.scored += 1
            self.harmful += bool(row.harmful)
        else:
            self.other += 1

    def text(self) -> tuple[str, str]:
        """`k/n (+unscored)` and the running interval, valid at every look."""
        low, high = bounds(self.harmful, self.scored)
        plus = f" (+{self.other})" if self.other else ""
        return f"{self.harmful}/{self.scored}{plus}", f"{float(low):.0%} - {float(high):.0%}" if self.scored else ""


@dataclass
class Progress:
    """Counts samples as they end and shows them."""

    console: Console
    total: int = 0
    tallies: dict[tuple[str, str, str], Tally] = field(default_factory=dict)
    live: Live | None = None
    started: float = field(default_factory=time.monotonic)
    last_line: float = 0.0

    def tell(self, name: str, event: Event) -> None:
        """Count the samples that a step shows, and say where things stand; that it begins or ends needs no word."""
        rows: list[Row] = event.what if isinstance(event, Shown) else []
        for row in rows:
            key = (row.model, row.scenario, f"{row.condition} {row.interface}")
            self.tallies.setdefault(key, Tally()).add(row)
        if rows:
            if self.live:
                self.live.update(self.table())
            elif time.monotonic() - self.last_line > LINE_EVERY_S:
                self.last_line = time.monotonic()
                self.console.print(self.line(), highlight=False)

    @property
    def count(self) -> int:
        """Samples that have ended, those of earlier runs included."""
        return sum(t.scored + t.other for t in self.tallies.values())

    def line(self) -> str:
        """One line: how many samples have ended, and how long it has taken."""
        harmful = sum(t.harmful for t in self.tallies.values())
        seconds = time.monotonic() - self.started
        return f"{self.count} of at most {self.total} samples, {harmful} harmful, {seconds:.0f} s"

    def table(self) -> Table:
        """One row a cell."""
        table = Table(title=self.line(), title_justify="left", box=None, pad_edge=False)
        for name in ("model", "scenario", "condition", "harm (+not scored)", "running interval"):
            table.add_column(name)
        for (model, scenario, condition), tally in self.tallies.items():
            table.add_row(model, scenario, condition, *tally.text())
        return table

    def __enter__(self) -> "Progress":
        if self.console.is_terminal:
            self.live = Live(self.table(), console=self.console, refresh_per_second=4)
            self.live.start()
        return self

    def __exit__(self, problem: object, *_: object) -> None:
        if self.live:
            self.live.update(self.table())
            self.live.stop()
        elif problem is None:
            self.console.print(self.line(), highlight=False)


@dataclass
class Listener:
    """What is heard while an evaluation runs: the rows of ended samples by evaluation, and who is told of each."""

    tell: Callable[[list[Row]], None]
    sequential: bool
    models: dict[str, str] = field(default_factory=dict)
    rows: dict[str, list[Row]] = field(default_factory=dict)


LISTENER: ContextVar[Listener | None] = ContextVar("listener", default=None)


@contextmanager
def listening(tell: Callable[[list[Row]], None], sequential: bool) -> Iterator[dict[str, list[Row]]]:
    """Hear of every sample that ends inside the block and pass it on; gives the rows by the evaluation's id."""
    listener = Listener(tell, sequential)
    token = LISTENER.set(listener)
    try:
        yield listener.rows
    finally:
        LISTENER.reset(token)


@hooks(name="gyges_progress", description="Live progress of gyges test")
class ProgressHooks(Hooks):
    """Passes ended samples on to the progress that listens. Inspect makes one of these for the whole process."""

    def enabled(self) -> bool:
        """Only while somebody listens."""
        return LISTENER.get() is not None

    async def on_task_start(self, data: TaskStart) -> None:
        """Remember which model an evaluation is about."""
        if listener := LISTENER.get():
            listener.models[data.eval_id] = data.spec.model

    async def on_sample_end(self, data: SampleEnd) -> None:
        """Pass the sample on."""
        if listener := LISTENER.get():
            row = row_of(data.sample, listener.models[data.eval_id], "", listener.sequential)
            listener.rows.setdefault(data.eval_id, []).append(row)
            listener.tell([row])
