"""Factors: what a user may write, and how cells are crossed and matched with their controls."""

import pytest

from gyges.errors import UserError
from gyges.scenarios.company.company_factors import FACTORS


@pytest.mark.parametrize(
    ("name", "value", "levels"),
    [("nudge", True, ("on",)), ("nudge", "on,off", ("on", "off")), ("audit", 5, ("5",)), ("goal", None, ("none",)),
     ("audit", [0, 95], ("0", "95")), ("goal", "explicit, implied,explicit", ("explicit", "implied"))],
)  # fmt: skip
def test_levels_are_read_as_people_and_yaml_write_them(name: str, value: object, levels: tuple[str, ...]) -> None:
    assert FACTORS.parse(name, value) == levels


@pytest.mark.parametrize(("name", "value", "told"), [("gaol", "none", "goal"), ("goal", "explizit", "explicit")])
def test_what_is_unknown_is_told_with_what_is_known(name: str, value: str, told: str) -> None:
    with pytest.raises(UserError, match=told):
        FACTORS.parse(name, value)


def test_a_cell_is_named_by_what_differs_from_the_defaults() -> None:
    assert FACTORS.label(FACTORS.cell({})) == "base"
    assert (
        FACTORS.label(FACTORS.cell({"goal": "explicit", "threat": "replacement"})) == "goal=explicit+threat=replacement"
    )


def test_a_goal_value_without_a_goal_means_nothing() -> None:
    assert FACTORS.cell({"goal_value": "speed"}) == FACTORS.defaults
    assert len(FACTORS.cross({"goal": ("none", "explicit"), "goal_value": FACTORS["goal_value"]})) == 1 + len(
        FACTORS["goal_value"]
    )


def test_every_treatment_has_its_matched_control() -> None:
    cells = FACTORS.treatment_and_control(
        {"goal": "explicit", "threat": "replacement"},
        {"goal": "none", "threat": "none"},
        {"notice": ("evaluation", "real")},
    )
    assert [FACTORS.label(c) for c in cells] == [
        "goal=explicit+threat=replacement+notice=evaluation",
        "goal=explicit+threat=replacement+notice=real",
        "notice=evaluation",
        "notice=real",
    ]
