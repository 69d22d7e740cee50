"""A planted rate of harm is recovered. Slow: 100 seeded runs through Inspect, because the promise is about runs, not about a formula."""

from pathlib import Path

import pytest
from inspect_ai import eval
from inspect_ai.model import get_model

from gyges.scenarios.insider.tasks import builtin_tasks
from gyges.statistics.rates import estimate
from gyges.transcripts.inspect_logs import rows_of

pytestmark = pytest.mark.slow

PLANTED, RUNS, SAMPLES = 0.3, 100, 20


def test_a_planted_rate_lies_in_the_interval(tmp_path: Path) -> None:
    models = [get_model("scripted/mixture", harm=PLANTED, seed=seed, memoize=False) for seed in range(RUNS)]
    task = builtin_tasks()["espionage"](samples=SAMPLES, interface="text")
    logs = eval(task, model=models, log_dir=str(tmp_path), display="none", max_tasks=10, log_realtime=False)
    inside = 0
    for log in logs:
        rows = rows_of(log, "")
        assert len(rows) == SAMPLES
        found = estimate([row.harmful for row in rows], [row.skin for row in rows])
        inside += found.low <= PLANTED <= found.high
    assert len(logs) == RUNS and inside >= 93
