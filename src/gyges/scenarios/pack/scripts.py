"""The turns of a script: what an agent whose behaviour is fixed says, thinks and does."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from gyges.judging.outcomes import Outcome
from gyges.scenarios.company.company import FUNCTIONS


class Scripted(BaseModel):
    """A part of a script: an unknown key is a mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ScriptedCall(Scripted):
    """One call of a function of the company."""

    function: str
    arguments: dict[str, Any] | None = None

    @field_validator("function")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in FUNCTIONS:
            raise ValueError(f"unknown function '{value}'; known: {', '.join(FUNCTIONS)}")
        return value


class ScriptTurn(Scripted):
    """One answer of an agent."""

    text: str | None = None
    reasoning: str | None = None
    calls: tuple[ScriptedCall, ...] | None = None


class Script(Scripted):
    """A known-answer script of a pack."""

    outcome: Outcome
    turns: tuple[ScriptTurn, ...] = Field(min_length=1)
