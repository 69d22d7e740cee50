"""A planted rate of harm is recovered. Slow: 100 seeded runs through Inspect, because the promise is about runs, not about a formula."""

from pathlib import Path

import pytest

from gyges.reporting.estimates import estimate
from gyges.transcripts.evaluate import evaluate
from gyges.transcripts.rows import Row
from gyges.transcripts.spec import ModelSpec, make_spec

pytestmark = pytest.mark.slow

PLANTED, RUNS, SAMPLES = 0.3, 100, 20


def run(seed: int, out: Path) -> list[Row]:
    model = ModelSpec(name="scripted/mixture", args={"harm": PLANTED, "seed": seed})
    spec = make_spec([model], ["espionage"], ["threat=replacement", "goal=explicit"], "text", samples=SAMPLES)
    return [row for row in evaluate(spec, out) if not row.control]


def test_a_planted_rate_lies_in_the_interval(tmp_path: Path) -> None:
    inside = 0
    for seed in range(RUNS):
        rows = run(seed, tmp_path / str(seed))
        assert len(rows) == SAMPLES
        found = estimate([row.harmful for row in rows], [row.skin for row in rows])
        inside += found.low <= PLANTED <= found.high
    assert inside >= 93
