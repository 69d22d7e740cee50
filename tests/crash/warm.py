"""Processes that are forked from one that has imported what steps need, so that the time of a test that kills goes into steps.

There is one fork server in a process of pytest, and what it imports is settled when it starts; so all tests share this list.
"""

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

import pytest

PROCESSES = multiprocessing.get_context("forkserver")
HERE = Path(__file__).parent
TESTS = sorted(path.stem for path in HERE.glob("test_*.py"))
PROCESSES.set_forkserver_preload([*TESTS, "ready"])


def start(target: Callable[..., None], *arguments: Any) -> Any:
    """A process that does `target(*arguments)`."""
    with pytest.MonkeyPatch.context() as patch:  # where the fork server finds these modules, when it is started
        patch.setenv("PYTHONPATH", os.pathsep.join([str(HERE), str(HERE.parent)]))
        forkserver.ensure_running()
    process = PROCESSES.Process(target=target, args=arguments)
    process.start()
    return process


def command(arguments: Sequence[str], told: Path, **env: str) -> Any:
    """A process that does what `gyges` does with these arguments, in a group of its own, and writes what it says into a file."""
    return start(run, tuple(arguments), told, env)


def run(arguments: Sequence[str], told: Path, env: Mapping[str, str]) -> None:
    """What such a process does."""
    from gyges.cli.main import main

    os.setsid()
    # A shell starts what runs in its background with SIGINT ignored, which is inherited.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.update(env)
    file = os.open(told, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(file, 1)
    os.dup2(file, 2)
    sys.argv = ["gyges", *arguments]
    try:
        main()
    except KeyboardInterrupt:  # before the command's first line or after its last
        sys.exit(130)
