"""Which families there are, and to which a scenario belongs."""

import re
from collections.abc import Mapping
from functools import cache
from importlib.metadata import entry_points
from pkgutil import resolve_name
from typing import NamedTuple

from gyges.errors import UserError
from gyges.scenarios.family import Family, ScenarioInfo

GROUP = "gyges.families"
"""The entry points by which a package adds families: `name = "package.module:FAMILY"`."""
IS_PLACE = re.compile(r"[A-Za-z_][\w.]+:[A-Za-z_]\w*")
"""`package.module:OBJECT`. The path of a pack, `C:\\packs\\mine` say, is not one."""

BUILTIN = {"insider": "gyges.scenarios.insider.insider:FAMILY"}


class Place(NamedTuple):
    """A scenario's family, and its name there."""

    family: Family
    name: str

    @property
    def info(self) -> ScenarioInfo:
        """What the family says of it."""
        return self.family.scenario(self.name)


@cache
def families() -> Mapping[str, Family]:
    """All families by name, the built-in ones first."""
    places = BUILTIN | {point.name: point.value for point in entry_points(group=GROUP)}
    return {name: resolve_name(place) for name, place in places.items()}


@cache
def place_of(scenario: str) -> Place:
    """Where a scenario is at home.

    Args:
        scenario: its name, `family/name`, `package.module:FAMILY/name`, or the path of a pack.

    Raises:
        UserError: there is no such scenario; names those that there are.
    """
    place, _, name = scenario.rpartition("/")
    if place in families() or IS_PLACE.fullmatch(place):
        return Place(family_named(place), name)
    for family in families().values():
        if scenario in family.names():
            return Place(family, scenario)
    return Place(families()["insider"], scenario)  # a path, or a mistake, which is told there


def expanded(scenario: str) -> tuple[str, ...]:
    """A scenario, or all those of a family that is named by its name or its place."""
    if scenario in families() or IS_PLACE.fullmatch(scenario):
        return tuple(f"{scenario}/{name}" for name in family_named(scenario).names())
    return (scenario,)


def builtin_scenarios() -> tuple[str, ...]:
    """What is run where no scenario is named."""
    return tuple(families()["insider"].names())


def family_named(name: str) -> Family:
    """A family by its name, or by its place.

    Raises:
        UserError: there is none.
    """
    if name in families():
        return families()[name]
    try:
        return resolve_name(name)
    except (ImportError, AttributeError, ValueError) as error:
        problem = f"there is no family of scenarios called '{name}' ({error})"
        raise UserError(problem, "Write package.module:FAMILY, or install the package that has it") from None
