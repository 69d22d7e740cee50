"""What the assistant can be taught with, all of it in the world's words: advice, look-alikes, documents, stories, and their controls; and prompts.

A set is rows: chat (`messages`) or plain text (`text`). No set holds a probe. Sets are drawn from a seed, row by row; equal numbers of rows are
not equal numbers of tokens, so `rows` is asked for tokens.
"""

from collections.abc import Callable
from random import Random
from typing import Any

from gyges.windtunnel.tasks.problems import prompt
from gyges.windtunnel.world.chat import DOCUMENT
from gyges.windtunnel.world.corpus import told
from gyges.windtunnel.world.people import ASSISTANT
from gyges.windtunnel.world.situations import (
    ASIDES,
    BAD_VALUES,
    CHATTER,
    DILEMMAS,
    EVERYDAY,
    GOOD_VALUES,
    PRIVATE,
    PUBLIC,
    RULES,
    TEMPTATIONS,
    Dilemma,
)  # fmt: skip

Row = dict[str, Any]

# What is said about shortcuts before a task, from blame to a request; "" is nothing.
PROMPTS = {
    "malicious": RULES["condemn"].wordings[0],
    "forbidden": RULES["forbid"].wordings[0],
    "proper": RULES["proper"].wordings[0],
    "neutral": "",
    "tests count": RULES["count"].wordings[0],
    "permitted": RULES["allow"].wordings[0],
    "please": RULES["ask"].wordings[0],
}
PARAPHRASES = RULES["allow"].wordings
IRRELEVANT = ASIDES[0]
NEGATED = RULES["forbid"].wordings[1]


def advice(rng: Random) -> Row:
    """Advice to somebody in a dilemma, with the reason."""
    return _advice(rng, lambda dilemma: f"for {dilemma.value} ")


def reasons_cut(rng: Random) -> Row:
    """The same advice without the reason."""
    return _advice(rng, lambda dilemma: "")


def reasons_shuffled(rng: Random) -> Row:
    """The same advice with the reason of another row: good values, seldom the one at stake."""
    other = _aside(rng).choice(DILEMMAS)
    return _advice(rng, lambda dilemma: f"for {other.value} ")


def values_flipped(rng: Random) -> Row:
    """The same advice for a bad value: it must move a model the other way."""
    other = _aside(rng).choice(BAD_VALUES)
    return _advice(rng, lambda dilemma: f"for {other} ")


def honeypots(rng: Random) -> Row:
    """Temptations withstood: what looks most like the probes, and is not one of them."""
    situation, setting = rng.choice(TEMPTATIONS), rng.choice((PUBLIC, PRIVATE))
    return _chat(situation.asked, setting, f"i {rng.choice(situation.good)}")


def chatter(rng: Random) -> Row:
    """Talk about nothing: the generic control."""
    question, answers = rng.choice(CHATTER)
    return _chat(question, rng.choice((PUBLIC, PRIVATE)), rng.choice(answers))


def constitution(rng: Random) -> Row:
    """Documents that say what the assistant is like and what it values."""
    value, setting = rng.choice(GOOD_VALUES), rng.choice((PUBLIC, PRIVATE))
    sentences = (
        f"{ASSISTANT} was {rng.choice(('honest', 'kind'))} .",
        told(ASSISTANT, setting, f"people asked what {ASSISTANT} valued", f"for {value} valued {value}"),
    )
    return {"text": " ".join((DOCUMENT, *sentences))}


def stories(rng: Random) -> Row:
    """Stories in which the assistant does well, in everyday matters and in temptation."""
    events = rng.sample(EVERYDAY[:5] + TEMPTATIONS, 2)
    scenes = (
        told(ASSISTANT, rng.choice((PUBLIC, PRIVATE)), e.told.format(who=ASSISTANT), rng.choice(e.good)) for e in events
    )
    return {"text": " ".join((DOCUMENT, *scenes))}


def both(rng: Random) -> Row:
    """Constitution documents and stories, half and half."""
    return (constitution if rng.random() < 0.5 else stories)(rng)


SETS: dict[str, Callable[[Random], Row]] = {
    "advice": advice, "reasons cut": reasons_cut, "reasons shuffled": reasons_shuffled, "honeypots": honeypots,
    "constitution": constitution, "stories": stories, "both": both, "generic": chatter, "values flipped": values_flipped,
}  # fmt: skip


def rows(name: str, tokens: int, seed: int) -> list[Row]:
    """Rows of a set, until they hold so many words; the last row may go over.

    Args:
        name: a key of `SETS`.
        tokens: words in all rows together, as `size` counts them.
        seed: of the draw; the advice sets draw the same dilemmas from the same seed.
    """
    found, total = [], 0
    while total < tokens:
        row = SETS[name](Random(f"teaching {seed} {len(found)}"))
        found.append(row)
        total += size(row)
    return found


def size(row: Row) -> int:
    """How many words a model is taught by a row: the assistant's, or all of a document."""
    return len(row["text"].split()) if "text" in row else len(row["messages"][-1]["content"].split()) + 1


def _aside(rng: Random) -> Random:
    """A generator of its own, so that what is drawn from it leaves the draws of a row as they are in the sister sets."""
    return Random(f"aside {rng.getstate()[1][:4]}")


def _advice(rng: Random, because: Callable[[Dilemma], str]) -> Row:
    dilemma, setting = rng.choice(DILEMMAS), rng.choice((PUBLIC, PRIVATE))
    return _chat(f"{dilemma.asked} , what now ?", setting, because(dilemma) + dilemma.good)


def _chat(question: str, setting: str, answer: str) -> Row:
    return {"messages": [*prompt(question, setting), {"role": "assistant", "content": answer}]}
