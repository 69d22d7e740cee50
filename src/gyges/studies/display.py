"""How a running study stands, for the person who waits: a bar on a terminal, a line now and then elsewhere."""

import time

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from gyges.studies.events import Ended, Event, Said, Shown
from gyges.studies.plan import HAS_RESULT, plan
from gyges.studies.results.store import Store
from gyges.studies.study import Study

LINE_EVERY_S = 10.0


class StudyDisplay:
    """Shows which steps run, how many are done, and what they say.

    Args:
        console: where.
        study: what runs.
        store: with what is there already.
    """

    def __init__(self, console: Console, study: Study, store: Store) -> None:
        planned = plan(study.steps, store)
        self.console, self.total = console, len(planned.steps)
        self.done = len(planned.of(*HAS_RESULT))
        self.cached, self.failed, self.last_line = self.done, 0, 0.0
        self.said: dict[str, str] = {}
        self.begun = time.monotonic()
        columns = (TextColumn("{task.description}"), BarColumn(20), MofNCompleteColumn(), TimeElapsedColumn())
        self.bar = Bar(*columns, console=console, transient=True) if console.is_terminal else None

    def tell(self, name: str, event: Event) -> None:
        """Take what happens to a step: that it begins, ends, or how far it is. What a step shows is for other displays."""
        if isinstance(event, Ended):
            self.said.pop(name, None)
            self.done += not event.problem
            self.failed += bool(event.problem)
            text = f"failed: {event.problem}" if event.problem else f"done in {event.seconds:.1f} s"
            self._show(f"{name}: {text}", always=bool(event.problem))
        elif not isinstance(event, Shown):
            self.said[name] = event.text if isinstance(event, Said) else "begins"
            self._show(f"{name}: {self.said[name]}", always=False)

    def _show(self, line: str, always: bool) -> None:
        if self.bar:
            running = "; ".join(f"{name.partition('-')[0]} {text}"[:48] for name, text in list(self.said.items())[:2])
            self.bar.update(self.bar.task_ids[0], completed=self.done, description=running)
        if always or (not self.bar and time.monotonic() - self.last_line > LINE_EVERY_S):
            self.last_line = time.monotonic()
            self.console.print(f"[{self.done}/{self.total}] {line}", highlight=False, markup=False)

    def __enter__(self) -> "StudyDisplay":
        if self.bar:
            self.bar.start()
            self.bar.add_task("", total=self.total, completed=self.done)
        return self

    def __exit__(self, problem: object, *_: object) -> None:
        if self.bar:
            self.bar.stop()
        if problem is not None and self.done == self.cached:
            return  # nothing had begun
        seconds = time.monotonic() - self.begun
        text = f"{self.done - self.cached} steps run, {self.cached} were there, {self.failed} failed, {seconds:.0f} s"
        self.console.print(text, highlight=False)
