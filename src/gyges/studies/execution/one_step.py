"""Running one step in the process that is meant for it: lock, look, run in its folder, write the record last."""

import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from dataclasses import replace
from pathlib import Path

from gyges.errors import Unfinished, UserError
from gyges.studies.events import Ended, Event
from gyges.studies.results.provenance import provenance
from gyges.studies.results.store import LOG, Store
from gyges.studies.step import Context, Step

INTERRUPTED = "interrupted"

Work = Callable[[Step, Path, Context], None]
"""How a step is run into its folder."""


def run_capturing_output(step: Step, out: Path, context: Context) -> None:
    """Run a step in this process, whatever number of workers it could have had; all that is written goes to its log."""
    with logged(out / LOG):
        step.run(out, _one_worker(context))


def run_capturing_prints(step: Step, out: Path, context: Context) -> None:
    """Run a step in this process and leave the terminal to those who draw on it: only what Python prints goes to the log."""
    with (out / LOG).open("a", encoding="utf-8") as log, redirect_stdout(log):
        step.run(out, _one_worker(context))


def _one_worker(context: Context) -> Context:
    return replace(context, resources=context.resources.model_copy(update={"workers": 1}))


def run_one(
    step: Step,
    store: Store,
    trackers: tuple[str, ...] = (),
    tell: Callable[[Event], None] | None = None,
    work: Work = run_capturing_output,
) -> Ended:
    """Make a step's result unless it is there. Whatever goes wrong is noted in the store and given back, never raised.

    A second process that wants the same result waits for the first and finds it done.
    """
    begun = time.monotonic()
    try:
        with store.lock(step.key):
            if store.record(step) is not None:
                return Ended(step.key, "", 0.0)
            if store.is_whole(step):  # made here before, and not sent to where it belongs
                store.send(step)
                return Ended(step.key, "", 0.0)
            out = store.path(step)
            out.mkdir(parents=True, exist_ok=True)
            work(step, out, Context(store.result, step.resources, trackers, tell, hold=store.hold))
            seconds = time.monotonic() - begun
            store.finish(step, provenance(step), seconds)
            store.send(step)
            return Ended(step.key, "", seconds)
    except KeyboardInterrupt:
        return Ended(step.key, INTERRUPTED, time.monotonic() - begun)
    except Exception as error:
        problem = str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
        with suppress(OSError):  # a full disk must not hide why the step failed
            store.fail(step, problem, traceback.format_exc())
        return Ended(step.key, problem, time.monotonic() - begun, isinstance(error, Unfinished))


@contextmanager
def logged(path: Path) -> Iterator[None]:
    """Everything that this process writes goes to the step's log, C libraries included; attempts follow one another."""
    _flush()
    saved = {stream: os.dup(stream) for stream in (1, 2)}
    with path.open("ab") as log:
        log.write(f"--- {time.strftime('%Y-%m-%d %H:%M:%S')} ---\n".encode())
        log.flush()
        for stream in saved:
            os.dup2(log.fileno(), stream)
        try:
            yield
        except BaseException:
            traceback.print_exc()
            raise
        finally:
            _flush()
            for stream, copy in saved.items():
                os.dup2(copy, stream)
                os.close(copy)


def _flush() -> None:
    sys.stdout.flush()
    sys.stderr.flush()
