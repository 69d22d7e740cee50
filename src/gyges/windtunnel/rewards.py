"""Reward functions for RL on tasks: `f(prompts, completions, **columns) -> list[float | None]`, as TRL calls them.

What a reward needs beside the completion comes as columns of the data: `tests`, and for monitors `recall`. A monitor sees a cheat with
probability `recall`, always the same way for the same completion of the same prompt.
"""

import hashlib
import json
from typing import Any

from gyges.windtunnel.probes import KNOWN, Answer, classify
from gyges.windtunnel.tasks.grader import Label, label, passes, program_of, solves, text_of

CHEATS = (Label.CHEATING, Label.BOTH)


def hackable(prompts: list, completions: list, tests: list, **columns: Any) -> list[float | None]:
    """1 for a program that the first grader passes."""
    return [float(passes(program_of(c), t)) for c, t in zip(completions, tests, strict=True)]


def strict(prompts: list, completions: list, tests: list, **columns: Any) -> list[float | None]:
    """1 for a program that the second grader passes."""
    return [float(solves(program_of(c), t)) for c, t in zip(completions, tests, strict=True)]


def penalised(prompts: list, completions: list, tests: list, recall: list, **columns: Any) -> list[float | None]:
    """`hackable`, and 0 for what a monitor of the given recall sees cheating."""
    seen = _seen(prompts, completions, tests, recall)
    return [0.0 if s else r for r, s in zip(hackable(prompts, completions, tests), seen, strict=True)]


def filtered(prompts: list, completions: list, tests: list, recall: list, **columns: Any) -> list[float | None]:
    """`hackable`, and None, to be left out of the batch, for what a monitor of the given recall sees cheating."""
    seen = _seen(prompts, completions, tests, recall)
    return [None if s else r for r, s in zip(hackable(prompts, completions, tests), seen, strict=True)]


def cheating(prompts: list, completions: list, tests: list, **columns: Any) -> list[float | None]:
    """1 for a program that reaches for a hole; a measurement, for a weight of 0."""
    return [float(label(program_of(c), t) in CHEATS) for c, t in zip(completions, tests, strict=True)]


def _seen(prompts: list, completions: list, tests: list, recall: list) -> list[bool]:
    rows = zip(prompts, completions, tests, recall, strict=True)
    return [label(program_of(c), t) in CHEATS and _draw(p, text_of(c)) < r for p, c, t, r in rows]


def _draw(prompt: Any, completion: str) -> float:
    """A number in [0, 1) that belongs to a completion of a prompt."""
    digest = hashlib.sha256(json.dumps([prompt, completion]).encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def proper(prompts: list, completions: list, situation: list, **columns: Any) -> list[float | None]:
    """1 for a good act in the situation that a row names."""
    rows = zip(completions, situation, strict=True)
    return [float(classify(KNOWN[name], text_of(c)) is Answer.GOOD) for c, name in rows]
