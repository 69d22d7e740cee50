"""What the page of a test is made from."""

from pydantic import BaseModel, ConfigDict

from gyges.judging.calibration import Quality
from gyges.scenarios.family import ScenarioInfo
from gyges.transcripts.rows import Row, Turn


class Results(BaseModel):
    """Everything that the page needs, already read: no file is opened after this."""

    model_config = ConfigDict(frozen=True)

    rows: tuple[Row, ...]
    scenarios: tuple[ScenarioInfo, ...]
    judge_quality: tuple[Quality, ...] = ()
    transcripts: dict[str, tuple[Turn, ...]] = {}  # by `{model}|{sample_id}`; the few that the page shows
    title: str = "Gyges report"
    settings: dict[str, str] = {}
    notes: tuple[str, ...] = ()  # what is missing, in words
    created: str = ""
