"""Running samples in several processes: one process of Inspect's ends at most about forty samples a second, whatever the server can do.

Covered: rows stream back as samples end; a worker that dies is told; workers end when this process does, however it ends. Not covered: models
that live in the process itself (they would be loaded once for each worker).
"""

import gc
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar

from gyges.errors import UserError
from gyges.evaluation.models import FREE
from gyges.evaluation.spec import How, ModelSpec
from gyges.studies.execution.processes import cores, start_worker
from gyges.transcripts.rows import Row

T = TypeVar("T")

CONNECTIONS_EACH = 20
"""Requests at once that keep a process busy: fewer, and a second one would wait for the server as the first does."""
LATE = 100
"""Samples that are done before a worker has started; also the fewest that are worth a worker."""


def processes_for(model: ModelSpec, how: How, samples: int) -> int:
    """How many processes to run samples in, this one included: 1 where the model runs on this machine or little is asked at once."""
    if model.provider in FREE:
        return 1
    return max(1, min(cores(), (how.max_connections or 0) // CONNECTIONS_EACH, samples // (2 * LATE)))


def share(how: How, processes: int) -> How:
    """What one of several processes may do: its part of the connections."""
    return how.model_copy(update={"max_connections": -(-(how.max_connections or processes) // processes)})


def split(owed: Sequence[T], processes: int) -> list[list[T]]:
    """Samples for this process and for each worker; this one gets more, since it need not start."""
    mine = (len(owed) + LATE * (processes - 1)) // processes
    return [list(owed[:mine]), *(list(owed[mine + i :: processes - 1]) for i in range(processes - 1))]


@contextmanager
def workers(
    work: Callable[..., list[Row]], parts: Sequence[tuple[Any, ...]], tell: Callable[[list[Row]], None]
) -> Iterator[Future[list[Row]]]:
    """Call `work(*part, tell)` in a process for each part while the block runs; gives their rows to come.

    Args:
        work: a module's function; it calls `tell([row])` for every sample that ends and returns the final rows.
        parts: the arguments of each call; they must pickle.
        tell: called here, in a thread, with the rows that a worker tells.

    Raises:
        UserError: (from the future) a worker ended early, or met a user's mistake.
    """
    started = [start_worker(_work, work, part) for part in parts]
    with ThreadPoolExecutor(1) as listener:
        try:
            theirs = listener.submit(_listen, [ear for _, ear in started], tell)
            yield theirs
            theirs.result()
        except BaseException:
            for process, _ in started:
                process.terminate()
            raise
        finally:
            for process, _ in started:
                process.join()


def _listen(ears: list[Connection], tell: Callable[[list[Row]], None]) -> list[Row]:
    """Pass on what workers tell until all have ended; their final rows."""
    rows: list[Row] = []
    while ears:
        for ear in wait(ears):
            assert isinstance(ear, Connection)
            kind, content = _received(ear)
            if kind == "told":
                tell(content)
                continue
            ears.remove(ear)
            if kind == "problem":
                raise content
            rows += content
    return rows


def _received(ear: Connection) -> tuple[str, Any]:
    try:
        return ear.recv()
    except EOFError:
        problem = UserError("a worker process ended early", "The same command continues where it was")
        return "problem", problem


def _work(pipe: Connection, work: Callable[..., list[Row]], part: tuple[Any, ...]) -> None:
    try:
        pipe.send(("rows", work(*part, lambda rows: pipe.send(("told", rows)))))
    except (UserError, KeyboardInterrupt) as problem:
        pipe.send(("problem", problem))


@contextmanager
def rare_collections() -> Iterator[None]:
    """Let Python look for cyclic garbage a hundred times less often: among the events of a thousand samples that takes a sixth of the time."""
    thresholds = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()
