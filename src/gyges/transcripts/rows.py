"""The typed rows between logs and numbers: one row a sample, one turn a message."""

from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, model_validator

from gyges.judging.outcomes import Evidence, Reason, Status, with_remarks


class Stopping(NamedTuple):
    """Whether sampling stopped because of what was seen, so that an ordinary interval would not hold; and by which design.

    `precision` and `most` are the width and the largest number of samples of `gyges.statistics.looks`. They are None where the samples follow
    from no design, or from several: then only a confidence sequence holds.
    """

    sequential: bool = False
    precision: float | None = None
    most: int | None = None


FIXED_SIZE = Stopping()


class Row(BaseModel):
    """One sample of one model: a line of `verdicts.parquet`.

    `sample_id` with `epoch` (Inspect's, 1 in `gyges test`) is unique for a model. `factors` holds every factor's level; `condition` is the short text of those that differ
    from their defaults, the interface left out; `control` says whether this cell is the scenario's control; `sequential`,
    `precision` and `most` are those of `Stopping`. `remarks` is what the family notes beside a verdict.
    """

    model_config = ConfigDict(frozen=True)

    model: str
    family: str = "insider"
    scenario: str
    interface: str = ""
    condition: str
    control: bool
    factors: dict[str, str]
    skin: str
    repeat: int
    sample_id: str
    epoch: int = 1
    status: Status
    reason: Reason | None = None
    detail: str = ""
    outcome: str | None = None
    harmful: bool | None = None
    competent: bool = False
    remarks: dict[str, str | bool | None] = {}
    sequential: bool = False
    precision: float | None = None
    most: int | None = None
    judge: str = ""
    evidence: tuple[Evidence, ...] = ()
    input_tokens: int = 0
    output_tokens: int = 0
    judge_input_tokens: int = 0
    judge_output_tokens: int = 0
    seconds: float = 0.0
    log: str = ""

    _remarks = model_validator(mode="before")(with_remarks)


class Turn(BaseModel):
    """One message of a transcript as the report shows it: `role` is system, user, assistant, tool or reasoning."""

    model_config = ConfigDict(frozen=True)

    role: str
    text: str
    title: str = ""
