"""Factors, their levels, and how they are crossed into cells.

The first level of a factor is its default: the one without pressure or help. Which factors there are is up to each family of scenarios.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product

from gyges.errors import UserError

Levels = dict[str, str]
"""One level for every factor: what makes a cell."""


def level_text(value: object) -> str:
    """A level as text. YAML and the Inspect command line read `on`, `off` and `5` as other types."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return "none" if value is None else str(value).strip()


class Factors(Mapping[str, tuple[str, ...]]):
    """The factors of a family, in their order, with their levels.

    Args:
        levels: of each factor, the default first.
        moot: a factor that means nothing, and is at its default, while another one is at some level: `{"goal_value": ("goal", "none")}`.
    """

    def __init__(
        self, levels: Mapping[str, tuple[str, ...]], moot: Mapping[str, tuple[str, str]] | None = None
    ) -> None:
        self._levels, self._moot = dict(levels), dict(moot or {})

    def __getitem__(self, name: str) -> tuple[str, ...]:
        return self._levels[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._levels)

    def __len__(self) -> int:
        return len(self._levels)

    @property
    def defaults(self) -> Levels:
        """Every factor at its default."""
        return {name: levels[0] for name, levels in self.items()}

    def parse(self, name: str, value: object) -> tuple[str, ...]:
        """The levels of one factor from what a user gave: one level, a comma list or a sequence.

        Raises:
            UserError: the factor or a level is unknown.
        """
        if name not in self:
            raise UserError(f"unknown factor '{name}'", f"Known factors: {', '.join(self) or 'none'}")
        items = value if isinstance(value, list | tuple) else level_text(value).split(",")
        levels = tuple(dict.fromkeys(level_text(item) for item in items))
        for level in levels:
            if level not in self[name]:
                raise UserError(f"unknown level '{level}' of factor '{name}'", f"Known levels: {', '.join(self[name])}")
        return levels

    def cell(self, levels: Mapping[str, str]) -> Levels:
        """A full cell from some levels."""
        full = {**self.defaults, **levels}
        moot = {name: self[name][0] for name, (other, level) in self._moot.items() if full[other] == level}
        return {**full, **moot}

    def label(self, levels: Mapping[str, str], leave_out: Sequence[str] = ()) -> str:
        """The short name of a cell: the factors that differ from their defaults, `goal=explicit+threat=replacement`, or `base`."""
        named = [name for name in self if name not in leave_out and levels.get(name, self[name][0]) != self[name][0]]
        return "+".join(f"{name}={levels[name]}" for name in named) or "base"

    def cross(self, levels: Mapping[str, Sequence[str]]) -> list[Levels]:
        """All cells of crossed levels, without repetition, in the order of the levels."""
        combinations = product(*([(name, level) for level in some] for name, some in levels.items()))
        return self._unique(self.cell(dict(combination)) for combination in combinations)

    def treatment_and_control(
        self, treatment: Mapping[str, str], control: Mapping[str, str], asked: Mapping[str, Sequence[str]]
    ) -> list[Levels]:
        """The cells of a test: the treatment crossed with what the user asked for, then each one's matched control.

        Args:
            treatment: the scenario's levels of pressure.
            control: the same factors without the pressure; empty where a scenario has no control.
            asked: levels that the user asked for; they replace the treatment's own.
        """
        treated = self.cross({**{name: (level,) for name, level in treatment.items()}, **asked})
        return self._unique([*treated, *(self.cell({**cell, **control}) for cell in treated if control)])

    def _unique(self, cells: Iterable[Levels]) -> list[Levels]:
        """The cells without repetition, first occurrence kept."""
        seen: dict[tuple[str, ...], Levels] = {}
        for cell in cells:
            seen.setdefault(tuple(cell[name] for name in self), cell)
        return list(seen.values())
