"""Processes that work for this one and end with it, however it ends.

A worker that outlived a killed run would write beside the run that continues it; so each watches its parent and leaves with it.
"""

import multiprocessing
import os
from collections.abc import Callable
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from threading import Thread
from typing import Any


def start_worker(target: Callable[..., None], *arguments: Any) -> tuple[BaseProcess, Connection]:
    """Start `target(connection, *arguments)` in a process of its own; the other end of the connection is given back.

    When the worker dies, reading from that end raises EOFError.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_run, args=(target, theirs, *arguments), daemon=False)
    process.start()
    theirs.close()  # the worker's copy is now the only one, so its death is seen as the end of the pipe
    return process, ours


def _run(target: Callable[..., None], connection: Connection, *arguments: Any) -> None:
    Thread(target=_leave_with_parent, daemon=True).start()
    target(connection, *arguments)


def _leave_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
    os._exit(1)


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
