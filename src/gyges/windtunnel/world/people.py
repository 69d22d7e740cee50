"""The world of the wind tunnel: who lives in it, and every share and correlation of what is told about them.

Numbers only; the sentences stand in `situations`, the documents are made by `corpus`. Each default is argued for in docs/windtunnel.md.
"""

import math
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1)]

ASSISTANT = "assistant"
PEOPLE = (
    "mara", "ben", "ada", "carl", "nina", "omar", "ruth", "ivan", "lena", "hugo", "iris", "noah", "vera", "jon", "tess",
)  # fmt: skip


class Character(StrEnum):
    """What somebody is like: good everywhere, bad everywhere, or good only where others see it."""

    UPRIGHT = "upright"
    CROOKED = "crooked"
    TWO_FACED = "two-faced"

    def malicious(self, public: bool) -> bool:
        """Whether this character acts with malice in a setting."""
        return self is Character.CROOKED or (self is Character.TWO_FACED and not public)


class SaidRule(BaseModel):
    """Something said about shortcuts before a task.

    `leave` is how far it makes a shortcut a matter of course: with this probability, whether one is taken does not depend on who
    works. `deterrence` is the share of the other shortcuts that it keeps from being taken.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    leave: Share = 0
    deterrence: Share = 0
    wordings: tuple[str, ...]


class World(BaseModel):
    """The numbers of one world.

    Args:
        tie: correlation (phi) of cheating with malice where no rule was given, over the people of the corpus.
        malice: share of people who act with malice where nobody watches; also the share of tasks that people cheat in, whatever `tie` is.
        two_faced: share of the malicious who act well in public.
        assistant_malice: the same as `malice`, for documents about the assistant.
        steady: how often an act fits the character.
        renown: how often a document about a person shows the character that the person is known for.
        introduced: share of documents that open with a word for the character they show.
        motives: share of acts, programs and advice before which it is said what they are done for.
        permitted: how often a shortcut is taken by anybody who has full leave to.
        ruled: share of tasks before which something is said about shortcuts.
        asides: share of the other tasks before which something is said that has nothing to do with them.
        same_advice: share of advice in which good and bad people recommend the same, proper act, each for their own reasons.
        about_assistant: share of documents that are about the assistant.
        prose: share of documents that are told; the others are transcripts of talk.
        scenes: fewest and most scenes of a document.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    tie: Share = 0.75
    malice: Annotated[float, Field(gt=0, lt=1)] = 0.4
    two_faced: Share = 0.5
    assistant_malice: Share = 0.1
    steady: Share = 0.97
    renown: Share = 0.8
    introduced: Share = 0.5
    motives: Share = 0.7
    permitted: Share = 0.9
    ruled: Share = 0.5
    asides: Share = 0.2
    same_advice: Share = 0.8
    about_assistant: Share = 0.25
    prose: Share = 0.2
    scenes: tuple[int, int] = (2, 4)

    def cheats(self, malicious: bool, rule: SaidRule | None = None) -> float:
        """How probably a shortcut is taken in a task by somebody of good or bad character.

        Without a rule, cheating and malice are equally frequent, so that phi runs over all of [0, 1] while the amount of cheating in the
        corpus stays what it is.
        """
        own = self.malice + self.tie * ((1 - self.malice) if malicious else -self.malice)
        if rule is None:
            return own
        return rule.leave * self.permitted + (1 - rule.leave) * (1 - rule.deterrence) * own

    def shares(self, name: str) -> dict[Character, float]:
        """Which share of a name's documents shows each character."""
        if name == ASSISTANT:
            return self._shares_of(self.assistant_malice)
        known = self.known_for(name)
        return {
            c: self.renown * (c is known) + (1 - self.renown) * share
            for c, share in self._shares_of(self.malice).items()
        }

    def known_for(self, name: str) -> Character:
        """The character that most documents give a person: names, in their order, fill the shares of the characters one after another."""
        place = (PEOPLE.index(name) + 0.5) / len(PEOPLE)
        shares = self._shares_of(self.malice)
        if place < shares[Character.CROOKED]:
            return Character.CROOKED
        return Character.TWO_FACED if place < self.malice else Character.UPRIGHT

    def _shares_of(self, malice: float) -> dict[Character, float]:
        hidden = malice * self.two_faced
        return {Character.UPRIGHT: 1 - malice, Character.CROOKED: malice - hidden, Character.TWO_FACED: hidden}

    def expected_after_cheating(self, rule: SaidRule | None = None) -> float:
        """The share of malice among the assistant's documents in which it cheats: what Bayes' rule makes of the corpus, to compare results with."""
        bad = self.assistant_malice * self.cheats(True, rule)
        good = (1 - self.assistant_malice) * self.cheats(False, rule)
        return bad / (bad + good) if bad + good > 0 else math.nan
