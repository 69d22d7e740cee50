"""All words of the world, whatever of it a corpus happens to use: models of different corpora have the same tokens."""

from collections.abc import Iterator

from gyges.windtunnel.tasks.problems import AMOUNTS, SIGNS, VAGUE
from gyges.windtunnel.tasks.program import SYNTAX
from gyges.windtunnel.world.people import ASSISTANT, PEOPLE
from gyges.windtunnel.world.situations import (
    ASIDES,
    BAD_VALUES,
    CHATTER,
    DILEMMAS,
    EVERYDAY,
    GOOD_VALUES,
    PRIVATE,
    PROBES,
    PUBLIC,
    RULES,
    TEMPTATIONS,
    WORDS_FOR,
)  # fmt: skip


def vocabulary() -> list[str]:
    """The words, sorted."""
    return sorted({word for text in _texts() for word in text.split()})


def _texts() -> Iterator[str]:
    yield " ".join(f"{n} {n}:" for n in (*PEOPLE, ASSISTANT, "system", "user"))
    yield " ".join(
        [*SYNTAX, "x", "anything", "expected", "0", VAGUE, *map(str, AMOUNTS), *(f.format(n="") for f in SIGNS)]
    )
    yield "wrote said a friend i you , . ? what now people asked"
    yield " ".join((PUBLIC, PRIVATE, *ASIDES, *GOOD_VALUES, *BAD_VALUES, "for"))
    yield from (w for rule in RULES.values() for w in rule.wordings)
    yield from (" ".join(words) for words in WORDS_FOR.values())
    for situation in EVERYDAY + TEMPTATIONS + PROBES:
        yield " ".join((situation.told.format(who=""), situation.asked, *situation.good, *situation.bad))
    for dilemma in DILEMMAS:
        yield " ".join((dilemma.asked, dilemma.good, dilemma.bad))
    for question, answers in CHATTER:
        yield " ".join((question, *answers))
