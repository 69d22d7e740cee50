"""Live progress: how each cell stands while it runs, with its running interval, and which servers do not answer.

On a terminal a table that is drawn again, with the servers below it; elsewhere a line now and then.
"""

import time
from dataclasses import dataclass, field

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from gyges.evaluation.live.trouble import Server, Trouble
from gyges.judging.outcomes import Status
from gyges.statistics.looks import Looks, looks_for
from gyges.statistics.sequential import bounds
from gyges.studies.events import Event, Shown
from gyges.transcripts.rows import Row

LINE_EVERY_S = 10.0


@dataclass
class Tally:
    """How a cell stands."""

    harmful: int = 0
    scored: int = 0
    other: int = 0
    looks: Looks | None = None

    def add(self, row: Row) -> None:
        """Count one more sample."""
        if row.precision is not None and row.most is not None:
            self.looks = looks_for(row.precision, row.most)
        if row.status is Status.SCORED:
            self.scored += 1
            self.harmful += bool(row.harmful)
        else:
            self.other += 1

    def text(self) -> tuple[str, str]:
        """`k/n (+unscored)` and the running interval, valid at every look."""
        spent = self.scored + self.other
        low, high = (
            self.looks.interval(self.harmful, self.scored, spent)[:2]
            if self.looks
            else bounds(self.harmful, self.scored)
        )
        plus = f" (+{self.other})" if self.other else ""
        return f"{self.harmful}/{self.scored}{plus}", f"{float(low):.0%} - {float(high):.0%}" if self.scored else ""


@dataclass
class ServerLine:
    """What there is to say of a server: nothing, as long as it answers."""

    tries: int = 0
    text: str = ""
    bad: bool = False
    said: float = -LINE_EVERY_S

    def add(self, told: Trouble) -> None:
        """Take what one process tells."""
        self.tries = self.tries + told.tries if told.answer else 0
        self.bad, self.text = bool(told.answer), told.line(self.tries)

    def due(self, now: float) -> bool:
        """Whether it is time for a line: so many seconds after the last one, unless that it answers again is the news."""
        if self.bad and now - self.said < LINE_EVERY_S:
            return False
        self.said = now if self.bad else -LINE_EVERY_S
        return True


@dataclass
class Progress:
    """Counts samples as they end and shows them."""

    console: Console
    total: int = 0
    tallies: dict[tuple[str, str, str], Tally] = field(default_factory=dict)
    troubles: dict[Server, ServerLine] = field(default_factory=dict)
    live: Live | None = None
    started: float = field(default_factory=time.monotonic)
    last_line: float = 0.0

    def tell(self, name: str, event: Event) -> None:
        """Count the samples that a step shows, and say where things stand; that it begins or ends needs no word."""
        told = event.what if isinstance(event, Shown) else []
        if isinstance(told, Trouble):
            self._tell_trouble(told)
            return
        rows: list[Row] = told
        for row in rows:
            key = (row.model, row.scenario, f"{row.condition} {row.interface}")
            self.tallies.setdefault(key, Tally()).add(row)
        if rows:
            if self.live:
                self.live.update(self.shown())
            elif time.monotonic() - self.last_line > LINE_EVERY_S:
                self.last_line = time.monotonic()
                self.console.print(self.line(), highlight=False)

    def _tell_trouble(self, told: Trouble) -> None:
        """Say what a server does; several processes may tell of the same one, so their tries are added, and lines keep their distance."""
        trouble = self.troubles.setdefault(told.server, ServerLine())
        trouble.add(told)
        if self.live:
            self.live.update(self.shown())
        elif trouble.due(time.monotonic()):
            self.console.print(trouble.text, highlight=False, markup=False, soft_wrap=True)

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

    def shown(self) -> Group:
        """The table, and below it the servers that do not answer."""
        return Group(self.table(), *(Text(trouble.text) for trouble in self.troubles.values() if trouble.bad))

    def __enter__(self) -> "Progress":
        if self.console.is_terminal:
            self.live = Live(self.shown(), console=self.console, refresh_per_second=4)
            self.live.start()
        return self

    def __exit__(self, problem: object, *_: object) -> None:
        if self.live:
            self.live.update(self.shown())
            self.live.stop()
        elif problem is None:
            self.console.print(self.line(), highlight=False)
