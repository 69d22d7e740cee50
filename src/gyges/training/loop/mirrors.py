"""Mirrors of a training's metrics, by option: trackio and wandb, a run for each training in one project. `metrics.jsonl` stays the truth."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec

from gyges.errors import UserError

PROJECT = "gyges"
"""The project of all runs; wandb's can be named by WANDB_PROJECT."""


def check(names: Sequence[str]) -> list[str]:
    """The mirrors, if they can be used.

    Raises:
        UserError: one is not installed.
    """
    for name in names:
        if find_spec(name) is None:
            raise UserError(f"the tracker {name} is not installed", f"pip install {name}, or leave it out")
    return list(names)


@contextmanager
def mirrored(names: Sequence[str]) -> Iterator[None]:
    """A training's run in the mirrors. Transformers leaves wandb's open, and the next training of this process would go on in it."""
    if "wandb" not in names:
        yield
        return
    import wandb

    os.environ.setdefault("WANDB_PROJECT", PROJECT)
    try:
        yield
    finally:
        wandb.finish()
