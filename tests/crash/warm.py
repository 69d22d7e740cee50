"""Processes that are forked from one that has imported what steps need, so that the time of a test that kills goes into steps.

There is one fork server in a process of pytest, and what it imports is settled when it starts; so all tests share this list.
"""

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(
    [
        "pytest",
        "inspect_ai._control.current_server",
        "inspect_ai.agent._acp.server",
        "inspect_ai.model._openai_responses",
        "trl.trainer.grpo_trainer",
        "trl.trainer.sft_trainer",
        "peft",
        "gyges.evaluation.run",
        "gyges.propensities.preferences",
        "gyges.studies.execution.one_step",
        "gyges.training.rl",
        "gyges.training.sft",
        "gyges.windtunnel.measure",
        "gyges.windtunnel.pretrain",
    ]
)


def start(target: Callable[..., None], *arguments: Any) -> Any:
    """A process that does `target(*arguments)`."""
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
