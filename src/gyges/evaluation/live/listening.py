"""Hearing of what happens while Inspect runs samples: those that end, and servers that do not answer."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from threading import Lock

from inspect_ai.hooks import Hooks, ModelRetry, SampleEnd, TaskStart, hooks

from gyges.evaluation.live.servers import WATCH, note_retry, watching
from gyges.evaluation.live.trouble import Trouble
from gyges.transcripts.inspect_logs import row_of
from gyges.transcripts.rows import Row, Stopping

Told = list[Row] | Trouble
"""What is told while samples run: the rows of those that have ended, or what a server does instead of answering."""
Tell = Callable[[Told], None]


@dataclass
class Listener:
    """What is heard while an evaluation runs: the rows of ended samples by evaluation, and who is told of each."""

    tell: Tell
    stopping: Stopping
    models: dict[str, str] = field(default_factory=dict)
    rows: dict[str, list[Row]] = field(default_factory=dict)


LISTENER: ContextVar[Listener | None] = ContextVar("listener", default=None)


@contextmanager
def listening(tell: Tell, stopping: Stopping) -> Iterator[dict[str, list[Row]]]:
    """Hear of every sample that ends inside the block, and of servers that do not answer, and pass it on; gives the rows by the evaluation's id."""
    listener = Listener(tell, stopping)
    token = LISTENER.set(listener)
    try:
        with watching(tell):
            yield listener.rows
    finally:
        LISTENER.reset(token)


def one_at_a_time(tell: Tell) -> Tell:
    """The same, for several threads: a pipe or a display would mix what two of them say at once."""
    lock = Lock()

    def told(what: Told) -> None:
        with lock:
            tell(what)

    return told


@hooks(name="gyges_progress", description="Live progress of gyges test")
class ProgressHooks(Hooks):
    """Passes ended samples on to the progress that listens. Inspect makes one of these for the whole process."""

    def enabled(self) -> bool:
        """Only while somebody listens."""
        return LISTENER.get() is not None or WATCH.get() is not None

    async def on_task_start(self, data: TaskStart) -> None:
        """Remember which model an evaluation is about."""
        if listener := LISTENER.get():
            listener.models[data.eval_id] = data.spec.model

    async def on_sample_end(self, data: SampleEnd) -> None:
        """Pass the sample on."""
        if listener := LISTENER.get():
            row = row_of(data.sample, listener.models[data.eval_id], "", listener.stopping)
            listener.rows.setdefault(data.eval_id, []).append(row)
            listener.tell([row])

    async def on_model_retry(self, data: ModelRetry) -> None:
        """Note what a model's next try waits for."""
        note_retry(data)
