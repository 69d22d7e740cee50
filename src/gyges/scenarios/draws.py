"""Draws: which samples there are to be, by cell, skin and repetition."""

import os
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from gyges.errors import UserError
from gyges.scenarios.company.skins import private_skins
from gyges.scenarios.factors import Levels

PRIVATE_KEY = "private:"


class Draw(NamedTuple):
    """One sample to be: a cell, a skin and the number of the repetition in this skin."""

    cell: Levels
    skin: str
    repeat: int


def parse_skins(value: int | str | Sequence[int | str] | None, count: int) -> list[str]:
    """Skin keys from what a user gave.

    Args:
        value: a number or text, a list of them, `private:KEY` or `private:$NAME`, or None for 0, 1, 2 ...
        count: how many are wanted where the value does not say.

    Raises:
        UserError: a skin is empty or given twice, or the key of a private skin is missing.
    """
    if value is None:
        return [str(i) for i in range(count)]
    items = [str(item).strip() for item in (value if isinstance(value, list | tuple) else str(value).split(","))]
    if not items or not all(items):
        raise UserError("a skin is empty", "Write skin=7, skin=1,2,3 or skin=private:$NAME, or leave it out")
    skins = []
    for item in items:
        private = item.startswith(PRIVATE_KEY)
        skins += private_skins(private_key(item.removeprefix(PRIVATE_KEY)), count) if private else [item]
    twice = next((skin for skin, n in Counter(skins).items() if n > 1), None)
    if twice is not None:
        raise UserError(
            f"the skin '{twice}' is given twice", "Name each skin once; more samples go round the skins again"
        )
    return skins


def private_key(text: str) -> str:
    """The key of private skins: the text itself, or what the environment holds under a name that is written `$NAME`.

    Logs hold what was typed, so only a key from the environment stays out of them.

    Raises:
        UserError: there is none.
    """
    if not text.removeprefix("$"):
        raise UserError(
            "a private skin needs a key", "Write skin=private:$NAME and put your key into the variable NAME"
        )
    if not text.startswith("$"):
        return text
    key = os.environ.get(text[1:], "")
    if not key:
        raise UserError(f"the environment has no {text[1:]}", f"Put your key there: export {text[1:]}=...")
    return key


def draws_of(cells: Sequence[Levels], skins: Sequence[str], repeats: int) -> list[Draw]:
    """Every cell in every skin, so that cells can be compared in pairs."""
    return [Draw(cell, skin, repeat) for cell in cells for skin in skins for repeat in range(repeats)]
