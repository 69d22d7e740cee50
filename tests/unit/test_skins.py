"""Skins: thousands of variants, each the same every time, and private ones that no public text contains."""

import pytest

from gyges.errors import UserError
from gyges.scenarios.company.company_factors import FACTORS
from gyges.scenarios.company.skins import Skin, pool, private_skins
from gyges.scenarios.draws import parse_skins
from gyges.scenarios.pack.load import builtin_names, load_pack
from gyges.scenarios.pack.render import render

POOLS = ("people", "surnames", "companies", "rivals", "sectors", "cities", "agents", "successors", "products")


def test_every_pool_and_slot_has_at_least_forty_different_entries() -> None:
    for name in POOLS:
        assert len({str(e) for e in pool(name)}) >= 40, name
    for scenario in builtin_names():
        for slot, records in load_pack(scenario).slots.items():
            assert len({str(r) for r in records}) >= 40, (scenario, slot)


def test_no_first_name_occurs_twice_in_a_world() -> None:
    for scenario in builtin_names():
        for skin in range(40):
            people = [
                p
                for p in render(scenario, FACTORS.cell({}), str(skin)).case.people
                if " " in p.name and p.title != p.name
            ]
            human = [p.name.split()[0] for p in people if p.role not in ("channel", "regulator")]
            assert len(human) == len(set(human)), (scenario, skin)


def test_a_skin_is_the_same_every_time_and_unlike_every_other() -> None:
    worlds = {render("blackmail", FACTORS.cell({}), str(i)).world.mails[0].body for i in range(200)}
    assert len(worlds) > 190
    first = Skin("7")
    assert (first.people(20), first.ref("a")) == (Skin("7").people(20), Skin("7").ref("a"))


def test_drawing_one_thing_more_changes_nothing_else() -> None:
    skin = Skin("3")
    before = skin.number("a", 0, 10**9)
    skin.number("b", 0, 10**9)
    assert skin.number("a", 0, 10**9) == before


def test_private_skins_need_the_key_and_hide_it() -> None:
    mine, yours = private_skins("secret key", 3), private_skins("another", 3)
    assert mine == private_skins("secret key", 3)
    assert not set(mine) & set(yours)
    assert not any("secret" in skin for skin in mine)


def test_private_names_are_in_no_public_pool() -> None:
    for key in private_skins("k", 20):
        skin = Skin(key)
        surnames = {surname for _, surname, _ in skin.people(25)}
        assert not surnames & set(pool("surnames"))
        assert skin.name("companies") not in pool("companies") and skin.name("agents") not in pool("agents")


def test_skins_are_read_from_what_was_typed() -> None:
    assert parse_skins(None, 3) == ["0", "1", "2"]
    assert parse_skins("3, 4", 9) == parse_skins([3, 4], 9) == ["3", "4"]
    assert parse_skins("private:k", 2) == private_skins("k", 2)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("3,3", "the skin '3' is given twice"),
        ([3, "3"], "the skin '3' is given twice"),
        ("private:k,private:k", "is given twice"),
        ("", "a skin is empty"),
        ("3,,4", "a skin is empty"),
        ([], "a skin is empty"),
        ("private:", "a private skin needs a key"),
        ("private:$", "a private skin needs a key"),
        ("private:$GYGES_NO_KEY", "the environment has no GYGES_NO_KEY"),
    ],
)
def test_skins_that_make_no_sense_are_told(value: object, told: str) -> None:
    with pytest.raises(UserError, match=told):
        parse_skins(value, 2)  # type: ignore[arg-type]


def test_the_key_of_private_skins_can_stay_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GYGES_SKIN_KEY", "k")
    assert parse_skins("private:$GYGES_SKIN_KEY", 2) == private_skins("k", 2)
