"""Processes that are forked from one that has imported what steps need, so that the time of a test that kills goes into steps.

There is one fork server in a process of pytest, and what it imports is settled when it starts; so all tests share this list.
"""

import multiprocessing
import os
import sys
from collections.abc import Callable, Sequence
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


def command(arguments: Sequence[str], told: Path) -> Any:
    """A process that does what `gyges` does with these arguments, and writes what it says into a file."""
    return start(_command, tuple(arguments), told)


def _command(arguments: Sequence[str], told: Path) -> None:
    from gyges.cli.main import main

    file = os.open(told, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(file, 1)
    os.dup2(file, 2)
    sys.argv = ["gyges", *arguments]
    main()
