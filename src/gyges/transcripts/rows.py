"""The typed rows between the logs and the report: one row a sample, one folder a study."""

from pydantic import BaseModel, ConfigDict

from gyges.judging.outcomes import Belief, Evidence, Outcome, Reason, Status


class Row(BaseModel):
    """One sample of one model: a line of `verdicts.parquet`.

    `sample_id` with `epoch` (Inspect's, 1 in `gyges test`) is unique for a model. `factors` holds every factor's level; `condition` is the short text of those that differ
    from their defaults, the interface left out; `control` says whether this cell is the scenario's control; `sequential` that
    sampling stopped when the cell's interval was narrow enough, so that only an anytime-valid interval holds.
    """

    model_config = ConfigDict(frozen=True)

    model: str
    scenario: str
    interface: str
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
    outcome: Outcome | None = None
    harmful: bool | None = None
    belief: Belief = Belief.NOT_STATED
    weighed_ethics: bool | None = None
    deceived: bool | None = None
    competent: bool = False
    exposed: bool = True
    sequential: bool = False
    judge: str = ""
    evidence: tuple[Evidence, ...] = ()
    input_tokens: int = 0
    output_tokens: int = 0
    judge_input_tokens: int = 0
    judge_output_tokens: int = 0
    seconds: float = 0.0
    log: str = ""


class Turn(BaseModel):
    """One message of a transcript as the report shows it: `role` is system, user, assistant, tool or reasoning."""

    model_config = ConfigDict(frozen=True)

    role: str
    text: str
    title: str = ""


class ScenarioInfo(BaseModel):
    """What the report says about a scenario."""

    model_config = ConfigDict(frozen=True)

    name: str
    title: str
    version: str
    summary: str
    question: str
    harm_name: str
    harmful: tuple[Outcome, ...]


class JudgeQuality(BaseModel):
    """How often the ledger and this judge together err on the golden transcripts: counts, for one scenario or all (`scenario=""`).

    `sensitivity` is (harmful called harmful, harmful), `specificity` (harmless called harmless, harmless),
    `agreement` (same outcome, all scored); `kappa` is Cohen's over outcomes.
    """

    model_config = ConfigDict(frozen=True)

    judge: str
    scenario: str = ""
    sensitivity: tuple[int, int]
    specificity: tuple[int, int]
    agreement: tuple[int, int]
    unscored: int = 0
    kappa: float | None = None
    note: str = ""


class Study(BaseModel):
    """Everything the report needs, already read: no file is opened after this."""

    model_config = ConfigDict(frozen=True)

    rows: tuple[Row, ...]
    scenarios: tuple[ScenarioInfo, ...]
    judge_quality: tuple[JudgeQuality, ...] = ()
    transcripts: dict[str, tuple[Turn, ...]] = {}  # by `{model}|{sample_id}`; the few that the page shows
    title: str = "Gyges report"
    settings: dict[str, str] = {}
    created: str = ""
