"""`metrics.jsonl`: one line a step, the truth about a training. A resumed run cuts what came after its checkpoint and writes it again."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gyges.files import write_whole

FILE = "metrics.jsonl"
LEFT_OUT = frozenset({"epoch", "step_time", "num_tokens", "total_flos"})
"""What TRL logs and a resumed run would log otherwise: times, counters that begin anew, epochs of our one long pass."""


def append(path: Path, step: int, values: Mapping[str, Any]) -> None:
    """Add a step's line; it is in the file when this returns, whatever kills the process next."""
    kept = {name: value for name, value in values.items() if name not in LEFT_OUT}
    for name, value in kept.items():
        if isinstance(value, float) and not math.isfinite(value):
            kept[name] = None  # JSON has no such number
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"step": step, **kept}) + "\n")


def read(path: Path) -> list[dict[str, Any]]:
    """All whole lines; a last line that was torn by a kill is left out."""
    if not path.is_file():
        return []
    lines = path.read_text(encoding="utf-8").split("\n")[:-1]
    return [json.loads(line) for line in lines]


def up_to(path: Path, step: int) -> list[dict[str, Any]]:
    """The lines up to a step."""
    return [line for line in read(path) if line["step"] <= step]


def cut(path: Path, step: int) -> list[dict[str, Any]]:
    """Keep the lines up to a step, whole or not at all; the kept lines are given back."""
    kept = up_to(path, step)
    write_whole(path, "".join(json.dumps(line) + "\n" for line in kept))
    return kept
