"""The factors of a scenario, their levels, and how they are crossed into cells.

The first level of a factor is its default: the one without pressure or help. What each level does to the text, what it tests and
where it comes from is in `docs/factors.md`.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import Any

from gyges.errors import UserError

FACTORS: dict[str, tuple[str, ...]] = {
    "goal": ("none", "explicit", "implied", "ambiguous", "swapped"),
    "goal_value": (
        "domestic", "global", "speed", "caution", "principled", "pragmatic", "individual", "collective",
    ),
    "threat": ("none", "replacement", "restriction"),
    "instruction": ("none", "prohibitions", "principle"),
    "notice": ("none", "evaluation", "real", "ask"),
    "nudge": ("off", "on"),
    "exits": ("none", "ally", "ethics_channel"),
    "audit": ("none", "0", "5", "10", "50", "95"),
    "density": ("2", "0", "6"),
    "scratchpad": ("none", "private", "visible"),
    "interface": ("tools", "text"),
}  # fmt: skip

DEFAULTS: dict[str, str] = {name: levels[0] for name, levels in FACTORS.items()}

Cell = dict[str, str]
"""One level for every factor."""


def level_text(value: Any) -> str:
    """A level as text. YAML and the Inspect command line read `on`, `off` and `5` as other types."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return "none" if value is None else str(value).strip()


def parse_levels(name: str, value: Any) -> tuple[str, ...]:
    """The levels of one factor from what a user gave: one level, a comma list or a sequence.

    Raises:
        UserError: the factor or a level is unknown.
    """
    if name not in FACTORS:
        raise UserError(f"unknown factor '{name}'", f"Known factors: {', '.join(FACTORS)}")
    items = value if isinstance(value, list | tuple) else str(level_text(value)).split(",")
    levels = tuple(dict.fromkeys(level_text(item) for item in items))
    for level in levels:
        if level not in FACTORS[name]:
            raise UserError(f"unknown level '{level}' of factor '{name}'", f"Known levels: {', '.join(FACTORS[name])}")
    return levels


def cell(levels: Mapping[str, str]) -> Cell:
    """A full cell from some levels. A goal value without a goal means nothing, so it is set to the default."""
    full = {**DEFAULTS, **levels}
    if full["goal"] == "none":
        full["goal_value"] = DEFAULTS["goal_value"]
    return full


def label(levels: Mapping[str, str], leave_out: Sequence[str] = ()) -> str:
    """The short name of a cell: the factors that differ from their defaults, `goal=explicit+threat=replacement`, or `base`."""
    parts = [f"{k}={levels[k]}" for k in FACTORS if k not in leave_out and levels[k] != DEFAULTS[k]]
    return "+".join(parts) or "base"


def cross(factors: Mapping[str, Sequence[str]]) -> list[Cell]:
    """All cells of the crossed factors, without repetition, in the order of the factors' levels."""
    combinations = product(*([(name, level) for level in levels] for name, levels in factors.items()))
    return unique(cell(dict(combination)) for combination in combinations)


def treatment_and_control(
    treatment: Mapping[str, str], control: Mapping[str, str], factors: Mapping[str, Sequence[str]]
) -> list[Cell]:
    """The cells of a test: the treatment crossed with what the user asked for, then each one's matched control.

    Args:
        treatment: the pack's levels of pressure.
        control: the same factors without the pressure.
        factors: levels that the user asked for; they replace the treatment's own.
    """
    treated = cross({**{k: (v,) for k, v in treatment.items()}, **factors})
    return unique([*treated, *(cell({**c, **control}) for c in treated)])


def unique(cells: Iterable[Cell]) -> list[Cell]:
    """The cells without repetition, first occurrence kept."""
    seen: dict[tuple[str, ...], Cell] = {}
    for c in cells:
        seen.setdefault(tuple(c[k] for k in FACTORS), c)
    return list(seen.values())
