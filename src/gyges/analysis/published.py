"""Published figures as data (`published.toml`), and how a study that repeats one compares with it."""

import math
import tomllib
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from gyges.analysis.claims import ClaimResult, Standing


class Published(BaseModel):
    """One figure: what was measured, on what, with its source. `sure` says whether it was read in the source's own text."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    figure: str
    what: str
    source: str
    sure: bool = True


@cache
def published() -> dict[str, Published]:
    """All published figures that studies repeat, by their keys."""
    text = Path(__file__).with_name("published.toml").read_text(encoding="utf-8")
    return {key: Published(**entry) for key, entry in tomllib.loads(text).items()}


def compare(result: ClaimResult) -> str:
    """`reproduced in direction`, `not reproduced` or `not comparable`: a miniature's figure is never compared with a large model's by size."""
    if result.found is None or math.isnan(result.found.mean) or result.standing is Standing.OPEN:
        return "not comparable"
    return "reproduced in direction" if result.standing.confirms else "not reproduced"
