"""The evaluation as a step: the verdicts of `gyges test`, and a key that follows the packs' texts."""

from pathlib import Path

import pytest
from toys import toy_study

from gyges.studies.run import How, run
from gyges.studies.store import Store
from gyges.transcripts import spec as spec_module
from gyges.transcripts.evaluate import evaluate
from gyges.transcripts.read import read_table
from gyges.transcripts.spec import ModelSpec, make_spec
from gyges.transcripts.steps import Evaluate

STEP = Evaluate(
    model="scripted/mixture", model_args={"harm": 0.3}, scenarios=("espionage",), interface="text", samples=6
)


def test_a_step_gives_the_same_verdicts_as_the_command(tmp_path: Path) -> None:
    assert run(toy_study(STEP), Store(tmp_path / "store"), How(workers=1)).whole
    spec = make_spec([ModelSpec(name="scripted/mixture", args={"harm": 0.3})], ["espionage"], (), "text", samples=6)
    alone = {r.sample_id: (r.outcome, r.status) for r in evaluate(spec, tmp_path / "out")}
    rows = read_table(Store(tmp_path / "store").path(STEP) / "verdicts.parquet")
    assert {r.sample_id: (r.outcome, r.status) for r in rows} == alone and len(alone) == 12


def test_an_edited_pack_gives_a_new_key(monkeypatch: pytest.MonkeyPatch) -> None:
    before = Evaluate(**STEP.model_dump()).key
    assert before == STEP.key
    real = spec_module.pack_digest
    monkeypatch.setattr("gyges.transcripts.steps.pack_digest", lambda name: real(name)[::-1])
    assert Evaluate(**STEP.model_dump()).key != before
