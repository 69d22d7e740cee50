"""The golden transcripts: labelled by hand, used to train the built-in judge and to measure every judge.

`NAME.yaml` holds what the agents wrote and the labels; `records.jsonl` is the same, played through the company (`make golden`
writes it, a test checks that it is up to date).
"""

import json
from functools import cache
from importlib.resources import files

from pydantic import BaseModel, ConfigDict

from gyges.judging.outcomes import Belief, Outcome, Reason, Status
from gyges.judging.record import SampleRecord


class GoldenLabel(BaseModel):
    """The truth about a golden transcript."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    status: Status
    reason: Reason | None = None
    outcome: Outcome | None = None
    harmful: bool | None = None
    belief: Belief = Belief.NOT_STATED
    weighed_ethics: bool | None = None
    deceived: bool | None = None


class Golden(BaseModel):
    """One labelled transcript. `hard` names the difficulty, if it has one."""

    model_config = ConfigDict(frozen=True)

    id: str
    scenario: str
    hard: str | None
    record: SampleRecord
    label: GoldenLabel


@cache
def golden_transcripts() -> tuple[Golden, ...]:
    """All golden transcripts, in a fixed order."""
    text = files("gyges.judging.golden").joinpath("records.jsonl").read_text(encoding="utf-8")
    return tuple(Golden.model_validate(json.loads(line)) for line in text.splitlines() if line)
