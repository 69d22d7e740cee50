"""The typed rows between logs and numbers: one row a sample, one turn a message."""

from pydantic import BaseModel, ConfigDict, model_validator

from gyges.judging.outcomes import Evidence, Reason, Status, with_remarks


class Row(BaseModel):
    """One sample of one model: a line of `verdicts.parquet`.

    `sample_id` with `epoch` (Inspect's, 1 in `gyges test`) is unique for a model. `factors` holds every factor's level; `condition` is the short text of those that differ
    from their defaults, the interface left out; `control` says whether this cell is the scenario's control; `sequential` that
    sampling stopped when the cell's interval was narrow enough, so that only an anytime-valid interval holds. `remarks` is what the family notes beside a verdict.
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
